-- Whole rehearsals per second of one core, in one process: rehearsed.lua SECONDS RUNS MOUNT. A run
-- is a world put back to its start, the pre-check, a failover of SECONDS and the wait for every
-- pair, on the virtual clock. MOUNT is "wire" (every request is signed, encoded, verified and
-- parsed) or "values" (it is handed over as a table).

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local posix = require "spec.posix"

local seconds = tonumber(arg[1] or "52")
local runs = math.tointeger(tonumber(arg[2] or "500"))
local mount = arg[3] or "wire"

local emu = emulator.new {
  wire = mount == "wire",
  world = { groups = { { id = "pg-orders", pairs = 3, status = "normal", failover_seconds = seconds,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" } } },
}
local client = alicloud.client {
  region = "cn-shanghai", transport = emu.transport, runtime = emu.runtime,
  access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
}
local group = dr.group(client, "pg-orders")

local function rehearse()
  emu:reset()
  local result = assert(group:failover { max_rpo = "20m" })
  assert(result.outcome == "failovered" and #emu:ledger() == 1)
end

for _ = 1, runs // 10 do rehearse() end
local start = posix.usage()
for _ = 1, runs do rehearse() end
print(("%.0f"):format(runs / (posix.usage() - start)))
