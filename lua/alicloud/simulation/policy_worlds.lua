--- Makes the worlds in which a playbook may run: before and after a failover, with disks of the old
--- side attached or not, and reversed. A playbook is run in all of them to find the calls that it
--- may make. Instances that no description names are imagined.

local core = require "alicloud.core"
local emulator = require "alicloud.emulator"
local tables = require "alicloud.base.tables"

local M = {}

local IMAGINED = "i-imagined-%d"

--- Whether an id is of an imagined instance.
---@param id any
---@return boolean
function M.is_imagined(id)
  return type(id) == "string" and id:find "^i%-imagined%-%d+$" ~= nil
end

local function set_unit(group, changes)
  for _, unit in ipairs { group, table.unpack(group.pairs) } do
    for name, value in pairs(changes) do unit[name] = value end
  end
end

local function turn(unit)
  unit.source, unit.destination = unit.destination, unit.source
  unit.source_disk, unit.destination_disk = unit.destination_disk, unit.source_disk
end

-- An instance without disks at a place, else a new imagined one.
local function machine_of(world, place)
  local used = {}
  for _, disk in ipairs(world.disks) do used[disk.instance or false] = true end
  for _, instance in ipairs(world.instances) do
    if instance.place == place and not used[instance.id] then return instance end
  end
  local instance = { id = IMAGINED:format(#world.instances + 1), place = place }
  table.insert(world.instances, instance)
  return instance
end

-- Attaches the disks of one side to a running instance, or detaches them and stops their instances.
local function attach(world, group, side, is_attached)
  local disks, machines = tables.index(world.disks, "id"), tables.index(world.instances, "id")
  local free
  for _, pair in ipairs(group.pairs) do
    local disk = disks[pair[side .. "_disk"]]
    if disk and is_attached then
      local machine = machines[disk.instance or false] or free or machine_of(world, group[side])
      free = machine
      disk.instance, disk.status, machine.status = machine.id, "In_use", "Running"
    elseif disk then
      local machine = machines[disk.instance or false]
      if machine then machine.status = "Stopped" end
      disk.instance, disk.status = nil, "Available"
    end
  end
end

local function before(is_attached)
  return function(world, group)
    attach(world, group, "source", is_attached)
    attach(world, group, "destination", false)
  end
end

local function after(old_is_attached)
  return function(world, group)
    set_unit(group, { status = "failovered" })
    attach(world, group, "source", old_is_attached)
    attach(world, group, "destination", true)
  end
end

local function turned(world, group)
  for _, unit in ipairs { group, table.unpack(group.pairs) } do turn(unit) end
  before(true)(world, group)
end

-- Seconds for which the production region is dark, before it answers again.
local DARK = 100

local function dark_at_first(world, group, events)
  before(true)(world, group)
  local region = group.source:match "^[^/]+"
  if region == group.destination:match "^[^/]+" then return end
  table.insert(events, { at = 0, region = region, state = "blackhole" })
  table.insert(events, { at = DARK, region = region, state = "up" })
end

-- Before a failover, with the old side attached or not, or dark; after one; reversed.
local KINDS = { before(true), before(false), dark_at_first, after(false), after(true), turned }

---@class alicloud.simulation.PolicyWorld
---@field world table
---@field events table[] see alicloud.emulator.model.events

--- Makes the worlds for a playbook from one that is described.
---@param world table
---@param asked table<string, true> ids of the groups that the playbook is about
---@return alicloud.simulation.PolicyWorld[] the first is that world itself
function M.of(world, asked)
  local list = { { world = world, events = {} } }
  for i, change in ipairs(KINDS) do
    local own, events = emulator.new { world = world, seed = 1 }:snapshot(), {}
    for _, group in ipairs(own.groups) do
      local is_meant = asked[group.id] and group.status == "normal" and #group.pairs > 0
      if is_meant then change(own, group, events) end
    end
    list[i + 1] = { world = own, events = events }
  end
  return list
end

local function ids_of(call)
  local list = call.action == "DescribeInstances" and core.decode(call.params.InstanceIds or "")
  local ids = type(list) == "table" and list or {}
  ids[#ids + 1] = call.params.InstanceId
  return ids
end

-- A place in a region, and in the zone if there is one there, of a group of the playbook.
local function place_in(world, asked, region, zone)
  local found
  for _, group in ipairs(world.groups) do
    for _, place in ipairs(asked[group.id] and { group.source, group.destination } or {}) do
      if place:match "^[^/]+" == region then
        if not zone or place:match "[^/]+$" == zone then return place end
        found = found or place
      end
    end
  end
  return found
end

--- Adds the instances that calls name and a world lacks, at a place of the playbook's groups.
---@param world table is changed
---@param asked table<string, true> ids of the groups that the playbook is about
---@param calls alicloud.simulation.MadeCall[]
---@param zone? string zone for the instances, if the groups of a region are in several
---@return integer added
function M.learn_machines(world, asked, calls, zone)
  world.instances = table.move(world.instances or {}, 1, #(world.instances or {}), 1, {})
  local known, added = tables.index(world.instances, "id"), 0
  for _, call in ipairs(calls) do
    local place = call.product == "ecs" and place_in(world, asked, call.region, zone)
    for _, id in ipairs(place and ids_of(call) or {}) do
      if type(id) == "string" and id:find "^[%w][%w_.-]*$" and not known[id] then
        known[id], added = { id = id, place = place, status = "Stopped" }, added + 1
        table.insert(world.instances, known[id])
      end
    end
  end
  return added
end

--- Removes the ids of imagined instances, and of disks of imagined groups, from calls.
---@param calls alicloud.simulation.MadeCall[]
---@param world table
---@param imagined { id: string }[] groups
function M.forget_imagined(calls, world, imagined)
  local groups, disks = tables.index(imagined, "id"), {}
  for _, group in ipairs(emulator.new { world = world, seed = 1 }:snapshot().groups) do
    for _, pair in ipairs(groups[group.id] and group.pairs or {}) do
      disks[pair.source_disk], disks[pair.destination_disk] = true, true
    end
  end
  for _, call in ipairs(calls) do
    if M.is_imagined(call.params.InstanceId) then call.params.InstanceId = nil end
    if disks[call.params.DiskId] then call.params.DiskId = nil end
  end
end

return M
