-- #programs: what the manual gives to Prometheus and systemd, read by these themselves.

local behaviour = require "spec.server.behaviour"
local core = require "alicloud.core"
local process = require "spec.process"
local reply = require "spec.server.reply"
local scratch = require "spec.scratch"
local servers = require "spec.server"

local EXAMPLES = ".examples/"

local function has(program)
  local _, code = process.sh("command -v " .. program)
  return code == 0
end

-- When each alert comes, for series of one group. Columns are minutes.
local TEST = [[
rule_files: [%s]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'alicloud_dr_group_readiness{instance="a",group="pg-a",region="r",verdict="fail"}'
        values: '1x120'
      - series: 'alicloud_dr_group_readiness{instance="a",group="pg-b",region="r",verdict="warn"}'
        values: '0x120'
      - series: 'alicloud_dr_group_recovery_point_age_seconds{instance="a",group="pg-a",region="r"}'
        values: '1700x120'
      - series: 'alicloud_dr_group_recovery_point_age_seconds{instance="a",group="pg-b",region="r"}'
        values: '60x120'
      - series: 'alicloud_dr_group_declared_rpo_seconds{instance="a",group="pg-a",region="r"}'
        values: '900x120'
      - series: 'alicloud_dr_group_declared_rpo_seconds{instance="a",group="pg-b",region="r"}'
        values: '900x120'
      - series: 'alicloud_dr_readiness_timestamp_seconds{instance="a",region="r"}'
        values: '0x120'
    alert_rule_test:
      - {eval_time: 9m, alertname: GroupCannotBeFailedOver}
      - eval_time: 11m
        alertname: GroupCannotBeFailedOver
        exp_alerts:
          - exp_labels: {severity: page, instance: a, group: pg-a, region: r, verdict: fail}
            exp_annotations: {summary: "pg-a could not be failed over to r"}
      - {eval_time: 90m, alertname: GroupWantsALook}
      - {eval_time: 10m, alertname: RecoveryPointIsLate}
      - eval_time: 15m
        alertname: RecoveryPointIsLate
        exp_alerts:
          - exp_labels: {severity: ticket, instance: a, group: pg-a, region: r}
            exp_annotations: {summary: "pg-a: the recovery point is 43m 20s old"}
      - {eval_time: 30m, alertname: NobodyLooksAtReadiness}
      - eval_time: 40m
        alertname: NobodyLooksAtReadiness
        exp_alerts:
          - exp_labels: {severity: page, instance: a, region: r}
            exp_annotations: {summary: "no look at readiness for half an hour"}
]]

describe("promtool #programs", function()
  it("finds nothing to say of the metrics", function()
    if not has "promtool" then return pending "needs promtool" end
    local emulator <close> = process.start_emulator()
    local text, ok = emulator:shell [[
      alicloud-dr readiness --max-rpo 20m --format prometheus --output "$TMPDIR/dr.prom" >/dev/null
      promtool check metrics <"$TMPDIR/dr.prom" && grep -c pg-orders "$TMPDIR/dr.prom"]]
    assert.is_true(ok, text)
    assert.matches("^%d+\n$", text)
  end)

  it("takes the alerts, and each comes when it is to", function()
    if not has "promtool" then return pending "needs promtool" end
    local whole = assert(io.popen "pwd"):read "l" .. "/" .. EXAMPLES .. "alicloud-dr.rules.yml"
    local text, code = process.sh(("promtool check rules '%s'"):format(whole))
    assert.same({ 0, "4 rules" }, { code, text:match "%d+ rules" }, text)
    text, code = process.sh(("promtool test rules '%s'"):format(
      scratch.file(TEST:format(whole), ".yml")))
    assert.equal(0, code, text)
  end)
end)

describe("systemd #programs", function()
  it("takes the units, and leaves the service little", function()
    if not has "systemd-analyze" then return pending "needs systemd-analyze" end
    local directory = scratch.directory()
    local command = process.sh("command -v alicloud-dr"):match "%S+"
    for _, name in ipairs { "alicloud-dr-readiness.service", "alicloud-dr-readiness.timer" } do
      scratch.write(directory .. "/" .. name,
        (scratch.read(EXAMPLES .. name):gsub("/usr/bin/alicloud%-dr", command)))
    end
    local text, code = process.sh(("systemd-analyze verify --man=no '%s'/*"):format(directory))
    assert.same({ 0, "" }, { code, text })
    text, code = process.sh(("systemd-analyze security --offline=true --threshold=25 "
      .. "'%s'/alicloud-dr-readiness.service"):format(directory))
    assert.equal(0, code, text)
  end)
end)

-- The scripts of the manual's section about chats and pagers.
local function scripts()
  local list = {}
  local page = scratch.read "lua/alicloud/manual/watching.md"
  for body in page:gmatch "\n```text\n(#!/bin/sh\n.-)```" do
    list[#list + 1] = scratch.file(body, ".sh", "700")
  end
  return list
end

-- What a server has got by the time a shell line has ended.
local function posted(line, ...)
  local server <close> = servers.new(behaviour.answer(reply.http "ok"))
  local done = scratch.path()
  assert(os.execute(("{ { export URL=%s; %s; } >'%s.log' 2>&1; echo $? >'%s'; } &"):format(
    server.url, line:format(...), done, done)))
  while not core.look(done) or scratch.read(done) == "" do
    server:step()
    core.poll(nil, "r", 0.01)
  end
  return server:requests(), scratch.read(done .. ".log")
end

describe("the scripts for a chat and a pager #programs", function()
  it("post what they are told of", function()
    if not has "jq" or not has "curl" then return pending "needs jq and curl" end
    local chat, pager = table.unpack(scripts())
    local emulator <close> = process.start_emulator()
    local function failover(script, group)
      return posted("WEBHOOK=$URL/chat PAGER_URL=$URL/page %s alicloud-dr failover %s --yes "
        .. "--on-event %s", emulator:environment(), group, script)
    end
    local requests, log = failover(chat, "pg-nope")
    assert.equal(2, #requests, log)
    assert.matches('\r\n\r\n{"text":"failover: begin  "}$', requests[1])
    assert.matches('{"text":"failover: end refused .*pg%-nope.*"}$', requests[2])
    requests, log = failover(pager, "pg-nope")
    assert.equal(1, #requests, log)
    assert.matches("^POST /page .*details=%%7B.*refused.*&summary=a.-run.-has.-ended.-well$",
      requests[1])
    requests, log = failover(pager, "pg-orders")
    assert.equal(0, #requests, log)
  end)
end)
