-- The two figures of a run: of the whole, or not given.

local approvals = require "alicloud.dr.playbook.approval"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local lab = require "spec.dr.lab"
local stages = require "spec.dr.playbook.stage"

local function move(run)
  local orders = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("check", function() return orders:precheck { max_rpo = "20m" } end)
  run:step("promote", { point_of_no_return = true }, function()
    return orders:failover { max_rpo = "20m" }
  end)
end

-- The primary has been dead for 70 minutes.
local function late_stage(given)
  local stage = stages.new(given or { group = { recover_point_age = 300, failover_seconds = 40 } })
  local died_at = stage.bench.emu:now()
  stage.bench.emu:region(lab.PRIMARY, "blackhole")
  stage.bench.emu:advance(70 * 60)
  return stage, died_at
end

local function between(least, most, value)
  assert.is_true(value >= least and value <= most, tostring(value))
end

describe("the figures of a run", function()
  it("are counted from and to the outage that was declared for it", function()
    for _, how in ipairs { "ago", "seconds", "text" } do
      local stage, died_at = late_stage()
      local said = ({ ago = "70m", seconds = died_at, text = core.iso8601(died_at) })[how]
      local result = assert(stage:run(move, { outage_at = said }))
      between(4240, 4260, result.rto)
      between(299, 302, result.rpo)
      assert.same({ "outage", "outage", "data_ready" }, { result.figures.rto.from,
        result.figures.rpo.basis, result.figures.rto.basis })
      between(died_at - 1, died_at + 1, result.figures.rto.from_at)
      assert.equal(1, #stage:events "outage")
    end
  end)

  it("take a parameter of the playbook, too", function()
    local stage = late_stage()
    local playbook = dr.playbook("orders", { params = { { name = "outage_at", type = "moment",
      help = "since when" } } }, move)
    local result = assert(stage:run(playbook, { params = { outage_at = "70m" } }))
    between(299, 302, result.rpo)
    between(4240, 4260, result.rto)
    assert.equal("70m", stage:events("outage")[1].said)
  end)

  it("keep the moment in a process after the first", function()
    local stage, died_at = late_stage { group = { recover_point_age = 300,
      failover_seconds = 1500 } }
    local function watched(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("promote", function() return orders:failover { timeout = 600 } end)
    end
    local first, err = stage:run(watched, { outage_at = "70m" })
    assert.is_nil(first)
    assert.equal("unknown", err.outcome)
    stage.bench.emu:advance(3600)
    local result = assert(stage:run(watched))
    between(299, 302, result.rpo)
    between(4200 + 600 + 3600, 4200 + 600 + 3700, result.rto)
    between(died_at - 1, died_at + 1, result.figures.rto.from_at)
  end)

  it("can be counted to an outage that is declared later", function()
    local stage, died_at = late_stage()
    local _, err = stage:run(move, { requester = "night" })
    assert.equal("Client.RecoveryPointTooOld", err.code)
    local result = assert(stage:run(move, { outage_at = core.iso8601(died_at) }))
    between(299, 302, result.rpo)
    local report = dr.report(stage:events())
    assert.equal(1, #report.outages)
    assert.matches("nothing was written since 2%d+%-.*Z, says", report:render "md")
  end)

  it("are approved with the outage: declared later, people are asked again", function()
    local stage, died_at = late_stage()
    local seed, asked = ("11"):rep(32), 0
    local playbook = dr.playbook("gated", function(run)
      run:gate("go", { need = 1, of = { dba = core.ed25519_public(seed) }, expires = "2h" })
      move(run)
    end)
    local function people(options)
      options.progress = function(event)
        if event.type ~= "gate_open" then return end
        asked = asked + 1
        if asked > 1 then return end
        stage.disk:open("run"):post(core.encode(approvals.sign(event.decision, "dba",
          math.floor(stage.bench.emu:now()), seed)))
      end
      return stage:run(playbook, options)
    end
    local _, err = people {}
    assert.equal("Client.RecoveryPointTooOld", err.code)
    _, err = people { outage_at = died_at }
    assert.equal(2, asked)
    assert.matches("^Client.Gate", err.code)
    assert.same({}, stage.bench:sends())
    assert.matches("^%d+$", stage:events("gate_open")[2].decision.outage_at)
  end)

  it("are told by the server's clock, whatever ours says and does", function()
    local stage = late_stage()
    local real, off = stage.bench.emu.runtime.time, -5000
    stage.bench.client = stage.bench.client:with { runtime = require("alicloud.base.tables").merged(
      stage.bench.emu.runtime, { time = function() return real() + off end }) }
    local result = assert(stage:run(function(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("check", function() return orders:precheck { max_rpo = "20m" } end)
      off = 9000
      run:step("promote", function() return orders:failover { max_rpo = "20m" } end)
    end, { outage_at = "70m" }))
    between(299, 302, result.rpo)
    between(4239, 4260, result.rto)
  end)

  it("do not take the wait for a dark site for a difference of clocks", function()
    local stage, died_at = late_stage { group = { recover_point_age = 300,
      failover_seconds = 1500 } }
    local function watched(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      if #stage:events "attempt" > 1 then
        run:step("fence", { on_error = "continue" }, function() return orders:fence {} end)
      end
      run:step("promote", function() return orders:failover { timeout = 600 } end)
    end
    assert.is_nil((stage:run(watched, { outage_at = died_at })))
    stage.bench.emu:advance(1500)
    local result = assert(stage:run(watched))
    local looks = stage:events "look"
    local last = looks[#looks]
    between(-1, 0, last.read_at - last.heard_at)
    assert.is_true(last.at - last.heard_at >= 10)
    between(-1, 1, result.rto - (stage.bench.emu:now() - died_at))
  end)

  it("are of all processes of the run", function()
    local stage = stages.new { group = { failover_seconds = 1500 } }
    local function watched(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("promote", function() return orders:failover { timeout = 600 } end)
    end
    assert.is_nil((stage:run(watched)))
    stage.bench.emu:advance(600)
    local result = assert(stage:run(watched))
    between(1200, 1520, result.rto)
    between(1200, 1520, result.steps[1].result.rto)
    assert.equal("sent", result.steps[1].result.rto_basis)
    assert.equal("run", result.figures.rto.from)
  end)

  it("are of all runs of the incident that the caller knows of", function()
    local stage = stages.new()
    local result = assert(stage:run(move, { incident = "INC-1",
      incident_since = stage.bench.emu:now() - 3000 }))
    between(3050, 3070, result.rto)
    assert.equal("incident", result.figures.rto.from)
  end)

  it("are not 0 where nothing was left to do: it is said", function()
    local stage = stages.new { group = { status = "failovered" } }
    local result = assert(stage:run(move))
    assert.is_nil(result.rto)
    assert.equal("already_failovered", result.outcome)
    assert.equal("already", result.figures.rto.why)
    local report = dr.report(stage:events())
    assert.is_nil(report.rto.achieved)
    assert.matches("already failovered, nothing was left to do", report:render "md")
    assert.matches("already failovered, nothing was left to do", report:render "html")
    local late = assert(stage:anew():run(move, { outage_at = "70m" }))
    assert.is_nil(late.rto)
  end)

  it("do not begin with this run where others had begun", function()
    local stage = stages.new()
    assert(stage.bench.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID }))
    local result = assert(stage:run(move))
    assert.is_nil(result.rto)
    assert.equal("joined", result.figures.rto.why)
    assert.is_nil(result.outcome)
    stage = stages.new()
    assert(stage.bench.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID }))
    between(4200, 4300, assert(stage:run(move, { outage_at = "70m" })).rto)
  end)

  it("are the run's own where a later process finds done what an earlier one had sent", function()
    local stage = stages.new { group = { failover_seconds = 30 } }
    local function body(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("promote", { on_error = "stop" }, function()
        local moved = assert(orders:failover())
        stage.tries = (stage.tries or 0) + 1
        if stage.tries == 1 then return nil, "the shop has not noticed" end
        return moved
      end)
    end
    assert.is_nil((stage:run(body)))
    stage.bench.emu:advance(100)
    local result = assert(stage:run(body))
    assert.is_number(result.rto)
    between(30, 140, result.rto)
  end)

  it("say in a report from what and to what", function()
    local stage = late_stage()
    assert(stage:run(move, { outage_at = "70m", declared = { rto = "2h", rpo = "6m" } }))
    local report = dr.report(stage:events())
    assert.same({ true, true, "outage", "outage" }, { report.rto.met, report.rpo.met,
      report.rto.from, report.rpo.basis })
    local text = report:render "md"
    assert.matches("from the outage at 2%d+%-.- UTC to the open data", text)
    assert.matches("counted to the outage at 2%d+%-", text)
    assert.matches("RTO 1h1%dm%S* from the outage, RPO 5m to the outage", text)
    stage = stages.new { group = { recover_point_age = 60 } }
    assert(stage:run(move, { outage_at = "70m" }))
    assert.matches("something was copied after it, so see whether the time is right",
      dr.report(stage:events()):render "md")
    stage = stages.new()
    assert(stage:run(move))
    text = dr.report(stage:events()):render "md"
    assert.matches("from the start of this run at 2%d+%-.- UTC to the open data", text)
    assert.matches("counted to the accepted call at 2%d+%-", text)
  end)

  it("are refused where the outage is no moment", function()
    assert.error_matches(function() stages.new():run(move, { outage_at = "soon" }) end,
      "option outage_at: got \"soon\"; allowed: unix seconds")
  end)
end)

describe("how long the service was away", function()
  local figures = require "alicloud.dr.playbook.figures"

  -- A run whose machine is 20 s behind the service, verified in an attempt that did not look.
  local function state(mark_offset)
    return { marks = { verified = 121 }, order = {}, steps = {}, calls = {}, run = { at = 100 },
      clocks = { first = 20, marks = { verified = mark_offset } } }
  end

  it("is not told where the clock at its end is not known", function()
    assert.equal(21, figures.recovery_time(state(20)).seconds)
    assert.same({}, figures.recovery_time(state(nil)))
  end)
end)
