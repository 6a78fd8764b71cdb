--- etcd as processes of a spec: one member or three on loopback, with a directory, ports and a
--- cluster token of their own. They end with the spec, whatever becomes of it. Debian's packages
--- etcd-server and etcd-client bring the programs, 3.4 or 3.5.

local core = require "alicloud.core"
local members = require "spec.etcd.member"
local posix = require "spec.posix"
local scratch = require "spec.scratch"
local socket = require "socket"
local tls = require "spec.server.tls"
local transport = require "alicloud.transport"

local M = {}

local TRIES = 5

-- Seconds until a cluster has a leader and answers; on a busy machine that takes some of them.
local PATIENCE = 60

---@class spec.ClusterOptions
---@field members? integer  1 unless given; 3
---@field tls? true|"client"  https; "client": only with a certificate of `cluster.certificates`
---@field auth? boolean  users and passwords
---@field quota? integer  bytes of the database, after which writes are refused
---@field flags? string[]  further ones of etcd: { "--auth-token-ttl=3" }
---@field hosts? { host: string, enter: string[] }[]  of spec.etcd.network, one a member
---@field directory? string  where the first member has its data

---@class spec.Cluster
---@field address string  "http://127.0.0.1:p1,127.0.0.1:p2": one scheme, all members
---@field members spec.EtcdMember[]
---@field certificates? table<string, string>  PEM files with their keys: `ca`, `server`, `client`
---(without a CN) and `named` (with one)
---@field user? string  who may read and write below /alicloud-dr/, and nothing else
---@field password? string
---@field root_password? string  of the user root
local Cluster = {}
Cluster.__index = Cluster

--- Why there can be none here.
---@param options? spec.ClusterOptions
---@return string|nil
function M.missing(options)
  for _, program in ipairs { "etcd", "etcdctl" } do
    if not os.execute("command -v " .. program .. " >/dev/null") then
      return "needs " .. program
    end
  end
  -- Go asks the kernel for the date: to etcd such certificates are of the future.
  if options and options.tls and os.getenv "FAKETIME" then return "needs the date of the kernel" end
end

-- Below those that systems give to outgoing connections: one of these could have a member's port
-- when that is to start again.
local LOWEST, HIGHEST = 15000, 31999

-- A socket that listens on a port by chance.
local function listener_by_chance()
  while true do
    local port = LOWEST + tonumber(core.random_hex(4), 16) % (HIGHEST - LOWEST)
    local listener = socket.bind("127.0.0.1", port)
    if listener then return listener, port end
  end
end

-- Ports on which nothing listens, all different.
local function free_ports(count)
  local listeners, ports = {}, {}
  for i = 1, count do listeners[i], ports[i] = listener_by_chance() end
  for _, listener in ipairs(listeners) do listener:close() end
  return ports
end

local function certificates()
  local directory = scratch.directory()
  local authority = tls.authority(directory, "etcd")
  return {
    ca = authority.file,
    -- The gateway of a member dials that member with the certificate of the server.
    server = authority:issue("server", { san = "IP:127.0.0.1", usage = "serverAuth,clientAuth" }),
    client = authority:issue("client", { subject = "/O=operators", usage = "clientAuth" }),
    named = authority:issue("named", { subject = "/CN=ops", usage = "clientAuth" }),
  }
end

