--- The transport from a simulated run to the emulator: it counts and checks requests, applies
--- troubles, and reports errors that the emulator itself raises.

local controllers = require "alicloud.simulation.controllers"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local stopping = require "alicloud.simulation.stopping"
local troubles = require "alicloud.simulation.troubles"

local M = {}

-- More requests than any run needs: the run is in an endless loop.
local MOST_REQUESTS = 20000

-- Requests from one sign of life to the next.
local ALIVE_EVERY = 50

local function parameter(request, name)
  if request.params then return request.params[name] end
  local value = request.url:match("[?&]" .. name .. "=([^&]*)")
  return value and value:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end) or nil
end

local function note(stage, request)
  local entry = { n = #stage.requests + 1, action = request.action, who = stage.who,
    mutating = not request.action:find "^Describe", region = parameter(request, "RegionId"),
    group = parameter(request, "ReplicaGroupId") or parameter(request, "GroupIds"),
    token = parameter(request, "ClientToken"), time = stage.emu:now(),
    process = stage.active and stage.active.n or 0 }
  stage.requests[entry.n] = entry
  return entry
end

-- Counts the lines of a journal with a type and a token. It looks for the token, which few have.
local function count_lines(text, kind, token)
  local count, mark = 0, ('"type":"%s"'):format(kind)
  local rare = token or mark
  local at, start, stop = text:find(rare, 1, true), 1, 0
  while at do
    while stop < at do start, stop = stop + 1, text:find("\n", stop + 1, true) or #text + 1 end
    if text:sub(start, stop):find(mark, 1, true) then count = count + 1 end
    at = text:find(rare, stop, true)
  end
  return count
end

local function earlier_sends(stage, entry)
  local count = 0
  for _, request in ipairs(stage.requests) do
    if request.mutating and request.token == entry.token and request.who == entry.who then
      count = count + 1
    end
  end
  return count
end

local VERB = { FailoverDiskReplicaGroup = true, ReprotectDiskReplicaGroup = true }

local function check_send(stage, entry)
  local disk = stage.who == "run" and stage.disk or stage.other_disk
  local text = disk:durable "run"
  if count_lines(text, "call", entry.token) < earlier_sends(stage, entry) then
    stage:violated(("S4 %s left without a synced record of the call"):format(entry.action))
  elseif VERB[entry.action] and count_lines(text, "intent", entry.token) == 0 then
    stage:violated(("S4 %s left without a synced intent of its token"):format(entry.action))
  end
end

local function check_region(stage, entry)
  local region = entry.group and stage.open[entry.group]
  if region and stage.who == "run" and entry.region ~= region then
    stage:violated(("S11 %s asked in %s during a failover to %s"):format(entry.action,
      tostring(entry.region), region))
  end
end

-- The emulator's log entry of a request; requests of others may have come in between.
local function entry_of(log, first, request)
  for n = first, log.total do
    local entry = log.requests[n]
    if entry.action == request.action and entry.client_token == request.token then return entry end
  end
  return nil
end

local function carry(stage, request, forward)
  local entry = note(stage, request)
  if entry.mutating then
    stage.changes = stage.changes + 1
    check_send(stage, entry)
    controllers.check_send(stage, entry)
  end
  check_region(stage, entry)
  if stage.trace then stage.trace:request(stage, entry) end
  local alive = stage.plan.alive
  if alive and entry.n % ALIVE_EVERY == 1 then alive() end
  if #stage.requests > MOST_REQUESTS then
    stage.lost = true
    stage:crash {}
  end
  troubles.around(stage, entry, false)
  stopping.fly(stage)
  local log, seen = stage.emu.request_log, stage.emu.request_log.total
  local exchange = troubles.with_short_pairs(stage, request, forward)
  entry.entry, entry.unsent = entry_of(log, seen + 1, entry), exchange.sent == false
  entry.exchange = exchange
  if stage.trace then stage.trace:answer(entry, exchange) end
  troubles.around(stage, entry, true)
  stopping.fly(stage)
  return exchange
end

-- Reports what the emulator raises: to the client it would look like an outage, which it outlasts.
local function carry_or_tell(stage, request, forward)
  local ok, exchange = pcall(carry, stage, request, forward)
  if ok then return exchange end
  if not guard.is_stop(exchange) then
    stage:violated("raised by the emulator: " .. errors.text_of(exchange))
  end
  error(exchange, 0)
end

--- The transport of all processes of a stage.
---@param stage alicloud.simulation.Stage
---@return alicloud.ForeignTransport
function M.of(stage)
  local own = {}
  for name, forward in pairs(stage.emu.transport) do
    own[name] = function(request) return carry_or_tell(stage, request, forward) end
  end
  return own
end

return M
