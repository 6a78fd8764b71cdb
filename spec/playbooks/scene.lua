--- Ready playbooks on a stage: loaded as the command loads them, run over the in-process emulator,
--- and killed at every call of the disk that keeps the journal.

local assert = require "luassert"

local after = require "spec.dr.after_lab"
local ready = require "alicloud.playbooks"
local stages = require "spec.dr.playbook.stage"

local M = {}

-- Reads a file as a runtime does.
local function read_file(path)
  local file <close>, message = io.open(path, "rb")
  if not file then return nil, message end
  return file:read "a"
end

---@param name string
---@return alicloud.dr.Playbook
function M.load(name)
  return assert(ready.load(name, read_file))
end

--- Runs a ready playbook.
---@param name string
---@param stage spec.dr.Stage
---@param params table its parameters
---@param more? table parameters beside them, or instead
---@param options? table as for dr.run
---@return table|nil result
---@return table|nil err
function M.run(name, stage, params, more, options)
  local given = { params = {} }
  for key, value in pairs(params) do given.params[key] = value end
  for key, value in pairs(more or {}) do given.params[key] = value end
  for key, value in pairs(options or {}) do given[key] = value end
  return stage:run(M.load(name), given)
end

--- A stage with one group of two pairs, on instances.
---@param changes? table as for spec.dr.after_lab
---@param given? table more for spec.dr.lab
---@return spec.dr.Stage
function M.stage(changes, given)
  local all = { world = after.world(changes) }
  for name, value in pairs(given or {}) do all[name] = value end
  return stages.new(all)
end

--- A stage after a failover: the service runs on the new side.
---@param old? string|false status of the old instance; false: its disks are attached nowhere
---@return spec.dr.Stage
function M.failed_over(old)
  local world = after.world { status = "failovered", old = old }
  for i = 1, 2 do
    world.disks[#world.disks + 1] = { id = "d-new-" .. i, instance = "i-new",
      place = "cn-shanghai/cn-shanghai-b" }
  end
  world.instances[2].status = "Running"
  return stages.new { world = world }
end

--- Somebody starts the old instance and gives it its disks back.
---@param stage spec.dr.Stage
function M.revive(stage)
  local client = stage.bench.client
  for i = 1, 2 do
    assert(client:call("ecs:AttachDisk", { InstanceId = "i-old", DiskId = "d-old-" .. i },
      { region = "cn-hangzhou" }))
  end
  assert(client:call("ecs:StartInstance", { InstanceId = "i-old" }, { region = "cn-hangzhou" }))
end

--- A stage on which the instance that is to take over goes away once there is no way back.
---@param given? table more for spec.dr.lab
---@return spec.dr.Stage
---@return fun(event: table) progress of the run that it is for
function M.with_vanishing(given)
  local world = after.world()
  world.instances[#world.instances + 1] = { id = "i-typo", name = "wrong",
    place = "cn-shanghai/cn-shanghai-b", status = "Stopped" }
  local all = { world = world }
  for name, value in pairs(given or {}) do all[name] = value end
  local stage = stages.new(all)
  return stage, function(event)
    if event.type == "step_begin" and event.step == "promote" then
      M.lose(stage.bench.emu.world, "i-typo")
    end
  end
end

--- Takes an instance out of a world.
---@param world table
---@param id string
function M.lose(world, id)
  world.instance_by_id[id] = nil
  for i, instance in ipairs(world.instances) do
    if instance.id == id then return table.remove(world.instances, i) end
  end
end

--- Waits until nothing moves, and tells how the group and its pairs are.
---@param stage spec.dr.Stage
---@return string
function M.settled(stage)
  stage.bench.emu:advance(3600)
  return after.truth(stage.bench)
end

--- The actions that had an effect, in their order.
---@param stage spec.dr.Stage
---@return string
function M.effects(stage)
  local actions = {}
  for i, effect in ipairs(stage.bench:ledger()) do actions[i] = effect.action end
  return table.concat(actions, " ")
end

--- The notes of a run.
---@param stage spec.dr.Stage
---@return string
function M.notes(stage)
  local texts = {}
  for i, event in ipairs(stage:events "note") do texts[i] = event.text end
  return table.concat(texts, "\n")
end

--- Statuses by step.
---@param stage spec.dr.Stage
---@return table<string, string>
function M.statuses(stage)
  local statuses = {}
  for key, step in pairs(stage:state().steps) do statuses[key] = step.status end
  return statuses
end

--- How many calls of a disk lie between two kills of a sweep: SPEC_STRIDE=1 has none left out.
---@param stride integer? (1)
---@return integer
function M.stride(stride)
  return math.tointeger(tonumber(os.getenv "SPEC_STRIDE")) or stride or 1
end

--- Runs it whole; then kills a run at calls of its disk, brings the machine up again and goes on.
--- The effects must be those of the whole run, and nothing more.
---@param name string
---@param params table
---@param make fun(): spec.dr.Stage
---@param examine fun(result: table, stage: spec.dr.Stage, at: integer)
---@param stride integer? one call in so many (1)
---@return integer kills times the stride
function M.kill_everywhere(name, params, make, examine, stride)
  stride = M.stride(stride)
  local whole = make()
  examine(assert(whole:run(M.load(name), { params = params })), whole, 0)
  local expected, kills = M.effects(whole), 0
  for n = 1, whole.disk.calls, stride do
    local stage = make()
    local killed = stage:run_until(M.load(name), function(call)
      return call.n == n and "crash"
    end, { params = params })
    if killed then
      kills = kills + 1
      local result, err = stage:run(M.load(name), { params = params })
      assert.is_table(result, ("killed at call %d: %s"):format(n, tostring(err)))
      assert.equal(expected, M.effects(stage), n)
      examine(result, stage, n)
    end
  end
  return kills * stride
end

return M
