--- Finds out why no useful answer comes: the key, the clock, the rate, the network, one region, or
--- the whole cloud.
--
-- One error does not tell. While the authentication of the cloud is out, good keys are refused, and
-- a lost region looks like a lost network. So one cheap reading call goes to a second region, and
-- earlier successes of this process count as evidence, too.

local calls = require "alicloud.call"
local plans = require "alicloud.call.plan"
local regions = require "alicloud.service.common.regions"
local tables = require "alicloud.base.tables"

local M = {}

---@alias alicloud.DiagnosisCause
---| "answer"     # the service can be reached: it has answered and decided
---| "key"        # the credentials are refused
---| "clock"      # the time of this machine is refused
---| "throttling" # too many calls
---| "tls"        # the peer is not trusted
---| "proxy"      # the proxy refuses
---| "dns"        # no name can be resolved
---| "network"    # no host can be reached from here
---| "region"     # this region is out, another one answers
---| "account"    # no region serves this account: the cloud itself has failed

---@class alicloud.Diagnosis
---@field cause alicloud.DiagnosisCause
---@field sentence string what it is and what to do, for people
---@field passes boolean it may end by itself, so that waiting makes sense
---@field pause? number seconds until the next look makes sense
---@field longest? number seconds to which that pause may grow
---@field asked? string the second region, if it could be asked
---@field answer? "open"|alicloud.DiagnosisCause what its answer showed: "open" if it serves us

-- Limits of the call to the second region: seconds of an attempt, of the call, and retries.
local OPINION = { timeout = 5, deadline = 10, retries = 0 }

local KEY_CODES = {
  "InvalidAccessKeyId*", "SignatureDoesNotMatch", "IncompleteSignature", "InvalidSecurityToken*",
  "Forbidden.AccessKeyDisabled",
}
local CLOCK_CODES = { "InvalidTimeStamp*", "IllegalTimestamp" }

-- What a server says of a request that is too long for it (RFC 9110 and RFC 6585).
local TOO_LONG = { [413] = true, [414] = true, [431] = true }

-- The symptom of a single error: a cause, or one of "failing" (the service answers that it cannot)
-- and "unreachable" (nothing answers), which have several possible causes.
local function symptom_of(err)
  if err.code == "Client.Deadline" and err.cause then return symptom_of(err.cause) end
  if err.kind == "throttled" then return "throttling" end
  if err:is(table.unpack(CLOCK_CODES)) then return "clock" end
  if err:is(table.unpack(KEY_CODES)) then return "key" end
  if err.kind == "credentials" then return err.retryable and "unreachable" or "answer" end
  if err.code == "Client.Resolve" then return "dns" end
  if err:is("Client.Proxy*") then return "proxy" end
  if err.kind == "tls" then return "tls" end
  if err.kind == "network" or err.kind == "timeout" then return "unreachable" end
  local status = err.status or 0
  if TOO_LONG[status] then return "answer" end
  if status >= 500 or err.kind == "http" or err.kind == "decode"
    or err:is("ServiceUnavailable*", "InternalError", "UnknownError") then
    return "failing"
  end
  return "answer"
end

local DOUBTFUL = { key = true, dns = true, unreachable = true, failing = true }

-- Cause by symptom here and symptom in the second region; "none": no second region could be asked.
local CAUSES = {
  dns = { open = "region", dns = "dns", unreachable = "network", failing = "account",
    key = "region", none = "dns" },
  unreachable = { open = "region", dns = "network", unreachable = "network", failing = "account",
    key = "region", none = "network" },
  failing = { open = "region", dns = "region", unreachable = "account", failing = "account",
    key = "account", none = "region" },
  key = { open = "region", dns = "key", unreachable = "key", failing = "account", key = "key",
    none = "key" },
}

-- Seconds: the first pause and the longest. A failure of the whole cloud is polled most slowly.
local POLICY = {
  throttling = { 10, 60 }, dns = { 10, 60 }, network = { 10, 60 }, region = { 15, 60 },
  account = { 60, 300 },
}

