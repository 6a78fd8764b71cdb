--- Errors of etcd's gateway: what is known of the effect, whether another member may do better, and
--- what a person can do about it.

local adapter = require "alicloud.net.adapter"
local codes = require "alicloud.base.codes"
local errors = require "alicloud.base.error"

local M = {}

---@class alicloud.dr.GatewayFault
---@field err alicloud.Error
---@field text string the message without the name of the store
---@field class "next"|"login"|"end" ask another member, log in and ask again, or give up
---@field too_large boolean? the answer was larger than allowed

local function fault(gateway, class, outcome, message, hint, code)
  return { class = class, text = message, err = errors.new {
    kind = "journal", code = code or "Client.JournalFailed", outcome = outcome,
    message = ("%s: %s"):format(gateway.name, message), hint = hint, retryable = class == "next",
  } }
end

local function member_of(gateway)
  return gateway.members[gateway.place]
end

local TLS_HINT = "the members' certificates are checked against the roots for the cloud, or "
  .. "against ALICLOUD_DR_STORE_CA_FILE, and have to carry the name or address of the URL; members "
  .. "that want a certificate get that of ALICLOUD_DR_STORE_CERT_FILE and _KEY_FILE"

local PROXY_HINTS = {
  proxy = codes["Client.Proxy"].cure,
  proxy_refused = codes["Client.Proxy.Refused"].cure,
  proxy_tls = codes["Client.Proxy.TLS"].cure,
}

--- No answer came. A failure of TLS is not retryable: it would fail again.
---@param gateway alicloud.dr.Gateway
---@param exchange alicloud.Exchange
---@return alicloud.dr.GatewayFault
function M.of_transport(gateway, exchange)
  local words = adapter.words(exchange)
  local is_tls = exchange.failure:find "^tls" ~= nil or words:find("SSL routines", 1, true) ~= nil
  local hint = PROXY_HINTS[exchange.failure] or is_tls and TLS_HINT
  local made = fault(gateway, "next", exchange.sent == false and "not_sent" or "unknown",
    ("no answer from %s: %s"):format(member_of(gateway), words), hint
      or ("see whether etcd runs there, speaks %s and can be reached: etcdctl --endpoints %s "
        .. "endpoint status"):format(member_of(gateway):match "^%a+",
          table.concat(gateway.members, ",")))
  made.err.retryable = not is_tls
  if exchange.failure == "too_large" then
    made.class, made.too_large, made.err.retryable = "end", true, false
  end
  return made
end

local QUORUM = "more than half of the members have to be up and see each other"

