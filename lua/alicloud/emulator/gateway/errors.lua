--- The codes that the model answers with: HTTP status and message. Texts of block storage and of
-- ECS are the published ones, word by word; most of the gateway's own are made up.
-- It shares nothing with the client's service data, so that neither can hide an error of the other.

local M = {}

local DENIED = "OperationDenied"

---@class alicloud.emulator.Refusal
---@field code string
---@field status integer
---@field message string
---@field headers table<string, string>|nil
---@field near_miss string|nil  for the log: what is wrong, or would have been right
---@field recommend string|nil  replaces the address of the diagnosis page
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
  [DENIED .. ".QuotaExceed"] = { 403, "The operation is not allowed due to quota exceed." },
  [DENIED .. ".TooMuchEmptyGroup"] =
    { 403, "Operation failed because of too many empty groups." },
  [DENIED .. ".GroupHasPair"] =
    { 403, "The group cannot be deleted due to not empty." },
  [DENIED .. ".GroupStatusCannotAddPair"] =
    { 403, "The pair cannot be added in group current status." },
  [DENIED .. ".GroupStatusCannotRemovePair"] =
    { 403, "The pair cannot be removed in group current status." },
  [DENIED .. ".PairStatusCannotAddToGroup"] =
    { 403, "The pair cannot be added in pair current status." },
  [DENIED .. ".PairStatusCannotRemoveFromGroup"] =
    { 403, "The pair cannot be removed in pair  current status." },
  [DENIED .. ".PairInitializing"] = { 403,
    "The operation is not allowed due to pair initializing,  please try again later." },
  [DENIED .. ".PairNotInGroup"] =
    { 403, "The operation is not allowed because pair is not in any group." },
  [DENIED .. ".PairsExceedInGroup"] =
    { 403, "The operation is not allowed due to too much pair in the group." },
  [DENIED .. ".GroupTotalDiskCapacityLimit"] = { 403,
    "The disk space in the replication pair-consistent group exceeds the upper limit." },
  [DENIED .. ".StandbyDeviceAttached"] =
    { 400, "The secondary disk is attached." },
  [DENIED .. ".ManualSyncLimit"] =
    { 403, "One shot start manual syncing too frequently, please try again later." },
  [DENIED .. ".RecoverPointNotFound"] = { 403, "Recover point is not found." },
  [DENIED .. ".StartDrillShouldOnDestRegion"] =
    { 403, "Operation should be executed on the secondary region." },
  ["InvalidAccountStatus.NotEnoughBalance"] =
    { 403, "Your account does not have enough balance." },
  ["NoPermission.SLR"] = { 403, "The RAM user does not have the permission to create service "
    .. "linked role: AliyunServiceLinkedRoleForEBS." },
  ["MissingParameter"] = { 400, "The input parameter %s that is mandatory for processing this "
    .. "request is not supplied." },
  ["InvalidParameter"] = { 400, "The parameter %s is invalid." },
  ["InvalidParameter.Conflict"] =
    { 400, "The specified parameter %s and %s are not blank at the same time." },
  ["InvalidParameter.Format"] = { 400, "Specified parameter format is not valid." },
  ["InvalidParameter.TagValue"] = { 400, "The parameter %s is invalid." },
  ["Duplicate.TagKey"] = { 400, "The Tag.N.Key contain duplicate key." },
  ["NumberExceed.ResourceIds"] =
    { 400, "The ResourceIds parameter number is exceed , Valid : 50" },
  ["NumberExceed.Tags"] = { 400, "NumberExceed.Tags" },
  ["InvalidRegionId.NotFound"] = { 404, "The specified RegionId does not exist." },
  ["InvalidResourceId.NotFound"] =
    { 404, "The specified ResourceIds are not found in our records." },
  ["InvalidResourceType.NotFound"] =
    { 404, "The ResourceType provided does not exist in our records." },
  ["InvalidResourceGroup.NotFound"] =
    { 404, "The ResourceGroup provided does not exist in our records." },
  ["MissingParameter.ResourceType"] =
    { 404, "The parameter - ResourceType should not be null" },
  ["MissingParameter.ResourceGroup"] =
    { 404, "The parameter - Resource Group should not be null" },
  ["IdempotentParameterMismatch"] = { 400,
    "The specified parameter has changed while using an already used clientToken." },
  ["LastTokenProcessing"] = { 403, "The last token request is processing." },

  -- ECS 2014-05-26, the calls around a failover
  ["InvalidDiskId.NotFound"] = { 404, "The specified disk does not exist." },
  ["InvalidInstanceId.NotFound"] = { 404, "The specified InstanceId does not exist." },
  ["InvalidDisk.InUse"] = { 404, "The specified disk has been occupied." },
  ["InvalidDisk.AlreadyDetached"] = { 404, "The specified disk has been detached." },
  ["IncorrectDiskStatus"] =
    { 403, "The current disk status does not support this operation." },
  ["IncorrectInstanceStatus"] =
    { 403, "The current status of the resource does not support this operation." },
  ["DependencyViolation"] =
    { 403, "The specified disk has not been attached on the specified instance." },
  ["DiskError"] = { 403, "IncorrectDiskStatus." },
  ["ResourcesNotInSameZone"] =
    { 403, "The specified instance and disk are not in the same zone." },
  ["InstanceDiskLimitExceeded"] =
    { 403, "The amount of the disk on instance in question reach its limits." },
  ["InstanceLockedForSecurity"] = { 403,
    "The specified operation is denied as your instance is locked for security reasons." },
  ["OperationDenied.NoStock"] = { 403, "The requested resource is sold out in the specified zone; "
    .. "try other types of resources or other regions and zones." },
  ["DryRunOperation"] = { 400, "Request validation has been passed with DryRun flag set." },

  ["InvalidOperation.NotSupportedEndpoint"] = { 400, "The specified endpoint can't operate this "
    .. "region. Please use API DescribeRegions to get the appropriate endpoint, or upgrade your "
    .. "SDK to latest version." },

  -- errors of the gateway, for every product
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
  ["Throttling"] = { 400, "Request was denied due to request throttling." },
  ["Throttling.User"] = { 400, "Request was denied due to user flow control." },
  ["Throttling.Api"] = { 400, "Request was denied due to api flow control." },
  ["BLOCK.LimitedRequest"] = { 429, "Request was denied due to user flow control." },
  ["BLOCK.LimitedRquest"] = { 429, "Request was denied due to user flow control." },
  ["ServiceUnavailable"] =
    { 503, "The request has failed due to a temporary failure of the server." },
  ["OperationConflict"] = { 409, "The operation conflicts with another operation." },
}

