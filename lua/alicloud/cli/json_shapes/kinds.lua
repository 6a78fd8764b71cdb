--- What the fields of JSON objects may hold, as rules of alicloud.base.schema that a reference can
--- be written from.

local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.cli.JsonRule: alicloud.schema.Rule
---@field is string what it is, in words
---@field named? string under this heading its fields are told
---@field order? alicloud.cli.JsonField[] of an object: its fields as they are told
---@field doc? string

---@alias alicloud.cli.JsonField { [1]: string, [2]: alicloud.cli.JsonRule, [3]: string? } name,
---with "?" behind it if it may be missing, rule, and meaning

M.text = { type = "string", is = "text" }
M.integer = { type = "integer", is = "integer" }
M.number = { type = "number", is = "number" }
M.flag = { type = "boolean", is = "true or false" }
M.time = { type = "number", is = "unix seconds" }
M.seconds = { type = "number", is = "seconds" }
M.any = { is = "anything" }

--- One of some words, and no other.
---@param ... string
---@return alicloud.cli.JsonRule
function M.words(...)
  return { values = { ... }, is = "`" .. table.concat({ ... }, "`, `") .. "`" }
end

---@param each alicloud.cli.JsonRule
---@return alicloud.cli.JsonRule
function M.list(each)
  return { type = "table", each = each, is = "list of " .. each.is }
end

--- Values by names that are not known beforehand.
---@param each alicloud.cli.JsonRule
---@return alicloud.cli.JsonRule
function M.map(each)
  return { type = "table", map = each, is = "by name: " .. each.is }
end

--- An object. Given a name it is told once, under that, and else where it stands.
---@param order alicloud.cli.JsonField[]
---@param name? string
---@return alicloud.cli.JsonRule
function M.object(order, name)
  local fields = {}
  for _, field in ipairs(order) do
    local known, optional = field[1]:match "^([^?]+)(%??)$"
    fields[known] = tables.merged(field[2], { required = optional == "" })
  end
  return { type = "table", fields = fields, order = order, named = name,
    is = name and "*" .. name .. "*" or "object" }
end

return M
