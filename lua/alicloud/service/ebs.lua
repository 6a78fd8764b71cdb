--- Elastic Block Storage, version 2021-07-30, as data: all thirty-three operations of asynchronous
--- replication and what belongs to it. The client checks requests by it, the pager and the waiters
--- use it, and it explains errors to the operator.
--
-- The field `region` of an operation says which region its RegionId must be: that of the primary
-- disks (source), of the secondary disks as they are now (destination), of the group (group), of
-- the tagged resource (resource), or of any side (either).
-- Sources: the vendor's page of FailoverDiskReplicaGroup (2024-07-19) for its thirteen errors, the
-- published API metadata of the product (2024-07-30, 2026-04) for everything else; what is inferred
-- is marked so.

local lazy = require "alicloud.base.lazy"

local FAMILIES = { "regions", "pairs", "groups", "membership", "drills", "tags" }

local ARN = "acs:ebs:{regionId}:{accountId}:"

local operations = {}
for _, family in ipairs(FAMILIES) do
  for name, operation in pairs(require("alicloud.service.ebs." .. family)) do
    local ram = operation.ram
    ram.action = "ebs:" .. name
    if ram.resource ~= "*" and not ram.resource:find("^acs:") then
      ram.resource = ARN .. ram.resource
    end
    ram.also = ram.also and ARN .. ram.also
    operation.family = family
    operations[name] = operation
  end
end

return lazy.fields({
  product = "ebs",
  version = "2021-07-30",
  endpoint = { public = "ebs.%s.aliyuncs.com", vpc = "ebs-vpc.%s.aliyuncs.com" },
  operations = operations,
  -- The responses list every field that is documented.
  whole = true,
}, {
  waiters = "alicloud.service.ebs.waiters",
  states = "alicloud.service.ebs.states",
  errors = "alicloud.service.ebs.errors",
})
