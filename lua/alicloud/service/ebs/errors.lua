--- The errors of block storage: status, the service's words, what it means, what to do about it.
--
-- Sources: the vendor's page of FailoverDiskReplicaGroup (2024-07-19) for its thirteen codes; the
-- published tables of codes that all operations share.

-- The thirteen documented errors of the failover call; messages verbatim.
local documented = {
  ["OperationDenied"] = {
    status = 403,
    message = "The operation is not allowed.",
    meaning = "Refused, and no narrower code fits; a pair that belongs to a group is one cause.",
    cure = "read the group and its pairs on both sites; act on the group, not on a member pair; "
      .. "if everything looks right, open a ticket with the request id",
  },
  ["OperationDenied.InvalidStatus"] = {
    status = 403,
    message = "The operation is not allowed in current status.",
    meaning = "The group or a pair is in a state from which this operation is not allowed.",
    cure = "read Status: wait if it ends in -ing; start replication if it is created or its first "
      .. "full synchronisation never ran; an invalid group has a broken pair: read StatusMessage",
  },
  ["OperationDenied.NoPairInGroup"] = {
    status = 403,
    message = "The operation is not allowed because no pair in the group.",
    meaning = "The group has no replication pairs, so there is nothing to fail over.",
    cure = "check the group id; if it is right, the pairs were removed or never added: look for "
      .. "them with DescribeDiskReplicaPairs and fail over the group that holds them",
  },
  ["OperationDenied.PairGroupStatusConflict"] = {
    status = 403,
    message = "The operation is not allowed due to pair and group status are not consistent.",
    meaning = "At least one pair is in another state than its group.",
    cure = "list the pairs of the group and find the one whose Status differs; wait if it is "
      .. "catching up, repair or remove it if it is invalid, then try again",
  },
  ["OperationDenied.PairGroupAZoneConflict"] = {
    status = 403,
    message = "The operation is not allowed due to pair and group having different RegionId "
      .. "or ZoneId.",
    meaning = "A pair does not lie in the region and zone of its group, on one side or the other.",
    cure = "compare source and destination zones of each pair with the group's; the pair that "
      .. "differs must leave the group, nothing else helps",
  },
  ["OperationDenied.PairInAnotherGroup"] = {
    status = 403,
    message = "The operation is not allowed because pair is already in another group.",
    meaning = "A pair of this group is counted as a member of another one.",
    cure = "read ReplicaGroupId of each pair; fail over the group it really belongs to, or remove "
      .. "it there first",
  },
  ["OperationDenied.OperateNotAllowedForPrimary"] = {
    status = 403,
    message = "Operation is not allowed on the primary site.",
    meaning = "The region asked is the primary site now; a failover belongs to the secondary one.",
    cure = "use the group's current DestinationRegionId as region: after a reverse the sides have "
      .. "changed places; make sure of the direction before you send it again",
  },
  ["OperationDenied.OperateNotAllowedForStandby"] = {
    status = 403,
    message = "Operation is not allowed on the secondary site.",
    meaning = "The region asked is the secondary site now, and this operation belongs to the "
      .. "primary one.",
    cure = "read SourceRegionId and DestinationRegionId of the group and ask the other region",
  },
  ["Forbidden"] = {
    status = 403,
    message = "User is not authorized to operate.",
    meaning = "These credentials have no right to this resource.",
    cure = "find out whose key this is; the RAM policy must allow the action on "
      .. "acs:ebs:<region>:<account>:diskreplicagroup/<id> in this region and account",
  },
  ["Forbidden.Action"] = {
    status = 403,
    message = "User is not authorized to operate this action.",
    meaning = "These credentials have no right to this action.",
    cure = "grant the RAM user or role the action named in this error (ebs:<Action>), or use the "
      .. "credentials kept for recovery",
  },
  ["NoSuchResource"] = {
    status = 404,
    message = "The specified resource does not exist.",
    meaning = "The region asked knows no such resource in this account.",
    cure = "the wrong region is the usual cause: ask the group's secondary site; then check the "
      .. "id and which account the key belongs to",
  },
  ["InternalError"] = {
    status = 500,
    message = "The request processing has failed due to some unknown error, exception or failure.",
    meaning = "The service failed while it worked on the request; what it did is not known.",
    cure = "look at the state first; if nothing moved, repeat with the same ClientToken",
  },
  ["RequestTimeout"] = {
    status = 504,
    message = "The request is timeout, please try again later.",
    meaning = "The front gave up waiting; the work behind it may still be running or done.",
    cure = "look at the state first: failovering or failovered means it worked; if nothing moves, "
      .. "repeat with the same ClientToken",
  },
}

-- Codes of the gateway and of shared layers, which any operation may return. Decide by code: the
-- HTTP status differs between generations of the service.
local common = {
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
  ["BLOCK.LimitedRquest"] = {
    status = 429,
    message = "BLOCK.LimitedRequest",
    meaning = "Blocked by the rate limit of block storage; the spelling is the service's.",
    cure = "wait for the next minute and repeat; nothing was done",
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
    cure = "look at who else acts on the group, wait, then repeat",
  },
  ["OperationDenied.PairInitializing"] = {
    status = 403,
    message = "The operation is not allowed while the pair is initializing.",
    meaning = "A pair has not finished its preparation.",
    cure = "wait some minutes and repeat",
  },
  ["OperationDenied.ManualSyncLimit"] = {
    status = 403,
    message = "The operation is not allowed because of the limit of manual synchronization.",
    meaning = "One-shot synchronisations must be more than half an RPO (450 s) apart.",
    cure = "wait until 450 s after the last one-shot synchronisation",
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
    cure = "check action, version and endpoint; block storage replication is product ebs, "
      .. "version 2021-07-30",
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

local errors = {}
for _, entries in ipairs { documented, common } do
  for code, entry in pairs(entries) do errors[code] = entry end
end

return errors
