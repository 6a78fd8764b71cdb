--- Unusual surroundings of a run: for some minutes nothing can be read although changes work, disks
--- are being created or detached, an instance serves another group as well, both sides of a group
--- are in one region. This module draws them, applies them to a stage, and checks what must hold.

local looks = require "alicloud.simulation.looks"
local random = require "alicloud.simulation.random"
local records = require "alicloud.emulator.model.records"
local tables = require "alicloud.base.tables"
local when = require "alicloud.simulation.when"

local M = {}

M.KINDS = { "blips", "compute", "neighbours", "places" }

M.INVARIANTS = {
  P12 = "no fence stops a machine that serves another group, unless that was allowed",
}

local STREAM = 1 << 45

-- Longest seconds without reads that a step outlasts, and for which disks are in transition.
local LONGEST_BLIP, LONGEST_WAY = 600, 40

local READS = { "DescribeDiskReplicaGroups", "DescribeDiskReplicaPairs", "DescribeDisks",
  "DescribeInstances", "DescribeReplicaGroupDrills", "DescribePairDrills" }

local MAKE = {}

function MAKE.blips(d)
  return when.draw(d, { side = d:pick { "both", "both", "source", "destination" },
    lasts = d:pick { 60, LONGEST_BLIP, LONGEST_BLIP } })
end

local function on_its_way(d)
  return { name = d:pick { "Creating", "Detaching" }, stays = d:chance(0.5),
    lasts = d:pick { 5, 20, LONGEST_WAY } }
end

function MAKE.compute(d)
  local trouble = on_its_way(d)
  if d:chance(0.5) then
    trouble.from_start = true
    return trouble
  end
  return when.draw(d, trouble)
end

function MAKE.neighbours() return { from_start = true } end

function MAKE.places(d) return { from_start = true, turned = d:chance(0.5) } end

local function region_of(place) return place:match "^[^/]+" end

local function is_between_regions(about)
  for _, group in ipairs(about.groups) do
    if region_of(group.source) == region_of(group.destination) then return false end
  end
  return true
end

