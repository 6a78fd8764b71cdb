--- What the account may do: permissions, balance, suspension. These refusals come from how the
-- account is described in the world, not from fault rules.

local errors = require "alicloud.emulator.gateway.errors"

local M = {}

local refuse = errors.refuse

local function denied(code, call, detail)
  local refusal = refuse(code)
  refusal.access_denied = {
    AuthAction = call.product .. ":" .. call.action, AuthPrincipalType = "SubUser",
    AuthPrincipalDisplayName = call.access_key_id or "", NoPermissionType = detail,
    PolicyType = "AccountLevelIdentityBasedPolicy",
  }
  return refusal
end

--- Refuses an operation that the account may not call at all.
---@param account alicloud.emulator.Account
---@param call alicloud.emulator.Call
---@return alicloud.emulator.Refusal|nil
function M.check_action(account, call)
  local denies = account.deny_actions
  local forbidden = denies["*"] or denies[call.action]
  return forbidden and denied("Forbidden.Action", call, "ImplicitDeny") or nil
end

local function names_denied(denies, operation, params)
  if denies["*"] then return true end
  for _, name in ipairs(operation.resources) do
    for id in (params[name] or ""):gmatch("[^,%s]+") do
      if denies[id] then return true end
    end
  end
  return false
end

--- Refuses a call for a denied resource, of a suspended account, without balance, or without the
--- service-linked role.
---@param account alicloud.emulator.Account
---@param call alicloud.emulator.Call
---@param operation alicloud.emulator.Operation
---@return alicloud.emulator.Refusal|nil
function M.check_resources(account, call, operation)
  if next(account.deny_resources) and names_denied(account.deny_resources, operation, call.params)
  then
    return denied("Forbidden", call, "ExplicitDeny")
  end
  local suspended = account.suspended and call.action ~= "DescribeRegions"
  if suspended then return refuse("OperationDenied") end
  if account.in_arrears and operation.billed then
    return refuse("InvalidAccountStatus.NotEnoughBalance")
  end
  if not account.service_role and operation.needs_role then return refuse("NoPermission.SLR") end
  return nil
end

return M
