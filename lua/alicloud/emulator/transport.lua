--- The in-process mount: stands where libcurl stands, answers from the model, waits on its clock.

local engine = require "alicloud.emulator.engine"

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
  return outcome.answer
end

--- Lets the work go on without its client, who has waited long enough.
local function abandon(emu, outcome, patience)
  emu:later(outcome.at, outcome.resume)
  emu.clock:sleep(patience)
  return { failure = "timeout", sent = true, detail = "no answer from the emulator in time" }
end

local function wait_in_vain(emu, patience)
  emu.clock:sleep(patience)
  return { failure = "timeout", sent = true, detail = "the region is a black hole: no answer" }
end

--- Makes the transport of an emulator.
---@param emu alicloud.emulator.Emulator
---@return { send: fun(request: table): table }
function M.new(emu)
  local function send(request)
    local path, query = split_url(request.url)
    local headers = lower_names(request.headers)
    headers.host = headers.host or request.host
    local deadline = emu:now() + (request.timeout or DEFAULT_TIMEOUT)
    local outcome = engine.handle(emu, {
      method = request.method, path = path, query = query, headers = headers,
      body = request.body, mount = "in-process",
    })
    if outcome.silent then return wait_in_vain(emu, request.timeout or DEFAULT_TIMEOUT) end
    while outcome.at do
      local patience = deadline - emu:now()
      if outcome.at > deadline then return abandon(emu, outcome, math.max(0, patience)) end
      emu.clock:sleep(math.max(0, outcome.at - emu:now()))
      outcome = outcome.resume(outcome.at)
    end
    return exchange(outcome)
  end
  return { send = send }
end

return M
