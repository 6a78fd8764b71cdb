---@meta

--- Parameters and results of operations of sts 2015-04-01. Made by `make types` from the service data; change that instead.

---@class alicloud.sts.AssumeRoleParams
---@field DurationSeconds? integer life of the session; the role's own maximum may be less; an integer from 900 to 43200 (s); 3600 if absent
---@field ExternalId? string what the role's owner asks for; text without control characters
---@field Policy? string policy that narrows the session; text without control characters
---@field RoleArn string the role, as acs:ram::<account>:role/<name>; text without control characters
---@field RoleSessionName string who uses it, for the audit trail; 2 to 64 characters; text without control characters

---@class alicloud.sts.AssumeRoleResult.Credentials
---@field AccessKeyId? string
---@field AccessKeySecret? string
---@field SecurityToken? string
---@field Expiration? string

---@class alicloud.sts.AssumeRoleResult.AssumedRoleUser
---@field Arn? string
---@field AssumedRoleId? string

---@class alicloud.sts.AssumeRoleResult
---@field Credentials? alicloud.sts.AssumeRoleResult.Credentials
---@field AssumedRoleUser? alicloud.sts.AssumeRoleResult.AssumedRoleUser
---@field RequestId string

---@class alicloud.sts.GetCallerIdentityParams

---@class alicloud.sts.GetCallerIdentityResult
---@field AccountId? string
---@field UserId? string
---@field RoleId? string
---@field Arn? string
---@field IdentityType? string
---@field PrincipalId? string
---@field RequestId string
