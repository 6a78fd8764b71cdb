--- Tells which refusals of the services pass by themselves, so that a call can be repeated later,
--- and which end the token of their request.

local services = require "alicloud.service"

local M = {}

--- Why a refusal passes by itself, from the data of the service.
---@param product "ebs"|"ecs"
---@param code string of the error
---@return string|nil reason nil: it is not documented to pass
function M.passes(product, code)
  local entry = services.data(product).errors[code]
  return entry and entry.passes and entry.meaning or nil
end

-- Whether the call was throttled: the operation itself did not see it.
local function is_throttled(answer)
  if answer.kind then return answer.kind == "throttled" end
  local code = answer.code or ""
  return answer.status == 429 or code:find "^Throttling" ~= nil or code:find "^BLOCK%." ~= nil
end

--- Whether an answer ends the token of its request, because the service may repeat the answer to
--- every later request with that token.
---@param answer { outcome: string, code: string?, status: integer?, kind: string? } an error, or
---its record in a journal
---@return boolean
function M.ends_token(answer)
  return answer.outcome == "rejected" and not is_throttled(answer)
end

return M
