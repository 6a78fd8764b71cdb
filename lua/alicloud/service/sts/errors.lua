--- The errors of asking for a session.
-- Source: the vendor's tables of the operations.

local own = {
  ["NoPermission"] = {
    status = 403,
    meaning = "The caller may not assume this role, or the role does not trust the caller.",
    cure = "both sides have to allow it: sts:AssumeRole in the caller's policy, and the caller in "
      .. "the role's trust policy",
  },
  ["EntityNotExist.Role"] = {
    status = 404,
    meaning = "There is no such role.",
    cure = "check account and name in the role's ARN; role names know upper and lower case",
  },
  ["InvalidParameter"] = {
    status = 400,
    meaning = "A parameter has a value that the service does not take.",
    cure = "check the role's ARN, and that the wanted duration is at most the role's maximum",
  },
}

local errors = {}
for code, entry in pairs(require "alicloud.service.common.errors") do errors[code] = entry end
for code, entry in pairs(own) do errors[code] = entry end
return errors