-- Status and text of single operations, where they differ from the catalogue's.
local QUOTA_OF_TAGS = { 400, "The quota of tags on resource is beyond permitted range." }
local LOCKED = { 403, "The instance is locked due to security." }

---@type table<string, table<string, table>>  by operation and code
M.variants = {
  ListTagResources = { [DENIED .. ".QuotaExceed"] = QUOTA_OF_TAGS },
  UntagResources = { [DENIED .. ".QuotaExceed"] = QUOTA_OF_TAGS },
  ChangeResourceGroup = {
    [DENIED .. ".QuotaExceed"] = QUOTA_OF_TAGS,
    ["InvalidResourceId.NotFound"] =
      { 404, "The specified ResourceId is not found in our records." },
  },
  AttachDisk = {
    IncorrectDiskStatus = { 403, "The operation is not supported in this status." },
    IncorrectInstanceStatus =
      { 400, "The current status of the resource does not support this operation." },
    InstanceLockedForSecurity = LOCKED,
  },
  DetachDisk = { InstanceLockedForSecurity = LOCKED },
}

-- Text by protocol for a wrong signature; the string that the server signed follows the text.
M.MISMATCH = { RPC = "Specified signature is not matched with our calculation.",
  V3 = "Specified signature does not match our calculation." }

-- Only errors of the gateway have a Recommend; published answers of the products have none.
M.of_gateway = {}
for _, code in ipairs { "InvalidVersion", "UnsupportedHTTPMethod", "InvalidApi.NotFound",
  "InvalidAction.NotFound", "SignatureDoesNotMatch", "IncompleteSignature", "SignatureNonceUsed",
  "InvalidTimeStamp.Expired", "InvalidTimeStamp.Format", "InvalidAccessKeyId.NotFound",
  "InvalidAccessKeyId.Inactive", "InvalidSecurityToken.Expired", "InvalidSecurityToken.Malformed",
  "InvalidSecurityToken.MismatchWithAccessKey", "MissingSecurityToken", "Throttling",
  "Throttling.User", "Throttling.Api", "BLOCK.LimitedRequest", "BLOCK.LimitedRquest",
  "ServiceUnavailable" } do
  M.of_gateway[code] = true
end

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

local function about(code, why, ...)
  local refusal = M.refuse(code, M.catalogue[code][2]:format(...))
  refusal.near_miss = why
  return refusal
end

--- Refuses a parameter that is absent.
---@param name string
---@return alicloud.emulator.Refusal
function M.missing(name) return about("MissingParameter", nil, name) end

--- Refuses the value of a parameter.
---@param name string
---@param why string|nil  for the log; the service does not say it
---@return alicloud.emulator.Refusal
function M.invalid(name, why)
  return about("InvalidParameter", why and ("%s: %s"):format(name, why), name)
end

--- Refuses two parameters that do not go together.
---@param name string
---@param other string
---@return alicloud.emulator.Refusal
function M.conflict(name, other) return about("InvalidParameter.Conflict", nil, name, other) end

local function fits(text, known)
  local literal = known:gsub("[^%w%s]", "%%%0"):gsub("%%%%s", "%%S+")
  return text:find("^" .. literal) ~= nil
end

--- Whether a text is the known message of a code, for any operation.
---@param code string
---@param text string
---@return boolean
function M.is_said(code, text)
  local known = M.catalogue[code]
  if known and fits(text, known[2]) then return true end
  for _, own in pairs(M.variants) do
    if own[code] and fits(text, own[code][2]) then return true end
  end
  return code == "SignatureDoesNotMatch" and fits(text, M.MISMATCH.V3)
end

--- Gives a refusal the status and text of one operation, if it has its own for the code and the
--- refusal still has the catalogue's.
---@param operation string|nil
---@param refusal alicloud.emulator.Refusal
---@return alicloud.emulator.Refusal
function M.as_said_by(operation, refusal)
  local all = operation and M.variants[operation]
  local own = all and all[refusal.code]
  if not own then return refusal end
  local usual = M.catalogue[refusal.code]
  if refusal.status == usual[1] and refusal.message == usual[2] then
    refusal.status, refusal.message = own[1], own[2]
  end
  return refusal
end

return M
