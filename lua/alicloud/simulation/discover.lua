--- Finds the world for a playbook: runs it, and adds every group and instance that it asks for, a
--- group with its secondary site at the region where it was asked for. Groups of the emulator's
--- demo come with their disks and instances; a group that is fenced gets an instance that writes to
--- it. If the parameter `to` names a zone, groups go there from another zone of its region. A
--- playbook that changes nothing in a healthy world is a failback: its world is after a failover.

local demo = require "alicloud.emulator.demo"
local emulator = require "alicloud.emulator"
local errors = require "alicloud.base.error"
local formats = require "alicloud.base.formats"
local machines = require "alicloud.simulation.machines"
local programs = require "alicloud.simulation.programs"
local stages = require "alicloud.simulation.stage"
local tables = require "alicloud.base.tables"

local M = {}

local MOST_ROUNDS = 20

-- Regions for the other side of an invented group, if the world has no other region.
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

-- The ids in a parameter, which holds one id or a list of them.
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
---@field action string?
---@field params table?
---@field things string? disks or instances, an id or a list of them
---@field at integer? number of the request

--- Runs `attempt` again and again until its world has every group that it asks for.
---@param world table with `regions` and `groups`, which grow
---@param attempt fun(): alicloud.emulator.Emulator, alicloud.simulation.Asked[] runs once in that
---world; gives the emulator that it ran over, and what it asked for
---@param like? table fields of groups that are added, unless their description has them
---@param side? string zone or region that takes over, if one was named
---@return table[] groups that were added
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

--- A copy of a world in which groups are normal, as far as their descriptions leave that open.
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

-- Collects what a stage is asked for from now on, by requests as values.
local function listen(stage)
  local asked, carried = {}, stage.transport.perform
  stage.transport = { send = stage.transport.send, perform = function(request)
    local params = request.params
    asked[#asked + 1] = { action = request.action, product = request.product, params = params,
      region = params.RegionId or request.region, at = #stage.requests + 1,
      group = params.ReplicaGroupId or params.GroupIds,
      things = params.InstanceIds or params.InstanceId or params.DiskIds or params.DiskId }
    return carried(request)
  end }
  return asked
end

--- Runs a playbook undisturbed; its programs end well.
---@param plan alicloud.simulation.Plan
---@return alicloud.simulation.Stage
---@return alicloud.simulation.Process
---@return alicloud.simulation.Asked[]
function M.undisturbed(plan)
  local calm = tables.merged(plan, { wire = false, programs = programs.well(plan.programs) })
  local stage = stages.new({ seed = 1, world = M.calm(plan.world), troubles = {} }, calm)
  local asked = listen(stage)
  return stage, stage:process(), asked
end

-- Troubles and invariants are about groups, so pairs without a group cannot be rehearsed.
local LONE = "%s is a pair without a group, and a rehearsal knows groups alone; put the id of a "
  .. "group in its place, which the same steps move"

-- Refuses a pair without a group that the playbook names.
local function lone_problem(emu, asked, name)
  for _, request in ipairs(asked) do
    for _, id in ipairs(request.group and {} or ids_of(request.params[name])) do
      local pair = emu:pair(id)
      if not pair or not pair.group_id then return LONE:format(id) end
    end
  end
  return nil
end

--- Checks that a described world can be used for a rehearsal of the plan.
---@param plan alicloud.simulation.Plan
---@return string|nil problem nil: it can
function M.problem(plan)
  local world = plan.world
  local problem = emulator.world_problem(world)
  if not problem and #(world.groups or {}) == 0 then problem = "groups: has none" end
  if problem then return "world: " .. problem end
  if #(world.pairs or {}) == 0 then return nil end
  local stage, _, asked = M.undisturbed(plan)
  return lone_problem(stage.emu, asked, "ReplicaPairId")
end

-- Adds groups for a playbook that lists all groups of a region.
local function add_some(world, asked)
  for _, request in ipairs(asked) do
    if request.action == "DescribeDiskReplicaGroups" and not request.group and request.region then
      local found = {}
      for _, group in ipairs(demo.groups) do
        local id = group.status == "normal" and from_demo(group.id, request.region) and group.id
        if id then found[#found + 1] = add_group(world, id, request.region, {}) end
      end
      for n = #found + 1, 2 do add_group(world, "pg-" .. n, request.region, {}) end
      return true
    end
  end
  return false
end

-- Adds to the world until the playbook finds all that it asks for.
local function grow(plan)
  local world, side = plan.world, (plan.params or {}).to
  local stage, process, asked
  for _ = 1, MOST_ROUNDS do
    stage, process, asked = M.undisturbed(plan)
    local added = #learn(world, stage.emu, asked, {}, side)
      + machines.learn(world, M.calm(world), asked, side)
    if added == 0 and (#world.groups > 0 or not add_some(world, asked)) then break end
  end
  return stage, process, asked
end

-- Tries a world after a failover, for a failback: nobody writes at the old side, and the new side
-- serves. The plan keeps it if the playbook changes something in it.
local function after_failover(plan)
  local before = plan.world
  plan.world = machines.after_failover(M.calm(before))
  local stage, process = grow(plan)
  if process.result and stage.changes > 0 then return process end
  plan.world = before
end

local function world_helps(process)
  return not process.err or process.err.code ~= "Client.StepFailed"
end

--- Finds the world of a playbook.
---@param plan alicloud.simulation.Plan `world` is filled in, as far as it is found
---@return boolean|nil ok
---@return string? message
---@return boolean? world_helps false: the playbook raised itself, which another world cannot cure
function M.run(plan)
  plan.world = { regions = {}, groups = {}, disks = tables.copy(demo.disks),
    instances = tables.copy(demo.instances) }
  for i, region in ipairs(demo.regions) do plan.world.regions[i] = region end
  local stage, process, asked = grow(plan)
  local went_well = process.result and process.result.status == "completed"
  local lone = not went_well and lone_problem(stage.emu, asked, "PairIds")
  if lone then return nil, lone, false end
  if #plan.world.groups == 0 then
    return nil, "the playbook asks for no group"
      .. (process.err and ": " .. errors.text_of(process.err) or ""), world_helps(process)
  end
  if process.result and stage.changes > 0 then return true end
  local back = after_failover(plan)
  if not process.result and not back then
    return nil, "without any trouble the run does not end well: " .. errors.text_of(process.err),
      world_helps(process)
  end
  return true
end

return M
