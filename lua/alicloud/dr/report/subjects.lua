--- Collects the names of what a step was about (groups, pairs, disks, instances, regions, drills)
--- from its intent and its result.

local core = require "alicloud.core"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Subjects
---@field groups string[]
---@field pairs string[]
---@field disks string[]
---@field instances string[]
---@field regions string[]
---@field drills string[]

--- The kinds in the order in which people read them, with the word for each.
M.KINDS = { { "groups", "group" }, { "pairs", "pair" }, { "disks", "disk" },
  { "instances", "instance" }, { "regions", "region" }, { "drills", "drill" } }

-- The kind of name in each field of a result, the kind of the elements of each list, and how deep
-- they may lie.
local FIELDS = {
  group_id = "groups", region = "regions", drill_id = "drills", source_disk = "disks",
  destination_disk = "disks", disk = "disks", pair = "pairs", instance = "instances",
  detached = "disks", attached = "disks", unmapped = "disks", stopped = "instances",
  started = "instances",
}
local ELEMENTS = { pairs = "pairs", disks = "disks", hosts = "instances" }
local DEEPEST = 6

local function add(sets, kind, value)
  if type(value) == "string" and value ~= "" then sets[kind][value] = true end
end

-- Adds the names in known fields, and searches all other fields except "old_side", which a step has
-- only read.
local function gather(sets, value, kind, depth)
  if depth > DEEPEST then return end
  if type(value) ~= "table" then return kind and add(sets, kind, value) end
  if kind and type(value.id) == "string" then add(sets, kind, value.id) end
  for name, each in pairs(value) do
    if type(name) == "number" then
      gather(sets, each, kind, depth + 1)
    elseif name ~= "old_side" then
      gather(sets, each, FIELDS[name] or ELEMENTS[name], depth + 1)
    end
  end
end

--- Makes an empty set for each kind.
---@return table<string, table<string, boolean>> sets
function M.new()
  local sets = {}
  for _, kind in ipairs(M.KINDS) do sets[kind[1]] = {} end
  return sets
end

--- Adds the names in a result or an intent.
---@param sets table<string, table<string, boolean>>
---@param value any
function M.add(sets, value)
  if type(value) == "table" then gather(sets, value, nil, 1) end
end

--- Adds the names of other subjects.
---@param sets table<string, table<string, boolean>>
---@param subjects alicloud.dr.Subjects
function M.join(sets, subjects)
  for _, kind in ipairs(M.KINDS) do
    for _, name in ipairs(subjects[kind[1]]) do sets[kind[1]][name] = true end
  end
end

--- The names as sorted lists.
---@param sets table<string, table<string, boolean>>
---@return alicloud.dr.Subjects
function M.lists(sets)
  local lists = {}
  for _, kind in ipairs(M.KINDS) do
    lists[kind[1]] = core.array(tables.keys(sets[kind[1]]))
  end
  return lists
end

return M
