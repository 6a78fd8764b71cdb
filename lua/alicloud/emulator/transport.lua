--- The in-process mount: a transport in place of libcurl, which answers from the model and waits on
-- the model's clock.
-- `send` takes the bytes of a signed request. `perform`, which an emulator made with `wire = false`
-- offers beside it, takes the client's plan as it is and gives the result back as values: the same
-- operations, faults, clock, log and ledger, without signing, encoding, verifying and reading.
-- An error comes as the bytes of its answer either way, so that the client classifies it alike.

local gateway = require "alicloud.emulator.gateway"

local M = {}

local DEFAULT_TIMEOUT = 60

local function lower_names(headers)
  local is_lower = headers and headers.host ~= nil
  for name in pairs(headers or {}) do is_lower = is_lower and not name:find("%u") end
  if is_lower then return headers end
  local lower = {}
  for name, value in pairs(headers or {}) do lower[name:lower()] = value end
  return lower
end

local function split_url(url)
  local path, query = url:match("^%a+://[^/?#]*([^?#]*)%??([^#]*)")
  return path or "", query or ""
end

local REFUSED = { failure = "connect", sent = false, detail = "the region is down: refused" }

local function exchange(outcome)
  if outcome.refused then return REFUSED end
  if outcome.drop then
    return { failure = "closed", sent = true, detail = "the emulator dropped the connection" }
  end
  return outcome.answer or outcome
end

--- Ends the client's wait with a timeout, and schedules the rest of the work without the client.
local function abandon(emu, outcome, timeout)
  emu:later(outcome.at, outcome.resume, outcome.work)
  emu.clock:sleep(timeout)
  return { failure = "timeout", sent = true, detail = "no answer from the emulator in time" }
end

local function wait_in_vain(emu, timeout)
  emu.clock:sleep(timeout)
  return { failure = "timeout", sent = true, detail = "the region is a black hole: no answer" }
end

local function over_wire(emu, request)
  local path, query = split_url(request.url)
  local headers = lower_names(request.headers)
  headers.host = headers.host or request.host
  return gateway.handle(emu, {
    method = request.method, path = path, query = query, headers = headers,
    body = request.body, mount = "in-process",
  })
end

local function answer(emu, handle, request)
  local timeout = request.timeout or DEFAULT_TIMEOUT
  local deadline = emu:now() + timeout
  local outcome = handle(emu, request)
  if outcome.silent then return wait_in_vain(emu, timeout) end
  while outcome.at do
    local left = deadline - emu:now()
    if outcome.at > deadline then return abandon(emu, outcome, math.max(0, left)) end
    emu.clock:sleep(math.max(0, outcome.at - emu:now()))
    outcome = outcome.resume(outcome.at)
  end
  return exchange(outcome)
end

--- Makes the transport of an emulator.
---@param emu alicloud.emulator.Emulator
---@param wire boolean  false: it offers `perform`, too, which takes requests as values
---@return alicloud.ForeignTransport
function M.new(emu, wire)
  local transport = { send = function(request) return answer(emu, over_wire, request) end }
  if not wire then
    transport.perform = function(request) return answer(emu, gateway.perform, request) end
  end
  return transport
end

return M
