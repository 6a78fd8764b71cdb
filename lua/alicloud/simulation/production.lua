--- Checks whether production runs at the end of a process, and whether the process says so (P10).

local M = {}

M.INVARIANTS = {
  P10 = "a run that ends with production down says so; after a rollback production runs",
}

---@class alicloud.simulation.Host an instance that wrote to a disk of a group before the run
---@field group string
---@field disk string
---@field instance string
---@field standby string[] disks of the group at the side that was to take over

--- The running instances that write to the groups of a world, one entry for each disk.
---@param world table of the emulator
---@return alicloud.simulation.Host[]
function M.hosts(world)
  local list = {}
  for _, group in ipairs(world.groups) do
    local standby = {}
    for i, pair in ipairs(group.pairs) do standby[i] = pair.destination_disk end
    for _, pair in ipairs(group.pairs) do
      local disk = world.disk_by_id[pair.source_disk or ""]
      local host = disk and disk.instance and world.instance_by_id[disk.instance]
      if host and host.status == "Running" then
        list[#list + 1] = { group = group.id, disk = disk.id, instance = host.id,
          standby = standby }
      end
    end
  end
  return list
end

local function is_up(world, host)
  local disk, instance = world.disk_by_id[host.disk], world.instance_by_id[host.instance]
  return disk.instance == host.instance and disk.status == "In_use"
    and instance.status == "Running"
end

-- Whether a running instance has a disk of the side that was to take over before the run; the sides
-- of the group may have been exchanged since.
local function is_served(world, host)
  for _, id in ipairs(host.standby) do
    local disk = world.disk_by_id[id]
    local instance = disk and disk.instance and world.instance_by_id[disk.instance]
    if instance and instance.status == "Running" then return true end
  end
  return false
end

-- Whether the run itself has stopped the instance or detached its disks. Only processes up to the
-- active one count: one that was taken over does not know what a later one has done.
local function has_stopped(stage, host)
  local own = {}
  for _, request in ipairs(stage.requests) do
    local known = request.who == "run" and request.process <= stage.active.n
    if known and request.entry then own[request.entry.request_id] = true end
  end
  for _, effect in ipairs(stage.emu:ledger()) do
    local fences = effect.action == "StopInstance" or effect.action == "DetachDisk"
    if fences and effect.instance == host.instance and own[effect.request_id] then return true end
  end
  return false
end

--- Checks P10 at the end of a process.
---@param stage alicloud.simulation.Stage
---@param err alicloud.Error that it ended with
function M.judge(stage, err)
  local world = stage.emu.world
  -- A process that could not read its journal, or lost it to another one, cannot know.
  local process = stage.active
  local taken = process.n < #stage.processes
  if err.kind == "journal" and (taken or #stage.requests < process.first) then return end
  for _, host in ipairs(stage.hosts) do
    local down = has_stopped(stage, host) and not is_up(world, host)
    if down and err.rolled_back then
      stage:violated(("P10 called rolled back, but %s is not as it was"):format(host.instance))
    elseif down and not err.production_down and not is_served(world, host) then
      stage:violated(("P10 production of %s is down, and the end does not say so"):format(
        host.group))
    end
  end
end

return M
