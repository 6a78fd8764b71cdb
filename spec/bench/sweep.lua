-- What it costs to look at many groups: sweep.lua MODE GROUPS [WORDS...]. The modes: `list` reads
-- the status of every group, 100 to a page; `groups` is dr.groups, with the pairs of each;
-- `readiness` and `precheck` judge each; `alone` is dr.group(...):observe() for each. Without a
-- limit of the rate, so that only the work counts; the emulator sits behind a socket in a process
-- of its own, which is this file as `serve` and is started with WORDS before its command. Prints
-- the CPU microseconds for a group, the MB that the process had at most, all groups in hand, the
-- seconds of one sweep, and the calls of a group.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local posix = require "spec.posix"

local REGION = "cn-shanghai"
local PAGE, PAIRS = 100, 3
-- Few groups are read often, so that there is something to measure.
local ENOUGH = { list = 10000, groups = 2000, readiness = 200, precheck = 2000,
  alone = 200 }

local function serve(count)
  local emulator, server = require "alicloud.emulator", require "alicloud.emulator.server"
  local groups = {}
  for i = 1, count do
    groups[i] = { id = ("pg-%05d"):format(i), pairs = PAIRS, status = "normal",
      recover_point_age = 60, source = "cn-hangzhou/cn-hangzhou-g",
      destination = "cn-shanghai/cn-shanghai-b" }
  end
  local emu = emulator.new { now = core.time(),
    world = { regions = { "cn-hangzhou", REGION }, groups = groups } }
  local listening = assert(server.start(emu))
  print(listening.url, emu.access_key_id, emu.access_key_secret)
  io.stdout:flush()
  while true do listening:step(1) end
end

local sweeps = {}

function sweeps.list(client)
  local groups = {}
  for group in client:service "ebs":each("DescribeDiskReplicaGroups",
    { Site = "backup", MaxResults = PAGE }) do
    groups[#groups + 1] = { group_id = group.ReplicaGroupId, status = group.Status }
  end
  return groups
end

function sweeps.groups(client) return assert(dr.groups(client)) end

local function every_group(client)
  local groups = assert(dr.group_ids(client, { site = "backup" }))
  for i, id in ipairs(groups) do groups[i] = dr.group(client, id) end
  return groups
end

function sweeps.readiness(client)
  local lines = dr.readiness(every_group(client)).lines
  for i, line in ipairs(lines) do lines[i] = line.snapshot end
  return lines
end

function sweeps.precheck(client)
  local lines = dr.precheck(every_group(client)).lines
  for i, line in ipairs(lines) do lines[i] = line.report.snapshot end
  return lines
end

function sweeps.alone(client)
  local groups = every_group(client)
  for i, group in ipairs(groups) do groups[i] = assert(group:observe()) end
  return groups
end

local function measure(mode, count, client)
  local sweep, times = sweeps[mode], math.max(1, ENOUGH[mode] // count)
  assert(#sweep(client) == count)
  local cpu, wall, groups = posix.usage(), core.monotonic(), nil
  local calls = client:stats().requests
  for _ = 1, times do groups = sweep(client) end
  cpu, wall = posix.usage() - cpu, core.monotonic() - wall
  calls = client:stats().requests - calls
  assert(#groups == count and groups[count].status == "normal")
  print(("%.2f %.1f %.3f %.4f"):format(cpu / times / count * 1e6,
    select(2, posix.usage()) / 1024 / 1024, wall / times, calls / times / count))
end

local mode, count = arg[1], math.tointeger(tonumber(arg[2]))
if mode == "serve" then return serve(count) end

local words = { table.unpack(arg, 3) }
local pid, output = posix.spawn(table.move({ arg[-1], arg[0], "serve", arg[2] }, 1, 4, #words + 1,
  words))
local ok, problem = pcall(function()
  local url, id, secret = output:read("l"):match("(%S+)%s+(%S+)%s+(%S+)")
  measure(mode, count, alicloud.client { region = REGION, endpoint = url, rate = false,
    access_key_id = id, access_key_secret = secret })
end)
posix.kill(pid, "KILL")
posix.wait(pid)
output:close()
assert(ok, problem)
