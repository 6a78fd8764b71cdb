--- Tags and resource groups: TagResources, UntagResources, ListTagResources, ChangeResourceGroup.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"
local find = require "alicloud.emulator.operations.find"
local tables = require "alicloud.base.tables"

local M = {}

local refuse = errors.refuse

-- ResourceType is documented in lower case; the vendor's own provider sends it in CamelCase.
local KINDS = { diskreplicapair = "pair", diskreplicagroup = "group",
  dedicatedblockstoragecluster = "cluster" }
local RESOURCE_LIMIT, TAG_LIMIT, PAGE = 50, 20, 50

local function numbered(params, name, suffix)
  local list, number = {}, 1
  while params[("%s.%d%s"):format(name, number, suffix or "")] do
    list[number] = params[("%s.%d%s"):format(name, number, suffix or "")]
    number = number + 1
  end
  return list
end

local function kind_of(params)
  local kind = KINDS[params.ResourceType:lower()]
  if kind then return kind end
  return nil, refuse("InvalidResourceType.NotFound")
end

local function key_problem(key)
  if key == "" or #key > 128 or key:find("^aliyun") or key:find("^acs:")
    or key:find("https?://") then
    return errors.invalid("Tag.Key", ("%q is not allowed"):format(key))
  end
  return nil
end

local function tag_problem(params, keys, name)
  if #keys > TAG_LIMIT then return refuse("NumberExceed.Tags") end
  -- The code is in the description of the parameter, not in the table of codes.
  if name == "Tag" and params["Tag.1.Value"] and not params["Tag.1.Key"] then
    return refuse("InvalidParameter.TagValue", "The parameter Tag.1.Value is invalid.")
  end
  local seen = {}
  for _, key in ipairs(keys) do
    if seen[key] then return refuse("Duplicate.TagKey") end
    seen[key] = true
    local problem = key_problem(key)
    if problem then return problem end
  end
  return nil
end

local function id_problem(id)
  if not id:find("[^%w_.-]") then return nil end
  return refuse("InvalidParameter.Format")
end

local function lies_in(world, unit, region)
  for _, side in ipairs { "source", "destination" } do
    local place = world:place(unit, side)
    if place and place.region == region then return true end
  end
  return false
end

local function find_resource(emu, kind, id, region)
  local world = emu.world
  local problem = id_problem(id)
  if problem then return nil, problem end
  local unit = kind ~= "cluster" and world[kind .. "_by_id"][id]
  if not unit then
    if world.group_by_id[id] or world.pair_by_id[id] then
      return nil, errors.conflict("ResourceType", "ResourceId")
    end
    return nil, refuse("InvalidResourceId.NotFound")
  end
  if not lies_in(world, unit, region) then return nil, refuse("NoSuchResource") end
  return unit
end

local function find_resources(emu, params, kind, ids)
  if #ids > RESOURCE_LIMIT then return nil, refuse("NumberExceed.ResourceIds") end
  local units = {}
  for index, id in ipairs(ids) do
    local refusal
    units[index], refusal = find_resource(emu, kind, id, params.RegionId)
    if refusal then return nil, refusal end
  end
  return units
end

local function known_region(emu, region, code)
  return not emu.world.region_by_id[region] and refuse(code) or nil
end

-- Checks ResourceType, RegionId and tags. The error codes (`codes`) differ by operation.
local function read(emu, params, codes, keys, name)
  if not params.ResourceType or params.ResourceType == "" then
    return nil, codes.no_type and refuse(codes.no_type) or errors.missing "ResourceType"
  end
  local kind, refusal = kind_of(params)
  if not kind then return nil, refusal end
  refusal = known_region(emu, params.RegionId, codes.no_region) or tag_problem(params, keys, name)
  if refusal then return nil, refusal end
  return kind
end

local function spend_quota(emu)
  local account = emu.world.account
  if account.tag_requests >= account.quota.tag_requests then
    return refuse("OperationDenied.QuotaExceed")
  end
  account.tag_requests = account.tag_requests + 1
  return nil
end

local function note_each(emu, params, context, units)
  for _, unit in ipairs(units) do
    find.record_effect(emu, params, context, { group = unit.pairs and unit.id or nil,
      pair = not unit.pairs and unit.id or nil, status = unit.status })
  end
end

local OWN = { no_type = "MissingParameter.ResourceType", no_region = "NoSuchResource" }
local PLAIN = { no_region = "InvalidRegionId.NotFound" }

M.tag = {
  check = function(emu, params)
    local keys = numbered(params, "Tag", ".Key")
    local kind, refusal = read(emu, params, OWN, keys, "Tag")
    if not kind then return refusal end
    local units
    units, refusal = find_resources(emu, params, kind, numbered(params, "ResourceId"))
    if not units then return refusal end
    if #units == 0 then return errors.missing "ResourceId" end
    if #keys == 0 then return errors.missing "Tag" end
    return nil, { units = units, keys = keys }
  end,
  act = function(emu, params, context, found)
    for _, unit in ipairs(found.units) do
      unit.tags = unit.tags or {}
      for number, key in ipairs(found.keys) do
        unit.tags[key] = params[("Tag.%d.Value"):format(number)] or ""
      end
    end
    note_each(emu, params, context, found.units)
    return {}
  end,
}

