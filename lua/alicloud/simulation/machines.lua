--- Adds instances to the world of a playbook: those that it names, those that write to groups that
--- it fences, and those that serve after a failover.

local emulator = require "alicloud.emulator"
local tables = require "alicloud.base.tables"
local worlds = require "alicloud.simulation.policy_worlds"

local M = {}

local function is_used(world, id)
  for _, disk in ipairs(world.disks) do
    if disk.instance == id then return true end
  end
  return false
end

local function machine_at(world, place, id)
  for _, instance in ipairs(world.instances) do
    if instance.place == place and not is_used(world, instance.id) then return instance end
  end
  local instance = { id = id, place = place }
  table.insert(world.instances, instance)
  return instance
end

-- Attaches the disks of one side of a group to a running instance.
local function attach(world, group, pairs_of, side)
  local machine = machine_at(world, group[side], ("i-of-%s-%s"):format(group.id, side))
  machine.status = nil
  local known = tables.index(world.disks, "id")
  for _, pair in ipairs(pairs_of) do
    local id = pair[side .. "_disk"]
    if not known[id] then
      known[id] = { id = id, place = group[side] }
      table.insert(world.disks, known[id])
    end
    known[id].instance = machine.id
  end
end

local function names_disk(asked, id)
  for _, request in ipairs(asked) do
    if request.things and request.things:find(id, 1, true) then return true end
  end
  return false
end

local function has_machine(world, pairs_of)
  local known = tables.index(world.disks, "id")
  for _, pair in ipairs(pairs_of) do
    local disk = known[pair.source_disk]
    if disk then return true end
  end
  return false
end

-- Adds an instance that writes to each group whose disks were asked for.
local function learn_writers(world, calm, asked)
  local emu, added = emulator.new { world = calm, seed = 1 }, 0
  for _, group in ipairs(world.groups) do
    local found = emu:group(group.id)
    local first = found and found.pairs[1]
    if first and names_disk(asked, first.source_disk) and not has_machine(world, found.pairs)
      and group.status ~= "failovered" then
      group.pairs = group.pairs or #found.pairs
      attach(world, group, found.pairs, "source")
      added = added + 1
    end
  end
  return added
end

--- Adds the instances to a world that were asked for and are not in it.
---@param world table is changed
---@param calm table the same world with healthy groups, as `discover.calm` makes it
---@param asked alicloud.simulation.Asked[]
---@param side? string zone or region that takes over, if one was named
---@return integer added
function M.learn(world, calm, asked, side)
  local ids = {}
  for _, group in ipairs(world.groups) do ids[group.id] = true end
  local writers = learn_writers(world, calm, asked)
  return writers + worlds.learn_machines(world, ids, asked, side)
end

--- The world after a failover of all its groups: no disk of the old side is attached, and the disks
--- of the new side are attached to running instances.
---@param world table is changed
---@return table world
function M.after_failover(world)
  local disks, instances = {}, {}
  for i, disk in ipairs(world.disks or {}) do
    disks[i] = tables.copy(disk)
    disks[i].instance = nil
  end
  for i, instance in ipairs(world.instances or {}) do
    instances[i] = tables.merged(instance, { status = "Stopped" })
  end
  world.disks, world.instances = disks, instances
  local emu = emulator.new { world = world, seed = 1 }
  for _, group in ipairs(world.groups) do
    group.status = "failovered"
    attach(world, group, emu:group(group.id).pairs, "destination")
  end
  return world
end

return M
