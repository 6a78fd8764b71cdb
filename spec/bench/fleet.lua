-- Many groups failed over by one process under the rate of calls: fleet.lua GROUPS PARALLEL. The
-- ready playbook over an emulator in the same process, on its virtual clock, with its journal in a
-- file. Prints the seconds that it took over those in which the limit lets the same calls pass and
-- one group after the other of those at a time is waited for, the seconds themselves, the most MiB
-- that this process had, the emulator's included, and the calls of a group.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local ready = require "alicloud.playbooks"
local scratch = require "spec.scratch"

local count = math.tointeger(tonumber(arg[1] or "1000"))
local parallel = arg[2] or "400"
-- Of 40 calls a second of one action and 80 of a region a quarter is left to people.
local ACTION, REGION = 30, 60
local SECONDS = 52

local function read_file(path)
  local file <close>, message = io.open(path, "rb")
  if not file then return nil, message end
  return file:read "a"
end

local function resident()
  return tonumber(read_file("/proc/self/status"):match("VmHWM:%s+(%d+)")) / 1024
end

local groups = {}
for i = 1, count do
  groups[i] = { id = ("pg-%04d"):format(i), pairs = 1, status = "normal", recover_point_age = 60,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = SECONDS }
end
local emu = emulator.new { wire = false,
  world = { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups } }
local calls = {}
local transport = { send = emu.transport.send, perform = function(request)
  calls[request.action] = (calls[request.action] or 0) + 1
  return emu.transport.perform(request)
end }
local client = alicloud.client {
  region = "cn-shanghai", transport = transport, runtime = emu.runtime,
  access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
}
local journal = scratch.directory() .. "/fleet.jsonl"
local began = emu.runtime.time()
local result = assert(dr.run(assert(ready.load("fleet", read_file)), {
  client = client, journal = journal, params = { groups = "all", region = "cn-shanghai",
    parallel = parallel, max_groups = count, canary = 0 } }))
local took = emu.runtime.time() - began
assert(result.status == "completed" and #emu:ledger() == count)
local most, total = 0, 0
for _, n in pairs(calls) do most, total = math.max(most, n), total + n end
local allowed = math.max(most / ACTION, total / REGION)
local waiting = math.ceil(count / tonumber(parallel)) * SECONDS
print(("%.3f %.0f %.1f %.2f"):format(took / (allowed + waiting), took, resident(), total / count))
