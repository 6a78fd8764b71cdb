--- The codes that the model answers with: HTTP status and message.
-- Written apart from the client's service data, so that neither can hide a slip of the other.

local M = {}

local DENIED = "OperationDenied"

---@class alicloud.emulator.Refusal
---@field code string
---@field status integer
---@field message string
---@field headers table<string, string>|nil
---@field near_miss string|nil  what would have been right, for the log
---@field access_denied table|nil  member AccessDeniedDetail of the error body

M.catalogue = {
  -- FailoverDiskReplicaGroup, table of error codes
  [DENIED] = { 403, "The operation is not allowed." },
  [DENIED .. ".InvalidStatus"] = { 403, "The operation is not allowed in current status." },
  [DENIED .. ".NoPairInGroup"] =
    { 403, "The operation is not allowed because no pair in the group." },
  [DENIED .. ".PairGroupStatusConflict"] =
    { 403, "The operation is not allowed due to pair and group status are not consistent." },
  [DENIED .. ".PairGroupAZoneConflict"] =
    { 403, "The operation is not allowed due to pair and group having different RegionId or "
      .. "ZoneId." },
  [DENIED .. ".PairInAnotherGroup"] =
    { 403, "The operation is not allowed because pair is already in another group." },
  [DENIED .. ".OperateNotAllowedForPrimary"] =
    { 403, "Operation is not allowed on the primary site." },
  [DENIED .. ".OperateNotAllowedForStandby"] =
    { 403, "Operation is not allowed on the secondary site." },
  ["Forbidden"] = { 403, "User is not authorized to operate." },
  ["Forbidden.Action"] = { 403, "User is not authorized to operate this action." },
  ["NoSuchResource"] = { 404, "The specified resource does not exist." },
  ["InternalError"] = { 500,
    "The request processing has failed due to some unknown error, exception or failure." },
  ["RequestTimeout"] = { 504, "The request is timeout, please try again later." },

  -- the other replication operations
  [DENIED .. ".QuotaExceed"] = { 403, "The quota of the resource is used up." },
  [DENIED .. ".TooMuchEmptyGroup"] =
    { 403, "The operation is not allowed because there are too many empty groups." },
  [DENIED .. ".GroupHasPair"] =
    { 403, "The operation is not allowed because the group has pairs." },
  [DENIED .. ".GroupStatusCannotAddPair"] =
    { 403, "A pair cannot be added to the group in its current status." },
  [DENIED .. ".GroupStatusCannotRemovePair"] =
    { 403, "A pair cannot be removed from the group in its current status." },
  [DENIED .. ".PairStatusCannotAddToGroup"] =
    { 403, "The pair cannot be added to a group in its current status." },
  [DENIED .. ".PairStatusCannotRemoveFromGroup"] =
    { 403, "The pair cannot be removed from its group in its current status." },
  [DENIED .. ".PairInitializing"] =
    { 403, "The pair is initializing, please try again later." },
  [DENIED .. ".PairNotInGroup"] =
    { 403, "The operation is not allowed because the pair is not in the group." },
  [DENIED .. ".PairsExceedInGroup"] =
    { 403, "The number of pairs in the group exceeds the limit." },
  [DENIED .. ".GroupTotalDiskCapacityLimit"] =
    { 403, "The total disk capacity of the group exceeds the limit." },
  [DENIED .. ".StandbyDeviceAttached"] =
    { 400, "The operation is not allowed because a secondary disk is attached." },
  [DENIED .. ".ManualSyncLimit"] =
    { 403, "One-time synchronizations are too frequent, please try again later." },
  [DENIED .. ".RecoverPointNotFound"] = { 403, "No recovery point was found." },
  [DENIED .. ".StartDrillShouldOnDestRegion"] =
    { 403, "A drill should be started in the destination region." },
  ["InvalidAccountStatus.NotEnoughBalance"] =
    { 403, "The account does not have enough balance." },
  ["NoPermission.SLR"] =
    { 403, "The service-linked role AliyunServiceLinkedRoleForEBS cannot be created." },
  ["InvalidParameter.Conflict"] = { 400, "The specified parameters contradict each other." },
  ["InvalidParameter.Format"] = { 400, "The specified parameter is badly formatted." },
  ["Duplicate.TagKey"] = { 400, "The tag keys contain duplicates." },
  ["NumberExceed.ResourceIds"] = { 400, "The number of resource ids exceeds the limit." },
  ["NumberExceed.Tags"] = { 400, "The number of tags exceeds the limit." },
  ["InvalidRegionId.NotFound"] = { 404, "The specified region does not exist." },
  ["InvalidResourceId.NotFound"] = { 404, "The specified resource id does not exist." },
  ["InvalidResourceType.NotFound"] = { 404, "The specified resource type does not exist." },
  ["InvalidResourceGroup.NotFound"] = { 404, "The specified resource group does not exist." },
  ["MissingParameter.ResourceType"] = { 404, "The parameter ResourceType is missing." },
  ["MissingParameter.ResourceGroup"] = { 404, "The parameter NewResourceGroupId is missing." },

  -- ECS 2014-05-26, the calls around a failover
  ["InvalidDiskId.NotFound"] = { 404, "The specified disk does not exist." },
  ["InvalidInstanceId.NotFound"] = { 404, "The specified instance does not exist." },
  ["InvalidDisk.InUse"] = { 404, "The specified disk is in use." },
  ["InvalidDisk.AlreadyDetached"] = { 404, "The specified disk is already detached." },
  ["IncorrectDiskStatus"] =
    { 403, "The current status of the disk does not support this operation." },
  ["IncorrectInstanceStatus"] =
    { 403, "The current status of the instance does not support this operation." },
  ["DependencyViolation"] = { 403, "The disk is not attached to the specified instance." },
  ["DiskError"] = { 403, "The disk does not support this operation." },
  ["ResourcesNotInSameZone"] = { 403, "The disk and the instance are not in the same zone." },
  ["InstanceDiskLimitExceeded"] =
    { 403, "The number of disks of the instance exceeds the limit." },
  ["InstanceLockedForSecurity"] = { 403, "The instance is locked for security reasons." },
  ["OperationDenied.NoStock"] = { 403, "The requested resource is sold out." },
  ["DryRunOperation"] = { 400, "Request validation has been passed with DryRun flag set." },

  -- every product, spoken by the gateway
  ["MissingParameter"] = { 400, "A parameter that is mandatory for this request is missing." },
  ["InvalidParameter"] = { 400, "The specified parameter is not valid." },
  ["InvalidVersion"] = { 400, "Specified parameter Version is not valid." },
  ["UnsupportedHTTPMethod"] = { 400, "This http method is not supported." },
  ["InvalidApi.NotFound"] =
    { 404, "Specified api is not found, please check your url and method." },
  ["InvalidAction.NotFound"] =
    { 404, "Specified api is not found, please check your url and method." },
  ["SignatureDoesNotMatch"] =
    { 400, "Specified signature is not matched with our calculation." },
  ["IncompleteSignature"] =
    { 400, "The request signature does not conform to Aliyun standards." },
  ["SignatureNonceUsed"] = { 400, "Specified signature nonce was used already." },
  ["InvalidTimeStamp.Expired"] = { 400, "Specified time stamp or date value is expired." },
  ["InvalidTimeStamp.Format"] =
    { 400, "Specified time stamp or date value is not well formatted." },
  ["InvalidAccessKeyId.NotFound"] = { 404, "Specified access key is not found." },
  ["InvalidAccessKeyId.Inactive"] = { 403, "Specified access key is disabled." },
  ["InvalidSecurityToken.Expired"] = { 400, "Specified SecurityToken is expired." },
  ["InvalidSecurityToken.Malformed"] = { 400, "Specified SecurityToken is malformed." },
  ["InvalidSecurityToken.MismatchWithAccessKey"] =
    { 400, "Specified SecurityToken mismatch with the AccessKey." },
  ["MissingSecurityToken"] = { 400, "SecurityToken is mandatory for this action." },
  ["AuthenticationFail.OIDCToken.Invalid"] = { 400, "The OIDC token is invalid." },
  ["IdempotentParameterMismatch"] =
    { 400, "The request uses the same client token as a previous, but non-identical request." },
  ["LastTokenProcessing"] = { 403, "The last token request is processing." },
  ["Throttling"] = { 400, "Request was denied due to request throttling." },
  ["Throttling.User"] = { 400, "Request was denied due to user flow control." },
  ["Throttling.Api"] = { 400, "Request was denied due to api flow control." },
  ["BLOCK.LimitedRquest"] = { 429, "Request was denied because too many requests were sent." },
  ["ServiceUnavailable"] =
    { 503, "The request has failed due to a temporary failure of the server." },
  ["OperationConflict"] = { 409, "The operation conflicts with another operation." },
}

--- Makes a refusal from the catalogue.
---@param code string
---@param message string|nil  replaces the catalogue's text
---@param status integer|nil  replaces the catalogue's status
---@return alicloud.emulator.Refusal
function M.refuse(code, message, status)
  local known = M.catalogue[code]
  return {
    code = code,
    status = status or known and known[1] or 400,
    message = message or known and known[2] or code,
  }
end

return M