local SENTENCES = {
  key = "the credentials are refused in every region that could be asked; waiting does not help",
  clock = "the clock of this machine is refused: set it (chronyc tracking, timedatectl)",
  throttling = "the account asks too often; nothing was done. Stop what else polls with it; it "
    .. "ends by itself, within a minute as a rule",
  tls = "the peer is not the one it should be, or not trusted: look at the certificate that the "
    .. "message names; never switch verification off",
  proxy = "the proxy refuses or is gone: mend it, or go without (proxy = \"none\")",
  dns = "no name can be resolved from here: look at this machine's resolver and network",
  network = "no region can be reached from here: look at this machine's network first",
  region = "%s is out, %s answers: it is that region, not the key and not the network here; fail "
    .. "over to the other site, or wait",
  account = "no region serves this account although the network is up: the cloud's own front door "
    .. "is shut; nothing can be known or changed until it opens, and the key is not to blame",
  answer = "the service has answered; read its words",
}

-- The sentences if no second region could be asked; %s is the host.
local UNCERTAIN = {
  dns = "the name %s cannot be resolved; no second region was asked, so it may be the name or "
    .. "this machine's resolver",
  network = "%s cannot be reached; no second region was asked, so it may be that host or this "
    .. "machine's network",
  region = "%s is out; no second region was asked, so it may be the whole cloud",
}

-- Causes that only a second region can tell apart; for the rest the hint of the code says more.
local LEARNT = { dns = true, network = true, region = true, account = true }

local function is_apart(context, candidate, region)
  return candidate ~= region and candidate ~= context.failed_region
end

local function candidate_of(context, region)
  local chosen = context.config.second_region
  if chosen and is_apart(context, chosen, region) then return chosen end
  if type(context.endpoint) == "table" then
    for _, id in ipairs(tables.keys(context.endpoint)) do
      if is_apart(context, id, region) then return id end
    end
    return nil
  end
  -- The endpoints of another region's VPC cannot be reached from this one.
  if context.network == "vpc" then return nil end
  for _, id in ipairs(regions.opinions) do
    if is_apart(context, id, region) then return id end
  end
end

--- The region to ask for a second opinion.
---@param context alicloud.call.Context
---@param err alicloud.Error of the region in trouble
---@return string|nil nil: there is none, or it has the same host
local function second_region(context, err)
  local region = candidate_of(context, err.region)
  local target = region and plans.target(context, "ebs", region)
  -- If one host serves every region, a second region says nothing new.
  return target and target.host ~= err.endpoint and region or nil
end

local function ask_second_region(context, region)
  local plan = plans.new(context, "ebs:DescribeRegions", { RegionId = region }, {
    region = region, timeout = OPINION.timeout, deadline = OPINION.deadline,
    retries = OPINION.retries,
  })
  if not plan then return "none" end
  local result, err = calls.probe(context, plan)
  if result then return "open" end
  local symptom = symptom_of(err)
  if DOUBTFUL[symptom] then return symptom end
  local untold = symptom == "proxy" or symptom == "tls"
    or symptom == "throttling" and err.outcome == "not_sent"
  return untold and "none" or "open"
end

local function decide(context, symptom, answer)
  local cause = CAUSES[symptom][answer]
  -- A call of this process has succeeded, so the key is taken to be good.
  if cause == "key" and context.shared.tally.successes > 0 then return "account" end
  return cause
end

local function sentence_of(cause, err, asked)
  local known = SENTENCES[cause]
  if cause == "key" then
    local cure = err.hint
    if not cure or cure:sub(1, #known) == known then return cure or known end
    return known .. "; " .. cure
  end
  if not LEARNT[cause] then return err.hint or known end
  local here = err.region or err.endpoint or "this region"
  if cause == "region" and asked then return known:format(here, asked) end
  if asked or cause == "account" then return known end
  return UNCERTAIN[cause]:format(err.endpoint or here)
end

--- Finds out why a call got no useful answer. Asks a second region if that decides; changes nothing
--- there. Puts the sentence into `err.hint`, unless the cause is "answer".
---@param context alicloud.call.Context
---@param err alicloud.Error of a call
---@param alone? boolean asks no second region (false)
---@return alicloud.Diagnosis
function M.run(context, err, alone)
  local cause = symptom_of(err)
  local asked, answer
  if DOUBTFUL[cause] then
    asked = not alone and second_region(context, err) or nil
    answer = asked and ask_second_region(context, asked) or "none"
    cause = decide(context, cause, answer)
  end
  local known = answer ~= "none" and asked or nil
  local policy = POLICY[cause]
  local sentence = sentence_of(cause, err, known)
  if cause ~= "answer" then err.hint = sentence end
  return {
    cause = cause,
    sentence = sentence,
    passes = policy ~= nil,
    pause = policy and math.max(policy[1], err.retry_after or 0),
    longest = policy and policy[2],
    asked = known,
    answer = known and answer,
  }
end

return M
