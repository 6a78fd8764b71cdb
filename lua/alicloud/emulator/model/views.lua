--- Renders a group or a pair as Describe shows it at a region and a `Site`. Field names are the
-- vendor's: groups have SourceRegionId where pairs have SourceRegion.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"
local state = require "alicloud.emulator.model.state"
local tables = require "alicloud.base.tables"

local M = {}

local SITES = { production = { "production" }, backup = { "backup" } }
local EITHER = { "production", "backup" }
local ID_LIMIT = 100

--- The sites that a request asks for.
---@param params table<string, string>
---@param settings table<string, any>
---@return string[]|nil sites
---@return alicloud.emulator.Refusal|nil
function M.sites(params, settings)
  local site = params.Site
  if not site or site == "" then
    return settings.site_default == "either" and EITHER or SITES.production
  end
  if SITES[site] then return SITES[site] end
  return nil, errors.invalid("Site", ("%q is neither production nor backup"):format(site))
end

--- Reads a comma-separated list of ids.
---@param text string|nil
---@param name string
---@return table<string, boolean>|nil ids  nil when the parameter is absent
---@return alicloud.emulator.Refusal|nil
function M.ids(text, name)
  if not text or text == "" then return nil end
  if not text:find("[,%s]") then return { [text] = true } end
  local ids, count = {}, 0
  for id in text:gmatch("[^,%s]+") do
    ids[id] = true
    count = count + 1
  end
  if count <= ID_LIMIT then return ids end
  return nil, errors.invalid(name, ("%d ids, at most %d"):format(count, ID_LIMIT))
end

--- The side of a record that a site stands for, by the switch `site_direction`.
---@param site string
---@param settings table<string, any>
---@return "source"|"destination"|"initial_source"|"initial_destination"
function M.side(site, settings)
  local initial = settings.site_direction == "initial"
  if site == "production" then return initial and "initial_source" or "source" end
  return initial and "initial_destination" or "destination"
end

local function has_tags(record, params)
  local tags = record.tags or {}
  for number = 1, 20 do
    local key = params[("Tag.%d.Key"):format(number)]
    if not key then return true end
    local value = params[("Tag.%d.Value"):format(number)]
    if tags[key] == nil or value and tags[key] ~= value then return false end
  end
  return true
end

-- For each side: which side it was before the last reversal.
local BEFORE = { source = "destination", destination = "source",
  initial_source = "initial_destination", initial_destination = "initial_source" }

--- The side by whose place a record is listed when a side is asked for. With the switch
--- `old_record` it is the opposite one.
---@param side "source"|"destination"|"initial_source"|"initial_destination"
---@param settings table<string, any>
---@return "source"|"destination"|"initial_source"|"initial_destination"
function M.listed_side(side, settings)
  return settings.old_record and BEFORE[side] or side
end

--- Whether a request has one of the filters that groups and pairs share.
---@param params table<string, string>
---@return boolean
function M.is_filtered(params)
  return (params.Name or params.ResourceGroupId or params["Tag.1.Key"]) ~= nil
end

--- Whether a record passes the filters that groups and pairs share.
---@param record alicloud.emulator.Group|alicloud.emulator.Pair
---@param params table<string, string>
---@return boolean
function M.passes(record, params)
  local name, resource_group = params.Name, params.ResourceGroupId
  return (not name or record.name:find(name, 1, true) ~= nil)
    and (not resource_group or record.resource_group == resource_group)
    and (not params["Tag.1.Key"] or has_tags(record, params))
end

local NOWHERE = {}

local function shown_status(record, at, settings)
  local looks_back = settings.stale_read > 0 or settings.site_status == "own"
  local status = looks_back and state.status_at(record, at) or record.status
  if status == "failovering" and settings.unknown_status ~= "" then
    return settings.unknown_status
  end
  return status
end

-- By status of a group: another status that one of its pairs may have at the same time.
local NEIGHBOUR = { normal = "syncing", syncing = "normal", stopping = "stopped",
  manual_syncing = "stopped" }

--- The status that is shown for the last pair of a group with the switch `mixed_pairs`; nil: its
--- own status is shown.
---@param group alicloud.emulator.Group|nil
---@param settings table<string, any>
---@return string|nil
function M.mixed_status(group, settings)
  return settings.mixed_pairs and group and NEIGHBOUR[group.status] or nil
end

