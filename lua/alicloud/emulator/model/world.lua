--- The world: regions, groups, pairs, disks, instances, drills, and one account, as plain records
-- that are found by their ids. `alicloud.emulator.model.world_schema` documents its description.

local world_schema = require "alicloud.emulator.model.world_schema"
local records = require "alicloud.emulator.model.records"
local state = require "alicloud.emulator.model.state"

local M = {}

M.STATUSES = world_schema.STATUSES

---@class alicloud.emulator.Region
---@field id string
---@field name string
---@field zones table  the zone ids as a list, and each id also as a key with the value true
---@field state string  see `world_schema.REGION_STATES`
---@field dark_since number|nil  unix seconds at which it last went dark, see `state.is_dark`
---@field back_at number|nil  unix seconds at which it came back after that; nil: it did not

---@class alicloud.emulator.Account
---@field deny_actions table<string, boolean>
---@field deny_resources table<string, boolean>
---@field suspended boolean
---@field in_arrears boolean
---@field service_role boolean
---@field quota table<string, integer>
---@field tag_requests integer  tag requests made so far

---@class alicloud.emulator.World
---@field regions alicloud.emulator.Region[]
---@field region_by_id table<string, alicloud.emulator.Region>
---@field groups alicloud.emulator.Group[]
---@field group_by_id table<string, alicloud.emulator.Group>
---@field pairs alicloud.emulator.Pair[]
---@field pair_by_id table<string, alicloud.emulator.Pair>
---@field disks alicloud.emulator.Disk[]
---@field disk_by_id table<string, alicloud.emulator.Disk>
---@field instances alicloud.emulator.Instance[]
---@field instance_by_id table<string, alicloud.emulator.Instance>
---@field drills table[]
---@field drill_by_id table<string, table>
---@field order table<table, integer>  by group or pair: its position in order of creation
---@field moving table[]  records with a change under way
---@field next_due number  unix seconds of the earliest next step among them; math.huge: none
---@field account alicloud.emulator.Account
---@field timings table<string, number>  model seconds
---@field statuses string[]|nil  status words of groups and pairs besides those the model knows
local World = {}
local world_mt = { __name = "alicloud.emulator.World", __index = World }

