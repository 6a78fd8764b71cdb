--- The description of a world, as in world files and in the option `world`, and its schema:
--
--   { now = 1795316400,                              -- unix seconds of the first instant
--     regions = { "cn-hangzhou",
--       { id = "cn-shanghai", name = "China (Shanghai)", zones = {}, state = "up" } },
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
--     pairs = { { id = , source = , destination = , … } },   -- pairs in no group
--     disks = { { id = , place = "cn-hangzhou/cn-hangzhou-g", size = 100, category = "cloud_essd",
--                 status = "Available", instance = , more_instances = { } } },
--     -- a disk of a pair is made when not given; more_instances if it is attached to several
--     instances = { { id = , name = , place = , status = "Running", locked = , no_stock = } },
--     resource_groups = { "rg-default" },
--     account = { deny_actions = { "ebs:StopDiskReplicaGroup" }, deny_resources = { "pg-x" },
--                 suspended = false, in_arrears = false, service_role = true,
--                 quota = { pairs = , groups = , grouped_pairs = , empty_groups = ,
--                           group_capacity = , tag_requests = , resource_group = } },
--     timings = { initial_sync = 120, … },          -- model seconds, see `TIMINGS`
--     later = { { at = 1795316430, action = "FailoverDiskReplicaGroup", version = "2021-07-30",
--                 params = { RegionId = , … }, request_id = , stuck = , partial = } },
--     statuses = { "resyncing" } }                  -- words of groups and pairs besides STATUSES
--
-- `later` lists calls that were accepted and are not done yet. Snapshots also write into a record
-- the change that is under way: transition = { { at = , status = , act = , pair = } }; a step
-- without `at` is never reached.
--
-- A pair takes from its group the fields that its own description leaves out.

local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

--- Status words of groups and pairs (field documentation of both Describe operations).
M.STATUSES = {
  "invalid", "creating", "created", "create_failed", "initial_syncing", "manual_syncing",
  "syncing", "normal", "stopping", "stopped", "stop_failed", "failovering", "failovered",
  "failover_failed", "reprotecting", "reprotect_failed", "deleting", "delete_failed", "deleted",
}

--- Conditions of a region. down: connections are refused; blackhole: requests are never answered;
-- failing: requests get InternalError; overloaded: requests get RequestTimeout, and accepted
-- changes are done later; maintenance: nothing new can be created.
M.REGION_STATES = { "up", "down", "blackhole", "failing", "overloaded", "maintenance" }

--- How long things take, in model seconds; the real durations are not public. The vendor's
-- Terraform provider and its tests give up after 5 minutes (create, delete, drill, clear) and after
-- 20 (first copy of 20 GiB, failover, reprotect), so that none of these may be longer.
M.TIMINGS = {
  create = 5, initial_sync = 120, sync = 30, one_shot = 60, stop = 10, reprotect = 20,
  delete = 5, membership = 5, drill = 30, clear = 15, overload = 30, cycle_sync = 0,
  attach = 3, detach = 10, start_instance = 15, stop_instance = 15,
}

--- Limits of the account; only the one of `pairs_per_group` is public.
M.QUOTA = {
  pairs = 1000, groups = 1000, grouped_pairs = 1000, empty_groups = 10, pairs_per_group = 17,
  group_capacity = 32768, tag_requests = math.maxinteger, resource_group = 1000,
}

local NAME = { type = "string", pattern = ".+", allowed = "a non-empty text" }
local ID = { type = "string", pattern = "[%w][%w_.-]*",
  allowed = "letters, digits, '-', '_' or '.'" }
local REGION = { type = "string", pattern = "[a-z0-9-]+", allowed = 'a region as "cn-hangzhou"' }
local PLACE = { type = "string", pattern = "[a-z0-9-]+/[a-z0-9-]+",
  allowed = '"region/zone" as "cn-hangzhou/cn-hangzhou-g"' }
local STATUS = { type = "string", values = M.STATUSES }
-- Unix seconds of the last date with a year of four digits; the bound of all moments and durations.
local LATEST = 253402300799
local AGE = { type = { "number", "boolean" }, min = 0, max = LATEST }
local COUNT = { type = "integer", min = 0, max = LATEST }
local SECONDS = { type = "number", min = 0, max = LATEST }
local LIMIT = { type = "integer", min = 0 }
local YES_NO = { type = "boolean" }
local TEXT = { type = "string" }
local TEXTS = { type = "table", map = TEXT }

local function required(rule)
  return tables.merged(rule, { required = true })
end

-- Schema of a change under way, as snapshots write it. Which acts a step may have depends on the
-- kind of record.
local function transition(acts, pair)
  return { type = "table", each = { type = "table", fields = {
    at = SECONDS, pair = pair, status = STATUS, act = { type = "string", values = acts },
  } } }
end

