--- The errors of asking for a session of a role.
-- Source: the vendor's tables of the operations.

local api_error = require "alicloud.service.common.api_error"

local errors = {
  ["NoPermission"] = api_error(403, nil,
    "The caller may not assume this role, or the role does not trust the caller.",
    "both sides have to allow it: sts:AssumeRole in the caller's policy, and the caller in the "
      .. "role's trust policy"),
  ["EntityNotExist.Role"] = api_error(404, nil,
    "There is no such role.",
    "check account and name in the role's ARN; role names know upper and lower case"),
  ["InvalidParameter"] = api_error(400, nil,
    "A parameter has a value that the service does not take.",
    "check the role's ARN, and that the wanted duration is at most the role's maximum"),
}

for code, entry in pairs(require "alicloud.service.common.errors") do
  errors[code] = errors[code] or entry
end
return errors
