-- A move that fails before the point of no return brings back what it has stopped, or says what is
-- down. Both ready playbooks that move without loss; after every call that can be refused.

local after = require "spec.dr.after_lab"
local lab = require "spec.dr.lab"
local scene = require "spec.playbooks.scene"
local stages = require "spec.dr.playbook.stage"
local zones = require "spec.dr.zone_lab"

local PARAMS = { group = "pg-orders", region = "cn-shanghai", attach = "i-new" }

local function refuse(action, nth)
  return { match = { action = action, nth = nth or 1 }, effect = lab.answer("Forbidden", 403) }
end

local function stage_with(...)
  return scene.stage(nil, { faults = { ... } })
end

local function is_back(stage, instance, prefix)
  local world = stage.bench.emu.world
  assert.equal("Running", world.instance_by_id[instance].status)
  for i = 1, 2 do
    assert.equal(instance, world.disk_by_id[prefix .. i].instance)
    assert.equal("In_use", world.disk_by_id[prefix .. i].status)
  end
end

local function stopped(stage)
  local list = stage:events "stopped"
  return list[#list]
end

describe("a planned move that is refused", function()
  for name, fault in pairs {
    ["while the old side is fenced"] = { "StopInstance" }, ["at a detach"] = { "DetachDisk" },
    ["half-way through the detaches"] = { "DetachDisk", 2 },
    ["while replication is stopped"] = { "StopDiskReplicaGroup" },
    ["at the last synchronization"] = { "StartDiskReplicaGroup" },
    ["at the failover itself"] = { "FailoverDiskReplicaGroup" } } do
    it("brings production back: " .. name, function()
      local stage = stage_with(refuse(fault[1], fault[2]))
      local _, err = scene.run("planned", stage, PARAMS)
      assert.equal("Forbidden", err.code)
      is_back(stage, "i-old", "d-old-")
      assert.is_nil(err.production_down)
      assert.matches("^normal", scene.settled(stage))
      -- Where nothing was stopped, nothing was undone.
      local touched = scene.effects(stage) ~= ""
      assert.equal(touched or nil, err.rolled_back)
      assert.equal(touched or nil, stopped(stage).rolled_back)
      stage.bench.emu:advance(3600)
      assert.equal(0, assert(scene.run("planned", stage, PARAMS)).rpo)
    end)
  end

  it("starts the services again, and production before replication", function()
    local stage, order = stage_with(refuse "FailoverDiskReplicaGroup"), {}
    local _, err = scene.run("planned", stage, PARAMS, {
      stop = function() return true end,
      restart = function()
        order[#order + 1] = stage.bench.emu.world.instance_by_id["i-old"].status
        order[#order + 1] = stage.bench.emu:group(lab.ID).status
        return true
      end })
    assert.is_true(err.rolled_back)
    assert.same({ "Running", "stopped" }, order)
    assert.matches("^normal", scene.settled(stage))
  end)

  it("is made again at once: it waits until the service synchronizes once more", function()
    local stage = stage_with(refuse "FailoverDiskReplicaGroup")
    assert.is_true(select(2, scene.run("planned", stage, PARAMS)).rolled_back)
    assert.equal(0, assert(scene.run("planned", stage, PARAMS)).rpo)
    is_back(stage, "i-new", "d-new-")
  end)

  it("starts no services beside those of a group that somebody has moved meanwhile", function()
    local stage, ran = scene.stage(), {}
    local _, err = scene.run("planned", stage, PARAMS, { stop = "halt", restart = "go" }, {
      program = function(line)
        ran[#ran + 1] = line
        return true
      end,
      progress = function(event)
        if event.type == "step_end" and event.step == "fence" then
          assert(stage.bench:failover {})
        end
      end })
    assert.same({ "halt" }, ran)
    assert.matches("production is down", err.production_down)
    assert.equal("Stopped", stage.bench.emu.world.instance_by_id["i-old"].status)
  end)

  it("tells nobody to start the services where a group was before somebody has moved it", function()
    for _, go in ipairs { false, "go" } do
      local stage, undone = scene.stage(), {}
      scene.run("planned", stage, PARAMS, { stop = "halt", restart = go or nil }, {
        program = function() return true end,
        progress = function(event)
          if event.type == "step_end" and event.step == "fence" then
            assert(stage.bench:failover {})
          elseif event.type == "undo_end" then
            undone[event.step] = event.err
          end
        end })
      assert.matches("^Client%.GroupMoved", undone["stop services"].message)
    end
  end)

  it("leaves nothing down for the next attempt, which finds the group moved by somebody", function()
    local stage = stage_with(refuse "FailoverDiskReplicaGroup")
    assert.is_true(select(2, scene.run("planned", stage, PARAMS)).rolled_back)
    stage.bench.emu:advance(3600)
    assert(stage.bench:failover {})
    local _, err = scene.run("planned", stage, PARAMS)
    assert.equal("Client.GroupMoved", err.code)
    assert.is_nil(err.production_down)
  end)

  it("restarts what a killed process may have stopped, if the next one stops nothing", function()
    for _, fails in ipairs { false, true } do
      local stage, ran = scene.stage(), {}
      local options = { params = { stop = "halt", restart = "go" }, program = function(line)
        ran[#ran + 1] = line
        return not (fails and line == "go") or nil, "it hangs"
      end }
      for name, value in pairs(PARAMS) do options.params[name] = value end
      assert(stage:run_until(scene.load "planned", function() return ran[1] and "crash" end,
        options))
      options.skip = { ["last sync"] = "no time" }
      for try = 1, fails and 2 or 1 do
        local _, err = stage:run(scene.load "planned", options)
        assert.equal("Client.LossNotExcluded", err.code)
        assert.equal(try + 1, #ran)
        assert.equal(fails and "production may be down: it was stopped by step stop services"
          or nil, err.production_down)
      end
    end
  end)

  it("starts none of them either where a step is left out", function()
    local stage, ran, reached = scene.stage(), {}, false
    local params = { stop = "halt", restart = "go" }
    for name, value in pairs(PARAMS) do params[name] = value end
    local options = { params = params,
      program = function(line)
        ran[#ran + 1] = line
        return true
      end,
      progress = function(event)
        reached = event.type == "step_end" and event.step == "stop services"
      end }
    assert(stage:run_until(scene.load "planned", function() return reached and "crash" end,
      options))
    assert(stage.bench:failover {})
    options.skip = { ["last sync"] = "no time" }
    local _, err = stage:run(scene.load "planned", options)
    assert.equal("Client.LossNotExcluded", err.code)
    assert.same({ "halt" }, ran)
  end)

  it("brings nothing back where the old side stood still before", function()
    local stage = scene.stage({ old = false },
      { faults = { refuse "FailoverDiskReplicaGroup" } })
    local _, err = scene.run("planned", stage, PARAMS)
    assert.equal("undone", scene.statuses(stage).fence)
    assert.is_true(err.rolled_back)
  end)

  it("does not call services started that nobody has started", function()
    local stage = stage_with(refuse "FailoverDiskReplicaGroup")
    local _, err = scene.run("planned", stage, PARAMS, { stop = function() return true end })
    is_back(stage, "i-old", "d-old-")
    assert.is_nil(err.rolled_back)
    assert.matches("stop services", err.production_down)
  end)

  it("restarts what a stop that failed may have stopped", function()
    local stage, count = scene.stage(), 0
    local _, err = scene.run("planned", stage, PARAMS, {
      stop = function() return nil, "half of them hang" end,
      restart = function()
        count = count + 1
        return true
      end })
    assert.matches("half of them hang", err.message)
    assert.equal(1, count)
    assert.is_true(err.rolled_back)
  end)

  it("says first that production is down if it cannot be brought back", function()
    local stage = stage_with(refuse "FailoverDiskReplicaGroup",
      refuse "StartInstance")
    local _, err = scene.run("planned", stage, PARAMS)
    assert.is_nil(err.rolled_back)
    assert.matches("production is down: pg%-orders, stopped in cn%-hangzhou %(i%-old%)",
      err.production_down)
    assert.is_nil(stopped(stage).rolled_back)
    stage.bench.emu:advance(3600)
    assert.equal(0, assert(scene.run("planned", stage, PARAMS)).rpo)
  end)

  it("remembers what stood there over a way back that failed", function()
    local stage = stage_with(refuse "FailoverDiskReplicaGroup",
      refuse("FailoverDiskReplicaGroup", 2), refuse "AttachDisk")
    local _, err = scene.run("planned", stage, PARAMS)
    assert.matches("i%-old", err.production_down)
    stage.bench.emu:advance(3600)
    _, err = scene.run("planned", stage, PARAMS)
    assert.is_true(err.rolled_back, tostring(err.production_down))
    is_back(stage, "i-old", "d-old-")
  end)

  it("undoes nothing once the failover may have been taken", function()
    local stage = scene.stage(nil, { faults = { after.fault("FailoverDiskReplicaGroup",
      { error = { status = 500, code = "InternalError" } }, "before", 1000) } })
    local _, err = scene.run("planned", stage, PARAMS)
    assert.is_nil(err.rolled_back)
    assert.matches("production is down", err.production_down)
    assert.equal(0, after.effects(stage.bench, "AttachDisk"))
  end)

  it("is told of by whoever cannot go on for want of a journal, too", function()
    for _, op in ipairs { "reserve", "append" } do
      local stage = stage_with(refuse "FailoverDiskReplicaGroup", refuse "StartInstance")
      local _, err = scene.run("planned", stage, PARAMS)
      assert.is_not_nil(err.production_down)
      stage.disk.fault = function(call) return call.op == op and "ENOSPC" end
      _, err = scene.run("planned", stage, PARAMS)
      assert.equal("Client.JournalFailed", err.code)
      assert.matches("i%-old", err.production_down, op)
    end
  end)

  it("undoes nothing when it is interrupted, and says what is down", function()
    local stage, reached = scene.stage(), nil
    local _, err = scene.run("planned", stage, PARAMS, nil, { progress = function(event)
      if reached or event.type ~= "step_begin" or event.step ~= "last sync" then return end
      reached = true
      error("interrupted!", 0)
    end })
    assert.equal("Client.Interrupted", err.code)
    assert.matches("i%-old", err.production_down)
    assert.equal(0, after.effects(stage.bench, "AttachDisk"))
  end)
end)

describe("a move between two zones of one region", function()
  it("is brought back like one between regions", function()
    local stage = stages.new { world = zones.world(),
      faults = { refuse "FailoverDiskReplicaGroup" } }
    local params = { group = "pg-orders", region = "cn-hangzhou", to = "cn-hangzhou-h",
      attach = "i-new" }
    local _, err = scene.run("planned", stage, params)
    assert.equal("Forbidden", err.code)
    assert.is_true(err.rolled_back, err.production_down)
    is_back(stage, "i-old", "d-old-")
    stage.bench.emu:advance(3600)
    assert.equal(0, assert(scene.run("planned", stage, params)).rpo)
    is_back(stage, "i-new", "d-new-")
  end)
end)

describe("a failback that is refused", function()
  it("brings the service back to where it ran", function()
    local stage = scene.failed_over(false)
    stage.bench.emu:fault(refuse "FailoverDiskReplicaGroup")
    local params = { group = "pg-orders", region = "cn-shanghai", attach = "i-old" }
    local _, err = scene.run("failback", stage, params)
    assert.equal("Forbidden", err.code)
    assert.is_true(err.rolled_back, tostring(err.production_down))
    is_back(stage, "i-new", "d-new-")
  end)
end)

describe("a failover whose failover is refused", function()
  it("says that the fenced side is down", function()
    local stage = stage_with(refuse "FailoverDiskReplicaGroup")
    local _, err = scene.run("failover", stage, PARAMS)
    assert.equal("Forbidden", err.code)
    assert.matches("pg%-orders, stopped in cn%-hangzhou %(i%-old%)", err.production_down)
  end)

  it("says until the group is served that it is down", function()
    local stage = stage_with(refuse "StartInstance")
    local _, err = scene.run("failover", stage, PARAMS)
    assert.equal("Forbidden", err.code)
    assert.matches("i%-old", err.production_down)
    assert(scene.run("failover", stage, PARAMS))
  end)
end)
