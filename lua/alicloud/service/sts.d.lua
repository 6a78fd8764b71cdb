---@meta

--- Types of sts 2015-04-01. Made by `make types` from the service data; change that instead.

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

---@alias alicloud.sts.Pageable

---@alias alicloud.sts.Waiter

---@class alicloud.sts.Service : alicloud.Service
---@field each fun(self: alicloud.sts.Service, action: alicloud.sts.Pageable, params?: table, call_options?: table): fun(): table|nil, table
---@field wait fun(self: alicloud.sts.Service, name: alicloud.sts.Waiter, params: table, wait_options?: alicloud.waiter.Options): table|nil, alicloud.Error?
---Gives a session of a RAM role.
---@field AssumeRole fun(self: alicloud.sts.Service, params: alicloud.sts.AssumeRoleParams, call_options?: alicloud.CallOptions): alicloud.sts.AssumeRoleResult|nil, alicloud.Error?
---Tells whose credentials these are.
---@field GetCallerIdentity fun(self: alicloud.sts.Service, params?: alicloud.sts.GetCallerIdentityParams, call_options?: alicloud.CallOptions): alicloud.sts.GetCallerIdentityResult|nil, alicloud.Error?
