--- Rules for frames from a process without rights: the kind and the size of every value. A field
--- that no rule names is refused.

local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

local VOICE = schema.voice "field"
VOICE.by_name = true

--- Text of at most `longest` bytes.
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

--- A list of at most `most` values that all fit a rule.
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

--- A table of names, each with a value that fits a rule.
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

--- What is wrong with the fields of a value: one is missing, unknown or does not fit; nil if none.
--- A name that ends in "?" in `fields` marks a field that may be missing.
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

--- Fields of the frame of a process that is ready to rehearse: `programs` that no `--program`
--- names, and `unused` ones that `--program` names and the undisturbed run does not start.
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
