-- CPU microseconds of the emulator, the kernel's part included, for a FailoverDiskReplicaGroup that
-- came over HTTP with a signature to verify: emulated.lua REQUESTS CONNECTIONS. Each has a
-- ClientToken, a nonce and an effect of its own, on one of twenty groups of three pairs, which fail
-- over again and again. They are signed beforehand and sent by another process, whose time does not
-- count: on each connection one at a time, the next when the answer has come.

local core = require "alicloud.core"
local emulator = require "alicloud.emulator"
local posix = require "spec.posix"
local server = require "alicloud.emulator.server"
local socket = require "socket"

local count = math.tointeger(tonumber(arg[1] or "2000"))
local connections = math.tointeger(tonumber(arg[2] or "1"))
local warm = count // 10
local GROUPS = 20

local function world()
  local groups = {}
  for number = 1, GROUPS do
    groups[number] = { id = "pg-" .. number, pairs = 3, failover_seconds = 0,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" }
  end
  return { groups = groups }
end

local emu = emulator.new { now = core.time(), world = world(),
  assume = { repeat_failover = "restart" } }
local listening = assert(server.start(emu))

local function request(number)
  local signed = core.sign {
    algorithm = "ACS3-HMAC-SHA256", method = "POST", scheme = "http",
    host = "127.0.0.1:" .. listening.port, path = "/", version = "2021-07-30",
    action = "FailoverDiskReplicaGroup", date = core.iso8601(core.time() // 1 | 0),
    nonce = core.random_hex(16), access_key_id = emu.access_key_id,
    access_key_secret = emu.access_key_secret,
    headers = { accept = "application/json", ["user-agent"] = "bench" },
    query = { RegionId = "cn-shanghai", ReplicaGroupId = "pg-" .. number % GROUPS + 1,
      ClientToken = ("bench-%d"):format(number) },
  }
  local lines = { ("POST %s HTTP/1.1"):format(signed.url:match("^%a+://[^/]+(.*)$")) }
  for name, value in pairs(signed.headers) do lines[#lines + 1] = name .. ": " .. value end
  lines[#lines + 1] = "content-length: 0\r\n\r\n"
  return table.concat(lines, "\r\n")
end

local function read_answer(connection)
  local length
  repeat
    local line = assert(connection:receive "*l")
    length = tonumber(line:lower():match("^content%-length: (%d+)")) or length
  until line == ""
  connection:receive(length)
end

local function sign_and_send()
  local requests = {}
  for number = 1, warm + count do requests[number] = request(number) end
  local open = {}
  for number = 1, connections do
    open[number] = assert(socket.connect("127.0.0.1", listening.port))
    open[number]:setoption("tcp-nodelay", true)
  end
  for first = 1, #requests, connections do
    local last = math.min(first + connections - 1, #requests)
    for number = first, last do open[number - first + 1]:send(requests[number]) end
    for number = first, last do read_answer(open[number - first + 1]) end
  end
end

local function serve_until(total)
  while emu.request_log.total < total do listening:step(1) end
end

local client = posix.fork()
if client == 0 then
  sign_and_send()
  posix.exit(0)
end
serve_until(warm)
local start = posix.usage()
serve_until(warm + count)
local spent = posix.usage() - start
assert(#emu:ledger() == warm + count, "not every request had its effect")
print(("%.2f"):format(spent / count * 1e6))
posix.kill(client, "TERM")
posix.wait(client)
