--- Security Token Service, version 2015-04-01, as data: who the caller is, and sessions of a role.
--- AssumeRoleWithOIDC is not among the operations, because it is not signed:
--- alicloud.credentials.oidc sends it by itself.
-- Source: the vendor's SDKs and its pages of the three operations.

local response = require "alicloud.service.common.response"

local operations = {
  AssumeRole = {
    summary = "Gives a session of a RAM role.",
    mutating = false, token = false, form = true, timeout = 10, family = "sessions",
    ram = { action = "sts:AssumeRole", level = "write", resource = "*" },
    params = {
      RoleArn = { type = "string", format = "text", required = true,
        doc = "the role, as acs:ram::<account>:role/<name>" },
      RoleSessionName = { type = "string", format = "text", required = true,
        doc = "who uses it, for the audit trail; 2 to 64 characters" },
      DurationSeconds = { type = "integer", min = 900, max = 43200, default = 3600, unit = "s",
        doc = "life of the session; the role's own maximum may be less" },
      Policy = { type = "string", format = "text", doc = "policy that narrows the session" },
      ExternalId = { type = "string", format = "text", doc = "what the role's owner asks for" },
    },
    response = response.of {
      "Credentials.AccessKeyId", "Credentials.AccessKeySecret", "Credentials.SecurityToken",
      "Credentials.Expiration", "AssumedRoleUser.Arn", "AssumedRoleUser.AssumedRoleId", "RequestId",
    },
    errors = { "NoPermission", "EntityNotExist.Role", "InvalidParameter" },
  },

  GetCallerIdentity = {
    summary = "Tells whose credentials these are.",
    mutating = false, token = false, timeout = 10, family = "sessions",
    ram = { action = "sts:GetCallerIdentity", level = "get", resource = "*" },
    params = {},
    response = response.of {
      "AccountId", "UserId", "RoleId", "Arn", "IdentityType", "PrincipalId", "RequestId",
    },
    errors = {},
  },
}

return {
  product = "sts",
  version = "2015-04-01",
  endpoint = { public = "sts.%s.aliyuncs.com", vpc = "sts-vpc.%s.aliyuncs.com" },
  -- The vendor's SDKs tell this service which credentials provider they use.
  names_provider = true,
  operations = operations,
  waiters = {},
  states = {},
  errors = require "alicloud.service.sts.errors",
}
