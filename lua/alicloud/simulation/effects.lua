--- Finds the effects of requests in the emulator's ledger.

local M = {}

--- The effects of requests of the rehearsal. A repeated call gets the answer of the first one, with
--- its RequestId, so the effect belongs to the first.
---@param stage alicloud.simulation.Stage
---@return { effect: table, request: alicloud.simulation.Request }[] in their order
function M.own(stage)
  local by_request, list = {}, {}
  for _, request in ipairs(stage.requests) do
    local id = request.mutating and request.entry and request.entry.request_id
    if id then by_request[id] = by_request[id] or request end
  end
  for _, effect in ipairs(stage.emu:ledger()) do
    local request = by_request[effect.request_id]
    if request then list[#list + 1] = { effect = effect, request = request } end
  end
  return list
end

--- Whether a request of the run, or of one process of it, had an effect: one that is later than
--- `since` and not later than `request`.
---@param effects { effect: table, request: alicloud.simulation.Request }[]
---@param token string|nil nil: of any call
---@param since integer number of a request
---@param request integer number of a later one
---@param process? integer
---@return boolean
function M.between(effects, token, since, request, process)
  for _, entry in ipairs(effects) do
    local mine, n = not token or entry.effect.client_token == token, entry.request.n
    mine = mine and (not process or entry.request.process == process)
    if mine and n > since and n <= request and entry.request.who == "run" then
      return true
    end
  end
  return false
end

return M
