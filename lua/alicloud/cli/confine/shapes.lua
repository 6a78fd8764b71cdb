--- What may come from a process without rights, as rules: kind and size of every value, and no
--- field that nobody knows.

local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

local VOICE = schema.voice "field"
VOICE.by_name = true

--- Text of at most so many bytes.
---@param longest integer
---@return alicloud.schema.Rule
function M.text(longest)
  return schema.rule(("text of at most %d bytes"):format(longest), function(value)
    return type(value) == "string" and #value <= longest
  end)
end

M.flag = schema.boolean
M.count = schema.integer(0, 1 << 53)
M.seed = schema.integer(0, math.maxinteger)

--- A list of at most so many values of a kind.
---@param rule alicloud.schema.Rule
---@param most integer
---@return alicloud.schema.Rule
function M.list(rule, most)
  return schema.rule(("a list of at most %d, each %s"):format(most, rule.allowed), function(value)
    local length = type(value) == "table" and tables.list_length(value)
    if not length or length > most then return false end
    for i = 1, length do
      if not rule.test(value[i]) then return false end
    end
    return true
  end)
end

--- Values of a kind by names.
---@param rule alicloud.schema.Rule
---@param most integer names
---@param longest integer bytes of a name
---@return alicloud.schema.Rule
function M.map(rule, most, longest)
  return schema.rule(("at most %d names, each with %s"):format(most, rule.allowed), function(value)
    if type(value) ~= "table" then return false end
    local count = 0
    for name, item in pairs(value) do
      count = count + 1
      local fits = type(name) == "string" and #name <= longest and count <= most
      if not fits or not rule.test(item) then return false end
    end
    return true
  end)
end

--- Why a value does not have the fields that it must have, and those only; nil if it does. A field
--- whose name ends in "?" in the list may be missing.
---@param where string
---@param value any
---@param fields table<string, alicloud.schema.Rule>
---@return string|nil message
function M.fault(where, value, fields)
  local known = {}
  for name, rule in pairs(fields) do known[name:match "^[^?]+"] = rule end
  local read, message = schema.examine(where, value, known, VOICE)
  if not read then return message end
  for _, name in ipairs(tables.keys(fields)) do
    if read[name] == nil and not name:find "?$" then
      return ("%s: field %s is missing"):format(where, name)
    end
  end
  return nil
end

--- What a process tells that is ready to rehearse: programs that no table names, and names in the
--- table of what it does not start.
M.READY = { ["programs?"] = M.list(M.text(4000), 1000), ["unused?"] = M.list(M.text(4000), 1000) }

--- A table with fields, see `fault`.
---@param fields table<string, alicloud.schema.Rule>
---@return alicloud.schema.Rule
function M.object(fields)
  return schema.rule("a table of certain fields", function(value)
    return type(value) == "table" and M.fault("", value, fields) == nil
  end)
end

return M