-- Whether an instance has a disk of a group. Undescribed disks have names made from the group's id.
local function has_machines(about)
  for _, group in ipairs(about.groups) do
    local beginning = "d-" .. group.id:gsub("^pg%-", "") .. "-"
    for _, disk in ipairs(about.disks or {}) do
      if disk.instance and disk.id:sub(1, #beginning) == beginning then return true end
    end
  end
  return false
end

local function makers(about)
  local list = { "looks", "looks", "blips" }
  if is_between_regions(about) then list[#list + 1] = "places" end
  if has_machines(about) then
    list[#list + 1] = "compute"
    list[#list + 1] = "neighbours"
  end
  return list
end

-- Draws wrong reads that pass. An old record lasts one look, so it comes with an early request.
local function make_look(d)
  local trouble = looks.passing(d)
  if d:chance(0.3) then
    trouble.from_start = true
    return trouble
  end
  when.draw(d, trouble)
  if trouble.name == "old_record" and trouble.request then
    trouble.request, trouble.delay = d:between(1, 6), 0
  end
  return trouble
end

local function make(d, about)
  local kind = d:pick(makers(about))
  if kind == "looks" then return make_look(d) end
  local trouble = MAKE[kind](d)
  trouble.kind = kind
  return trouble
end

-- Not combined with these: two lists that are wrong in the same way outvote the third.
local CONFLICTS = tables.set { "short_list", "pair_count_off", "pair_ids" }

-- Whether the service forgets tokens: then nothing protects from work that reads do not show.
local function is_forgetful(list)
  for _, trouble in ipairs(list) do
    if trouble.name == "token_forget" then return true end
  end
  return false
end

--- Adds a trouble of these kinds to those of some seeds, from a random stream of its own. Some come
--- alone; most of these must not change how the run ends.
---@param seed integer
---@param list alicloud.simulation.Trouble[]
---@param about table the world
---@return alicloud.simulation.Trouble[]
function M.with(seed, list, about)
  local d = random.new(seed + STREAM)
  if not d:chance(0.2) or is_forgetful(list) then return list end
  local trouble = make(d, about)
  if d:chance(0.4) then return { trouble } end
  local troubles = {}
  for _, other in ipairs(list) do
    if not CONFLICTS[other.name] then troubles[#troubles + 1] = other end
  end
  troubles[#troubles + 1] = trouble
  return troubles
end

local WORDS = {
  blips = function(trouble)
    return "no reading" .. (trouble.side == "both" and "" or (" at the %s"):format(trouble.side))
  end,
  compute = function(trouble)
    local ends = trouble.name == "Detaching" and not trouble.stays and " and then free" or ""
    return ("disks are %s%s"):format(trouble.name, ends)
  end,
  neighbours = function() return "a machine serves another group as well" end,
  places = function(trouble)
    return "both sides lie in one region" .. (trouble.turned and ", the other way round" or "")
  end,
}

--- A trouble of these kinds in words; nil for other kinds.
---@param trouble alicloud.simulation.Trouble
---@return string|nil
function M.describe(trouble)
  return WORDS[trouble.kind] and WORDS[trouble.kind](trouble)
end

--- Whether a run must end as without the trouble.
---@param trouble alicloud.simulation.Trouble
---@param alone boolean it is the only trouble, and the run has one group
---@return boolean
function M.is_harmless(trouble, alone)
  -- If a disk that was being detached is attached again, the run may end otherwise.
  local put_back = trouble.name == "Detaching" and trouble.stays
  return alone and (trouble.kind == "compute" and not put_back or trouble.kind == "blips")
end

local ACT = {}

function ACT.blips(stage, trouble)
  local emu, region = stage.emu, nil
  if trouble.side ~= "both" then
    region = region_of(stage.plan.world.groups[1][trouble.side])
  end
  local since = emu:now() - stage.requests[1].time
  for _, action in ipairs(READS) do
    assert(emu:fault { match = { action = action, region = region, before = since + trouble.lasts },
      effect = { error = { code = "InternalError", status = 500 } } })
  end
end

-- Gives a disk the trouble's status, and ends that later if the status is still the same.
local function let_pass(stage, disk, status, trouble, finish)
  local emu = stage.emu
  disk.status = trouble.name
  emu:later(emu:now() + trouble.lasts, function()
    if disk.status == trouble.name then finish(disk, status) end
  end)
end

local function put_back(disk, status) disk.status = status end

local function free(disk) disk.status, disk.instance, disk.device = "Available", nil, nil end

-- A run need not bring back a disk that others detach.
local function forget_host(stage, disk)
  for i = #stage.hosts, 1, -1 do
    if stage.hosts[i].disk == disk.id then table.remove(stage.hosts, i) end
  end
end

function ACT.compute(stage, trouble)
  local world = stage.emu.world
  for _, pair in ipairs(world.pairs) do
    local id = trouble.name == "Creating" and pair.destination_disk or pair.source_disk
    local disk = world.disk_by_id[id]
    local free_one = trouble.name == "Creating"
    if disk and not disk.transition and disk.status == (free_one and "Available" or "In_use") then
      local goes = not free_one and not trouble.stays
      if goes then forget_host(stage, disk) end
      let_pass(stage, disk, disk.status, trouble, goes and free or put_back)
    end
  end
end

local function served_disk(world)
  for _, pair in ipairs(world.pairs) do
    for _, id in ipairs { pair.source_disk, pair.destination_disk } do
      local disk = world.disk_by_id[id]
      if disk and disk.instance then return disk, pair end
    end
  end
end

local function text_of(place) return place.region .. "/" .. place.zone end

function ACT.neighbours(stage)
  local world = stage.emu.world
  local disk, pair = served_disk(world)
  if not disk then return end
  local home = world.group_by_id[pair.group_id]
  local beside = records.group({ id = "pg-beside", pairs = 1, source = text_of(home.source),
    destination = text_of(home.destination) }, stage.emu:now())
  local member = beside.pairs[1]
  local own = disk.id == pair.source_disk and member.source_disk or member.destination_disk
  world:add("group", beside)
  world:add("pair", member)
  world:add("disk", records.disk({ id = own, instance = disk.instance }, disk.place))
  stage.shared = disk.instance
end

local function other_zone(world, place)
  for _, zone in ipairs(world.region_by_id[place.region].zones) do
    if zone ~= place.zone then return zone end
  end
  return place.region .. "-z"
end

local SIDES = { "source", "destination", "initial_source", "initial_destination", "place" }

local function move(record, from, to)
  for _, side in ipairs(SIDES) do
    local place = record[side]
    if place and place.region == from.region and place.zone == from.zone then record[side] = to end
  end
end

local function turn(group)
  group.source, group.destination = group.destination, group.source
  for _, pair in ipairs(group.pairs) do
    pair.source_disk, pair.destination_disk = pair.destination_disk, pair.source_disk
  end
end

-- Moves the side that is not the target into another zone of the target's region.
function ACT.places(stage, trouble)
  local world, sides = stage.emu.world, stage.case.sides or {}
  for _, group in ipairs(world.groups) do
    local stays, goes = group.destination, group.source
    if sides[group.id] == text_of(goes) then stays, goes = goes, stays end
    local to = { region = stays.region, zone = other_zone(world, stays) }
    for _, list in ipairs { { group }, world.pairs, world.disks, world.instances } do
      for _, record in ipairs(list) do move(record, goes, to) end
    end
    if trouble.turned and group.destination == stays then turn(group) end
  end
end

--- Applies a trouble of these kinds to a stage.
---@param stage alicloud.simulation.Stage
---@param trouble alicloud.simulation.Trouble
function M.come(stage, trouble)
  ACT[trouble.kind](stage, trouble)
end

-- Kinds that may keep the run from seeing which other groups an instance serves. Then it may be
-- fenced all the same.
local BLINDING = tables.set { "reads", "regions", "outages", "blips", "hostile" }

--- Checks P12 after a case has ended.
---@param stage alicloud.simulation.Stage
---@param effects { effect: table, request: alicloud.simulation.Request }[] of the run
---@param violated fun(what: string)
function M.check(stage, effects, violated)
  if not stage.shared then return end
  for _, trouble in ipairs(stage.case.troubles) do
    if BLINDING[trouble.kind] then return end
  end
  for _, entry in ipairs(effects) do
    local effect = entry.effect
    if effect.action == "StopInstance" and effect.instance == stage.shared then
      violated(("P12 %s was stopped, and serves pg-beside as well"):format(effect.instance))
    end
  end
end

--- Lists the troubles of these kinds that can come at a request.
---@param point alicloud.simulation.Point of a request
---@return alicloud.simulation.Trouble[]
function M.at(point)
  local list = {}
  for _, side in ipairs { "both", "source", "destination" } do
    list[#list + 1] = { kind = "blips", side = side, lasts = LONGEST_BLIP, request = point.n }
  end
  for _, about in ipairs { { "Creating", true }, { "Detaching", true }, { "Detaching", false } } do
    list[#list + 1] = { kind = "compute", name = about[1], stays = about[2], lasts = LONGEST_WAY,
      request = point.n }
  end
  if point.n > 1 then return list end
  list[#list + 1] = { kind = "neighbours", from_start = true }
  for _, turned in ipairs { false, true } do
    list[#list + 1] = { kind = "places", from_start = true, turned = turned }
  end
  return list
end

return M
