--- Encodes parameters as a form body or a query.

local core = require "alicloud.core"

local M = {}

M.TYPE = "application/x-www-form-urlencoded"

--- `name=value` pairs, percent-encoded as in a signature, sorted by name.
---@param fields table<string, string|number>
---@return string
function M.encode(fields)
  local list = {}
  for name, value in pairs(fields) do
    list[#list + 1] = core.percent_encode(name) .. "=" .. core.percent_encode(tostring(value))
  end
  table.sort(list)
  return table.concat(list, "&")
end

return M
