--- Parameters as a form body or a query carries them.

local core = require "alicloud.core"

local M = {}

M.TYPE = "application/x-www-form-urlencoded"

--- `name=value` for each, percent-encoded as the signature does it, in the order of names.
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
