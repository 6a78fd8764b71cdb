-- The ready playbook for a drill: whatever happens, nothing is left that costs money.

local after = require "spec.dr.after_lab"
local helper = require "spec.helper"
local lab = require "spec.dr.lab"
local scene = require "spec.playbooks.scene"

local function rehearse(stage, check, options)
  local given = { params = { group = "pg-orders", region = "cn-shanghai", check = check } }
  for name, value in pairs(options or {}) do given[name] = value end
  return stage:run(scene.load "drill", given)
end

local function open_drills(stage)
  return #assert(stage.bench:group():drills())
end

local ONCE = "StartReplicaGroupDrill ClearReplicaGroupDrill"

describe("a run of the kind drill", function()
  it("is none of a playbook that says that it moves groups", function()
    for _, name in ipairs { "failover", "planned", "failback" } do
      local stage = scene.stage()
      local message = helper.raised(scene.run, name, stage, { group = "pg-orders" }, nil,
        { kind = "drill" })
      assert.matches('kind: got "drill"; allowed: "planned" or "unplanned": ' .. name, message)
      assert.same({}, stage.bench:ledger())
    end
  end)

  it("takes the way of a drill, and opens nothing, whoever asks", function()
    local stage = scene.stage()
    local errs = {}
    local function body(run)
      local group = run:group("pg-orders", { region = "cn-shanghai" })
      for _, verb in ipairs { "failover", "fence", "stop" } do
        run:step(verb, { on_error = "continue" }, function()
          local _, err = group[verb](group, {})
          errs[verb] = err
          return nil, err
        end)
      end
      run:step("raw", { on_error = "continue" }, function(own)
        local _, err = own.client:call("FailoverDiskReplicaGroup",
          { ReplicaGroupId = "pg-orders" })
        errs.raw = err
        return nil, err
      end)
      run:step("drill", function() return group:drill {} end)
    end
    assert(stage:run(body, { kind = "drill" }))
    for _, what in ipairs { "failover", "fence", "stop", "raw" } do
      assert.equal("Client.DrillOnly", errs[what].code, what)
      assert.equal("not_sent", errs[what].outcome)
    end
    assert.equal("StartReplicaGroupDrill ClearReplicaGroupDrill", scene.effects(stage))
  end)
end)

describe("the playbook drill", function()
  it("tells of the drill that it could not clear", function()
    local stage = scene.stage()
    local _, err = rehearse(stage, function()
      stage.bench.emu:fault { match = { action = "DescribeReplicaGroupDrills", count = 1000 },
        effect = lab.answer("InternalError", 500) }
      return true
    end)
    local id = stage.bench.emu.world.drills[1].id
    assert.equal(1, #err.left_open)
    local told = err.left_open[1]
    assert.truthy(told:find(("drill %s of pg-orders is not cleared"):format(id), 1, true), told)
    assert.truthy(told:find("alicloud-dr drill clear pg-orders " .. id, 1, true), told)
  end)

  it("tells of the drill whose clearing was cut off", function()
    local stage = scene.stage()
    local _, err = stage:run(function(run)
      local group = run:group("pg-orders", { region = "cn-shanghai" })
      local made = run:step("start", function() return group:start_drill {} end)
      run:step("clear", { timeout = 2 }, function() return group:clear_drill(made.drill_id) end)
    end, { kind = "drill" })
    local id = stage.bench.emu.world.drills[1].id
    assert.equal("Client.StepTimeout", err.code)
    assert.equal(1, #err.left_open)
    assert.truthy(err.left_open[1]:find("alicloud-dr drill clear pg-orders " .. id, 1, true))
  end)

  it("shows the disks to the check, and clears them", function()
    local stage, seen = scene.stage()
    local result = assert(rehearse(stage, function(own, variables)
      seen = variables
      assert.equal("drill", own.kind)
      assert.equal(1, open_drills(stage))
      return true
    end))
    assert.equal("completed", result.status)
    assert.matches("^d%-[^,]+,d%-[^,]+$", seen.disks)
    assert.equal(ONCE, scene.effects(stage))
    assert.equal(0, open_drills(stage))
  end)

  it("runs a program as the check", function()
    local stage = scene.stage()
    assert(rehearse(stage, 'test "$ALICLOUD_DR_KIND" = drill && test -n "$ALICLOUD_DR_DISKS"'))
    local _, err = rehearse(scene.stage(), "exit 3")
    assert.equal("Client.DrillCheckFailed", err.code)
    assert.matches("exit 3: exit code 3", err.message)
  end)

  it("clears after a check that raises, fails or never ends, and says so", function()
    for why, check in pairs {
      ["no such table"] = function() error "no such table" end,
      ["bad checksum"] = function() return nil, "bad checksum" end,
      ["not done within 30m"] = function(own) own.loop.sleep(1e6) end,
    } do
      local stage = scene.stage()
      local _, err = rehearse(stage, check)
      assert.equal("Client.DrillCheckFailed", err.code)
      assert.matches(why, err.message)
      assert.matches("the drill is cleared", err.hint)
      assert.equal(0, open_drills(stage))
      assert.equal(ONCE, scene.effects(stage))
    end
  end)

  it("detaches what a check has left attached", function()
    local stage = scene.stage()
    assert(rehearse(stage, function(own, variables)
      for id in variables.disks:gmatch "[^,]+" do
        assert(own.client:call("ecs:AttachDisk", { InstanceId = "i-new", DiskId = id }))
      end
      return true
    end))
    assert.equal(2, after.effects(stage.bench, "DetachDisk"))
    assert.equal(0, open_drills(stage))
  end)

  it("clears what a start has left behind that failed", function()
    local stage = scene.stage(nil, { events = {
      { at = 2, region = "cn-shanghai", state = "blackhole" },
      { at = 200, region = "cn-shanghai", state = "up" } } })
    local _, err = rehearse(stage)
    assert.equal("Client.DrillCheckFailed", err.code)
    assert.equal(0, open_drills(stage))
  end)

  it("takes the drill whose answer was lost for its own", function()
    local stage = scene.stage(nil, { faults = { after.fault("StartReplicaGroupDrill",
      after.DOUBTFUL["504"], "after") } })
    assert(rehearse(stage))
    assert.equal(ONCE, scene.effects(stage))
  end)

  it("leaves drills of others alone, and tells their age and price", function()
    local stage = scene.stage()
    assert(stage.bench:group():start_drill {})
    stage.bench.emu:advance(7200)
    assert(rehearse(stage))
    assert.equal(1, open_drills(stage))
    assert.matches("is open: 2 pay%-as%-you%-go disks are billed for 2h", scene.notes(stage))
  end)

  it("cannot be told to leave the clearing out", function()
    local stage = scene.stage()
    local _, err = rehearse(stage, nil, { skip = { clear = "tomorrow" } })
    assert.equal("Client.CriticalStep", err.code)
    assert(rehearse(stage))
    assert.equal(0, open_drills(stage))
  end)

  it("clears in the next process, wherever it was killed", function()
    local params = { group = "pg-orders", region = "cn-shanghai" }
    local kills = scene.kill_everywhere("drill", params, scene.stage, function(_, stage)
      assert.equal(0, open_drills(stage))
    end)
    assert.is_true(kills > 30, kills)
  end)
end)
