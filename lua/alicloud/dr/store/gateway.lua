--- A client of etcd's JSON gateway: sends a request to one member, to the next one if it gives no
--- answer, and turns refusals into errors.
---
--- Source: https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/. The form of an error depends on
--- version and call: text is in `message`, `error` or `error.message`; the gRPC code is in `code`,
--- `error.code` or `error.grpc_code`. Absent fields are zero or false.

local adapter = require "alicloud.net.adapter"
local answers = require "alicloud.dr.store.gateway_answer"
local core = require "alicloud.core"
local faults = require "alicloud.dr.store.gateway_fault"
local tables = require "alicloud.base.tables"

local M = {}

-- Seconds of one try. A member without a quorum would answer only after seven.
local TRY = 2
-- LOGIN: seconds to wait for the login of another task; SOON: seconds between two looks at it.
local LOGIN, SOON = 2 * TRY, 0.02
-- Most bytes of an answer: room for 500 records of 1 KiB, or for the largest record.
local MAX_BODY = 8 * 1024 * 1024

---@class alicloud.dr.GatewayOptions
---@field name string for messages
---@field prefix? string prefix of the keys, for messages
---@field members string[] client URLs without a path
---@field loop alicloud.loop.Loop
---@field network? table options of alicloud.transport; without a proxy by default
---@field user? string
---@field password? string

---@class alicloud.dr.Gateway
---@field name string
---@field members string[]
---@field place integer index of the member that is asked first
---@field token string? result of the login
---@field logging_in boolean whether a task is logging in
---@field loop alicloud.loop.Loop
---@field cluster_id string? id in the first answer; an answer with another id is refused
---@field term integer highest Raft term seen
---@field revision integer highest revision seen in answers to reads and transactions
local Gateway = {}
Gateway.__index = Gateway

---@param options alicloud.dr.GatewayOptions
---@return alicloud.dr.Gateway
function M.open(options)
  local network = tables.merged({ proxy = "none", max_body = MAX_BODY, connect_timeout = TRY },
    options.network or {})
  return setmetatable({
    name = options.name, prefix = options.prefix, members = options.members, place = 1,
    user = options.user, password = options.password, loop = options.loop, logging_in = false,
    adapter = adapter.builtin(network, options.loop), term = 0, revision = 0,
  }, Gateway)
end

local function post(gateway, path, body)
  local member = gateway.members[gateway.place]
  local host = member:match "^%a+://(.*)$"
  return gateway.adapter.send { method = "POST", url = member .. "/v3/" .. path, host = host,
    headers = { ["content-type"] = "application/json", authorization = gateway.token }, body = body,
    timeout = TRY, mutating = false, action = "(journal)", plain_http = true }
end

-- Decodes the first line: a stream answers with lines of `{"result":…}`, and behind some refusals
-- etcd 3.4 appends a late header line.
local function decode(body)
  local line = body:match "^%s*([^\n]*)":gsub("Grpc%-Trailer%-.*$", "")
  local answer = core.decode(line, { max_bytes = MAX_BODY })
  if type(answer) ~= "table" then return nil end
  return type(answer.result) == "table" and answer.result or answer
end

-- Refuses an answer of another cluster, or one older than what was known when the request was sent;
-- answers to several tasks may overtake each other. Some calls have no header.
local function judge_header(gateway, path, answer, term_then, revision_then)
  local header = type(answer.header) == "table" and answer.header or {}
  local id, term = header.cluster_id, math.tointeger(tonumber(header.raft_term))
  if id and gateway.cluster_id and id ~= gateway.cluster_id then
    return faults.other_cluster(gateway, id)
  end
  gateway.cluster_id = gateway.cluster_id or id
  -- A leader that was deposed while it was suspended may confirm what is no longer true.
  if term and term < term_then then return faults.old_term(gateway, term) end
  gateway.term = math.max(gateway.term, term or 0)
  local revision = path:find "^kv/" and math.tointeger(tonumber(header.revision))
  if not revision then return nil end
  if revision < revision_then then return faults.rolled_back(gateway, revision) end
  gateway.revision = math.max(gateway.revision, revision)
end

-- Tries once: the answer, or nil and a fault with its class "next", "login" or "end".
local function try(gateway, path, body)
  local term, revision = gateway.term, gateway.revision
  local exchange = post(gateway, path, body)
  if exchange.failure then return nil, faults.of_transport(gateway, exchange) end
  local answer = decode(exchange.body or "")
  if exchange.status ~= 200 or not answer or answer.error then
    return nil, faults.of_answer(gateway, path, exchange, answer)
  end
  if not answers.fits(path, answer) then return nil, faults.strange(gateway, path) end
  local fault = judge_header(gateway, path, answer, term, revision)
  if fault then return nil, fault end
  return answer
end

-- Waits for the login of another task; false if that gave no token.
local function wait_for_login(gateway)
  local limit = gateway.loop.now() + LOGIN
  while gateway.logging_in and gateway.loop.now() < limit do gateway.loop.sleep(SOON) end
  return gateway.token ~= nil
end

-- Logs in. All tasks share one login: it costs a member a tenth of a second of CPU time, and a
-- whole fleet of logins would keep the store from answering.
local function login(gateway)
  if gateway.logging_in and wait_for_login(gateway) then return true end
  gateway.logging_in = true
  local _ <close> = setmetatable({}, { __close = function() gateway.logging_in = false end })
  local answer, fault = try(gateway, "auth/authenticate",
    core.encode { name = gateway.user, password = gateway.password or "" })
  if not answer then return nil, fault end
  gateway.token = answer.token
  return true
end

-- If an earlier try may have been done, the outcome is unknown, whatever a later one says.
local function ended(fault, doubtful)
  if doubtful then fault.err.outcome = "unknown" end
  return nil, fault.err, fault.too_large
end

local function try_member(gateway, path, body)
  if gateway.user and not gateway.token then
    local ok, fault = login(gateway)
    if not ok then return nil, fault end
  end
  local token = gateway.token
  local answer, fault = try(gateway, path, body)
  return answer, fault, token
end

--- Asks one member after the other until one answers: each once, a single member twice.
---@param path string below /v3/
---@param request table
---@return table|nil answer
---@return alicloud.Error? err its outcome is "unknown" if a try may have been done
---@return boolean? too_large the answer is too large; a request for less can succeed
function Gateway:ask(path, request)
  local body, doubtful, logged_in = core.encode(request), false, self.user ~= nil and not self.token
  local tries, missed = math.max(2, #self.members), {}
  while tries > 0 do
    local answer, fault, token = try_member(self, path, body)
    if answer then return answer end
    doubtful = doubtful or fault.err.outcome == "unknown"
    if fault.class == "end" then return ended(fault, doubtful) end
    if fault.class == "login" and not logged_in then
      if not self.user then return ended(fault, doubtful) end
      logged_in = true
      -- Another task may have logged in again since.
      if self.token == token then self.token = nil end
    else
      -- A member that lags behind may not know a new token yet, so this may be retried.
      fault.err.retryable = fault.err.retryable or fault.class == "login"
      missed[#missed + 1] = fault
      self.place, tries = self.place % #self.members + 1, tries - 1
    end
  end
  return ended(faults.of_all(self, missed), doubtful)
end

--- The error of a store that accepts no writes.
---@return alicloud.Error
function Gateway:full()
  return faults.full(self).err
end

--- The error of an answer that does not look like etcd's.
---@param path string
---@return alicloud.Error
function Gateway:strange(path)
  return faults.strange(self, path).err
end

function Gateway:close()
  self.adapter.close()
end

return M
