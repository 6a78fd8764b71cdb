--- Makes the calls of a conformance run: one attempt each, in the journal before it is sent, and
--- kept as evidence of the current observation.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local metas = require "alicloud.base.meta"
local signing = require "alicloud.conformance.signing"
local tables = require "alicloud.base.tables"
local verdicts = require "alicloud.conformance.verdicts"

local M = {}

---@class alicloud.conformance.Call one call and its outcome, redacted
---@field time string
---@field action string
---@field region string?
---@field status integer?
---@field code string?
---@field request_id string?
---@field answer table?

---@class alicloud.conformance.Exchange the answer to a request that was made by hand
---@field status integer
---@field headers table<string, string>
---@field body string
---@field json table? the body, where it is JSON
---@field code string?
---@field message string?
---@field request_id string?

---@class alicloud.conformance.Probe
---@field client alicloud.Client
---@field region string
---@field memory table<string, any> what steps remember, also those before the run was interrupted
---@field decided table<string, alicloud.conformance.Decision>
---@field messages table<string, { status: integer, text: string }> refusals seen, by code
---@field timings table<string, number[]> measured seconds, by name of the timing
---@field calls integer made so far
local Probe = {}
Probe.__index = Probe

---@class alicloud.conformance.ProbeOptions
---@field client alicloud.Client
---@field region string
---@field send fun(request: alicloud.Request): alicloud.Exchange
---@field endpoint fun(product: string, region: string): alicloud.Endpoint
---@field keys fun(): alicloud.Credentials|nil
---@field journal { append: fun(record: table, lasting: boolean?) }
---@field redact fun(value: any): any
---@field allowed table<string, boolean> "product:Action" of the operations that may be sent
---@field recorder? alicloud.Recorder
---@field progress? fun(text: string)

--- Makes a probe.
---@param given alicloud.conformance.ProbeOptions
---@return alicloud.conformance.Probe
function M.new(given)
  local self = tables.copy(given)
  self.memory, self.decided, self.order = {}, {}, {}
  self.messages, self.timings, self.calls = {}, {}, 0
  return setmetatable(self, Probe)
end

--- Unix seconds by the client's clock.
---@return number
function Probe:now()
  return self.client.runtime.time()
end

--- Waits by the client's clock.
---@param seconds number
function Probe:sleep(seconds)
  self.client.runtime.sleep(seconds)
end

--- Remembers a value for later steps, also in a process that continues the run.
---@param key string
---@param value any that JSON can hold
function Probe:remember(key, value)
  self.memory[key] = value
  self.journal.append({ remembered = { key = key, value = value } }, true)
end

-- The error of a call that is refused here, before anything is sent.
local function not_sent(message, code)
  return errors.new { kind = "state", code = code or "Client.NotSent", message = message,
    outcome = "not_sent" }
end

-- Seconds between calls, so that they stay well below every quota.
local PAUSE = 0.04

