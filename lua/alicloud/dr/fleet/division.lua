--- Divides the items of a fleet into stages; a stage opens when all items of the one before have
--- ended. Tier follows tier, and in each tier its canaries come first. Pure functions.

local accounts = require "alicloud.dr.playbook.account"
local formats = require "alicloud.base.formats"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"
local tiers = require "alicloud.dr.playbook.tiers"

local M = {}

---@class alicloud.dr.FleetItem
---@field account string
---@field group string
---@field region string region of the secondary site
---@field name string? name of the group, which patterns of tiers match, too
---@field params table<string, any>? parameters of this item only
---@field stage integer? stage in which it is moved

---@class alicloud.dr.FleetSettings
---@field canary integer|string[]|nil number of items of the first tier, or groups, that must be
---done without failure before the others
---@field max_errors integer|string|nil failures at which nothing more is begun; "5%" is of all
---items
---@field tier alicloud.dr.Tier[]|nil

local FIELDS = { account = accounts.RULE, group = formats.ID, region = formats.REGION,
  name = schema.text, params = schema.typed "table", stage = schema.integer(1, 100000) }

--- The name of an item: account and group.
---@param item alicloud.dr.FleetItem
---@return string
function M.name_of(item)
  return item.account .. "/" .. item.group
end

--- What is wrong with the items of a fleet; nil if nothing is.
---@param items any
---@return string|nil message
function M.fault(items)
  if type(items) ~= "table" or #items == 0 then return "items: got none; allowed: one or more" end
  local seen = {}
  for i, item in ipairs(items) do
    local _, message = schema.examine(("items: item %d"):format(i), item, FIELDS)
    if message then return message end
    for _, name in ipairs { "account", "group", "region" } do
      if item[name] == nil then
        return ("items: item %d: %s is missing; allowed: %s"):format(i, name, FIELDS[name].allowed)
      end
    end
    local name = M.name_of(item)
    if seen[name] then return ("items: %s is there twice"):format(name) end
    seen[name] = true
  end
end

-- The items of each tier, the lowest tier first.
local function by_tier(items, list)
  local found = {}
  for _, item in ipairs(items) do
    local entry = tiers.of(list, item.group, item.name)
    local number = entry and entry.tier or tiers.LAST
    found[number] = found[number] or {}
    table.insert(found[number], item)
  end
  local order = {}
  for i, number in ipairs(tables.keys(found)) do order[i] = found[number] end
  return order
end

-- The canaries of a tier, named or counted, and its other items.
local function split(tier, wanted, count)
  local canaries, others = {}, {}
  for i, item in ipairs(tier) do
    local first = wanted[item.group] or wanted[M.name_of(item)] or i <= count
    table.insert(first and canaries or others, item)
  end
  return canaries, others
end

--- Divides items into stages.
---@param items alicloud.dr.FleetItem[]
---@param settings alicloud.dr.FleetSettings
---@return alicloud.dr.FleetItem[] list copies in order, each with its stage
---@return { count: integer, canary: boolean? }[] stages
function M.divide(items, settings)
  local list, stages = {}, {}
  local named = type(settings.canary) == "table"
  local wanted = tables.set(named and settings.canary or nil)
  local function add(members, canary)
    if #members == 0 then return end
    stages[#stages + 1] = { count = #members, canary = canary or nil }
    for _, item in ipairs(members) do
      local own = tables.copy(item)
      own.stage, list[#list + 1] = #stages, own
    end
  end
  for i, tier in ipairs(by_tier(items, settings.tier or {})) do
    local canaries, others = split(tier, wanted, i == 1 and not named and settings.canary or 0)
    add(canaries, true)
    add(others)
  end
  return list, stages
end

--- What is wrong with named canaries: one is no item. Nil if nothing is.
---@param items alicloud.dr.FleetItem[]
---@param settings alicloud.dr.FleetSettings
---@return string|nil message
function M.canary_fault(items, settings)
  if type(settings.canary) ~= "table" then return nil end
  local known = {}
  for _, item in ipairs(items) do known[item.group], known[M.name_of(item)] = true, true end
  for _, name in ipairs(settings.canary) do
    if not known[name] then
      return ("canary: got %s; allowed: groups of the fleet%s"):format(schema.show(name),
        schema.did_you_mean(name, known))
    end
  end
end

--- What is wrong with the tiers: a pattern that matches no item is taken for mistyped. Nil if none.
---@param items alicloud.dr.FleetItem[]
---@param settings alicloud.dr.FleetSettings
---@return string|nil message
function M.tier_fault(items, settings)
  for _, entry in ipairs(settings.tier or {}) do
    local found = false
    for _, item in ipairs(items) do
      found = found or tiers.of({ entry }, item.group, item.name) ~= nil
    end
    if not found then
      return ("tier: got %d:%s, which takes no group of the fleet; allowed: patterns of ids or "
        .. "names, such as %s"):format(entry.tier, entry.pattern,
        items[1].name or items[1].group)
    end
  end
end

--- The number of failures at which nothing more is begun.
---@param max_errors integer|string|nil
---@param count integer number of items
---@return integer
function M.limit(max_errors, count)
  if type(max_errors) ~= "string" then return max_errors or 1 end
  local percent = tonumber(max_errors:match "^(%d+%.?%d*)%%$")
  return math.max(1, math.ceil(count * percent / 100))
end

return M
