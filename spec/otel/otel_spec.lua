-- Traces of commands: what a collector gets, and that none can hurt a command.

local after = require "spec.dr.after_lab"
local collectors = require "spec.otel.collector"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local exporters = require "alicloud.otel.exporter"
local run_spans = require "alicloud.otel.run_spans"
local scratch = require "spec.scratch"
local server_module = require "spec.server"
local settings = require "alicloud.otel.settings"
local spans = require "alicloud.otel.span"

local function traced(given, url, script)
  local desk, file, directory = desks.room(script, given)
  desk.env.OTEL_EXPORTER_OTLP_ENDPOINT = url
  return desk, file, directory
end

local function run(desk, ...)
  local words = { ... }
  words[#words + 1], words[#words + 2] = "--region", "cn-shanghai"
  return desk:run(table.unpack(words))
end

local function named(list, name)
  local found = {}
  for _, span in ipairs(list) do
    if span.name == name then found[#found + 1] = span end
  end
  return found, found[1]
end

local function events_of(span)
  local names = {}
  for i, event in ipairs(span.events) do names[i] = event.name end
  return table.concat(names, " ")
end

describe("the traces of a command", function()
  it("hold the change, its calls and attempts, under one another", function()
    local collector <close> = collectors.start "200"
    local desk = traced({ faults = { { match = { action = "FailoverDiskReplicaGroup", count = 1 },
      effect = { error = { code = "Throttling", status = 429 } } } } }, collector.url .. "/")
    local ran = run(desk, "failover", "pg-orders", "--yes")
    assert.equal(0, ran.code, ran.err)
    assert.is_nil(ran.err:find("traces", 1, true))
    local list, by_id, resource = collector:spans()
    assert.equal("alicloud-dr", resource["service.name"])
    local _, command = named(list, "alicloud-dr failover")
    assert.is_nil(command.parentSpanId)
    assert.same({ "pg-orders", 0 }, { command.told["alicloud_dr.group.id"],
      command.told["process.exit.code"] })
    assert.matches("looked .*sending .*accepted .*state", events_of(command))
    local calls, call = named(list, "ebs.FailoverDiskReplicaGroup")
    assert.equal(1, #calls)
    assert.same({ command.spanId, 3, true, 8, "accepted", "cn-shanghai" }, { call.parentSpanId,
      call.kind, call.told["alicloud_dr.changes"], #call.told["alicloud_dr.client_token"],
      call.told["alicloud_dr.outcome"], call.told["cloud.region"] })
    assert.equal("retry", events_of(call))
    local tries = {}
    for _, span in ipairs(list) do
      if span.parentSpanId == call.spanId then tries[#tries + 1] = span end
    end
    assert.equal(2, #tries)
    assert.same({ "POST", 429, "Throttling", 2 }, { tries[1].name,
      tries[1].told["http.response.status_code"], tries[1].told["error.type"],
      tries[1].status.code })
    assert.same({ 200, 1, 443, "https://ebs.cn-shanghai.aliyuncs.com/" }, {
      tries[2].told["http.response.status_code"], tries[2].told["http.request.resend_count"],
      tries[2].told["server.port"], tries[2].told["url.full"] })
    assert.is_true(#named(list, "ebs.DescribeDiskReplicaGroups") > 3)
    for _, span in ipairs(list) do
      assert.equal(command.traceId, span.traceId)
      assert.is_true(span == command or by_id[span.parentSpanId] ~= nil)
    end
    local request = collector:requests()[1]
    assert.matches("^POST /v1/traces HTTP", request.head)
    assert.matches("[Cc]ontent%-[Tt]ype: application/json", request.head)
  end)

  it("are sent as the manual says", function()
    local collector <close> = collectors.start "200"
    local snippet = scratch.read "lua/alicloud/manual/tracing.md":match "\n```text\n(.-)\n```"
    local desk, words = desks.new {}, {}
    for name, value in snippet:gmatch "export ([%w_]+)=(%S+)" do desk.env[name] = value end
    local line = snippet:match "\nalicloud%-dr ([^\n]+)"
    for word in line:gmatch "%S+" do words[#words + 1] = word end
    assert.equal("http://127.0.0.1:4318", desk.env.OTEL_EXPORTER_OTLP_ENDPOINT)
    desk.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url
    assert.equal(0, desk:run(table.unpack(words)).code)
    local list, _, resource = collector:spans()
    assert.equal(1, #named(list, "alicloud-dr failover"))
    assert.equal("prod", resource["deployment.environment.name"])
  end)

  it("tell no secret and no whole token", function()
    local collector <close> = collectors.start "200"
    local desk = traced({}, collector.url)
    local token = ("t0ken"):rep(6)
    run(desk, "failover", "pg-orders", "--yes", "--client-token", token)
    local sent = collector:requests()[1].body
    assert.is_nil(sent:find(token, 1, true))
    assert.is_nil(sent:find("emulator-secret", 1, true))
    assert.is_nil(sent:find("Signature", 1, true))
  end)

  it("say with which code it failed, and are under TRACEPARENT", function()
    local collector <close> = collectors.start "200"
    local desk = traced({}, "http://127.0.0.1:1")
    desk.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = collector.url .. "/own?x=1"
    desk.env.OTEL_EXPORTER_OTLP_HEADERS = "api-key=a%20b, x-team = dr"
    desk.env.OTEL_SERVICE_NAME = "night"
    desk.env.OTEL_RESOURCE_ATTRIBUTES = "service.name=day,deployment.environment.name=prod%2C1"
    desk.env.TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    local ran = run(desk, "failover", "pg-orders", "--yes", "--max-rpo", "1m")
    assert.equal(1, ran.code)
    local list, _, resource = collector:spans()
    local _, command = named(list, "alicloud-dr failover")
    assert.same({ "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 2,
      "Client.RecoveryPointTooOld" }, { command.traceId, command.parentSpanId,
      command.status.code, command.told["error.type"] })
    assert.same({ "night", "prod,1" }, { resource["service.name"],
      resource["deployment.environment.name"] })
    local head = collector:requests()[1].head
    assert.matches("^POST /own%?x=1 ", head)
    assert.matches("\napi%-key: a b\n", head)
    assert.matches("\nx%-team: dr\n", head)
  end)
end)

describe("the trace of a run", function()
  it("is one for all of its processes, made of its id", function()
    local collector <close> = collectors.start "200"
    local desk, file = traced({}, collector.url)
    local ran = run(desk, "run", file, "-y", "max_rpo=1m", "--json")
    assert.equal(1, ran.code)
    local journal = ran.object.journal
    ran = run(desk, "resume", journal, "-y", "max_rpo=1h", "--why", "slip", "--json")
    assert.equal(0, ran.code, ran.err)
    local list, by_id = collector:spans()
    local trace_id, first_id = run_spans.ids(ran.object.run_id)
    local processes, first = named(list, "run orders: move to Shanghai")
    local second = processes[2]
    assert.same({ first_id, trace_id, 2, "stopped" }, { first.spanId, first.traceId,
      first.status.code, first.told["alicloud_dr.run.status"] })
    assert.same({ first_id, trace_id, 2, "completed" }, { second.parentSpanId, second.traceId,
      second.told["alicloud_dr.run.process"], second.told["alicloud_dr.run.status"] })
    local checks, check = named(list, "step check")
    assert.equal(2, #checks)
    assert.same({ first.spanId, 2, "Client.RecoveryPointTooOld" }, { check.parentSpanId,
      check.status.code, check.told["error.type"] })
    local _, promote = named(list, "step promote")
    assert.equal(second.spanId, promote.parentSpanId)
    assert.matches("intent .*outcome", events_of(promote))
    local _, failover = named(list, "ebs.FailoverDiskReplicaGroup")
    assert.equal(promote.spanId, failover.parentSpanId)
    -- The command is a trace of its own, and both say so.
    local _, command = named(list, "alicloud-dr run")
    assert.same({ command.spanId, first.spanId }, { first.links[1].spanId,
      command.links[1].spanId })
    for _, span in ipairs(list) do
      assert.is_true(span.parentSpanId == nil or by_id[span.parentSpanId] ~= nil, span.name)
    end
    assert.is_nil(collector:requests()[1].body:find("slip", 1, true))
  end)

  it("has each branch's calls under its own steps, and what is undone", function()
    local collector <close> = collectors.start "200"
    local desk, file = traced({}, collector.url, [[
      return require("alicloud.dr").playbook("two", function(run)
        run:step("made", { undo = function() end }, function() return true end)
        run:parallel {
          a = function(branch) branch:step("look", function()
            return branch.client:call("ebs:DescribeRegions").TotalCount end) end,
          b = function(branch) branch:step("wait", function() return 1 end) end,
        }
        run:step("bad", function() error "no" end)
      end)]])
    assert.equal(1, run(desk, "run", file, "-y").code)
    local list = collector:spans()
    local _, look = named(list, "step a/look")
    local _, call = named(list, "ebs.DescribeRegions")
    assert.equal(look.spanId, call.parentSpanId)
    local _, bad = named(list, "step bad")
    assert.equal(2, bad.status.code)
  end)
end)

describe("a command", function()
  -- What it prints and does is what it would without traces; and how long the collector took.
  local function under(...)
    local collector <close> = collectors.start(...)
    local desk = traced({}, collector.url)
    local began = core.monotonic()
    local ran = run(desk, "failover", "pg-orders", "--yes", "--json")
    return ran, core.monotonic() - began, #collector:requests(), collector:spans()
  end

  local plain = run(traced({}, nil), "failover", "pg-orders", "--yes", "--json")

  local function check(ran, seconds, words)
    assert.equal(0, ran.code)
    assert.equal(plain.out, ran.out)
    local _, told = ran.err:gsub("warning: traces", "")
    assert.equal(words and 1 or 0, told, ran.err)
    assert.matches(words or "", (ran.err:gsub("%s+", " ")))
    assert.is_true(seconds < 20, seconds)
  end

  it("is not held up by a collector that says nothing", function()
    local ran, seconds = under "hang"
    check(ran, seconds, "%d+ spans could not be sent to http://127.0.0.1:%d+/v1/traces: no answer")
  end)

  it("says so of one that is not there, or will not have it now", function()
    local desk = traced({}, ("http://127.0.0.1:%d"):format(server_module.closed_port()))
    local began = core.monotonic()
    local ran = run(desk, "failover", "pg-orders", "--yes", "--json")
    check(ran, core.monotonic() - began, "could not be sent")
    local seconds, requests
    ran, seconds, requests = under "503:Retry-After: 60"
    check(ran, seconds, "HTTP status 503")
    assert.equal(1, requests)
  end)

  it("sends again where it is asked to, and never what was refused", function()
    local ran, seconds, requests, list = under("429:Retry-After: 0", "503:Retry-After: 0", "200")
    check(ran, seconds)
    assert.equal(3, requests)
    assert.equal(1, #named(list, "alicloud-dr failover"))
    ran, seconds, requests = under "400"
    check(ran, seconds, "HTTP status 400")
    assert.equal(1, requests)
    ran, seconds, requests = under
      '200:{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}'
    check(ran, seconds, "2 spans could not be sent to .*: refused: too old")
    assert.equal(1, requests)
    ran, seconds = under '200:{"partialSuccess":{"rejectedSpans":"9223372036854775807"}}'
    check(ran, seconds, "warning: traces: %d%d? spans could not be sent to .*: no reason given")
  end)

  it("says what of the environment it does not take, and goes on", function()
    for name, value in pairs { OTEL_EXPORTER_OTLP_PROTOCOL = "grpc",
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT = "soon", OTEL_EXPORTER_OTLP_HEADERS = "s3cret",
      OTEL_EXPORTER_OTLP_ENDPOINT = "ftp://h", OTEL_RESOURCE_ATTRIBUTES = "x",
      OTEL_EXPORTER_OTLP_CERTIFICATE = "/dev/zero",
      OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY = "/dev/null/none" } do
      local desk = traced({}, "http://127.0.0.1:1")
      desk.env[name] = value
      local ran = run(desk, "failover", "pg-orders", "--yes", "--json")
      assert.equal(0, ran.code)
      assert.matches("warning: no traces are sent: " .. name, (ran.err:gsub("%s+", " ")))
      assert.is_nil(ran.err:find("s3cret", 1, true))
    end
  end)

  it("sends nothing where traces are switched off or not kept", function()
    local collector <close> = collectors.start "200"
    for name, value in pairs { OTEL_SDK_DISABLED = "TRUE", OTEL_TRACES_EXPORTER = "none",
      TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00" } do
      local desk = traced({}, collector.url)
      desk.env[name] = value
      local ran = run(desk, "status")
      assert.same({ 0, "" }, { ran.code, ran.err })
    end
    assert.same({}, collector:requests())
    assert.equal(0, run(traced({ world = after.world() }, ""), "fence", "pg-orders",
      "--yes").code)
  end)
end)

describe("the parent of a trace", function()
  it("is what the recommendation calls one, and nothing else", function()
    local id, span = ("1"):rep(32), ("2"):rep(16)
    local function parent(text)
      local read = settings.read(function(name)
        return name == "TRACEPARENT" and text or name == "OTEL_EXPORTER_OTLP_ENDPOINT"
          and "http://h" or nil
      end)
      return read.parent
    end
    assert.same({ trace_id = id, span_id = span }, parent(("00-%s-%s-01"):format(id, span)))
    assert.same({ trace_id = id, span_id = span }, parent(("cc-%s-%s-01-x"):format(id, span)))
    for _, text in ipairs { "", "x", ("ff-%s-%s-01"):format(id, span),
      ("00-%s-%s-01"):format(("0"):rep(32), span), ("00-%s-%s"):format(id, span),
      ("00-%s1-%s-01"):format(id, span) } do
      assert.is_nil(parent(text), text)
    end
  end)
end)

describe("the roots for a collector", function()
  it("are those of its own variable, else those of every host", function()
    local env = { OTEL_EXPORTER_OTLP_ENDPOINT = "https://h", no_proxy = ".corp",
      SSL_CERT_FILE = scratch.file("-----BEGIN CERTIFICATE-----\n", ".pem") }
    local function trust() return settings.read(function(name) return env[name] end).trust end
    assert.same({ env.SSL_CERT_FILE, "corp" }, { trust().ca_file, trust().no_proxy })
    env.OTEL_EXPORTER_OTLP_CERTIFICATE = scratch.file "own"
    assert.same({ ca_file = env.OTEL_EXPORTER_OTLP_CERTIFICATE, no_proxy = "corp" }, trust())
  end)
end)

describe("the exporter", function()
  local function exporter_at(url)
    return exporters.new { url = url, headers = {}, timeout = 60, resource = {}, trust = {} }
  end

  local function add(exporter, count)
    for _ = 1, count do
      local span = spans.new { name = "s", trace_id = ("1"):rep(32), at = 5 }
      span.ended_at = 4
      exporter:add(span)
    end
  end

  it("does not wait for one that is not there, or will not have it now", function()
    local busy <close> = collectors.start "503:Retry-After: 600"
    local nobody = ("http://127.0.0.1:%d"):format(server_module.closed_port())
    for _, url in ipairs { busy.url, nobody } do
      local exporter, began = exporter_at(url), core.monotonic()
      add(exporter, 2)
      exporter:close(60)
      assert.equal(2, exporter.lost)
      assert.is_true(core.monotonic() - began < 30)
    end
  end)

  it("keeps a bounded number of spans, and sends them in batches", function()
    local collector <close> = collectors.start("hang")
    local exporter = exporter_at(collector.url)
    add(exporter, 4000)
    assert.is_true(#exporter.waiting <= 2048)
    assert.equal(4000 - 512 - 2048, exporter.lost)
    exporter:close(0)
    assert.equal(4000, exporter.lost)
    local taker <close> = collectors.start "200"
    exporter = exporter_at(taker.url)
    add(exporter, 1200)
    exporter:close(60)
    assert.equal(0, exporter.lost)
    local list = taker:spans()
    assert.equal(1200, #list)
    assert.equal(3, #taker:requests())
  end)
end)