local function flags_of(options, certs)
  local flags = table.move(options.flags or {}, 1, #(options.flags or {}), 1, {})
  if options.quota then flags[#flags + 1] = "--quota-backend-bytes=" .. options.quota end
  if certs then
    flags[#flags + 1] = "--cert-file=" .. certs.server
    flags[#flags + 1] = "--key-file=" .. certs.server
  end
  if options.tls == "client" then
    flags[#flags + 1] = "--client-cert-auth"
    flags[#flags + 1] = "--trusted-ca-file=" .. certs.ca
  end
  return flags
end

-- Members that know of each other, none started.
local function planned(options, certs)
  local count = options.members or 1
  local ports = free_ports(2 * count)
  local peers, list = {}, {}
  local hosts = options.hosts or {}
  local function host_of(i) return hosts[i] and hosts[i].host or "127.0.0.1" end
  for i = 1, count do peers[i] = ("m%d=http://%s:%d"):format(i, host_of(i), ports[count + i]) end
  local token = core.random_hex(8)
  for i = 1, count do
    list[i] = members.new {
      name = "m" .. i, port = ports[i], peer_port = ports[count + i],
      peers = table.concat(peers, ","), token = token, scheme = certs and "https" or "http",
      flags = flags_of(options, certs), host = host_of(i), enter = hosts[i] and hosts[i].enter,
      directory = i == 1 and options.directory or nil,
    }
  end
  return list
end

--- Asks one member over HTTP. A spec that has its own client for etcd trusts that, not this.
---@param i integer
---@param path string  "/v3/kv/range"
---@param body? table  none: GET
---@return table exchange  as the transport gives it
function Cluster:ask(i, path, body)
  local certs = self.certificates
  local client <close> = transport.new { ca_file = certs and certs.ca,
    client_cert = certs and certs.client }
  local op = client:submit { method = body and "POST" or "GET", url = self.members[i].url .. path,
    body = body and core.encode(body), timeout = 10, mutating = false, plain_http = true }
  while not op:done() do
    core.poll(client:pollfd(), "r", math.min(client:timeout() or 0.2, 0.2))
    client:step()
  end
  return op:result()
end

--- Waits until every member that runs answers; what needs a leader is asked, so there is one.
---@return boolean ok  false if one of them has ended
function Cluster:wait()
  local limit = core.monotonic() + PATIENCE
  for i, member in ipairs(self.members) do
    while member.pid and not member.stopped do
      local answer = self:ask(i, "/health")
      -- What answers may be another cluster's member that has got the port.
      if member:ended() then return false end
      if answer.status == 200 then break end
      if core.monotonic() > limit then error("etcd is not ready\n" .. member:log(), 2) end
      core.poll(nil, "r", 0.02)
    end
  end
  return true
end

--- Runs etcdctl at the members that run, as root where there are users.
---@param ... string  its arguments
---@return string output
function Cluster:ctl(...)
  local running = {}
  for _, member in ipairs(self.members) do
    if member.pid and not member.stopped then
      running[#running + 1] = member.url:gsub("^%a+://", "")
    end
  end
  return self:ctl_at({ "--endpoints=" .. table.concat(running, ",") }, ...)
end

--- The same with some options before the arguments.
---@param options string[]
---@param ... string
---@return string output
function Cluster:ctl_at(options, ...)
  local words = { "env", "-i", "PATH=" .. os.getenv "PATH", "ETCDCTL_API=3", "etcdctl",
    "--dial-timeout=20s", "--command-timeout=30s", table.unpack(options) }
  if self.certificates then
    words[#words + 1] = "--cacert=" .. self.certificates.ca
    words[#words + 1] = "--cert=" .. self.certificates.client
    words[#words + 1] = "--key=" .. self.certificates.client
  end
  if self.root_password then words[#words + 1] = "--user=root:" .. self.root_password end
  table.move({ ... }, 1, select("#", ...), #words + 1, words)
  local pid, output = posix.spawn(words)
  local text = output:read "a"
  output:close()
  local how, code = posix.wait(pid)
  if how ~= "exit" or code ~= 0 then error(table.concat(words, " ") .. "\n" .. text, 2) end
  return text
end

-- The user root, and one with a role for our keys alone.
local function add_users(cluster)
  local user, password = "controller", core.random_hex(8)
  local root_password = core.random_hex(8)
  cluster:ctl("user", "add", "root:" .. root_password)
  cluster:ctl("user", "grant-role", "root", "root")
  cluster:ctl("role", "add", "controllers")
  cluster:ctl("role", "grant-permission", "controllers", "readwrite", "--prefix=true",
    "/alicloud-dr/")
  cluster:ctl("user", "add", user .. ":" .. password)
  cluster:ctl("user", "grant-role", user, "controllers")
  cluster:ctl("auth", "enable")
  cluster.user, cluster.password, cluster.root_password = user, password, root_password
end

local function find_leader(cluster)
  for i, member in ipairs(cluster.members) do
    local answer = member.pid and not member.stopped
      and cluster:ask(i, "/v3/maintenance/status", {})
    if answer and answer.status == 200 then
      local status = assert(core.decode(answer.body))
      if status.leader == status.header.member_id then return i end
    end
  end
end

--- Which member leads. On a busy machine an election may be under way, which is waited for.
---@return integer|nil i
function Cluster:leader()
  local limit = core.monotonic() + PATIENCE
  repeat
    local found = find_leader(self)
    if found then return found end
    core.poll(nil, "r", 0.05)
  until core.monotonic() > limit
end

--- Ends a member as a power failure does; its data stay.
---@param i integer
function Cluster:kill(i) self.members[i]:kill() end

--- Lets a member stand still, as a machine does that hangs.
---@param i integer
function Cluster:stop(i) self.members[i]:signal("STOP", true) end

--- Lets it go on.
---@param i integer
function Cluster:continue(i) self.members[i]:signal("CONT", false) end

--- Starts a member that was killed, and waits until it answers.
---@param i integer
function Cluster:restart(i)
  self.members[i]:start()
  assert(self:wait(), self.members[i]:log())
end

--- Saves what the first member has.
---@return string path
function Cluster:snapshot()
  local path = scratch.path(".db")
  local endpoint = self.members[1].url:gsub("^%a+://", "")
  self:ctl_at({ "--endpoints=" .. endpoint }, "snapshot", "save", path)
  return path
end

--- Puts a snapshot back as operators do: all members end, and begin anew with what was saved.
---@param path string
function Cluster:restore(path)
  for _, member in ipairs(self.members) do member:kill() end
  for _, member in ipairs(self.members) do member:restore(path) end
  for _, member in ipairs(self.members) do member:start() end
  assert(self:wait(), self.members[1]:log())
end

function Cluster:close()
  for _, member in ipairs(self.members) do member:kill() end
end

Cluster.__close = Cluster.close
Cluster.__gc = Cluster.close

local function try(options, certs)
  local cluster = setmetatable({ certificates = certs, members = planned(options, certs) }, Cluster)
  local hosts = {}
  for i, member in ipairs(cluster.members) do
    hosts[i] = member.url:match "//(.*)$"
    member:start()
  end
  cluster.address = (certs and "https://" or "http://") .. table.concat(hosts, ",")
  if cluster:wait() then return cluster end
  local log = cluster.members[1]:log()
  cluster:close()
  return nil, log
end

--- Starts a cluster and returns when it has a leader.
---@param options? spec.ClusterOptions
---@return spec.Cluster
function M.start(options)
  options = options or {}
  local certs = options.tls and certificates()
  local why
  -- Who else finds a free port before a member does makes the next try.
  for _ = 1, TRIES do
    local cluster
    cluster, why = try(options, certs or nil)
    if cluster then
      if options.auth then add_users(cluster) end
      return cluster
    end
  end
  error("etcd: " .. why, 2)
end

return M
