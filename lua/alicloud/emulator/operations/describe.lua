--- The reading operations: DescribeRegions, DescribeDiskReplicaGroups, DescribeDiskReplicaPairs.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.errors"
local paging = require "alicloud.emulator.paging"
local views = require "alicloud.emulator.views"

local M = {}

local RESOURCE_TYPES = { ear = true, lens = true, dbsc = true }

-- A client that follows RegionEndpoint must stay with the emulator, whatever name it has here.
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
    return nil, errors.refuse("InvalidParameter",
      ("The specified parameter ResourceType is not valid: %q is none of ear, lens, dbsc.")
        :format(kind))
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

--- What both list operations ask first.
local function read_question(emu, params, id_parameter)
  local refusal = unknown_region(emu, params.RegionId)
  if refusal then return nil, refusal end
  local question = { region = params.RegionId }
  question.sites, refusal = views.sites(params, emu.settings)
  if refusal then return nil, refusal end
  question.ids, refusal = views.ids(params[id_parameter], id_parameter)
  if refusal then return nil, refusal end
  question.page, refusal = paging.read(params, emu.settings)
  if refusal then return nil, refusal end
  return question
end

--- Collects { record, site } for every record that the question is about.
local function collect(emu, records, question, params, wanted, place_of)
  local found, met = {}, {}
  for _, site in ipairs(question.sites) do
    for _, record in ipairs(records) do
      if wanted(record) and views.passes(record, params)
        and views.lies_in(place_of(record), question.region, site, emu.settings) then
        if record.status == "deleted" and question.ids and emu.settings.describe_deleted == "refuse"
        then
          return nil, errors.refuse("OperationDenied.InvalidStatus")
        end
        found[#found + 1] = { record, site }
        met[record.id] = true
      end
    end
  end
  if emu.settings.describe_unknown == "not_found" then
    for id in pairs(question.ids or {}) do
      if not met[id] then return nil, errors.refuse("NoSuchResource") end
    end
  end
  return emu.settings.empty_list and {} or found
end

local function answer(emu, name, found, question, show)
  local items, result = paging.cut(found, question.page, emu.settings)
  for index, item in ipairs(items) do items[index] = show(item[1], item[2]) end
  result[name] = core.array(items)
  return result
end

--- DescribeDiskReplicaGroups.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param context alicloud.emulator.Context
---@return table|nil result
---@return alicloud.emulator.Refusal|nil
function M.groups(emu, params, context)
  local question, refusal = read_question(emu, params, "GroupIds")
  if not question then return nil, refusal end
  local world, ids = emu.world, question.ids
  local function wanted(group) return not ids or ids[group.id] end
  local function place_of(group) return function(side) return group[side] end end
  local found
  found, refusal = collect(emu, world.groups, question, params, wanted, place_of)
  if not found then return nil, refusal end
  local at = context.now - emu.settings.stale_read
  return answer(emu, "ReplicaGroups", found, question, function(group, site)
    return views.group(group, site, at, emu.settings)
  end)
end

local function membership(params)
  local group_id = params.ReplicaGroupId
  if not group_id or group_id == "" then return function() return true end end
  if group_id == "-" then return function(pair) return pair.group_id == nil end end
  return function(pair) return pair.group_id == group_id end
end

--- DescribeDiskReplicaPairs.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param context alicloud.emulator.Context
---@return table|nil result
---@return alicloud.emulator.Refusal|nil
function M.pairs(emu, params, context)
  local question, refusal = read_question(emu, params, "PairIds")
  if not question then return nil, refusal end
  local world, ids, is_member = emu.world, question.ids, membership(params)
  local function wanted(pair) return (not ids or ids[pair.id]) and is_member(pair) end
  local function place_of(pair) return function(side) return world:place(pair, side) end end
  local found
  found, refusal = collect(emu, world.pairs, question, params, wanted, place_of)
  if not found then return nil, refusal end
  local at = context.now - emu.settings.stale_read
  return answer(emu, "ReplicaPairs", found, question, function(pair, site)
    return views.pair(world, pair, site, at, emu.settings)
  end)
end

return M
