--- Plain records of the world: groups, pairs, disks, instances, made from a description.

local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.emulator.Place
---@field region string
---@field zone string

---@class alicloud.emulator.Unit  what groups and pairs share
---@field id string
---@field status string
---@field recover_point integer|nil  unix seconds; nil before the first full sync
---@field next_cycle number|nil  unix seconds of the end of the running cycle, its recovery point
---@field rpo integer  seconds
---@field failover_seconds number
---@field last_one_shot number|nil  unix seconds of the last one-shot synchronization
---@field transition table|nil  a change that is under way
---@field tags table<string, string>|nil  nil: none
---@field log (number|string)[]  for stale reads: for each change of status its unix seconds, and
--- then the status before it

---@class alicloud.emulator.Pair: alicloud.emulator.Unit
---@field group_id string|nil
---@field source alicloud.emulator.Place|nil  nil: the group's
---@field own_recover_point boolean  false: the group's recovery point is the pair's, too

---@class alicloud.emulator.Group: alicloud.emulator.Unit
---@field source alicloud.emulator.Place  production side now
---@field destination alicloud.emulator.Place
---@field pairs alicloud.emulator.Pair[]

---@class alicloud.emulator.Disk
---@field id string
---@field place alicloud.emulator.Place
---@field size integer  GiB
---@field status string
---@field instance string|nil  id of the instance that it is attached to
---@field device string|nil  name under which the instance has it
---@field more_instances string[]|nil  ids of further instances that it is attached to; the list is
--- replaced, never changed

---@class alicloud.emulator.Instance
---@field id string
---@field place alicloud.emulator.Place
---@field status string

--- Reads "region/zone".
---@param text string
---@return alicloud.emulator.Place
function M.place(text)
  local region, zone = text:match("^(.-)/(.*)$")
  return { region = region, zone = zone }
end

local function optional_place(text) return text and M.place(text) or nil end

local function without(text, prefix)
  return text:sub(1, #prefix) == prefix and text:sub(#prefix + 1) or text
end

local function whole(seconds) return math.tointeger(seconds // 1) end

local function recover_point(about, now)
  if about.recover_point then return about.recover_point end
  if type(about.recover_point_age) ~= "number" then return nil end
  return whole(now - about.recover_point_age)
end

local function has_recover_point(about)
  return about.recover_point_age ~= nil or about.recover_point ~= nil
end

-- If the recovery point is older than the RPO, the running cycle ends a whole RPO from now.
local function first_cycle(unit, now)
  local due = (unit.recover_point or 0) + unit.rpo
  return due > now and due or whole(now) + unit.rpo
end

-- A record holds only the values that differ from the defaults, to keep worlds of thousands small.
local function class(defaults, ...)
  return { metatable = { __index = defaults }, names = { ... } }
end

local UNIT = { description = "", rpo = 900, bandwidth = 0, rtc = false, failover_seconds = 50,
  resource_group = "" }
local PAIR = class(tables.merged(UNIT, { charge_type = "POSTPAY", own_recover_point = false }),
  "description", "rpo", "bandwidth", "rtc", "failover_seconds", "resource_group", "last_one_shot",
  "halted", "status_message", "joining", "charge_type", "expired")
local GROUP = class(UNIT, "description", "rpo", "bandwidth", "rtc", "failover_seconds",
  "resource_group", "last_one_shot", "halted")
local DISK = class({ size = 100, category = "cloud_essd", performance_level = "PL1", type = "data",
  encrypted = false, status = "Available" }, "size", "category", "performance_level", "type",
  "encrypted", "instance", "more_instances", "device", "snapshots", "status")

local function complete(record, kind, about)
  for _, name in ipairs(kind.names) do record[name] = about[name] end
  return setmetatable(record, kind.metatable)
end

local function tags_of(about)
  return about.tags and next(about.tags) and tables.copy(about.tags) or nil
end

--- Makes the record of a pair.
---@param about table
---@param group alicloud.emulator.Group|nil
---@param number integer|nil  position in its group, from which an id is made if none is given
---@param now number
---@return alicloud.emulator.Pair
function M.pair(about, group, number, now)
  local id = about.id or ("pair-%s-%d"):format(without(group.id, "pg-"), number)
  local suffix = without(id, "pair-")
  local pair = complete({
    id = id, name = about.name or id, source_disk = about.source_disk or "d-" .. suffix .. "-src",
    destination_disk = about.destination_disk or "d-" .. suffix .. "-dst",
    status = about.status or group and group.status or "created",
    group_id = about.group or group and group.id or nil,
    created = about.created or whole(now) - 86400 * 30, log = {},
  }, PAIR, about)
  pair.source, pair.destination = optional_place(about.source), optional_place(about.destination)
  pair.initial_source = optional_place(about.initial_source or about.source)
  pair.initial_destination = optional_place(about.initial_destination or about.destination)
  pair.tags = tags_of(about)
  -- A pair in a group has a recovery point of its own only if its description gives one.
  if has_recover_point(about) or not group then
    pair.own_recover_point, pair.recover_point = true, recover_point(about, now)
  end
  if not pair.group_id then pair.next_cycle = about.next_cycle or first_cycle(pair, now) end
  return pair
end

local DEFAULT_AGE = 300

local function members_of(about)
  local members = about.pairs or 0
  if type(members) == "table" then return members end
  local list = {}
  for number = 1, members do list[number] = {} end
  return list
end

--- Makes the record of a group, with its pairs.
---@param about table
---@param now number
---@return alicloud.emulator.Group
function M.group(about, now)
  local group = complete({
    id = about.id, name = about.name or about.id, status = about.status or "normal",
    source = M.place(about.source), destination = M.place(about.destination),
    initial_source = M.place(about.initial_source or about.source),
    initial_destination = M.place(about.initial_destination or about.destination),
    pairs = {}, log = {}, tags = tags_of(about),
  }, GROUP, about)
  group.recover_point = has_recover_point(about) and recover_point(about, now)
    or not has_recover_point(about) and whole(now) - DEFAULT_AGE or nil
  group.next_cycle = about.next_cycle or first_cycle(group, now)
  for number, member in ipairs(members_of(about)) do
    group.pairs[number] = M.pair(member, group, number, now)
  end
  return group
end

--- Makes the record of a disk.
---@param about table
---@param place alicloud.emulator.Place|nil  nil: the place in the description
---@return alicloud.emulator.Disk
function M.disk(about, place)
  local disk = complete({
    id = about.id, name = about.name or about.id, place = place or M.place(about.place),
  }, DISK, about)
  if about.instance and not about.status then disk.status = "In_use" end
  return disk
end

--- Makes the record of an instance.
---@param about table
---@return alicloud.emulator.Instance
function M.instance(about)
  return { id = about.id, name = about.name or about.id, place = M.place(about.place),
    status = about.status or "Running", locked = about.locked, no_stock = about.no_stock }
end

return M
