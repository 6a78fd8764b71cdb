--- The world: regions, groups, pairs, as plain records. A description is what people write:
--
--   { regions = { "cn-hangzhou", { id = "cn-shanghai", name = "China (Shanghai)", zones = {} } },
--     groups = { {
--       id = "pg-orders", name = "orders", description = "",
--       source = "cn-hangzhou/cn-hangzhou-g",        -- production side now, region/zone
--       destination = "cn-shanghai/cn-shanghai-b",   -- disaster recovery side now
--       initial_source = , initial_destination = ,   -- sides at creation, when they have swapped
--       status = "normal", rpo = 900,
--       recover_point_age = 432,                     -- seconds; false: never synced
--       recover_point = 1795316400,                  -- or as unix seconds
--       failover_seconds = 52, bandwidth = 0, rtc = false, resource_group = , tags = { k = v },
--       pairs = 3,                                   -- or a list, every field optional:
--       pairs = { { id = , name = , status = , source = , destination = , source_disk = ,
--                   destination_disk = , recover_point_age = , recover_point = , group = } },
--     } },
--     pairs = { { id = , source = , destination = , … } } }  -- pairs in no group
--
-- A pair takes from its group what it does not say itself.

local shape = require "alicloud.emulator.shape"

local M = {}

--- Status words of groups and pairs (field documentation of both Describe operations).
M.STATUSES = {
  "invalid", "creating", "created", "create_failed", "initial_syncing", "manual_syncing",
  "syncing", "normal", "stopping", "stopped", "stop_failed", "failovering", "failovered",
  "failover_failed", "reprotecting", "reprotect_failed", "deleting", "delete_failed", "deleted",
}

---@class alicloud.emulator.Place
---@field region string
---@field zone string

---@class alicloud.emulator.Pair
---@field id string
---@field status string
---@field group_id string|nil
---@field source alicloud.emulator.Place|nil  nil: the group's
---@field recover_point integer|nil  unix seconds; nil: the group's
---@field log table  changes of status, for stale reads

---@class alicloud.emulator.Group
---@field id string
---@field status string
---@field source alicloud.emulator.Place  production side now
---@field destination alicloud.emulator.Place
---@field recover_point integer|nil  unix seconds; nil before the first full sync
---@field next_cycle integer  when the running cycle ends and becomes the recovery point
---@field rpo integer  seconds
---@field failover_seconds number
---@field pairs alicloud.emulator.Pair[]
---@field transition table|nil  a failover that is under way

local NAME = { type = "string", pattern = ".+", form = "a non-empty text" }
local ID = { type = "string", pattern = "[%w][%w_.-]*",
  form = "letters, digits, '-', '_' or '.'" }
local REGION = { type = "string", pattern = "[a-z0-9-]+", form = 'a region as "cn-hangzhou"' }
local PLACE = { type = "string", pattern = "[a-z0-9-]+/[a-z0-9-]+",
  form = '"region/zone" as "cn-hangzhou/cn-hangzhou-g"' }
local STATUS = { type = "string", values = M.STATUSES }
local AGE = { type = { "number", "boolean" }, min = 0 }
local COUNT = { type = "integer", min = 0 }

local function pair_shape(more)
  local fields = {
    id = ID, name = NAME, description = { type = "string" }, status = STATUS,
    status_message = { type = "string" }, source = PLACE, destination = PLACE,
    initial_source = PLACE, initial_destination = PLACE,
    source_disk = ID, destination_disk = ID, recover_point_age = AGE, recover_point = COUNT,
    group = ID, rpo = COUNT, bandwidth = COUNT, rtc = { type = "boolean" },
    created = COUNT, resource_group = ID, tags = { type = "table" },
  }
  for key, rule in pairs(more or {}) do fields[key] = rule end
  return { type = "table", fields = fields }
end

local SHAPE = {
  regions = { type = "table", each = {
    type = { "string", "table" }, pattern = REGION.pattern, form = REGION.form,
    fields = { id = { type = "string", required = true, pattern = REGION.pattern,
        form = REGION.form },
      name = NAME, zones = { type = "table", each = REGION } } } },
  groups = { type = "table", each = { type = "table", fields = {
    id = { type = "string", required = true, pattern = ID.pattern, form = ID.form },
    name = NAME, description = { type = "string" }, status = STATUS, rpo = COUNT,
    source = { type = "string", required = true, pattern = PLACE.pattern, form = PLACE.form },
    destination = { type = "string", required = true, pattern = PLACE.pattern, form = PLACE.form },
    initial_source = PLACE, initial_destination = PLACE,
    recover_point_age = AGE, recover_point = COUNT, failover_seconds = { type = "number", min = 0 },
    bandwidth = COUNT, rtc = { type = "boolean" }, resource_group = ID, tags = { type = "table" },
    pairs = { type = { "integer", "table" }, min = 0, max = 17, each = pair_shape() },
  } } },
  pairs = { type = "table", each = pair_shape {
    id = { type = "string", required = true, pattern = ID.pattern, form = ID.form },
    source = { type = "string", required = true, pattern = PLACE.pattern, form = PLACE.form },
    destination = { type = "string", required = true, pattern = PLACE.pattern, form = PLACE.form },
  } },
}

local function place(text)
  local region, zone = text:match("^(.-)/(.*)$")
  return { region = region, zone = zone }
end

local function optional_place(text) return text and place(text) or nil end

