--- The reading operations: DescribeRegions, DescribeDiskReplicaGroups, DescribeDiskReplicaPairs.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"
local paging = require "alicloud.emulator.gateway.paging"
local regions = require "alicloud.emulator.model.regions"
local views = require "alicloud.emulator.model.views"

local M = {}

local RESOURCE_TYPES = { ear = true, lens = true, dbsc = true }

-- A client that uses RegionEndpoint must reach the emulator again, so the answer repeats the host
-- that was asked, unless that is a name of the vendor.
local function endpoint_of(region, host)
  if host == "" or host:find("%.aliyuncs%.com$") then
    return ("ebs.%s.aliyuncs.com"):format(region.id)
  end
  return host
end

--- DescribeRegions.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param context alicloud.emulator.Context
---@return table|nil result
---@return alicloud.emulator.Refusal|nil
function M.regions(emu, params, context)
  if params.RegionId and params.RegionId ~= "" and not emu.world.region_by_id[params.RegionId] then
    return nil, errors.refuse("NoSuchResource")
  end
  local kind = params.ResourceType
  if kind and not RESOURCE_TYPES[kind] then
    return nil, errors.invalid("ResourceType", ("%q is none of ear, lens, dbsc"):format(kind))
  end
  local list = core.array {}
  for index, region in ipairs(emu.world.regions) do
    local zones = core.array {}
    for number, zone in ipairs(region.zones) do
      zones[number] = { ZoneId = zone, LocalName = zone,
        ResourceTypes = core.array { kind or "ear" } }
    end
    list[index] = { RegionId = region.id, LocalName = region.name,
      RegionEndpoint = endpoint_of(region, context.host), Zones = zones }
  end
  return { Regions = list }
end

local function unknown_region(emu, region)
  return not emu.world.region_by_id[region] and errors.refuse("NoSuchResource") or nil
end

-- Whether a request has no filter besides region and site, as most; then no record is tested.
local function is_of_whole_side(question)
  local params = question.params
  return not question.ids and (params.ReplicaGroupId or "") == "" and not views.is_filtered(params)
end

--- Reads the parameters that both list operations share.
local function read_question(emu, params, id_parameter)
  local unknown = unknown_region(emu, params.RegionId)
  if unknown then return nil, unknown end
  local sites, wrong_site = views.sites(params, emu.settings)
  if wrong_site then return nil, wrong_site end
  local ids, wrong_ids = views.ids(params[id_parameter], id_parameter)
  if wrong_ids then return nil, wrong_ids end
  local page, wrong_page = paging.read(params, emu.settings)
  if wrong_page then return nil, wrong_page end
  local question = { params = params, region = params.RegionId, sites = sites, ids = ids,
    page = page }
  question.is_whole = is_of_whole_side(question)
  return question
end

local function is_wanted(emu, question, kind, record)
  return question.is_whole
    or kind.wants(question, record, emu) and views.passes(record, question.params)
end

local function is_here(emu, question, kind, id)
  local record = emu.world[kind.by_id][id]
  for _, site in ipairs(record and question.sites or {}) do
    local side = views.listed_side(views.side(site, emu.settings), emu.settings)
    local place = emu.world:place(record, side)
    if place and place.region == question.region then return true end
  end
  return false
end

-- Whether one of the given ids does not exist at the region. Other filters do not matter here.
local function lacks_one(emu, question, kind)
  for id in pairs(question.ids or {}) do
    if not is_here(emu, question, kind, id) then return true end
  end
  return false
end

-- Sorts records as the whole list has them.
local function in_order(world, list)
  local order = world.order
  table.sort(list, function(a, b) return order[a] < order[b] end)
  return list
end

