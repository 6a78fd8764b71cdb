-- What each thread of host.c does in its own state. Region, endpoint and keys come from the
-- environment.

local alicloud = require "alicloud"

local client = alicloud.client {}
local M = {}

--- Several calls at a time, one after the other, and one that is left in flight.
function M.calls()
  local operations = {}
  for i = 1, 4 do operations[i] = client:start("DescribeDiskReplicaGroups", {}) end
  for _, operation in ipairs(operations) do assert(operation:result()) end
  assert(client:call("DescribeDiskReplicaPairs", { Site = "backup" }))
  local _, err = client:call("StartDiskReplicaPair", { ReplicaPairId = "pair-nowhere" })
  assert(err.kind == "api" and err.outcome == "rejected", err)
  client:start("DescribeDiskReplicaGroups", {}):wait(0)
end

--- Takes more than the state may have.
function M.eats()
  local text = ("x"):rep(1024)
  while true do text = text .. text end
end

return M
