--- The codes that the model answers with: HTTP status and message.
-- Written apart from the client's service data, so that neither can hide a slip of the other.

local M = {}

local DENIED = "OperationDenied"

---@class alicloud.emulator.Refusal
---@field code string
---@field status integer
---@field message string
---@field headers table<string, string>|nil

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
