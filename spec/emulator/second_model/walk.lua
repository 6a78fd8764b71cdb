-- Walks at random through an emulator: a world with records in any state, then calls of all
-- operations at all sides, failing work and dark sites between them. The same seed, the same walk.

local caller = require "spec.emulator.caller"
local chance = require "alicloud.simulation.random"
local model = require "spec.emulator.second_model"
local tables = require "alicloud.base.tables"

local M = {}

local S, D, ELSEWHERE = "cn-hangzhou", "cn-shanghai", "cn-beijing"
local SOURCE, DESTINATION, NEIGHBOUR = S .. "/cn-hangzhou-g", D .. "/cn-shanghai-b",
  S .. "/cn-hangzhou-h"
local REGIONS = { S, D, ELSEWHERE }
local ECS = { version = "2014-05-26" }

local function words(list)
  local all = {}
  for word in list:gmatch("%S+") do all[#all + 1] = word end
  return all
end

local STATES, DRILL_STATES = words(model.states.pair), words(model.states.drill)
local RESTING = { "created", "stopped", "stopped" }
local WITHOUT_POINT = model.set(model.lacks_point .. " initial_syncing")
local NEEDS_POINT = model.set "normal syncing"

local function age(random, status)
  if WITHOUT_POINT[status] then return false end
  if NEEDS_POINT[status] or random:chance(0.8) then return random:between(1, 890) end
  return false
end

-- The emulator's clock begins here.
local START = 1795316400

local function unit(random, about, far, copying)
  about.recover_point_age = age(random, about.status)
  if about.status == "syncing" and copying > 0 then
    about.next_cycle = START + random:between(1, copying)
    about.recover_point_age = 900 - (about.next_cycle - START)
  end
  about.failover_seconds = random:between(5, 60)
  about.source, about.destination = SOURCE, far
  if random:chance(0.3) then
    about.initial_source, about.initial_destination = far, SOURCE
  end
  return about
end

local function members(random, group, count, name, apart)
  local list = {}
  for number = 1, count do
    list[number] = { id = ("pair-%s-%d"):format(name, number) }
    if apart and random:chance(0.15) then list[number].status = random:pick(STATES) end
  end
  group.pairs = list
  return group
end

local function drill(random, id, about, far)
  about.id, about.region, about.status = id, far:match "^[^/]+", random:pick(DRILL_STATES)
  about.started, about.recover_point = 1, 1
  about.disks = { { pair = about.pair or "pair-1-1", disk = "d-" .. id, status = "created" } }
  return about
end

-- Some disks hang on machines from the beginning.
local function disks_of(random, far, groups, lone, drills)
  local disks = { { id = "d-new-src", place = SOURCE }, { id = "d-new-dst", place = far } }
  local function attach(pair)
    local suffix = pair.id:gsub("^pair%-", "")
    if random:chance(0.25) then
      disks[#disks + 1] = { id = ("d-%s-src"):format(suffix), place = SOURCE, instance = "i-old" }
    elseif random:chance(0.1) then
      disks[#disks + 1] = { id = ("d-%s-dst"):format(suffix), place = far, instance = "i-new" }
    end
  end
  for _, group in ipairs(groups) do
    for _, pair in ipairs(group.pairs) do attach(pair) end
  end
  for _, pair in ipairs(lone) do attach(pair) end
  for _, about in ipairs(drills) do
    disks[#disks + 1] = { id = "d-" .. about.id, place = far,
      instance = random:chance(0.3) and "i-new" or nil }
  end
  return disks
end

local function world_of(random, features)
  local far = random:chance(0.85) and DESTINATION or NEIGHBOUR
  local copying = features.copying
  -- In some worlds all rests, so that pairs can join and leave.
  local states = random:chance(0.2) and RESTING or STATES
  local groups, lone, drills = {}, {}, {}
  local counts = { random:between(1, 3), 1, 0 }
  for number, count in ipairs(counts) do
    local id = ("pg-%d"):format(number)
    local group = unit(random, { id = id, status = random:pick(states) }, far, copying)
    groups[number] = members(random, group, count, number, features.apart)
    drills[number] = drill(random, "pg-drill-" .. number, { group = id }, far)
  end
  for number, name in ipairs { "pair-a", "pair-b" } do
    lone[number] = unit(random, { id = name, status = random:pick(states) }, far, copying)
    drills[#drills + 1] = drill(random, "drill-" .. number, { pair = name }, far)
  end
  local regions = { S, D, { id = ELSEWHERE, zones = { "cn-beijing-a" } } }
  return { regions = regions, groups = groups,
    pairs = lone, drills = drills, account = { quota = {} },
    timings = { cycle_sync = copying },
    disks = disks_of(random, far, groups, lone, drills),
    instances = { { id = "i-old", place = SOURCE }, { id = "i-new", place = far } } }
end

local Walk = {}
Walk.__index = Walk

function Walk:any(list)
  if #list == 0 or self.random:chance(0.02) then return "pg-unknown" end
  return self.random:pick(list).id
end

-- Mostly the region that the documents ask for.
function Walk:region(row, record)
  local random, world = self.random, self.probe.emu.world
  if not record or random:chance(0.15) then return random:pick(REGIONS) end
  if record.region then return record.region end
  local side = row.side == "destination" and "destination" or "source"
  if row.side ~= "source" and random:chance(0.3) then side = "destination" end
  local place = world:place(record, side)
  return place and place.region or S
end

-- Often the one of before, so that chains of calls come about.
function Walk:target(row)
  local world = self.probe.emu.world
  local by_id = world[row.of .. "_by_id"]
  local last = by_id[self.targets[row.of]]
  if last and self.random:chance(0.4) then return last.id, last end
  local lone = row.of == "pair" and self.random:chance(0.6)
  local id = self:any(lone and self:lone() or world[row.of .. "s"])
  self.targets[row.of] = id
  return id, by_id[id]
end

function Walk:lone()
  local list = {}
  for _, pair in ipairs(self.probe.emu.world.pairs) do
    if not pair.group_id then list[#list + 1] = pair end
  end
  return list
end

local function flag(random, params, name, probability, value)
  if random:chance(probability) then params[name] = value end
end

function Walk:params(action, row)
  local random, world = self.random, self.probe.emu.world
  if row.creates then
    local far = world.disk_by_id["d-new-dst"].place
    return { RegionId = random:chance(0.9) and S or D, SourceZoneId = "cn-hangzhou-g",
      DestinationRegionId = far.region, DestinationZoneId = far.zone, DiskId = "d-new-src",
      DestinationDiskId = "d-new-dst" }
  end
  local id, record = self:target(row)
  local params = { RegionId = self:region(row, record), [row.id] = id }
  if row.of == "drill" and record then
    params[record.group and "GroupId" or "PairId"] = record.group or record.pair
  elseif row.member or action == "RemoveDiskReplicaPair" then
    local list = action == "RemoveDiskReplicaPair" and record and record.pairs
      or random:chance(0.2) and world.pairs or self:lone()
    params.ReplicaPairId = self:any(list)
  end
  if row.one_shot then flag(random, params, "OneShot", 0.35, "true") end
  if action:find "^Reprotect" then flag(random, params, "ReverseReplicate", 0.3, "false") end
  if action:find "^Modify" then params.Description = "words" end
  flag(random, params, "ClientToken", 0.05, "token-" .. random:between(1, 3))
  return params
end

function Walk:call()
  local random = self.random
  local action = random:pick(self.actions)
  local row = model.operations[action]
  if row.of == "drill" then
    local id, record = self:target(row)
    action = record and record.group and "ClearReplicaGroupDrill" or "ClearPairDrill"
    if not record then
      return self.probe:call(action, { RegionId = D, PairId = id, DrillId = id })
    end
  end
  self:send(action, self:params(action, row))
end

function Walk:send(action, params)
  self.last = { action, params }
  self.probe:call(action, params)
end

-- The same once more: repeats have rules of their own.
function Walk:again()
  if self.last then self.probe:call(self.last[1], self.last[2]) end
end

function Walk:machines()
  local random, world = self.random, self.probe.emu.world
  local params = { InstanceId = random:pick { "i-old", "i-new" },
    DiskId = random:pick(world.disks).id }
  local action = random:pick { "AttachDisk", "DetachDisk", "StopInstance", "StartInstance" }
  self.probe:call(action, params, ECS)
end

function Walk:weather()
  local region = self.random:pick { S, D }
  self.probe.emu:region(region, self.random:pick { "up", "up", "blackhole", "down", "overloaded" })
end

function Walk:look()
  local region = self.random:pick(REGIONS)
  for _, action in ipairs { "DescribeDiskReplicaGroups", "DescribeDiskReplicaPairs" } do
    self.probe:call(action, { RegionId = region, Site = self.random:pick { "production",
      "backup" } })
  end
end

local PAUSES = { 0.5, 1, 3, 7, 20, 45, 130, 460, 950, 2000 }

--- Walks.
---@param seed integer
---@param options table|nil  of `emulator.new`
---@return table features  copying: seconds of each cycle that show as syncing; apart: the world
---                        begins with pairs in another state than their group
---@return table[] requests  the log of the emulator
function M.walk(seed, options)
  local random = chance.new(seed)
  local features = { copying = random:pick { 0, 100, 300 }, apart = random:chance(0.4) }
  local probe = caller.new(tables.merged({ world = world_of(random, features), wire = false },
    options or {}))
  local actions = tables.keys(model.operations)
  local walk = setmetatable({ random = random, probe = probe, actions = actions,
    targets = {} }, Walk)
  for _, effect in ipairs { { partial = 1 }, { stuck = true }, { apply_late = 15 } } do
    if random:chance(0.3) then
      probe.emu:fault { match = { every = random:between(3, 12) }, effect = effect }
    end
  end
  probe.emu:advance(0)
  for _ = 1, 40 do
    local kind = random:random()
    local step = kind < 0.75 and "call" or kind < 0.86 and "again" or kind < 0.90 and "machines"
      or kind < 0.95 and "weather" or "look"
    walk[step](walk)
    if random:chance(0.5) then probe.emu:advance(random:pick(PAUSES)) end
  end
  return features, probe.emu:requests()
end

return M