local UNIT = {
  name = TEXT, description = TEXT, status = STATUS, rpo = COUNT, bandwidth = COUNT, rtc = YES_NO,
  initial_source = PLACE, initial_destination = PLACE, recover_point_age = AGE,
  recover_point = COUNT, next_cycle = SECONDS, failover_seconds = SECONDS, resource_group = ID,
  tags = TEXTS, last_one_shot = SECONDS,
  transition = transition({ "synced", "reverse", "vanish", "join", "leave" }, ID),
  halted = YES_NO,
}

local function unit_shape(more)
  return { type = "table", fields = tables.merged(UNIT, more) }
end

local function pair_shape(id, place)
  return unit_shape {
    id = id, source = place, destination = place, status_message = TEXT, group = ID,
    joining = ID, source_disk = ID, destination_disk = ID, created = COUNT,
    charge_type = { type = "string", values = { "PREPAY", "POSTPAY" } }, expired = COUNT,
  }
end

local function all_of(names, rule)
  local fields = {}
  for name in pairs(names) do fields[name] = rule end
  return { type = "table", fields = fields }
end

local REGIONS = { type = "table", each = {
  type = { "string", "table" }, pattern = REGION.pattern, allowed = REGION.allowed,
  fields = { id = required(REGION), name = NAME, zones = { type = "table", each = REGION },
    state = { type = "string", values = M.REGION_STATES }, dark_since = SECONDS,
    back_at = SECONDS } } }

local DISK = { type = "table", fields = {
  id = required(ID), place = required(PLACE), name = TEXT, size = { type = "integer", min = 1 },
  category = TEXT, performance_level = TEXT, encrypted = YES_NO, instance = ID,
  more_instances = { type = "table", each = ID }, device = TEXT, snapshots = COUNT,
  type = { type = "string", values = { "data", "system" } },
  status = { type = "string",
    values = { "Available", "In_use", "Attaching", "Detaching", "Creating", "ReIniting" } },
  transition = transition { "attached", "detached" },
} }

local INSTANCE = { type = "table", fields = {
  id = required(ID), place = required(PLACE), name = TEXT, locked = YES_NO, no_stock = YES_NO,
  status = { type = "string",
    values = { "Running", "Stopped", "Starting", "Stopping", "Pending" } },
  transition = transition { "running", "halted" },
} }

local DRILL = { type = "table", fields = {
  id = required(ID), group = ID, pair = ID, region = required(REGION), status = required(TEXT),
  message = TEXT, started = required(COUNT), recover_point = COUNT,
  transition = transition { "drill_done", "drill_cleared" },
  disks = { type = "table", each = { type = "table", fields = {
    pair = required(ID), disk = required(ID), status = required(TEXT) } } },
} }

M.SHAPE = {
  now = SECONDS,
  regions = REGIONS,
  groups = { type = "table", each = unit_shape {
    id = required(ID), source = required(PLACE), destination = required(PLACE),
    pairs = { type = { "integer", "table" }, min = 0, max = 17, each = pair_shape(ID, PLACE) },
  } },
  pairs = { type = "table", each = pair_shape(required(ID), required(PLACE)) },
  disks = { type = "table", each = DISK },
  instances = { type = "table", each = INSTANCE },
  drills = { type = "table", each = DRILL },
  resource_groups = { type = "table", each = ID },
  account = { type = "table", fields = {
    deny_actions = { type = "table", each = TEXT },
    deny_resources = { type = "table", each = TEXT },
    suspended = YES_NO, in_arrears = YES_NO, service_role = YES_NO,
    quota = all_of(M.QUOTA, LIMIT),
  } },
  timings = all_of(M.TIMINGS, SECONDS),
  statuses = { type = "table", each = { type = "string", pattern = "[%w_-]+",
    allowed = "a word" } },
  later = { type = "table", each = { type = "table", fields = {
    at = required(SECONDS), action = required(TEXT), version = required(TEXT), host = TEXT,
    request_id = required(TEXT), stuck = YES_NO,
    params = required { type = "table", map = TEXT },
    partial = { type = { "integer", "table" }, min = 1, each = ID },
  } } },
}

-- Copies a rule with another rule in it replaced, wherever it occurs.
local function replaced(rule, old, new)
  if rule == old then return new end
  if type(rule) ~= "table" then return rule end
  local copy = {}
  for key, value in pairs(rule) do copy[key] = replaced(value, old, new) end
  return copy
end

-- The schema of a world with further status words of groups and pairs. No operation is allowed in
-- these statuses.
local function shape_with(statuses)
  local problem = schema.problem({ statuses = statuses }, { statuses = M.SHAPE.statuses })
  if problem then return M.SHAPE end
  local values = table.move(statuses, 1, #statuses, #M.STATUSES + 1,
    { table.unpack(M.STATUSES) })
  return replaced(M.SHAPE, STATUS, { type = "string", values = values })
end

--- Checks a description against its schema.
---@param description table
---@return string|nil problem  names the field, what was given and what is allowed
function M.problem(description)
  local words = type(description) == "table" and description.statuses
  return schema.problem(description, words and shape_with(words) or M.SHAPE)
end

return M
