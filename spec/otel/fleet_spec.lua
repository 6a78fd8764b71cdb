-- Traces of a fleet, over a real etcd: one for each item's run, and one of the command.

local collectors = require "spec.otel.collector"
local controllers = require "spec.cli.controller"
local run_spans = require "alicloud.otel.run_spans"
local scratch = require "spec.scratch"
local worlds = require "spec.worlds"

describe("the traces of a fleet", function()
  controllers.check("are one for each run, linked with that of the command", function()
    local collector <close> = collectors.start "200"
    local desk = controllers.new(false, { world = worlds.of_groups(3) })
    desk.env.ALICLOUD_DR_ACCOUNT = "100001"
    desk.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url
    local events = scratch.path ".ndjson"
    local ran = desk:run("fleet", "night", "groups=all", "region=cn-shanghai", "--yes", "--json",
      "--events", events)
    assert.equal(3, ran.object.done, ran.err)
    local list, by_id = collector:spans()
    local command, runs, moves = nil, {}, {}
    for _, span in ipairs(list) do
      if span.name == "alicloud-dr fleet" then command = span end
      if span.name == "run failover" then runs[#runs + 1] = span end
      if span.name == "ebs.FailoverDiskReplicaGroup" then moves[#moves + 1] = span end
    end
    assert.same({ 3, 3, 3 }, { #runs, #moves, #command.links })
    local linked = {}
    for _, link in ipairs(command.links) do linked[link.spanId] = true end
    for i, span in ipairs(runs) do
      local trace_id, span_id = run_spans.ids(span.told["alicloud_dr.run.id"])
      assert.same({ trace_id, span_id, command.spanId }, { span.traceId, span.spanId,
        span.links[1].spanId })
      assert.is_true(linked[span.spanId])
      assert.is_true(span.traceId ~= (runs[i + 1] or command).traceId)
    end
    -- Whoever reads the events beside them gets the same runs.
    local _, finished = scratch.read(events):gsub('"type":"finished"', "")
    assert.equal(3, finished)
    -- Each call is under the step of its own run.
    local seen = {}
    for _, move in ipairs(moves) do
      local step = by_id[move.parentSpanId]
      assert.matches("^step ", step.name)
      assert.equal(move.traceId, by_id[step.parentSpanId].traceId)
      assert.is_nil(seen[move.traceId])
      seen[move.traceId] = true
    end
  end)
end)
