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

-- Asked too often: the operation itself was not reached.
local function is_throttled(answer)
  if answer.kind then return answer.kind == "throttled" end
  local code = answer.code or ""
  return answer.status == 429 or code:find "^Throttling" ~= nil or code:find "^BLOCK%." ~= nil
end

--- Whether an answer ends the token that its request had, because the service may repeat it to
--- every later request under it.
---@param answer { outcome: string, code: string?, status: integer?, kind: string? } an error, or
---what a journal knows of one
---@return boolean
function M.ends_token(answer)
  return answer.outcome == "rejected" and not is_throttled(answer)
end

return M
