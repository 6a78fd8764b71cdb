--- What world a playbook is about: it is run, and every group that it asks for is put into the
--- world, with its secondary site where it was asked for. Groups of the emulator's demo come with
--- their disks and instances. Where a parameter `to` names a zone, groups go there from the zone
--- beside it.

local demo = require "alicloud.emulator.demo"
local errors = require "alicloud.base.error"
local formats = require "alicloud.base.formats"
local stages = require "alicloud.simulation.stage"
local tables = require "alicloud.base.tables"

local M = {}

local MOST_ROUNDS = 20

-- The other side of a group that nobody has described, where the world has no other region.
local ELSEWHERE = { "cn-hangzhou", "cn-shanghai" }

local function place(region) return ("%s/%s-a"):format(region, region) end

local function region_of(where) return where:match "^[^/]+" end

local function id_of(region) return type(region) == "table" and region.id or region end

local function other_region(world, id)
  for _, regions in ipairs { world.regions, ELSEWHERE } do
    for _, region in ipairs(regions) do
      if id_of(region) ~= id then return id_of(region) end
    end
  end
end

local function invented(world, id, region)
  return { id = id, name = id, source = place(other_region(world, region)),
    destination = place(region) }
end

local function beside(world, region, zone)
  for _, known in ipairs(world.regions) do
    for _, other in ipairs(id_of(known) == region and known.zones or {}) do
      if other ~= zone then return other end
    end
  end
  return zone:sub(1, -2) .. (zone:find "a$" and "b" or "a")
end

local function between_zones(world, id, region, zone)
  return { id = id, name = id, source = region .. "/" .. beside(world, region, zone),
    destination = region .. "/" .. zone }
end

local function from_demo(id, region)
  for _, group in ipairs(demo.groups) do
    local fits = region_of(group.destination) == region
    if group.id == id and fits and type(group.pairs) == "number" and group.pairs > 0 then
      return { id = id, name = group.name, pairs = group.pairs, source = group.source,
        destination = group.destination }
    end
  end
  return nil
end

local function add_region(world, id)
  for _, region in ipairs(world.regions) do
    if id_of(region) == id then return end
  end
  table.insert(world.regions, id)
end

local function add_group(world, id, region, like, side)
  local in_region, zone = formats.region_of(side or "")
  local group = zone and in_region == region and between_zones(world, id, region, zone)
    or from_demo(id, region) or invented(world, id, region)
  for name, value in pairs(like) do
    if group[name] == nil then group[name] = value end
  end
  table.insert(world.groups, group)
  add_region(world, region_of(group.source))
  add_region(world, region_of(group.destination))
  return group
end

-- Of one group there is an id, of many a list of them.
local function ids_of(text)
  local ids = {}
  for id in (text or ""):gmatch '[^,%s"%[%]]+' do
    if id:find "^[%w_-]+$" then ids[#ids + 1] = id end
  end
  return ids
end

local function learn(world, emu, asked, like, side)
  local added, known = {}, {}
  for _, request in ipairs(asked) do
    for _, id in ipairs(request.region and ids_of(request.group) or {}) do
      if not known[id] and not emu:group(id) then
        added[#added + 1] = add_group(world, id, request.region, like, side)
      end
      known[id] = true
    end
  end
  return added
end

---@class alicloud.simulation.Asked
---@field group string? an id, or a list of them as the service takes it
---@field region string?

--- Lets something run until its world has every group that it asks for.
---@param world table with `regions` and `groups`, which grow
---@param attempt fun(): alicloud.emulator.Emulator, alicloud.simulation.Asked[] runs once in that
---world; gives the emulator that it ran over, and what it asked for
---@param like? table what a group that was found is like, as far as nobody has said it
---@param side? string zone or region that was named as the one that takes over
---@return table[] groups that were found
function M.complete(world, attempt, like, side)
  local found = {}
  for _ = 1, MOST_ROUNDS do
    local emu, asked = attempt()
    local added = learn(world, emu, asked, like or {}, side)
    if #added == 0 then break end
    table.move(added, 1, #added, #found + 1, found)
  end
  return found
end

--- An undisturbed world: every group is well.
---@param about table
---@return table
function M.calm(about)
  local world = tables.copy(about)
  world.groups = {}
  for i, group in ipairs(about.groups) do
    local own = { status = "normal", recover_point_age = 120, pairs = 3, failover_seconds = 52 }
    for name, value in pairs(group) do own[name] = value end
    world.groups[i] = own
  end
  return world
end

--- Runs a playbook undisturbed.
---@param plan alicloud.simulation.Plan
---@return alicloud.simulation.Stage
---@return alicloud.simulation.Process
function M.undisturbed(plan)
  local stage = stages.new({ seed = 1, world = M.calm(plan.world), troubles = {} }, plan)
  return stage, stage:process()
end

local function with(list, changes)
  local changed = {}
  for i, record in ipairs(list or {}) do
    local own = tables.copy(record)
    for name, change in pairs(changes) do own[name] = change or nil end
    changed[i] = own
  end
  return changed
end

-- A way back begins where a failover has ended, and nobody writes at the old side.
local function after_failover(plan)
  local before = plan.world
  plan.world = M.calm(before)
  plan.world.disks = with(before.disks, { instance = false })
  plan.world.instances = with(before.instances, { status = "Stopped" })
  for _, group in ipairs(plan.world.groups) do group.status = "failovered" end
  local _, process = M.undisturbed(plan)
  if not process.result then plan.world = before end
  return process.result ~= nil
end

--- Finds the world of a playbook.
---@param plan alicloud.simulation.Plan `world` is filled in
---@return boolean|nil ok
---@return string? message
function M.run(plan)
  plan.world = { regions = {}, groups = {}, disks = demo.disks, instances = demo.instances }
  for i, region in ipairs(demo.regions) do plan.world.regions[i] = region end
  local process
  M.complete(plan.world, function()
    local stage
    stage, process = M.undisturbed(plan)
    return stage.emu, stage.requests
  end, nil, (plan.params or {}).to)
  if #plan.world.groups == 0 then
    return nil, "the playbook asks for no group"
      .. (process.err and ": " .. errors.text_of(process.err) or "")
  end
  if not process.result and not after_failover(plan) then
    return nil, "without any trouble the run does not end well: " .. errors.text_of(process.err)
  end
  return true
end

return M
