--- Records what etcd's gateway answers, for specs that run without etcd and against both versions:
---
---     eval "$(make -s env)"; LUA_PATH="./?.lua;$LUA_PATH" lua5.4 spec/etcd/record.lua
---
--- writes spec/vectors/etcd-VERSION.json anew, for the etcd that PATH finds.

local clusters = require "spec.etcd.cluster"
local core = require "alicloud.core"
local posix = require "spec.posix"
local scratch = require "spec.scratch"

local b64 = core.base64

local recorded = {}

local function keep(name, exchange)
  assert(not exchange.failure, ("%s: %s"):format(name, exchange.detail))
  recorded[name] = { status = exchange.status, type = exchange.headers["content-type"],
    body = exchange.body }
  return core.decode((exchange.body:match "^[^\n]*"))
end

local function recorder(cluster)
  return function(name, path, body) return keep(name, cluster:ask(1, path, body)) end
end

local function compare(key, revision)
  return { key = b64(key), target = "CREATE", result = "EQUAL", create_revision = revision }
end

local function put(key, value, lease)
  return { request_put = { key = b64(key), value = b64(value), lease = lease } }
end

local function create(key, value, lease)
  return { compare = { compare(key, "0") }, success = { put(key, value, lease) },
    failure = { { request_range = { key = b64(key) } } } }
end

local function keys_and_transactions(ask)
  ask("range, none", "/v3/kv/range", { key = b64 "/a" })
  ask("txn, done", "/v3/kv/txn", create("/a", "one"))
  ask("txn, refused", "/v3/kv/txn", create("/a", "two"))
  ask("txn, refused without a read", "/v3/kv/txn", { compare = { compare("/a", "0") } })
  ask("put, empty value", "/v3/kv/put", { key = b64 "/b", value = "" })
  ask("range, empty value", "/v3/kv/range", { key = b64 "/b" })
  ask("range, more", "/v3/kv/range", { key = b64 "/", range_end = b64 "0", limit = 1 })
  ask("range, all", "/v3/kv/range", { key = b64 "/", range_end = b64 "0" })
  ask("delete in a txn", "/v3/kv/txn", {
    success = { { request_delete_range = { key = b64 "/b" } } } })
  ask("a key twice in a txn", "/v3/kv/txn", { success = { put("/c", "1"), put("/c", "2") } })
  local many = {}
  for i = 1, 129 do many[i] = put("/many/" .. i, "") end
  ask("129 operations", "/v3/kv/txn", { success = many })
  ask("a mistyped enum", "/v3/kv/txn", { compare = { { key = b64 "/a", target = "CREAT" } } })
  ask("a large value", "/v3/kv/put", { key = b64 "/a", value = b64(("x"):rep(1600000)) })
  ask("a larger value", "/v3/kv/put", { key = b64 "/a", value = b64(("x"):rep(2200000)) })
end

local function leases(ask)
  local id = ask("grant", "/v3/lease/grant", { TTL = 60 }).ID
  ask("txn with a lease", "/v3/kv/txn", create("/lock", "mine", id))
  ask("range, with a lease", "/v3/kv/range", { key = b64 "/lock" })
  ask("keepalive", "/v3/lease/keepalive", { ID = id })
  ask("timetolive", "/v3/lease/timetolive", { ID = id })
  ask("grant, exists", "/v3/lease/grant", { TTL = 60, ID = id })
  ask("revoke", "/v3/lease/revoke", { ID = id })
  ask("revoke, gone", "/v3/lease/revoke", { ID = id })
  ask("keepalive, gone", "/v3/lease/keepalive", { ID = id })
  ask("timetolive, gone", "/v3/lease/timetolive", { ID = id })
  ask("txn with a lease that is gone", "/v3/kv/txn", create("/lock", "mine", id))
end

local function one_member()
  local cluster <close> = clusters.start()
  local ask = recorder(cluster)
  keys_and_transactions(ask)
  leases(ask)
  ask("status", "/v3/maintenance/status", {})
  ask("alarms, none", "/v3/maintenance/alarm", { action = "GET" })
  ask("version", "/version")
  ask("GET", "/v3/kv/range")
  ask("unknown path", "/v3/nothing", {})
  ask("authenticate without users", "/v3/auth/authenticate", { name = "x", password = "y" })
end

