--- Helpers for tables. Lists that they make have the same order in every run.

local core = require "alicloud.core"

local M = {}

--- The keys of a table, sorted.
---@param map table<string, any>
---@return string[]
function M.keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- The names of each path: there are few, for paths are written in programs and in service data.
local names_of = setmetatable({}, { __index = function(known, path)
  local names = {}
  for name in path:gmatch "[^%.]+" do names[#names + 1] = name end
  known[path] = names
  return names
end })

--- The value at a path of names with dots between them, such as "Disks.Disk". If a value on the way
--- is not a table, it is the result, so that a caller who wants a list sees that it is none.
---@param value any
---@param path string
---@return any
function M.at(value, path)
  for _, name in ipairs(names_of[path]) do
    if type(value) ~= "table" then return value end
    value = value[name]
  end
  return value
end

--- The length of a list, nil for a map.
---@param value table
---@return integer|nil
---@return string? reason why it is neither
function M.list_length(value)
  local count, largest, names = 0, 0, 0
  for key in pairs(value) do
    if math.type(key) == "integer" and key > 0 then
      count, largest = count + 1, math.max(largest, key)
    else
      names = names + 1
    end
  end
  if count == 0 then return (names == 0 or core.is_array(value)) and 0 or nil end
  if names > 0 then return nil, "it mixes list positions and names" end
  if count ~= largest then
    return nil, "the list has a hole; alicloud.null leaves a position empty"
  end
  return count
end

--- A shallow copy.
---@generic T: table
---@param map T
---@return T
function M.copy(map)
  local copy = {}
  for key, value in pairs(map) do copy[key] = value end
  return copy
end

--- A table with the fields of several; later tables take precedence.
---@param ... table|nil
---@return table
function M.merged(...)
  local all = {}
  for i = 1, select("#", ...) do
    for key, value in pairs((select(i, ...)) or {}) do all[key] = value end
  end
  return all
end

-- A line with more names than this is hard to read.
local MOST_NAMES = 12

--- The first names of a list, and how many more there are.
---@param list string[]
---@return string[]
function M.first(list)
  local first = table.move(list, 1, math.min(#list, MOST_NAMES), 1, {})
  if #list > MOST_NAMES then first[MOST_NAMES + 1] = ("and %d more"):format(#list - MOST_NAMES) end
  return first
end

--- The same in one text, with commas.
---@param list string[]
---@return string
function M.few(list)
  return (table.concat(M.first(list), ", "):gsub(", (and %d+ more)$", " %1"))
end

--- The elements of a list as keys.
---@param list any[]|nil
---@return table<any, true>
function M.set(list)
  local set = {}
  for _, value in ipairs(list or {}) do set[value] = true end
  return set
end

--- The elements of a list by one of their fields.
---@generic T
---@param list T[]
---@param field any
---@return table<any, T>
function M.index(list, field)
  local by_field = {}
  for _, element in ipairs(list) do by_field[element[field]] = element end
  return by_field
end

return M
