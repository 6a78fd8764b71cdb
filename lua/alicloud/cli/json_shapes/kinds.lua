--- Rules of alicloud.base.schema for fields of JSON output, with the words that the generated
--- reference needs.

local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.cli.JsonRule: alicloud.schema.Rule
---@field is string the kind in words
---@field named? string heading in the manual under which the fields of this object are described
---@field order? alicloud.cli.JsonField[] fields of an object, in the manual's order
---@field doc? string

---@alias alicloud.cli.JsonField { [1]: string, [2]: alicloud.cli.JsonRule, [3]: string? } name,
---with a "?" at its end if the field may be missing; rule; meaning

M.text = { type = "string", is = "text" }
M.integer = { type = "integer", is = "integer" }
M.number = { type = "number", is = "number" }
M.flag = { type = "boolean", is = "true or false" }
M.time = { type = "number", is = "unix seconds" }
M.seconds = { type = "number", is = "seconds" }
M.any = { is = "anything" }

--- One of these words.
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

--- Values by names that are not known in advance.
---@param each alicloud.cli.JsonRule
---@return alicloud.cli.JsonRule
function M.map(each)
  return { type = "table", map = each, is = "by name: " .. each.is }
end

--- An object. With a name it is described once, under that heading; else where it is used.
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
