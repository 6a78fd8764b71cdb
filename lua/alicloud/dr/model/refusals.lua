--- Refusals of the services, by what their data says of them: which of them pass by themselves, so
--- that whoever has time asks again.

local services = require "alicloud.service"

local M = {}

--- Why a refusal passes by itself.
---@param product "ebs"|"ecs"
---@param code string of the error
---@return string|nil reason nil: it is not documented to pass
function M.passes(product, code)
  local entry = services.data(product).errors[code]
  return entry and entry.passes and entry.meaning or nil
end

return M
