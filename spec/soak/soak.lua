-- A long life in one process: `soak.lua CALLS`. Reads one after the other and many at a time, over
-- plain HTTP and TLS, changes on fresh connections, refused connections, calls that are cancelled,
-- clients that are closed with calls in flight, sessions that are renewed. After a warm-up neither
-- memory nor descriptors grow. Needs nginx; reports "soak: N passed, N failed".

local alicloud = require "alicloud"
local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local growth = require "spec.soak.growth"
local scratch = require "spec.scratch"
local server = require "spec.bench.server"
local socket = require "socket"

local CALLS = math.tointeger(tonumber(arg[1] or "1000000"))
local SAMPLES = 20
local HOUR = 3600

local at = server.start {}
-- Bound and not listening: nobody else gets the port, and who connects is refused.
local deaf = assert(socket.tcp())
assert(deaf:bind("127.0.0.1", 0))
local closed = ("http://127.0.0.1:%d"):format(select(2, deaf:getsockname()))
scratch.write(at.dir .. "/keys.json", core.encode { Code = "Success", AccessKeyId = "STS.soak",
  AccessKeySecret = "soak-secret", SecurityToken = "token",
  Expiration = core.iso8601(core.time() + 24 * HOUR) })

-- Time goes on by a day whenever a renewal is due.
local ahead, renewals = 0, 0
local runtime = {
  monotonic = function() return core.monotonic() + ahead end,
}

local function new_client(url, more)
  local given = { region = "cn-shanghai", endpoint = url, rate = false, runtime = runtime,
    ca_file = at.ca_file, retries = 0,
    credentials = credentials.uri { uri = at.page .. "/keys.json" } }
  for name, value in pairs(more or {}) do given[name] = value end
  return alicloud.client(given)
end

local plain, secure, pages = new_client(at.url), new_client(at.tls), new_client(at.page)
local refused = new_client(closed)
local GROUP = { ReplicaGroupId = "pg-0123456789abcdef" }
local made = 0

local function counted(n, result, err)
  made = made + n
  if result == nil and err then error(tostring(err), 0) end
end

local function at_a_time(client, width, times)
  local operations = {}
  for _ = 1, times do
    for i = 1, width do operations[i] = client:start("DescribeRegions", {}) end
    for i = 1, width do counted(1, operations[i]:result()) end
  end
end

-- One of each kind that is rare, and what must come of it.
local function rare()
  local _, err = refused:call("DescribeRegions", {})
  assert(err.outcome == "not_sent" and err.kind == "network", err)
  local operation = plain:start("FailoverDiskReplicaGroup", GROUP)
  operation:wait(0)
  operation:cancel()
  operation:result()
  local short = new_client(at.tls)
  assert(short:call("DescribeRegions", {}))
  short:start("DescribeRegions", {}):wait(0)
  short:close()
  made = made + 4
end

local function round()
  for _ = 1, 500 do counted(1, plain:call("DescribeRegions", {})) end
  for _ = 1, 100 do counted(1, secure:call("DescribeDiskReplicaGroups", {})) end
  at_a_time(plain, 16, 12)
  at_a_time(secure, 32, 4)
  for _ = 1, 20 do counted(1, pages:call("DescribeDiskReplicaGroups", {})) end
  for _ = 1, 25 do counted(1, plain:call("FailoverDiskReplicaGroup", GROUP)) end
  for _ = 1, 5 do rare() end
  ahead, renewals = ahead + 25 * HOUR, renewals + 1
end

local samples = {}
local began = core.monotonic()
for i = 1, SAMPLES do
  repeat round() until made >= CALLS * i // SAMPLES
  growth.sample(samples, made)
end
print(("%d calls, %d renewals, %.0f s"):format(made, renewals, core.monotonic() - began))
at.stop()

-- A tenth is the warm-up; what is held later is measured against it.
local passed, failed = growth.judge(samples, SAMPLES // 10)
print(("soak: %d passed, %d failed"):format(passed, failed))
os.exit(failed == 0, true)
