-- Many groups failed over by one process under the rate of calls: fleet.lua GROUPS PARALLEL PAIRS
-- [dark]. The ready playbook over an emulator in the same process, on its virtual clock, with its
-- journal in a file, its steps and its locks; dark: the primary site answers nothing. Prints the
-- seconds that it took over those in which the limit lets the failover calls pass and the last one
-- ends, the seconds themselves, the most MiB that this process had, the emulator's included, the
-- calls of a group, and the CPU milliseconds of a group.

local emulator = require "alicloud.emulator"
local many = require "spec.bench.many"

local count = math.tointeger(tonumber(arg[1] or "1000"))
local parallel, size = arg[2] or "200", math.tointeger(tonumber(arg[3] or "3"))

local emu = emulator.new { wire = false, world = many.world(count, size, "pg-") }
if arg[4] == "dark" then assert(emu:region("cn-hangzhou", "down")) end
local calls = 0
local client = many.client(emu, emu.runtime, { send = emu.transport.send,
  perform = function(request)
    calls = calls + 1
    return emu.transport.perform(request)
  end })
local began, cpu = emu.runtime.time(), os.clock()
many.move(client, count, parallel)
local took = emu.runtime.time() - began
cpu = os.clock() - cpu
assert(#emu:ledger() == count)
print(("%.3f %.0f %.1f %.2f %.2f"):format(took / many.bound(count), took, many.resident(),
  calls / count, cpu / count * 1000))