-- The records to test: those whose ids are given, or the pairs of the given group, else all.
local function candidates(emu, question, kind)
  local world, list = emu.world, {}
  for id in pairs(question.ids or {}) do list[#list + 1] = world[kind.by_id][id] end
  if question.ids then return in_order(world, list) end
  local group = kind.members and world.group_by_id[question.params.ReplicaGroupId]
  if not group then return world[kind.list] end
  return in_order(world, table.move(group.pairs, 1, #group.pairs, 1, list))
end

--- Collects the records that the request asks for, and counts those found for the first site.
local function collect(emu, question, kind)
  local settings, found, first_count = emu.settings, {}, 0
  local world, region, asked = emu.world, question.region, candidates(emu, question, kind)
  local shows_deleted = not question.ids or settings.describe_deleted ~= "refuse"
  for number, site in ipairs(question.sites) do
    local side = views.listed_side(views.side(site, settings), settings)
    -- A loop that must be fast: each page of a large world visits all records.
    for i = 1, #asked do
      local record = asked[i]
      local place = record[side] or world:place(record, side)
      if place and place.region == region and is_wanted(emu, question, kind, record) then
        if record.status == "deleted" and not shows_deleted then
          return nil, errors.refuse("OperationDenied.InvalidStatus")
        end
        found[#found + 1] = record
      end
    end
    if number == 1 then first_count = #found end
  end
  if settings.describe_unknown == "not_found" and lacks_one(emu, question, kind) then
    return nil, errors.refuse("NoSuchResource")
  end
  return settings.empty_list and {} or found, first_count
end

local function answer(emu, params, context, kind)
  local question, refusal = read_question(emu, params, kind.ids)
  if not question then return nil, refusal end
  local found, first_count = collect(emu, question, kind)
  if not found then return nil, first_count end
  local settings, sites, offset = emu.settings, question.sites, question.page.offset
  local at = context.now - settings.stale_read
  if settings.site_status == "own" then
    at = math.min(at, regions.knows_of(emu.world.region_by_id[question.region], context.now))
  end
  local items, result = paging.cut(found, question.page, settings)
  for index, record in ipairs(items) do
    local site = offset + index <= first_count and sites[1] or sites[2]
    items[index] = kind.show(emu.world, record, site, at, settings)
  end
  if kind.turn then kind.turn(emu, items) end
  result[kind.answer] = core.array(items)
  return result
end

-- Exchanges the sides of a group in one look, whose number is `odd_look`, counted for each group.
local function turn_odd_looks(emu, items)
  local odd, looks = emu.settings.odd_look, emu.looks_at_groups or {}
  if odd == 0 then return end
  emu.looks_at_groups = looks
  for _, item in ipairs(items) do
    local id = item.ReplicaGroupId
    looks[id] = (looks[id] or 0) + 1
    if looks[id] == odd then
      item.SourceRegionId, item.DestinationRegionId = item.DestinationRegionId, item.SourceRegionId
      item.SourceZoneId, item.DestinationZoneId = item.DestinationZoneId, item.SourceZoneId
    end
  end
end

local GROUPS = {
  list = "groups", by_id = "group_by_id", ids = "GroupIds", answer = "ReplicaGroups",
  show = views.group,
  turn = turn_odd_looks,
  wants = function(question, group) return not question.ids or question.ids[group.id] end,
}

local function is_member(pair, group_id, emu)
  if not group_id or group_id == "" then return true end
  local group = emu.world.group_by_id[pair.group_id]
  local own = not views.has_no_group_yet(pair, group, emu.settings) and pair.group_id or nil
  if group_id == "-" then return own == nil end
  return own == group_id
end

local PAIRS = {
  list = "pairs", by_id = "pair_by_id", ids = "PairIds", answer = "ReplicaPairs", show = views.pair,
  members = true,
  wants = function(question, pair, emu)
    return (not question.ids or question.ids[pair.id])
      and is_member(pair, question.params.ReplicaGroupId, emu)
  end,
}

--- DescribeDiskReplicaGroups.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param context alicloud.emulator.Context
---@return table|nil result
---@return alicloud.emulator.Refusal|nil
function M.groups(emu, params, context) return answer(emu, params, context, GROUPS) end

--- DescribeDiskReplicaPairs.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param context alicloud.emulator.Context
---@return table|nil result
---@return alicloud.emulator.Refusal|nil
function M.pairs(emu, params, context) return answer(emu, params, context, PAIRS) end

return M
