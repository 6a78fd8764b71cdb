--- Shapes of the tables that people write for the emulator: options, world files, fault files.
-- A wrong table is answered with the path of the field, what was given and what is allowed.

local core = require "alicloud.core"
local sorted = require "alicloud.base.tables"

local M = {}

---@class alicloud.emulator.Rule
---@field type string|string[]|nil  Lua type names; "integer" is a number without fraction
---@field required boolean|nil
---@field values any[]|nil  allowed values
---@field min number|nil
---@field max number|nil
---@field pattern string|nil  Lua pattern that the whole string must match
---@field form string|nil  the pattern in words, for the message
---@field fields table<string, alicloud.emulator.Rule>|nil  shape of a nested table
---@field each alicloud.emulator.Rule|nil  shape of every element of a list
---@field map alicloud.emulator.Rule|nil  shape of every value of a table whose keys are names

local SHOWN_BYTES = 80

local function show(value)
  if value == core.null then return "null" end
  if type(value) ~= "string" then return tostring(value) end
  return ("%q"):format(#value > SHOWN_BYTES and value:sub(1, SHOWN_BYTES) .. "…" or value)
end

local function is_type(value, wanted)
  if wanted == "integer" then return math.type(value) == "integer" end
  if wanted == "number" then
    return type(value) == "number" and value == value and math.abs(value) ~= math.huge
  end
  return type(value) == wanted
end

local function type_problem(value, rule)
  local wanted = rule.type
  if not wanted or is_type(value, wanted) then return nil end
  if type(wanted) == "string" then wanted = { wanted } end
  for _, name in ipairs(wanted) do
    if is_type(value, name) then return nil end
  end
  local what = value == core.null and "" or type(value) .. " "
  return ("must be %s, got %s%s"):format(table.concat(wanted, " or "), what, show(value))
end

-- Rules are written once and hold for many values.
local names_by_fields = setmetatable({}, { __mode = "k" })

local function names_of(fields)
  local names = names_by_fields[fields]
  if not names then
    names = sorted.keys(fields)
    names_by_fields[fields] = names
  end
  return names
end

local function hint(word, candidates)
  local nearest = type(word) == "string" and core.suggest(word, candidates)
  return nearest and (', did you mean "%s"?'):format(nearest) or ""
end

local function value_problem(value, rule)
  for _, allowed in ipairs(rule.values) do
    if value == allowed then return nil end
  end
  local texts, words = {}, {}
  for index, allowed in ipairs(rule.values) do
    texts[index] = show(allowed)
    if type(allowed) == "string" then words[#words + 1] = allowed end
  end
  return ("must be one of %s, got %s%s"):format(
    table.concat(texts, ", "), show(value), hint(value, words))
end

local function range_problem(value, rule)
  if type(value) ~= "number" then return nil end
  if rule.min and value < rule.min or rule.max and value > rule.max then
    return ("must be %s, got %s"):format(
      rule.max and ("from %s to %s"):format(rule.min or "-inf", rule.max)
        or ("at least %s"):format(rule.min), show(value))
  end
  return nil
end

local function pattern_problem(value, rule)
  if type(value) ~= "string" or not rule.pattern then return nil end
  if value:match("^" .. rule.pattern .. "$") then return nil end
  return ("must be %s, got %s"):format(rule.form or rule.pattern, show(value))
end

local check_value

local function check_fields(value, fields, path)
  local unknown
  for key in pairs(value) do
    if type(key) ~= "string" then return ("%s: unknown field %s"):format(path, show(key)) end
    if not fields[key] and not (unknown and unknown < key) then unknown = key end
  end
  if unknown then
    local names = names_of(fields)
    return ('%s: unknown field%s (allowed: %s)'):format(
      path .. unknown, hint(unknown, names), table.concat(names, ", "))
  end
  for _, key in ipairs(names_of(fields)) do
    local given, rule = value[key], fields[key]
    if given == nil and rule.required then return ("%s%s: is required"):format(path, key) end
    local problem = given ~= nil and check_value(given, rule, path .. key)
    if problem then return problem end
  end
  return nil
end

local function check_list(value, rule, path)
  for key in pairs(value) do
    if math.type(key) ~= "integer" or key < 1 or key > #value then
      return ("%s: must be a list, got the field %s"):format(path, show(key))
    end
  end
  for index = 1, #value do
    local problem = check_value(value[index], rule.each, ("%s[%d]"):format(path, index))
    if problem then return problem end
  end
  return nil
end

local function check_map(value, rule, path)
  for key in pairs(value) do
    if type(key) ~= "string" then
      return ("%s: must have names, got the field %s"):format(path, show(key))
    end
  end
  for _, key in ipairs(sorted.keys(value)) do
    local problem = check_value(value[key], rule.map, ("%s.%s"):format(path, key))
    if problem then return problem end
  end
  return nil
end

function check_value(value, rule, path)
  local problem = type_problem(value, rule)
    or rule.values and value_problem(value, rule)
    or range_problem(value, rule)
    or pattern_problem(value, rule)
  if problem then return path .. ": " .. problem end
  if type(value) ~= "table" then return nil end
  if rule.each then return check_list(value, rule, path) end
  if rule.map then return check_map(value, rule, path) end
  if rule.fields then return check_fields(value, rule.fields, path .. ".") end
  return nil
end

--- Compares a table with its shape.
---@param value any
---@param fields table<string, alicloud.emulator.Rule>
---@param path string|nil  prefix for field names in the message
---@return string|nil problem  nil when the table fits
function M.problem(value, fields, path)
  if type(value) ~= "table" then
    return ("%s: must be a table, got %s %s"):format(path or "value", type(value), show(value))
  end
  return check_fields(value, fields, path and path .. "." or "")
end

--- Like `problem`, but raises at the caller's caller: a slip in options is a mistake in code.
---@param value table|nil
---@param fields table<string, alicloud.emulator.Rule>
---@param name string  what is being read, for the message
---@return table value
function M.demand(value, fields, name)
  local problem = M.problem(value or {}, fields)
  if problem then error(name .. ": " .. problem, 3) end
  return value or {}
end

return M