--- No member has answered; the message says why for each.
---@param gateway alicloud.dr.Gateway
---@param list alicloud.dr.GatewayFault[] in the order in which they were asked
---@return alicloud.dr.GatewayFault
function M.of_all(gateway, list)
  local last, texts = list[#list], {}
  if #gateway.members == 1 then return last end
  for i, each in ipairs(list) do
    texts[i] = each.text
    last.err.retryable = last.err.retryable or each.err.retryable
    if each.err.outcome == "unknown" then last.err.hint = QUORUM end
  end
  last.err.message = ("%s: %s"):format(gateway.name, table.concat(texts, "; "))
  return last
end

--- The member belongs to another cluster.
function M.other_cluster(gateway, id)
  return fault(gateway, "end", "unknown", ("%s belongs to the cluster %s, and the others to %s")
    :format(member_of(gateway), id, gateway.cluster_id),
    "name members of one cluster; nothing is written to a second one", "Client.OtherCluster")
end

--- The member answers with an older Raft term.
function M.old_term(gateway, term)
  return fault(gateway, "next", "unknown", ("%s answers in term %d, and %d was seen"):format(
    member_of(gateway), term, gateway.term))
end

--- The store has a lower revision than was seen before.
function M.rolled_back(gateway, revision)
  return fault(gateway, "end", "unknown", ("%s answers with revision %d, and %d was seen: an older "
    .. "state was restored"):format(member_of(gateway), revision, gateway.revision),
    "look at the groups before anything is sent: what was recorded since is missing there",
    "Client.JournalRolledBack")
end

-- gRPC status codes that prove that nothing was done.
-- Source: https://grpc.io/docs/guides/status-codes/
local HARMLESS = { [3] = true, [5] = true, [7] = true, [8] = true, [9] = true, [11] = true,
  [12] = true, [16] = true }

local LOGIN = "say who you are: ALICLOUD_DR_STORE_USER, and ALICLOUD_DR_STORE_PASSWORD or "
  .. "ALICLOUD_DR_STORE_PASSWORD_FILE"

local NO_GATEWAY = "there is no JSON gateway of etcd 3.4 or later: name client URLs, and leave "
  .. "--enable-grpc-gateway on"

local FULL = "the store is full and takes only deletions; locks are given back meanwhile. Compact "
  .. "it, defragment the members, then etcdctl alarm disarm: alicloud-dr manual controllers"

local TOO_LARGE = "the record is larger than the members take (--max-request-bytes)"
local DENIED = "permission denied"

-- Parts of etcd's messages with class, hint and code; the first that fits counts.
local KNOWN = {
  { "requested lease not found", "end", "the session of this process has ended in the store; "
    .. "whoever has the run now goes on with it", "Client.JournalLost" },
  { "CommonName of client", "end", "with users, etcd's gateway refuses a client certificate that "
    .. "has a CN: make one without a CN, and give user and password beside it" },
  { "database space exceeded", "end", FULL },
  { "request is too large", "end", TOO_LARGE },
  { "message larger than max", "end", TOO_LARGE },
  -- Nothing was done; another member can do it, or this one later.
  { "too many requests", "next", "the members are overloaded, or their disks too slow: etcdctl "
    .. "check perf" },
  { "not supported for learner", "next", "name members that vote" },
  { "not leader", "next", QUORUM },
  { DENIED, "end", "the user needs the right to read and write below the prefix: "
    .. "etcdctl role grant-permission ROLE readwrite --prefix=true PREFIX/" },
  { "authentication failed", "end", "user and password are not those of the store: "
    .. "ALICLOUD_DR_STORE_USER, ALICLOUD_DR_STORE_PASSWORD, ALICLOUD_DR_STORE_PASSWORD_FILE" },
  { "authentication is not enabled", "end", "the store knows no users: unset "
    .. "ALICLOUD_DR_STORE_USER" },
  { "user name is empty", "login", LOGIN },
  { "auth store is old", "login", LOGIN },
  { "invalid auth token", "login", LOGIN },
}

--- The store accepts no writes.
---@param gateway alicloud.dr.Gateway
---@return alicloud.dr.GatewayFault
function M.full(gateway)
  return fault(gateway, "end", "not_sent", "the alarm NOSPACE is on", FULL)
end

--- The answer does not look like etcd's.
---@param gateway alicloud.dr.Gateway
---@param path string
---@return alicloud.dr.GatewayFault
function M.strange(gateway, path)
  return fault(gateway, "next", "unknown", ("%s at %s: what answers is not etcd"):format(path,
    member_of(gateway)), NO_GATEWAY)
end

local function message_of(answer, body)
  answer = answer or {}
  local inner = type(answer.error) == "table" and answer.error or {}
  local text = answer.message or type(answer.error) == "string" and answer.error or inner.message
  text = tostring(text or body):gsub("%s+$", "")
  return errors.text_of(text, 300), math.tointeger(answer.code or inner.code or inner.grpc_code)
end

-- Without a user in the environment the hint for DENIED also says how to name one.
local function hint_of(gateway, known)
  local unnamed = known[1] == DENIED and not gateway.user and LOGIN .. "; " or ""
  return unnamed .. known[3]:gsub("PREFIX", gateway.prefix or "%0")
end

--- The member has refused the request.
---@param gateway alicloud.dr.Gateway
---@param path string
---@param exchange alicloud.Exchange
---@param answer table? the body, if it is JSON
---@return alicloud.dr.GatewayFault
function M.of_answer(gateway, path, exchange, answer)
  local message, code = message_of(answer, exchange.body or "")
  local text = ("%s at %s: %s (HTTP %d)"):format(path, member_of(gateway),
    message ~= "" and message or "no words", exchange.status)
  for _, known in ipairs(exchange.status < 500 and KNOWN or {}) do
    if message:find(known[1], 1, true) then
      return fault(gateway, known[2], "rejected", text, hint_of(gateway, known), known[4])
    end
  end
  if exchange.status == 404 or exchange.status == 405 or exchange.status == 501 then
    return fault(gateway, "end", "rejected", text, NO_GATEWAY)
  end
  if code == 16 then return fault(gateway, "login", "rejected", text, LOGIN) end
  local harmless = code and HARMLESS[code] and exchange.status < 500
  return fault(gateway, harmless and "end" or "next", harmless and "rejected" or "unknown", text,
    not harmless and QUORUM or nil)
end

return M