local function make_region(world, id, about)
  local region = world.region_by_id[id]
  if region then return region end
  region = { id = id, name = about.name or id, zones = {}, state = about.state or "up",
    dark_since = about.dark_since, back_at = about.back_at }
  world.region_by_id[id] = region
  world.regions[#world.regions + 1] = region
  return region
end

local function add_zone(region, zone)
  if region.zones[zone] then return end
  region.zones[zone] = true
  region.zones[#region.zones + 1] = zone
end

local function add_region(world, about)
  if type(about) == "string" then about = { id = about } end
  local region = make_region(world, about.id, about)
  for _, zone in ipairs(about.zones or {}) do add_zone(region, zone) end
end

local SIDES = { "source", "destination", "place" }
local UNNAMED = {}

local function add_places(world, record)
  for _, side in ipairs(SIDES) do
    local where = record[side]
    if where then add_zone(make_region(world, where.region, UNNAMED), where.zone) end
  end
end

local KINDS = {
  group = { "groups", "group_by_id" }, pair = { "pairs", "pair_by_id" },
  disk = { "disks", "disk_by_id" }, instance = { "instances", "instance_by_id" },
  drill = { "drills", "drill_by_id" },
}
local IS_LISTED = { group = true, pair = true }

--- Adds a record.
---@param kind "group"|"pair"|"disk"|"instance"|"drill"
---@param record table
---@return string|nil problem  the id is taken
function World:add(kind, record)
  local list, by_id = self[KINDS[kind][1]], self[KINDS[kind][2]]
  if by_id[record.id] then
    return ('%s "%s" is described twice'):format(kind, record.id)
  end
  list[#list + 1] = record
  by_id[record.id] = record
  if IS_LISTED[kind] then
    self.added = self.added + 1
    self.order[record] = self.added
  end
  add_places(self, record)
  return nil
end

--- Removes a record; other records that refer to its id keep the reference.
---@param kind "group"|"pair"|"disk"|"instance"|"drill"
---@param record table
function World:remove(kind, record)
  local list, by_id = self[KINDS[kind][1]], self[KINDS[kind][2]]
  by_id[record.id], self.order[record] = nil, nil
  for index, known in ipairs(list) do
    if known == record then
      table.remove(list, index)
      return
    end
  end
end

--- The place of a side: a unit's own where it has one, else its group's.
---@param unit alicloud.emulator.Unit
---@param side "source"|"destination"|"initial_source"|"initial_destination"
---@return alicloud.emulator.Place|nil
function World:place(unit, side)
  if unit[side] then return unit[side] end
  local group = self.group_by_id[unit.group_id]
  return group and group[side]
end

-- Keeps `next_due` the earliest step, so that a request between two steps visits no record.
local function expect_step(world, record)
  local transition = record.transition
  local step = transition.steps[transition.done + 1]
  if step then world.next_due = math.min(world.next_due, step.at) end
end

--- Brings all records to a moment: carries out the steps that are due.
---@param now number  unix seconds
function World:advance_to(now)
  if self.timings.cycle_sync > 0 then
    for _, group in ipairs(self.groups) do state.show_cycle(group, now, self.timings) end
    for _, pair in ipairs(self.pairs) do
      if not pair.group_id then state.show_cycle(pair, now, self.timings) end
    end
  end
  if now < self.next_due then return end
  local before = self.moving
  -- A step may schedule another change, which adds its record to this new list.
  self.moving, self.next_due = {}, math.huge
  for _, record in ipairs(before) do
    state.advance_to(self, record, now)
    if record.transition then
      self.moving[#self.moving + 1] = record
      expect_step(self, record)
    else
      record.is_moving = nil
    end
  end
end

local function is_earlier(a, b)
  if a.at ~= b.at then return a.at < b.at end
  return a.order < b.order
end

--- Schedules a change of a record in steps, in place of a change that is under way.
---@param record table
---@param steps table[]  { at (unix seconds), order, record, status, act }
function World:schedule(record, steps)
  table.sort(steps, is_earlier)
  record.transition = { steps = steps, done = 0 }
  expect_step(self, record)
  if record.is_moving then return end
  record.is_moving = true
  self.moving[#self.moving + 1] = record
end

--- Schedules one act on a record, in place of a change that is under way.
---@param record table
---@param at number  unix seconds
---@param act string  name of a function in `state.acts`
function World:schedule_act(record, at, act)
  self:schedule(record, { { at = at, order = 1, record = record, act = act } })
end

local function set_of(list)
  local set = {}
  for _, name in ipairs(list or {}) do set[name:gsub("^ebs:", "")] = true end
  return set
end

local QUOTA = { __index = world_schema.QUOTA }
local TIMINGS = { __index = world_schema.TIMINGS }

local function over(defaults, given)
  local own = {}
  for name, value in pairs(given or {}) do own[name] = value end
  return setmetatable(own, defaults)
end

local function make_account(about)
  about = about or {}
  return {
    deny_actions = set_of(about.deny_actions), deny_resources = set_of(about.deny_resources),
    suspended = about.suspended or false, in_arrears = about.in_arrears or false,
    service_role = about.service_role ~= false, tag_requests = 0,
    quota = over(QUOTA, about.quota),
  }
end

local function resume_transition(world, record, about)
  if not about.transition then return end
  local steps = {}
  for index, step in ipairs(about.transition) do
    steps[index] = { at = step.at or math.huge, order = index, status = step.status, act = step.act,
      record = step.pair and world.pair_by_id[step.pair] or record }
  end
  world:schedule(record, steps)
end

-- Adds a record, and resumes the change that its description says is under way.
local function add_described(world, kind, record, about)
  local problem = world:add(kind, record)
  if not problem then resume_transition(world, record, about) end
  return problem
end

local function make_missing_disk(world, id, place)
  if not place or world.disk_by_id[id] then return end
  world:add("disk", records.disk({ id = id }, place))
end

local function make_disks(world, about)
  for _, disk in ipairs(about.disks or {}) do
    local problem = add_described(world, "disk", records.disk(disk), disk)
    if problem then return problem end
  end
  for _, instance in ipairs(about.instances or {}) do
    local problem = add_described(world, "instance", records.instance(instance), instance)
    if problem then return problem end
  end
  for _, pair in ipairs(world.pairs) do
    make_missing_disk(world, pair.source_disk, world:place(pair, "source"))
    make_missing_disk(world, pair.destination_disk, world:place(pair, "destination"))
  end
  -- Sorted, so that the list does not depend on the order in which the disks were made.
  table.sort(world.disks, function(a, b) return a.id < b.id end)
  return nil
end

local function make_drills(world, about)
  for _, drill in ipairs(about.drills or {}) do
    local disks = {}
    for index, disk in ipairs(drill.disks or {}) do
      disks[index] = { pair = disk.pair, disk = disk.disk, status = disk.status }
    end
    if not world.region_by_id[drill.region] then
      return ('drill "%s": region: the world has no %q'):format(drill.id, drill.region)
    end
    local record = { id = drill.id, group = drill.group, pair = drill.pair,
      region = drill.region, status = drill.status, message = drill.message,
      started = drill.started, recover_point = drill.recover_point, disks = disks }
    local problem = add_described(world, "drill", record, drill)
    if problem then return problem end
  end
  return nil
end

local function make_units(world, about, now)
  for _, given in ipairs(about.groups or {}) do
    local group = records.group(given, now)
    local problem = world:add("group", group)
    for _, pair in ipairs(group.pairs) do problem = problem or world:add("pair", pair) end
    if problem then return problem end
    resume_transition(world, group, given)
    for index, member in ipairs(type(given.pairs) == "table" and given.pairs or {}) do
      resume_transition(world, group.pairs[index], member)
    end
  end
  for _, given in ipairs(about.pairs or {}) do
    local problem = add_described(world, "pair", records.pair(given, nil, nil, now), given)
    if problem then return problem end
  end
  return nil
end

local function note_resource_groups(world, about)
  local known = { ["rg-default"] = true }
  for _, id in ipairs(about.resource_groups or {}) do known[id] = true end
  for _, list in ipairs { world.groups, world.pairs } do
    for _, record in ipairs(list) do
      if record.resource_group ~= "" then known[record.resource_group] = true end
    end
  end
  world.resource_groups = known
end

--- Builds a world from a description that was checked before.
---@param about table
---@param now number  unix seconds; ages in the description count back from it
---@return alicloud.emulator.World|nil world
---@return string|nil problem  an id is described twice, or a region is missing
function M.rebuild(about, now)
  local world = setmetatable({
    regions = {}, region_by_id = {}, groups = {}, group_by_id = {}, pairs = {}, pair_by_id = {},
    disks = {}, disk_by_id = {}, instances = {}, instance_by_id = {}, drills = {},
    drill_by_id = {}, order = {}, added = 0, moving = {}, next_due = math.huge,
    account = make_account(about.account), timings = over(TIMINGS, about.timings),
    statuses = about.statuses }, world_mt)
  for _, region in ipairs(about.regions or {}) do add_region(world, region) end
  for _, region in ipairs(world.regions) do
    if state.is_dark(region) then region.dark_since = region.dark_since or now end
  end
  local problem = make_units(world, about, now) or make_disks(world, about)
    or make_drills(world, about)
  if problem then return nil, problem end
  note_resource_groups(world, about)
  return world
end

--- Builds a world.
---@param about table  see `alicloud.emulator.model.world_schema`
---@param now number  unix seconds; ages in the description count back from it
---@return alicloud.emulator.World|nil world
---@return string|nil problem  names the field, what was given and what is allowed
function M.build(about, now)
  local problem = world_schema.problem(about)
  if problem then return nil, problem end
  return M.rebuild(about, now)
end

return M