-- Writes until there is no room.
local function full()
  local cluster <close> = clusters.start { quota = 1024 * 1024 }
  local ask, value = recorder(cluster), b64(("x"):rep(200000))
  for i = 1, 50 do
    local answer = cluster:ask(1, "/v3/kv/put", { key = b64("/" .. i), value = value })
    if answer.status ~= 200 then break end
  end
  ask("NOSPACE, put", "/v3/kv/put", { key = b64 "/a", value = value })
  ask("NOSPACE, txn", "/v3/kv/txn", create("/a", "one"))
  ask("NOSPACE, grant", "/v3/lease/grant", { TTL = 60 })
  ask("NOSPACE, alarms", "/v3/maintenance/alarm", { action = "GET" })
  ask("NOSPACE, health", "/health")
  ask("NOSPACE, range", "/v3/kv/range", { key = b64 "/nothing" })
end

local function no_quorum()
  local cluster <close> = clusters.start { members = 3 }
  local id = assert(core.decode(cluster:ask(1, "/v3/lease/grant", { TTL = 60 }).body)).ID
  cluster:kill(2)
  cluster:kill(3)
  local ask = recorder(cluster)
  -- As long as the member believes in a leader, and when it no longer does.
  for _, when in ipairs { "at first", "later" } do
    ask("no quorum " .. when .. ", put", "/v3/kv/put", { key = b64 "/a", value = "" })
    ask("no quorum " .. when .. ", range", "/v3/kv/range", { key = b64 "/a" })
    ask("no quorum " .. when .. ", keepalive", "/v3/lease/keepalive", { ID = id })
  end
end

-- The test's own client has no header for tokens; curl does not lie in the way.
local function with_token(cluster, token, path, body)
  local path_of_body = scratch.file(core.encode(body))
  local pid, output = posix.spawn { "curl", "-s", "-i", "-H", "Authorization: " .. token, "-d",
    "@" .. path_of_body, cluster.members[1].url .. path }
  local text = output:read "a"
  output:close()
  posix.wait(pid)
  local head, answer = text:match "^(.-)\r\n\r\n(.*)$"
  return { status = math.tointeger(tonumber(head:match "^HTTP/%S+ (%d+)")), body = answer,
    headers = { ["content-type"] = head:match "[Cc]ontent%-[Tt]ype: ([^\r]*)" } }
end

local function users()
  local cluster <close> = clusters.start { auth = true }
  local ask = recorder(cluster)
  local name, password = cluster.user, cluster.password
  local token = ask("authenticate", "/v3/auth/authenticate",
    { name = name, password = password }).token
  ask("authenticate, wrong", "/v3/auth/authenticate", { name = name, password = "no" })
  ask("no token, range", "/v3/kv/range", { key = b64 "/alicloud-dr/a" })
  ask("no token, grant", "/v3/lease/grant", { TTL = 60 })
  local function as(label, value, path, body)
    keep(label, with_token(cluster, value, path, body))
  end
  as("token, range", token, "/v3/kv/range", { key = b64 "/alicloud-dr/a" })
  as("token, alarms", token, "/v3/maintenance/alarm", { action = "GET" })
  as("token, not ours", token, "/v3/kv/range", { key = b64 "/other" })
  as("token, txn not ours", token, "/v3/kv/txn", create("/other", "one"))
  as("a wrong token", "abc.1", "/v3/kv/range", { key = b64 "/alicloud-dr/a" })
  as("a wrong token, grant", "abc.1", "/v3/lease/grant", { TTL = 60 })
  cluster:ctl("role", "add", "others")
  as("an old token", token, "/v3/kv/range", { key = b64 "/alicloud-dr/a" })
end

local function names_in_certificates()
  local cluster <close> = clusters.start { tls = "client", auth = true }
  cluster.certificates.client = cluster.certificates.named
  recorder(cluster)("a certificate with a CN", "/v3/auth/authenticate",
    { name = cluster.user, password = cluster.password })
end

one_member()
full()
no_quorum()
users()
names_in_certificates()

local version = recorded.version.body:match '"etcdserver":"(%d+%.%d+)'
local names = {}
for name in pairs(recorded) do names[#names + 1] = name end
table.sort(names)
local lines = {}
for i, name in ipairs(names) do
  lines[i] = ("%s: %s"):format(core.encode(name), core.encode(recorded[name]))
end
local path = ("spec/vectors/etcd-%s.json"):format(version)
scratch.write(path, "{\n" .. table.concat(lines, ",\n") .. "\n}\n")
print(("%s: %d answers"):format(path, #names))
