--- What world a playbook is about: it is run undisturbed, and every group that it asks for is put
--- into the world, with its secondary site where it was asked for. Groups of the emulator's demo
--- come with their disks and instances.

local demo = require "alicloud.emulator.demo"
local stages = require "alicloud.simulation.stage"

local M = {}

local MOST_ROUNDS = 20

-- The other side of a group that nobody has described.
local ELSEWHERE = { "cn-hangzhou", "cn-shanghai" }

local function place(region) return ("%s/%s-a"):format(region, region) end

local function invented(id, region)
  local other = region == ELSEWHERE[1] and ELSEWHERE[2] or ELSEWHERE[1]
  return { id = id, source = place(other), destination = place(region) }
end

local function from_demo(id, region)
  for _, group in ipairs(demo.groups) do
    local fits = group.destination:match "^[^/]+" == region
    if group.id == id and fits and type(group.pairs) == "number" and group.pairs > 0 then
      return { id = id, name = group.name, pairs = group.pairs, source = group.source,
        destination = group.destination }
    end
  end
  return nil
end

local function names_of(world)
  local known = {}
  for _, group in ipairs(world.groups) do known[group.id] = true end
  return known
end

local function add_regions(world, group)
  for _, side in ipairs { "source", "destination" } do
    local id, known = group[side]:match "^[^/]+", false
    for _, region in ipairs(world.regions) do
      known = known or (region.id or region) == id
    end
    if not known then table.insert(world.regions, id) end
  end
end

local function learn(stage, world)
  local known, learnt = names_of(world), false
  for _, request in ipairs(stage.requests) do
    for id in (request.group or ""):gmatch "[^,%%\"%[%]]+" do
      if not known[id] and request.region then
        local group = from_demo(id, request.region) or invented(id, request.region)
        table.insert(world.groups, group)
        add_regions(world, group)
        known[id], learnt = true, true
      end
    end
  end
  return learnt
end

--- An undisturbed world: every group is well.
---@param about table
---@return table
function M.calm(about)
  local world = {}
  for name, value in pairs(about) do world[name] = value end
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
    local own = {}
    for name, value in pairs(record) do own[name] = value end
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
  for _ = 1, MOST_ROUNDS do
    local stage
    stage, process = M.undisturbed(plan)
    if not learn(stage, plan.world) then break end
  end
  if #plan.world.groups == 0 then
    return nil, "the playbook asks for no group"
      .. (process.err and ": " .. tostring(process.err) or "")
  end
  if not process.result and not after_failover(plan) then
    return nil, "without any trouble the run does not end well: " .. tostring(process.err)
  end
  return true
end

return M
