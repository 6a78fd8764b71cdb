--- The errors of the gateway and of the layers that all products share: status, the service's
--- words, what it means, what to do about it. Decide by code: the HTTP status of one and the same
--- code differs between generations of the service.
-- Source: the vendor's tables of common error codes.

return {
  ["Throttling"] = {
    status = 400,
    message = "Request was denied due to request throttling.",
    meaning = "Too many calls of this kind in this region; nothing was done.",
    cure = "wait and repeat; find what else polls with this account, the quota is shared",
  },
  ["Throttling.User"] = {
    status = 400,
    message = "Request was denied due to user flow control.",
    meaning = "The whole account calls too often; nothing was done.",
    cure = "wait and repeat; stop dashboards and scripts that poll with this account",
  },
  ["Throttling.Api"] = {
    status = 400,
    message = "Request was denied due to api flow control.",
    meaning = "This operation is called too often; nothing was done.",
    cure = "wait and repeat; poll less often",
  },
  ["Rejected.Throttling"] = {
    status = 400,
    message = "Request was denied due to request throttling.",
    meaning = "Turned away for the rate of calls; nothing was done.",
    cure = "wait and repeat",
  },
  ["ServiceUnavailable"] = {
    status = 503,
    message = "The request has failed due to a temporary failure of the server.",
    meaning = "The service or its region is unavailable; what it did is not known.",
    cure = "look at the state; repeat with the same ClientToken; check the vendor's status page",
  },
  ["InternalInvokeError"] = {
    status = 400,
    message = "The service is temporarily unavailable, please try again later.",
    meaning = "A part behind the service did not answer.",
    cure = "look at the state, then repeat with the same ClientToken",
  },
  ["UnknownError"] = {
    status = 400,
    message = "The request processing has failed due to some unknown error.",
    meaning = "Failed without a reason given.",
    cure = "look at the state, then repeat with the same ClientToken",
  },
  ["LastTokenProcessing"] = {
    status = 403,
    message = "The last token request is processing.",
    meaning = "The first request with this ClientToken is still being worked on.",
    cure = "do not change the token: watch the state, the first request is at work",
  },
  ["IdempotentParameterMismatch"] = {
    status = 400,
    message = "The specified parameter has changed while using an already used clientToken.",
    meaning = "This ClientToken was used before with other parameters.",
    cure = "find out what was sent under the token before; a new intent needs a new token",
  },
  ["InvalidIdempotenceParameter.Mismatch"] = {
    status = 403,
    message = "The idempotence parameter mismatch with previous request.",
    meaning = "This ClientToken was used before with other parameters.",
    cure = "find out what was sent under the token before; a new intent needs a new token",
  },
  ["OperationConflict"] = {
    status = 409,
    message = "Another operation is being performed.",
    meaning = "Something else works on the same resource.",
    cure = "look at who else acts on the resource, wait, then repeat",
  },
  ["Forbidden.RAM"] = {
    status = 403,
    message = "User not authorized to operate on the specified resource, or this API doesn't "
      .. "support RAM.",
    meaning = "RAM denies the call to these credentials.",
    cure = "read AccessDeniedDetail: it names the principal, the policy and the missing action",
  },
  ["Forbidden.RiskControl"] = {
    status = 403,
    message = "This operation is forbidden by Aliyun Risk Control system.",
    meaning = "The vendor's risk control stopped the account.",
    cure = "call the vendor's support with the request id; another key of the account is no help",
  },
  ["Forbidden.AccessKeyDisabled"] = {
    status = 403,
    message = "The AccessKey is disabled.",
    meaning = "The access key was switched off.",
    cure = "enable the key in the RAM console or use another one",
  },
  ["NoPermission"] = {
    status = 403,
    message = "You are not authorized to do this action.",
    meaning = "RAM denies the call to these credentials.",
    cure = "read AccessDeniedDetail and grant the action it names",
  },
  ["InvalidAccessKeyId.NotFound"] = {
    status = 404,
    message = "Specified access key is not found.",
    meaning = "The service does not know this access key id.",
    cure = "check the key id for a typing mistake, for deletion, and for the right site "
      .. "(mainland, international, finance cloud); the emulator wants its own key id",
  },
  ["InvalidAccessKeyId.Inactive"] = {
    status = 403,
    message = "Specified access key is disabled.",
    meaning = "The access key was switched off.",
    cure = "enable the key in the RAM console or use another one",
  },
  ["InvalidSecurityToken.Expired"] = {
    status = 400,
    message = "Specified SecurityToken is expired.",
    meaning = "The temporary session has ended.",
    cure = "get a new session (key id, secret and token change together) and repeat",
  },
  ["InvalidSecurityToken.Malformed"] = {
    status = 400,
    message = "Specified SecurityToken is malformed.",
    meaning = "The session token is damaged.",
    cure = "copy ALIBABA_CLOUD_SECURITY_TOKEN again, whole and without line breaks",
  },
  ["InvalidSecurityToken.MismatchWithAccessKey"] = {
    status = 400,
    message = "Specified SecurityToken mismatch with the AccessKey.",
    meaning = "Session token and access key are from two different sessions.",
    cure = "take key id, secret and token from one and the same session",
  },
  ["SignatureDoesNotMatch"] = {
    status = 400,
    message = "Specified signature is not matched with our calculation.",
    meaning = "The service computed another signature.",
    cure = "the secret is the usual culprit: check that it belongs to this key id and has no "
      .. "trailing space; a proxy that rewrites requests is the other one",
  },
  ["IncompleteSignature"] = {
    status = 400,
    message = "The request signature does not conform to Aliyun standards.",
    meaning = "Parts of the signature are missing.",
    cure = "a proxy that drops headers is the usual cause; try without it",
  },
  ["SignatureNonceUsed"] = {
    status = 400,
    message = "Specified signature nonce was used already.",
    meaning = "A copy of the same request came before: something repeats requests.",
    cure = "look at the state before sending a change again; then look for a repeating proxy",
  },
  ["InvalidTimeStamp.Expired"] = {
    status = 400,
    message = "Specified time stamp or date value is expired.",
    meaning = "The clock of this machine is more than about 15 minutes off.",
    cure = "set the clock (chronyc tracking, timedatectl) and repeat",
  },
  ["InvalidTimeStamp.Format"] = {
    status = 400,
    message = "Specified time stamp or date value is not well formatted.",
    meaning = "The date of the request is not in the expected form.",
    cure = "a header-rewriting proxy is the usual cause; try without it",
  },
  ["IllegalTimestamp"] = {
    status = 400,
    message = "The input parameter Timestamp that is mandatory for processing this request is "
      .. "not supplied.",
    meaning = "The time of the request is missing or too far off.",
    cure = "set the clock (chronyc tracking, timedatectl) and repeat",
  },
  ["MissingParameter"] = {
    status = 400,
    message = "The input parameter that is mandatory for processing this request is not supplied.",
    meaning = "A required parameter is missing.",
    cure = "add the parameter that the message names",
  },
  ["InvalidParameter"] = {
    status = 400,
    message = "The specified parameter is not valid.",
    meaning = "A parameter has a value that the service does not take.",
    cure = "correct the parameter that the message names",
  },
  ["InvalidApi.NotFound"] = {
    status = 404,
    message = "Specified api is not found, please check your url and method.",
    meaning = "This endpoint has no such action in this version.",
    cure = "check action, version and endpoint; disk replication is product ebs, version "
      .. "2021-07-30, and no longer ecs",
  },
  ["UnsupportedHTTPMethod"] = {
    status = 400,
    message = "This http method is not supported.",
    meaning = "The operation is not available under this HTTP method.",
    cure = "use POST",
  },
  ["InvalidAccountStatus.NotEnoughBalance"] = {
    status = 403,
    message = "Your account does not have enough balance.",
    meaning = "The account is out of money for what the call would create.",
    cure = "top the account up; failing over existing pairs costs nothing by itself",
  },
  ["InsufficientBalance"] = {
    status = 400,
    message = "Your account does not have enough balance.",
    meaning = "The account is out of money for what the call would create.",
    cure = "top the account up",
  },
}
