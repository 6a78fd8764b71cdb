---@meta

--- The service of sts 2015-04-01. Made by `make types` from the service data; change that instead.

---@alias alicloud.sts.Pageable

---@alias alicloud.sts.Waiter

---@class alicloud.sts.Service : alicloud.Service
---@field each fun(self: alicloud.sts.Service, action: alicloud.sts.Pageable, params?: table, call_options?: table): fun(): table|nil, table
---@field wait fun(self: alicloud.sts.Service, name: alicloud.sts.Waiter, params: table, wait_options?: alicloud.waiter.Options): table|nil, alicloud.Error?
---Gives a session of a RAM role.
---@field AssumeRole fun(self: alicloud.sts.Service, params: alicloud.sts.AssumeRoleParams, call_options?: alicloud.CallOptions): alicloud.sts.AssumeRoleResult|nil, alicloud.Error?
---Tells whose credentials these are.
---@field GetCallerIdentity fun(self: alicloud.sts.Service, params?: alicloud.sts.GetCallerIdentityParams, call_options?: alicloud.CallOptions): alicloud.sts.GetCallerIdentityResult|nil, alicloud.Error?
