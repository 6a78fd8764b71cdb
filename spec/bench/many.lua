--- What the benchmarks of fleets have in common: groups that wait for a failover, a client of their
--- emulator, and the ready playbook that opens them all.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local ready = require "alicloud.playbooks"
local scratch = require "spec.scratch"

-- As in the command.
collectgarbage("incremental", 150, 200)

local M = {}

local SOURCE, DESTINATION = "cn-hangzhou", "cn-shanghai"
-- Of 40 calls a second of one action a quarter is left to people.
local RATE = 30
local FAILOVER_SECONDS = 52

local function read_file(path)
  local file <close>, message = io.open(path, "rb")
  if not file then return nil, message end
  return file:read "a"
end

--- The most MiB that this process had.
---@return number
function M.resident()
  return tonumber(read_file("/proc/self/status"):match("VmHWM:%s+(%d+)")) / 1024
end

--- A world of so many groups.
---@param count integer
---@param pairs_each integer
---@param prefix string of their ids
---@return table
function M.world(count, pairs_each, prefix)
  local groups = {}
  for i = 1, count do
    groups[i] = { id = ("%s%04d"):format(prefix, i), pairs = pairs_each, status = "normal",
      recover_point_age = 60, failover_seconds = FAILOVER_SECONDS,
      source = SOURCE .. "/cn-hangzhou-g", destination = DESTINATION .. "/cn-shanghai-b" }
  end
  return { regions = { SOURCE, DESTINATION }, groups = groups }
end

--- A client of an emulator.
---@param emu alicloud.emulator.Emulator
---@param runtime table whose clock it goes by
---@param transport? table (the emulator's)
---@return alicloud.Client
function M.client(emu, runtime, transport)
  return alicloud.client { region = DESTINATION, transport = transport or emu.transport,
    runtime = runtime, access_key_id = emu.access_key_id,
    access_key_secret = emu.access_key_secret }
end

--- Opens all groups of a client, with a journal in a file.
---@param client alicloud.Client
---@param count integer of groups
---@param parallel string
function M.move(client, count, parallel)
  local result = assert(dr.run(assert(ready.load("fleet", read_file)), { client = client,
    journal = scratch.directory() .. "/fleet.jsonl", params = { groups = "all",
      region = DESTINATION, parallel = parallel, max_groups = count, canary = 0 } }))
  assert(result.status == "completed")
end

--- The seconds in which the limit lets so many failover calls pass, and the last one ends.
---@param count integer
---@return number
function M.bound(count) return (count - 1) / RATE + FAILOVER_SECONDS end

return M