M.untag = {
  check = function(emu, params)
    local keys = numbered(params, "TagKey")
    local kind, refusal = read(emu, params, PLAIN, keys, "TagKey")
    if not kind then return refusal end
    local all
    all, refusal = find.boolean(params, "All", false)
    if all == nil then return refusal end
    if all and #keys > 0 then return errors.conflict("All", "TagKey") end
    local units
    units, refusal = find_resources(emu, params, kind, numbered(params, "ResourceId"))
    if not units then return refusal end
    if #units == 0 then return errors.missing "ResourceId" end
    return spend_quota(emu), { units = units, keys = keys, all = all }
  end,
  act = function(emu, params, context, found)
    for _, unit in ipairs(found.units) do
      if found.all then unit.tags = nil end
      for _, key in ipairs(unit.tags and found.keys or {}) do unit.tags[key] = nil end
    end
    note_each(emu, params, context, found.units)
    return {}
  end,
}

local function tag_rows(unit, resource_type, keys, params, rows)
  local tags = unit.tags or {}
  for number, key in ipairs(keys) do
    local value = params[("Tag.%d.Value"):format(number)]
    if tags[key] == nil or value and value ~= tags[key] then return end
  end
  for _, key in ipairs(tables.keys(tags)) do
    rows[#rows + 1] = { TagKey = key, TagValue = tags[key], ResourceId = unit.id,
      ResourceType = resource_type }
  end
end

local function all_in_region(emu, params, kind)
  local units = {}
  for _, unit in ipairs(emu.world[kind .. "s"] or {}) do
    if lies_in(emu.world, unit, params.RegionId) then units[#units + 1] = unit end
  end
  return units
end

M.list = { run = function(emu, params)
  local keys = numbered(params, "Tag", ".Key")
  local kind, refusal = read(emu, params, PLAIN, keys, "Tag")
  if not kind then return nil, refusal end
  local ids = numbered(params, "ResourceId")
  local units
  units, refusal = find_resources(emu, params, kind, ids)
  if not units then return nil, refusal end
  refusal = spend_quota(emu)
  if refusal then return nil, refusal end
  if #ids == 0 then units = all_in_region(emu, params, kind) end
  local rows = {}
  local resource_type = emu.settings.tag_resource_type == "short" and kind or params.ResourceType
  for _, unit in ipairs(units) do tag_rows(unit, resource_type, keys, params, rows) end
  local first = 1
  if params.NextToken and params.NextToken ~= "" then
    first = math.tointeger(tonumber(params.NextToken:match("^row%-(%d+)$")))
    if not first then
      return nil, errors.invalid "NextToken"
    end
  end
  local last = math.min(#rows, first + PAGE - 1)
  return { TagResources = core.array(table.move(rows, first, last, 1, {})),
    NextToken = last < #rows and ("row-%d"):format(last + 1) or "" }
end }

local function every_tag(world, visit)
  for _, list in ipairs { world.groups, world.pairs } do
    for _, unit in ipairs(list) do
      for key, value in pairs(unit.tags or {}) do visit(key, value) end
    end
  end
end

local function unknown_region(emu, params)
  return params.RegionId and known_region(emu, params.RegionId, "NoSuchResource")
end

M.user_keys = { run = function(emu, params)
  local refusal = unknown_region(emu, params)
  if refusal then return nil, refusal end
  local filter, keys = params.TagFilterKey or "", {}
  every_tag(emu.world, function(key)
    if key:find(filter, 1, true) then keys[key] = true end
  end)
  return { TagKeys = core.array(tables.keys(keys)), NextToken = "" }
end }

M.user_values = { run = function(emu, params)
  local refusal = unknown_region(emu, params)
  if refusal then return nil, refusal end
  local filter, values = params.TagFilterValue or "", {}
  every_tag(emu.world, function(key, value)
    if key == params.TagKey and value:find(filter, 1, true) then values[value] = true end
  end)
  return { TagValues = core.array(tables.keys(values)), NextToken = "" }
end }

local function members_of(world, id)
  local count = 0
  for _, list in ipairs { world.groups, world.pairs } do
    for _, unit in ipairs(list) do
      if unit.resource_group == id then count = count + 1 end
    end
  end
  return count
end

M.change_resource_group = {
  check = function(emu, params)
    local target = params.NewResourceGroupId
    if not target or target == "" then return refuse("MissingParameter.ResourceGroup") end
    local kind, refusal = read(emu, params, OWN, {}, "Tag")
    if not kind then return refusal end
    if #target > 64 then
      return errors.invalid("NewResourceGroupId", "it is too long")
    end
    local unit
    unit, refusal = find_resource(emu, kind, params.ResourceId, params.RegionId)
    if not unit then return refusal end
    if not emu.world.resource_groups[target] then
      return refuse("InvalidResourceGroup.NotFound")
    end
    if members_of(emu.world, target) >= emu.world.account.quota.resource_group then
      return refuse("OperationDenied.QuotaExceed")
    end
    return nil, unit
  end,
  act = function(emu, params, context, unit)
    unit.resource_group = params.NewResourceGroupId
    note_each(emu, params, context, { unit })
    return {}
  end,
}

return M
