-- Our side of the benchmark; prints what the same mode of floor.c prints.
--   lua5.4 ours.lua MODE URL COUNT [WIDTH]   (BENCH_CA_PATH or BENCH_CA_FILE: trust for https)

local core = require "alicloud.core"

local mode, url, count, width = table.unpack(arg)
count, width = math.tointeger(tonumber(count)), math.tointeger(tonumber(width or "1"))

-- Never in the way, but paid for.
local RATE = { region = 1e5, actions = {
  DescribeRegions = 1e5, DescribeDiskReplicaGroups = 1e5, FailoverDiskReplicaGroup = 1e5,
} }

local function new_client()
  return require "alicloud".client {
    region = "cn-shanghai", endpoint = url, access_key_id = "emulator",
    access_key_secret = "emulator-secret", rate = RATE,
    ca_path = os.getenv "BENCH_CA_PATH", ca_file = os.getenv "BENCH_CA_FILE",
  }
end

local function usage()
  return require "spec.posix".usage()
end

local function one_after_the_other(action)
  local client = new_client()
  local start
  for i = 1, count + 50 do
    if i == 51 then start = usage() end
    assert(client:call(action, {}))
  end
  print(("%.2f"):format((usage() - start) / count * 1e6))
end

-- Runs `work(client)` COUNT times, WIDTH at a time.
local function at_a_time(client, times, work)
  local left, tasks = times, {}
  for i = 1, math.min(width, times) do
    tasks[i] = client.loop.spawn(function()
      while left > 0 do
        left = left - 1
        work(client)
      end
    end)
  end
  for _, task in ipairs(tasks) do task:result() end
end

local function many(warm, work)
  local client = new_client()
  if warm > 0 then at_a_time(client, warm, work) end
  local cpu, wall = usage(), core.monotonic()
  at_a_time(client, count, work)
  print(("%.2f %.4f"):format((usage() - cpu) / count * 1e6, core.monotonic() - wall))
end

local function read(client)
  assert(client:call("DescribeRegions", {}))
end

local function fail_over(client)
  assert(client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-0123456789abcdef" }))
  for _ = 1, 3 do
    assert(client:call("DescribeDiskReplicaGroups", { GroupIds = "pg-0123456789abcdef" }))
  end
end

local function sign()
  local secret = core.secret "emulator-secret"
  local signer = core.signer {
    method = "POST", scheme = "https", host = "ebs.cn-shanghai.aliyuncs.com", path = "/",
    action = "FailoverDiskReplicaGroup", version = "2021-07-30",
  }
  local start = usage()
  for i = 1, count do
    local signed <close> = signer({ ReplicaGroupId = "pg-0123456789abcdef",
      RegionId = "cn-shanghai", ClientToken = "0123456789abcdef0123456789abcdef" }, nil, 1767323045,
      ("0123456789abcdef%016x"):format(i), "emulator", secret)
    assert(signed.authorization)
  end
  print(("%.3f"):format((usage() - start) / count * 1e6))
end

local function decode(decoder)
  local text = require "spec.bench.server".page()
  for _ = 1, 10 do decoder(text) end
  local start = usage()
  for _ = 1, count do decoder(text) end
  print(("%.2f"):format((usage() - start) / count * 1e6))
end

local modes = {
  call = function() one_after_the_other "DescribeRegions" end,
  page = function() one_after_the_other "DescribeDiskReplicaGroups" end,
  flight = function() many(width * 2, read) end,
  storm = function() many(width, fail_over) end,
  fan = function() count = width; many(0, read) end,
  once = function()
    local client = new_client()
    for _ = 1, count do read(client) end
  end,
  plan = function()
    local client = new_client()
    for _ = 1, count do assert(client:validate("DescribeRegions", {})) end
  end,
  sign = sign,
  decode = function() decode(core.decode) end,
  ["lua-cjson"] = function() decode(require "cjson".decode) end,
  require = function() require "alicloud" end,
  -- Bytes that COUNT calls in flight hold, each; they wait for a server that takes 5 ms.
  memory = function()
    width = count
    local client = new_client()
    at_a_time(client, count, read)
    collectgarbage()
    local before = select(2, usage())
    local lua_before, peak = collectgarbage "count", 0
    at_a_time(client, count, function()
      read(client)
      peak = math.max(peak, collectgarbage "count")
    end)
    print(("%.0f %.0f"):format((peak - lua_before) * 1024 / count,
      (select(2, usage()) - before) / count))
  end,
}

modes[mode]()
