-- Where a run stands, from its journal alone.

local explain_run = require "alicloud.cli.explain_run"
local gather = require "alicloud.dr.report.gather"
local lab = require "spec.dr.lab"
local sources = require "alicloud.dr.report.source"
local stages = require "spec.dr.playbook.stage"

local JOURNAL = "runs/spec.jsonl"

local function explained(stage)
  local source = sources.of_text(stage.disk:text "run", JOURNAL)
  return explain_run.of(assert(gather.model(source)), source, JOURNAL,
    stage.bench.emu.runtime.time())
end

-- The service is not heard: whatever is sent, no answer comes back.
local function deaf(action)
  return { match = { action = action }, when = "after", effect = { drop = true } }
end

local function stop(run)
  return run.client:call("StopDiskReplicaGroup", { ReplicaGroupId = lab.ID })
end

local function start(run)
  return run.client:call("StartDiskReplicaGroup", { ReplicaGroupId = lab.ID })
end

describe("the explanation of a run", function()
  it("names a call without an answer once, with the step that has sent it", function()
    local stage = stages.new { faults = { deaf "StopDiskReplicaGroup",
      deaf "StartDiskReplicaGroup" } }
    local go_on = { on_error = "continue" }
    stage:run(function(run)
      run:step("quiet", go_on, function() error "nothing was sent here" end)
      run:each({ "a", "b" }, function(_, branch)
        branch:step("first", go_on, stop)
        branch:step("quiet", go_on, function() return nil, "nothing here either" end)
      end)
      run:step("last", start)
    end)
    local told = {}
    for _, line in ipairs(explained(stage).known) do
      local step, action = line:match '^step "([^"]+)": ebs:(%w+) was sent, and nobody knows'
      told[#told + 1] = tostring(step) .. " " .. tostring(action)
    end
    table.sort(told)
    local expected = {}
    for _, event in ipairs(stage:events "call") do
      expected[#expected + 1] = event.step .. " " .. event.action
    end
    table.sort(expected)
    assert.same(expected, told)
    assert.is_true(#told >= 3)
  end)

  it("says that nothing is in doubt where every call has its answer", function()
    local stage = stages.new()
    stage:run(function(run)
      run:step("stop it", stop)
      run:step("fails", function() error "made up" end)
    end)
    local said = explained(stage)
    assert.same({ "every call that changes something has an answer" }, said.known)
    assert.equal("no call is in doubt: resume sends only what was not sent before", said.resend)
    assert.matches("^Failed; 1 of 2 steps came to a good end", said.stands)
    assert.matches("^Client.StepFailed: .*made up", said.cause)
  end)

  it("names the call of a step that was given up then", function()
    local stage = stages.new { faults = { deaf "StopDiskReplicaGroup" } }
    local function book(run) run:step("stop it", stop) end
    assert(not stage:run(book))
    assert(stage:run(book, { skip = { ["stop it"] = "looked myself" } }))
    assert.matches('^step "stop it": ebs:StopDiskReplicaGroup was sent, and nobody knows',
      explained(stage).known[1])
  end)

  it("does not say that a call was answered which its step passed over", function()
    local stage = stages.new { faults = { deaf "StopDiskReplicaGroup" } }
    stage:run(function(run)
      run:step("stop it", function(own) return stop(own) or true end)
      run:step("fails", function() error "made up" end)
    end)
    local said = explained(stage)
    assert.same({ "each step that had a call without an answer came to a good end all the same" },
      said.known)
    assert.equal("no call is in doubt: resume sends only what was not sent before", said.resend)
  end)

  it("names what was left behind with the command that clears it, until it is cleared", function()
    local stage = stages.new { faults = { { effect = { error = { code = "Forbidden.RAM",
      status = 403 } }, match = { action = "ClearReplicaGroupDrill", count = 1 } } } }
    local function book(run)
      local group = run:group "pg-orders"
      run:step("drill", function() return group:drill { check = function() return true end } end)
    end
    stage:run(book, { way = { endpoint = "h:1" } })
    local said = explained(stage)
    assert.equal("every call that changes something has an answer", said.known[1])
    assert.matches("^drill %S+ of pg%-orders is not cleared and costs money .*alicloud%-dr drill "
      .. "clear pg%-orders %S+ %-%-region cn%-shanghai %-%-endpoint h:1$", said.known[2])
    assert.is_table(stage:run(book))
    assert.is_nil(explained(stage).known[2])
  end)

  it("sends to a look at a group whose failover was given up by a run that is over", function()
    local stage = stages.new { faults = { { match = { action = "FailoverDiskReplicaGroup" },
      effect = { stuck = true } } } }
    local function book(run)
      local group = run:group "pg-orders"
      run:step("promote", function() return group:failover { timeout = 60 } end)
    end
    stage:run(book)
    assert.matches("not needed: the service took it; resume waits", explained(stage).resend)
    assert.is_table(stage:run(book, { skip = { promote = "it is stuck" } }))
    local said = explained(stage)
    assert.equal("pg-orders: no: the run is over, and did not wait for its end", said.resend)
    assert.equal("alicloud-dr status pg-orders --region cn-shanghai", said.next[1])
  end)

  it("asks for a look before anything else is sent again", function()
    local stage = stages.new { faults = { deaf "StopDiskReplicaGroup" } }
    stage:run(function(run) run:step("stop it", stop) end)
    local lines = table.concat(explain_run.lines(explained(stage)), "\n")
    assert.matches("^runs/spec.jsonl\n  stands       Stopped", lines)
    assert.matches('\n  known        step "stop it": ebs:StopDiskReplicaGroup was sent', lines)
    assert.matches("\n  send again   other calls: not before a look at what they change", lines)
    assert.matches("\n  next         alicloud%-dr resume ", lines)
  end)
end)