local function announce(self, action, region, params, lasting)
  if self.calls > 0 then self:sleep(PAUSE) end
  self.calls = self.calls + 1
  local entry = { time = core.iso8601(self:now()), action = action, region = region }
  self.journal.append({ n = self.calls, call = entry, params = self.redact(params or {}),
    observation = self.open and self.open.name }, lasting)
  if self.open then self.open.calls[#self.open.calls + 1] = entry end
  return entry
end

local function conclude(self, entry, found)
  entry.status, entry.code, entry.request_id = found.status, found.code, found.request_id
  entry.answer = found.answer and self.redact(found.answer)
  if found.code and found.message and found.status and not found.code:find "^Client%." then
    local seen = { status = found.status, text = self.redact(found.message) }
    self.messages[found.code] = seen
    entry.message = seen.text
  end
  self.journal.append({ n = self.calls, answer = entry, failure = found.failure })
end

local function refused_here(self, action)
  if self.allowed[action] then return nil end
  return not_sent(("%s is not among the calls of this tier"):format(action), "Client.NotAllowed")
end

---@class alicloud.conformance.CallOptions
---@field region? string whose host is asked; default: RegionId, else the region of the run
---@field token? string ClientToken
---@field timeout? number seconds

--- Calls an operation once, through the client.
---@param action string "product:Action"
---@param params? table
---@param options? alicloud.conformance.CallOptions
---@return table|nil answer
---@return alicloud.Error? err also for misuse, when nothing is sent
function Probe:call(action, params, options)
  options = options or {}
  local stop = refused_here(self, action)
  if stop then return nil, stop end
  local region = options.region or params and params.RegionId or self.region
  local given = { region = region, retries = 0, client_token = options.token,
    timeout = options.timeout, resend = "never" }
  local ok, fault = self.client:validate(action, params, given)
  if not ok then return nil, not_sent(fault) end
  local lasting = self.client.mode == "normal" and not action:find ":Describe"
    and not action:find ":List" and not action:find ":Get"
  local entry = announce(self, action, region, params, lasting)
  local answer, err = self.client:call(action, params, given)
  if answer then
    local about = metas.of(answer)
    conclude(self, entry, { status = about and about.status, answer = answer,
      request_id = about and about.request_id })
    return answer
  end
  conclude(self, entry, { status = err.status, code = err.code, request_id = err.request_id,
    message = err.message, failure = err.outcome })
  return nil, err
end

---@class alicloud.conformance.RawRequest
---@field action string "product:Action"
---@field version string
---@field params? table<string, string>
---@field region? string whose host is asked; default: the region of the run
---@field protocol? "V3"|"RPC" default: V3
---@field key_id? string a made-up AccessKeyId; needs `secret`
---@field secret? string a made-up secret
---@field age? number seconds by which the request's date is before `at`
---@field at? number unix seconds; default: now
---@field nonce? string
---@field format? string RPC
---@field accept? string|false the header Accept; false: none

local function read_exchange(exchange)
  local found = { status = exchange.status, headers = exchange.headers, body = exchange.body }
  local value = core.decode(exchange.body)
  if type(value) == "table" then
    found.json, found.code, found.message = value, value.Code, value.Message
    found.request_id = value.RequestId
  else
    found.code = exchange.body:match "<Code>(.-)</Code>"
    found.message = exchange.body:match "<Message>(.-)</Message>"
    found.request_id = exchange.body:match "<RequestId>(.-)</RequestId>"
  end
  return found
end

local function signed_request(self, ask, target)
  local keys = ask.secret and {} or self.keys()
  if not keys then return nil, "no keys are at hand without asking for them" end
  local runtime = self.client.runtime
  local signed = signing.sign {
    protocol = ask.protocol or "V3", scheme = target.scheme, host = target.host,
    action = ask.action:match ":(.+)$", version = ask.version, params = ask.params or {},
    key_id = ask.key_id or keys.access_key_id, secret = ask.secret or keys.access_key_secret,
    token = not ask.secret and keys.security_token or nil, format = ask.format,
    at = (ask.at or runtime.time()) - (ask.age or 0), nonce = ask.nonce or runtime.random_hex(16),
  }
  local headers = {}
  for name, value in pairs(signed.headers) do headers[name] = value end
  if ask.accept ~= false then headers.accept = ask.accept or "application/json" end
  return { method = signed.method, url = signed.url, host = signed.host, headers = headers,
    body = "", timeout = 10, mutating = false, action = ask.action,
    plain_http = target.scheme == "http" }
end

--- Makes many calls of one operation at once. Raises if the operation is not allowed.
---@param action string "product:Action"
---@param params table
---@param count integer
---@return { answer: table?, err: alicloud.Error? }[] in the order in which they were started
---@return number seconds until the last answer
function Probe:burst(action, params, count)
  local stop = refused_here(self, action)
  if stop then error(stop.message, 0) end
  local runtime = self.client.runtime
  local entry = announce(self, action, params.RegionId, params)
  local began, futures, results = runtime.monotonic(), {}, {}
  for i = 1, count do
    futures[i] = self.client:start(action, params, { retries = 0 })
  end
  for i, future in ipairs(futures) do
    local answer, err = future:result()
    results[i] = { answer = answer, err = err }
  end
  entry.times = count
  conclude(self, entry, {})
  self.calls = self.calls + count - 1
  return results, runtime.monotonic() - began
end

--- Keeps a measured duration.
---@param name string of the timing in the description of a world
---@param seconds number
function Probe:time(name, seconds)
  local known = self.timings[name] or {}
  known[#known + 1] = seconds
  self.timings[name] = known
  self.journal.append { timing = { name = name, seconds = seconds } }
end

local THROTTLED_TRIES, THROTTLED_PAUSE = 3, 1.5

local function is_throttled(found)
  return found ~= nil and found.code ~= nil
    and (found.code:find "^Throttling" or found.code:find "^BLOCK") ~= nil
end

-- Adds an exchange that bypassed the client to the recording.
local function record(self, ask, region, request, exchange, seconds)
  local product, action = ask.action:match "^(.-):(.+)$"
  guard.call(self.recorder.exchange, self.recorder, {
    product = product, version = ask.version, action = action, region = region,
    mutating = false, method = request.method, host = request.host, params = ask.params or {},
    headers = request.headers, keys = self.keys(), answer = exchange, seconds = seconds,
    attempt = 1,
  })
end

local function send_once(self, ask)
  local region = ask.region or self.region
  local target = self.endpoint(ask.action:match "^(.-):", region)
  local request, reason = signed_request(self, ask, target)
  if not request then return nil, reason end
  local entry = announce(self, ask.action, region, ask.params)
  local began = self.client.loop.now()
  local exchange = self.send(request)
  if self.recorder then
    record(self, ask, region, request, exchange, self.client.loop.now() - began)
  end
  if exchange.failure then
    conclude(self, entry, { failure = exchange.failure })
    return nil, "no answer: " .. tostring(exchange.detail or exchange.failure)
  end
  local found = read_exchange(exchange)
  conclude(self, entry, { status = found.status, code = found.code, message = found.message,
    request_id = found.request_id, answer = found.json })
  return found
end

--- Sends a request that is built and signed here, not by the client, for reading operations only.
--- A throttled request is sent again, a few times.
---@param ask alicloud.conformance.RawRequest
---@return alicloud.conformance.Exchange|nil
---@return string? reason for which there is no answer
function Probe:raw(ask)
  local stop = refused_here(self, ask.action)
  if stop then return nil, stop.message end
  local found, reason
  for _ = 1, THROTTLED_TRIES do
    found, reason = send_once(self, ask)
    if not is_throttled(found) then return found, reason end
    self:sleep(THROTTLED_PAUSE)
  end
  return nil, "throttled: " .. found.code
end

---@class alicloud.conformance.Decision
---@field name string
---@field verdict "confirmed"|"contradicted"|"undecided"|"new"
---@field value any
---@field assumed any
---@field text string? what was seen, or the reason
---@field calls alicloud.conformance.Call[]

local function settle(self, decision)
  if not self.decided[decision.name] then self.order[#self.order + 1] = decision.name end
  self.decided[decision.name] = decision
  self.journal.append({ decided = decision })
  return decision
end

--- Observes an assumption and decides it. An assumption that is decided already, also before the
--- run was interrupted, is not observed again.
---@param name string of a switch, or of a guess without a switch
---@param look fun(): any, string? gives the value that was seen and a text; or nil and the reason
---@param guess? { assumed: any, values: any[]? } for a guess without a switch
---@return alicloud.conformance.Decision
function Probe:observe(name, look, guess)
  local before = self.decided[name]
  if before and before.verdict ~= "undecided" then return before end
  local outer, open = self.open, { name = name, calls = {} }
  self.open = open
  if self.progress then self.progress(name) end
  local ok, value, text = guard.call(look)
  self.open = outer
  if not ok then value, text = nil, errors.text_of(value) end
  return settle(self, verdicts.of(name, value, text, guess, open.calls))
end

--- Marks an assumption as undecided, unless there is a decision.
---@param name string
---@param reason string
function Probe:leave(name, reason)
  if self.decided[name] then return end
  settle(self, { name = name, verdict = "undecided", text = reason, calls = {} })
end

return M
