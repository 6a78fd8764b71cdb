-- Many groups failed over by one process under the rate of calls: fleet.lua GROUPS PARALLEL PAIRS
-- [dark]. The ready playbook over an emulator in the same process, on its virtual clock, with its
-- journal in a file, its steps and its locks; dark: the primary site answers nothing. Prints the
-- seconds that it took over those in which the limit lets the failover calls pass and the last one
-- ends, the seconds themselves, the most MiB that this process had, the emulator's included, the
-- calls of a group, and the CPU milliseconds of a group.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local ready = require "alicloud.playbooks"
local scratch = require "spec.scratch"

local count = math.tointeger(tonumber(arg[1] or "1000"))
local parallel, size = arg[2] or "200", math.tointeger(tonumber(arg[3] or "3"))
local is_dark = arg[4] == "dark"
-- Of 40 calls a second of one action a quarter is left to people.
local ACTION = 30
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
  groups[i] = { id = ("pg-%04d"):format(i), pairs = size, status = "normal", recover_point_age = 60,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = SECONDS }
end
local emu = emulator.new { wire = false,
  world = { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups } }
if is_dark then assert(emu:region("cn-hangzhou", "down")) end
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
local began, cpu = emu.runtime.time(), os.clock()
local result = assert(dr.run(assert(ready.load("fleet", read_file)), {
  client = client, journal = journal, params = { groups = "all", region = "cn-shanghai",
    parallel = parallel, max_groups = count, canary = 0 } }))
local took = emu.runtime.time() - began
cpu = (os.clock() - cpu) / count * 1000
assert(result.status == "completed" and #emu:ledger() == count)
local total = 0
for _, n in pairs(calls) do total = total + n end
print(("%.3f %.0f %.1f %.2f %.2f"):format(took / ((count - 1) / ACTION + SECONDS), took, resident(),
  total / count, cpu))