local function status_of_pair(pair, group, at, settings)
  local mixed = M.mixed_status(group, settings)
  if mixed and group.pairs[#group.pairs] == pair then return mixed end
  return shown_status(pair, at, settings)
end

-- Seconds by which a recovery point from before a reversal is shown as older.
local ONE_REVERSAL = 7200

local POINT = {
  seconds = function(point) return point end,
  text = function(point) return ("%d"):format(point) end,
  milliseconds = function(point) return point * 1000 end,
  rfc3339 = function(point) return core.iso8601(point) end,
  future = function(_, at) return at // 1 + 600 end,
  other_direction = function(point) return point - ONE_REVERSAL end,
  group_absent = function(point) return point end,
  absent = function() return nil end,
  zero = function() return 0 end,
  empty = function() return "" end,
}

local function shown_point(point, at, settings)
  return point and POINT[settings.recover_point_as](point, at)
end

--- The record as it was before its last reversal: failed over, with the sides exchanged.
---@generic T: alicloud.emulator.Unit
---@param record T
---@return T a copy
local function before_reversal(record)
  local old = setmetatable(tables.copy(record), getmetatable(record))
  old.source, old.destination = record.destination, record.source
  old.source_disk, old.destination_disk = record.destination_disk, record.source_disk
  old.status, old.transition, old.log = "failovered", nil, {}
  return old
end

-- Whether a pair is the last of its group and `who`, "pairs" or "group", does not show yet that it
-- is a member (switch `membership`).
local function lags(pair, group, settings, who)
  return settings.membership == who and group ~= nil and group.pairs[#group.pairs] == pair
end

--- Whether a pair is shown without a group although its group lists it (switch `membership`).
---@param pair alicloud.emulator.Pair
---@param group alicloud.emulator.Group|nil  group of the pair
---@param settings table<string, any>
---@return boolean
function M.has_no_group_yet(pair, group, settings) return lags(pair, group, settings, "pairs") end

local function tags(record)
  local list = core.array {}
  if not record.tags then return list end
  for key, value in pairs(record.tags) do
    list[#list + 1] = { TagKey = key, TagValue = value }
  end
  table.sort(list, function(a, b) return a.TagKey < b.TagKey end)
  return list
end

local function pair_ids(group, settings)
  if #group.pairs == 0 and settings.empty_pair_ids == "absent" then return nil end
  local ids = {}
  for index, pair in ipairs(group.pairs) do
    if not lags(pair, group, settings, "group") then ids[index] = pair.id end
  end
  if settings.pair_ids == "empty" then ids = {} end
  if settings.pair_ids == "comma" and #ids > 0 then ids = { table.concat(ids, ",") } end
  return core.array(ids)
end

--- A group as DescribeDiskReplicaGroups shows it.
---@param _ alicloud.emulator.World
---@param group alicloud.emulator.Group
---@param site string
---@param at number  unix seconds of the state that is shown, before now for a stale read
---@param settings table<string, any>
---@return table
function M.group(_, group, site, at, settings)
  if settings.old_record then group = before_reversal(group) end
  local unknown_pairs = settings.membership == "group" and 1 or 0
  return {
    ReplicaGroupId = group.id, GroupName = group.name, Description = group.description,
    Status = shown_status(group, at, settings), Site = site,
    SourceRegionId = group.source.region, SourceZoneId = group.source.zone,
    DestinationRegionId = group.destination.region, DestinationZoneId = group.destination.zone,
    PrimaryRegion = group.initial_source.region, PrimaryZone = group.initial_source.zone,
    StandbyRegion = group.initial_destination.region,
    StandbyZone = group.initial_destination.zone,
    RPO = group.rpo, LastRecoverPoint = settings.recover_point_as ~= "group_absent"
      and shown_point(state.recover_point(group, at), at, settings) or nil,
    PairIds = pair_ids(group, settings),
    PairNumber = math.max(0, #group.pairs + settings.pair_count_off - unknown_pairs),
    Bandwidth = group.bandwidth, EnableRtc = group.rtc, ResourceGroupId = group.resource_group,
    Tags = tags(group),
  }
end

--- A pair as DescribeDiskReplicaPairs shows it.
---@param world alicloud.emulator.World
---@param pair alicloud.emulator.Pair
---@param site string
---@param at number
---@param settings table<string, any>
---@return table
function M.pair(world, pair, site, at, settings)
  local group = world.group_by_id[pair.group_id]
  local status = status_of_pair(pair, group, at, settings)
  local point = shown_point(state.pair_recover_point(world, pair, at), at, settings)
  local is_member = pair.group_id and not M.has_no_group_yet(pair, group, settings)
  local home = group or NOWHERE
  if settings.old_record then
    pair, home, status = before_reversal(pair), before_reversal(home), "failovered"
  end
  local source = pair.source or home.source or NOWHERE
  local destination = pair.destination or home.destination or NOWHERE
  local initial_source = pair.initial_source or home.initial_source or NOWHERE
  local initial_destination = pair.initial_destination or home.initial_destination or NOWHERE
  return {
    ReplicaPairId = pair.id, PairName = pair.name, Description = pair.description,
    Status = status, StatusMessage = pair.status_message,
    Site = site,
    SourceRegion = source.region, SourceZoneId = source.zone, SourceDiskId = pair.source_disk,
    DestinationRegion = destination.region, DestinationZoneId = destination.zone,
    DestinationDiskId = pair.destination_disk,
    PrimaryRegion = initial_source.region, PrimaryZone = initial_source.zone,
    StandbyRegion = initial_destination.region, StandbyZone = initial_destination.zone,
    ReplicaGroupId = is_member and pair.group_id or "",
    ReplicaGroupName = is_member and group and group.name or "",
    RPO = group and group.rpo or pair.rpo or 900,
    LastRecoverPoint = point,
    CreateTime = pair.created, ExpiredTime = pair.expired, Bandwidth = pair.bandwidth,
    ChargeType = pair.charge_type,
    EnableRtc = pair.rtc, ResourceGroupId = pair.resource_group, Tags = tags(pair),
  }
end

return M
