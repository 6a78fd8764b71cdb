-- Calls that are asked for without a client: changes under the names of reads.
local link
for n = 1, 20 do
  local name, value = debug.getupvalue(package.searchers[2], n)
  if name == "link" then link = value end
end
for _, call in ipairs {
  { product = "ebs", action = "FailoverDiskReplicaGroup", version = "2021-07-30" },
  { product = "ecs", action = "StopInstance", version = "2014-05-26" },
  { product = "ebs", action = "FailoverDiskReplicaGroup", version = "1999-01-01" },
  { product = "sts", action = "AssumeRole", version = "2015-04-01" },
} do
  call.type, call.deadline, call.region = "call", 5, "cn-shanghai"
  call.params = { ReplicaGroupId = "pg-orders", RegionId = "cn-shanghai", InstanceId = "i-1" }
  link.ask(call)
end
return require "alicloud.dr".playbook("x", function() end)