local function recover_point(about, now)
  if about.recover_point then return about.recover_point end
  if type(about.recover_point_age) ~= "number" then return nil end
  return (now - about.recover_point_age) // 1 | 0
end

local function has_recover_point(about)
  return about.recover_point_age ~= nil or about.recover_point ~= nil
end

local function make_pair(about, group, number, now)
  local id = about.id or ("pair-%s-%d"):format(group.id:gsub("^pg%-", ""), number)
  local suffix = id:gsub("^pair%-", "")
  local pair = {
    id = id, name = about.name or id, description = about.description or "",
    status = about.status or group and group.status or "created",
    status_message = about.status_message,
    source = optional_place(about.source), destination = optional_place(about.destination),
    initial_source = optional_place(about.initial_source or about.source),
    initial_destination = optional_place(about.initial_destination or about.destination),
    source_disk = about.source_disk or "d-" .. suffix .. "-src",
    destination_disk = about.destination_disk or "d-" .. suffix .. "-dst",
    group_id = about.group or group and group.id or nil,
    rpo = about.rpo, bandwidth = about.bandwidth or 0, rtc = about.rtc or false,
    created = about.created or (now // 1 | 0) - 86400 * 30,
    resource_group = about.resource_group or "", tags = about.tags or {}, log = {},
  }
  -- Only a pair that says so has a recovery point of its own; the others follow their group.
  pair.own_recover_point = has_recover_point(about) or not group
  if pair.own_recover_point then pair.recover_point = recover_point(about, now) end
  return pair
end

local DEFAULT_AGE = 300

-- A point older than the RPO means a cycle that is late: the next one ends a whole RPO from now.
local function first_cycle(group, now)
  local due = (group.recover_point or 0) + group.rpo
  return due > now and due or (now // 1 | 0) + group.rpo
end

local function make_group(about, now)
  local group = {
    id = about.id, name = about.name or about.id, description = about.description or "",
    status = about.status or "normal", rpo = about.rpo or 900,
    source = place(about.source), destination = place(about.destination),
    initial_source = place(about.initial_source or about.source),
    initial_destination = place(about.initial_destination or about.destination),
    failover_seconds = about.failover_seconds or 50,
    bandwidth = about.bandwidth or 0, rtc = about.rtc or false,
    resource_group = about.resource_group or "", tags = about.tags or {}, pairs = {}, log = {},
  }
  group.recover_point = has_recover_point(about) and recover_point(about, now)
    or not has_recover_point(about) and (now // 1 | 0) - DEFAULT_AGE or nil
  group.next_cycle = first_cycle(group, now)
  local members = about.pairs or 0
  if type(members) == "number" then
    local count = members
    members = {}
    for number = 1, count do members[number] = {} end
  end
  for number, member in ipairs(members) do
    group.pairs[number] = make_pair(member, group, number, now)
  end
  return group
end

local World = {}
local world_mt = { __name = "alicloud.emulator.World", __index = World }

local function add_region(world, about)
  if type(about) == "string" then about = { id = about } end
  local region = world.region_by_id[about.id]
  if not region then
    region = { id = about.id, name = about.name or about.id, zones = {} }
    world.region_by_id[about.id] = region
    world.regions[#world.regions + 1] = region
  end
  for _, zone in ipairs(about.zones or {}) do
    if not region.zones[zone] then
      region.zones[zone] = true
      region.zones[#region.zones + 1] = zone
    end
  end
end

local function add_places(world, record)
  for _, side in ipairs { "source", "destination" } do
    local where = record[side]
    if where then add_region(world, { id = where.region, zones = { where.zone } }) end
  end
end

local function add_pair(world, pair)
  if world.pair_by_id[pair.id] then
    return ('pair "%s" is described twice'):format(pair.id)
  end
  world.pairs[#world.pairs + 1] = pair
  world.pair_by_id[pair.id] = pair
  add_places(world, pair)
  return nil
end

local function add_group(world, group)
  if world.group_by_id[group.id] then
    return ('group "%s" is described twice'):format(group.id)
  end
  world.groups[#world.groups + 1] = group
  world.group_by_id[group.id] = group
  add_places(world, group)
  for _, pair in ipairs(group.pairs) do
    local problem = add_pair(world, pair)
    if problem then return problem end
  end
  return nil
end

--- Builds a world.
---@param description table  see the head of this file
---@param now number  unix seconds; ages count from here
---@return alicloud.emulator.World|nil world
---@return string|nil problem  names the field, what was given and what is allowed
function M.build(description, now)
  local problem = shape.problem(description, SHAPE)
  if problem then return nil, problem end
  local world = setmetatable({
    regions = {}, region_by_id = {}, groups = {}, group_by_id = {}, pairs = {}, pair_by_id = {},
  }, world_mt)
  for _, region in ipairs(description.regions or {}) do add_region(world, region) end
  for _, about in ipairs(description.groups or {}) do
    problem = add_group(world, make_group(about, now))
    if problem then return nil, problem end
  end
  for _, about in ipairs(description.pairs or {}) do
    problem = add_pair(world, make_pair(about, nil, 0, now))
    if problem then return nil, problem end
  end
  return world
end

--- The place of a pair's side: its own where it has one, else its group's.
---@param pair alicloud.emulator.Pair
---@param side "source"|"destination"|"initial_source"|"initial_destination"
---@return alicloud.emulator.Place
function World:place(pair, side)
  return pair[side] or self.group_by_id[pair.group_id][side]
end

return M
