--- The errors of block storage: status, the service's text if it is known, meaning, what to do.

local PARTS = {
  "alicloud.service.common.errors",
  "alicloud.service.ebs.errors.resources",
  "alicloud.service.ebs.errors.replication",
  "alicloud.service.ebs.errors.failover",
}

local errors = {}
for _, part in ipairs(PARTS) do
  for code, entry in pairs(require(part)) do errors[code] = entry end
end

return errors
