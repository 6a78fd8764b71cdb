--- Makes the errors of a failover or another change that does not end well, in one place, so that
--- each has the token, the outcome and what is known.

local duration = require "alicloud.base.duration"
local errors = require "alicloud.base.error"
local formats = require "alicloud.base.formats"
local intents = require "alicloud.dr.model.intent"
local precheck = require "alicloud.dr.model.precheck"
local refusals = require "alicloud.dr.model.refusals"
local refusal = require "alicloud.dr.change.refusal"

local M = {}

local SAFE_WAYS_ON = "look at the group; to go on, ask again with the same client token"
local TOKENLESS_WAYS_ON = "look first; to go on, ask again, which looks before it sends"

local function base(change, fields)
  fields.product, fields.action = change.words.product, change.words.action
  fields.region, fields.to = change.region or change.group.region, change.group.to
  fields.group_id = change.group.id
  fields.client_token = change.intent and change.intent.client_token or change.options.client_token
  fields.attempts = change.attempts
  fields.request_ids = change.request_ids
  fields.elapsed = change:elapsed()
  return errors.new(fields)
end

local function ways_on(change)
  return change.intent and change.intent.client_token and SAFE_WAYS_ON or TOKENLESS_WAYS_ON
end

-- For a failure of the service (HTTP 5xx) while reading. The usual hint of such a code is for a
-- change that may have been done.
local READ_AGAIN = "nothing was asked for yet, so ask again; `alicloud-dr precheck` tells whose "
  .. "trouble it is"

--- A look failed before anything was sent.
---@param change alicloud.dr.Change
---@param cause alicloud.Error
---@return nil, alicloud.Error
function M.unreadable(change, cause)
  return nil, base(change, {
    kind = cause.kind, code = cause.code, status = cause.status, request_id = cause.request_id,
    message = "the group could not be read, nothing was sent: " .. cause.message,
    outcome = "not_sent", retryable = cause.retryable, cause = cause,
    hint = (cause.status or 0) >= 500 and READ_AGAIN or cause.hint,
  })
end

--- The pre-check forbids the change.
---@param change alicloud.dr.Change
---@param report alicloud.dr.Report
---@return nil, alicloud.Error
function M.refused(change, report)
  local obstacle = precheck.first_obstacle(report)
  local message = obstacle.fact
  if report.snapshot.role == "absent" then
    message = message .. "; allowed: the region of its secondary site"
  end
  return nil, base(change, {
    kind = "precheck", code = obstacle.code, message = message, hint = obstacle.cure,
    outcome = "not_sent", findings = report.findings, report = report, snapshot = report.snapshot,
    forcible = precheck.forcible_codes(report),
  })
end

--- The question before the change was answered with no.
---@param change alicloud.dr.Change
---@return nil, alicloud.Error
function M.not_confirmed(change)
  return nil, base(change, {
    kind = "cancelled", code = "Client.NotConfirmed", outcome = "not_sent",
    message = ("the %s was not confirmed, nothing was sent"):format(change.words.noun),
  })
end

--- The group has changed between the question and its answer, or since an earlier decision.
---@param change alicloud.dr.Change
---@param difference string
---@return nil, alicloud.Error
function M.world_changed(change, difference)
  return nil, base(change, {
    kind = "state", code = "Client.WorldChanged", outcome = "not_sent",
    message = "what was confirmed is no longer so, nothing was sent: " .. difference,
    hint = "look again and decide again",
  })
end

--- The journal could not write the intent.
---@param change alicloud.dr.Change
---@param cause alicloud.Error
---@return nil, alicloud.Error
function M.intent_not_written(change, cause)
  return nil, base(change, {
    kind = cause.kind, code = cause.code, message = cause.message, hint = cause.hint,
    outcome = "not_sent", cause = cause.cause,
  })
end

--- The answer to a call of an earlier process is lost.
---@param change alicloud.dr.Change
---@return alicloud.Error
function M.lost_answer(change)
  return base(change, {
    kind = "cancelled", code = "Client.Interrupted", outcome = "unknown", retryable = true,
    message = ("whoever sent the %s ended before its answer"):format(change.words.noun),
  })
end

--- The state that was read forbids the change. Nothing was sent, unless `problem` says so.
---@param change alicloud.dr.Change
---@param problem { kind: string?, code: string, message: string, hint: string? } and more fields
---@return nil, alicloud.Error
function M.forbidden(change, problem)
  local fields = { kind = "precheck", outcome = "not_sent" }
  for name, value in pairs(problem) do fields[name] = value end
  return nil, base(change, fields)
end

local function next_name(change)
  local name = intents.next_incident(change.incident or change.options.incident)
  return formats.INCIDENT.test(name) and name or nil
end

-- The hint after a refusal: the service may repeat it for the same token, whatever has changed.
local function after_refusal(change, err, doubtful)
  if doubtful then return ways_on(change) end
  if not refusals.ends_token(err) or not change.options.client_token then return err.hint end
  return (err.hint and err.hint .. "; then " or "") .. "ask without this client token: the service "
    .. "may repeat its refusal to whoever gives it again"
end

--- The service refused the call, and no look shows an effect.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the call
---@return nil, alicloud.Error
function M.rejected(change, err)
  local doubtful = change.doubtful or err.outcome == "unknown"
  local message = err.message
  if doubtful then message = message .. " (an earlier attempt may still take effect)" end
  return nil, base(change, {
    kind = err.kind, code = err.code, status = err.status, request_id = err.request_id,
    message = message, outcome = doubtful and "unknown" or err.outcome,
    retryable = err.retryable, retry_after = err.retry_after, recommend = err.recommend,
    access_denied_detail = err.access_denied_detail, verdict = err.verdict,
    hint = after_refusal(change, err, doubtful), cause = err, last = change.poller.last,
    next_incident = not doubtful and change.options.incident and refusals.ends_token(err)
      and next_name(change) or nil,
  })
end

--- The outcome of the call is unknown, and it is no longer safe to send it again.
---@param change alicloud.dr.Change
---@param err alicloud.Error of the last attempt
---@return nil, alicloud.Error
function M.unknown(change, err)
  local window, is_spent = duration.format(change.options.resend_window), refusal.is_spent(err)
  local why_not_again = is_spent and "its token was used before with other parameters"
    or ("the time for sending again (%s) is over"):format(window)
  return nil, base(change, {
    kind = "state", code = "Client.OutcomeUnknown", outcome = "unknown", retryable = not is_spent,
    message = ("no usable answer to the %s (%s); %s; %s"):format(change.words.noun, err.code,
      change.poller:knowledge(), why_not_again),
    request_id = err.request_id, hint = is_spent and err.hint or ways_on(change), cause = err,
    last = change.poller.last,
  })
end

-- The outcome of the call itself, after later looks. If the group has moved after a refusal, even
-- the refusal is in doubt.
local function call_outcome(change)
  if change.accepted then return "accepted" end
  if change.attempts == 0 then return "not_sent" end
  return (change.doubtful or change.poller.has_moved) and "unknown" or "rejected"
end

--- Somebody else has changed direction, pairs or state.
---@param change alicloud.dr.Change
---@param cause? alicloud.Error of the call, if it was not accepted
---@return nil, alicloud.Error
function M.superseded(change, cause)
  local outcome = call_outcome(change)
  return nil, base(change, {
    kind = "state", code = "Client.Superseded",
    message = ("things are no longer as this %s was decided for: %s"):format(
      change.words.noun, change.poller.reason),
    outcome = outcome == "accepted" and "unknown" or outcome,
    hint = "find out who changed it before anything else is sent", last = change.poller.last,
    request_id = change.accepted and change.accepted.request_id, cause = cause,
  })
end

-- A second failed failover of an incident has used up both tokens of the incident's name.
local function way_after_failure(change)
  local noun = change.words.noun
  local hint = ("look why it failed; then the %s may be asked for again, as a new %s"):format(
    noun, noun)
  if change.options.incident and change.intent.status == "failover_failed" then
    return hint .. ": give another incident name, this one repeats the token that has failed"
  end
  return hint
end

-- The codes that a person may overrule when the group is failovered but a pair is not: the
-- documents allow one more call then.
local function forcible_again(change)
  local last = change.poller.last
  return change.words.verb == "failover" and last and last.status == "failovered"
    and { "OperationDenied.PairGroupStatusConflict" } or nil
end

--- The task that made the change was cancelled.
---@param change alicloud.dr.Change
---@param raised alicloud.Error the cancellation; with the outcome of a call that was under way
---@return nil, alicloud.Error
function M.cut_short(change, raised)
  local outcome = change.calling and (raised.outcome or "unknown") or call_outcome(change)
  if outcome == "accepted" or change.doubtful then outcome = "unknown" end
  return nil, base(change, {
    kind = "cancelled", code = "Client.Cancelled", outcome = outcome, retryable = true,
    message = ("the %s was given up: %s"):format(change.words.noun, raised.message),
    hint = ways_on(change), request_id = change.accepted and change.accepted.request_id,
  })
end

--- The service has given up the change: the looks show its failed status.
---@param change alicloud.dr.Change
---@return nil, alicloud.Error
function M.failed(change)
  local outcome = call_outcome(change)
  return nil, base(change, {
    kind = "state", code = change.words.codes.failed, message = change.poller.reason,
    outcome = outcome == "unknown" and "accepted" or outcome,
    hint = way_after_failure(change), forcible = forcible_again(change),
    last = change.poller.last, pairs = change.poller.last.pairs,
    request_id = change.accepted and change.accepted.request_id,
  })
end

--- The service knew the incident's token from an earlier call, and only repeated its old answer.
---@param change alicloud.dr.Change
---@return nil, alicloud.Error `next_incident` is the name to ask again under
function M.replayed(change)
  local noun, name = change.words.noun, change.incident or change.options.incident
  local again = next_name(change)
  return nil, base(change, {
    kind = "state", code = "Client.TokenReplayed", outcome = "rejected", next_incident = again,
    message = ("the service took the call, but nothing has moved since (%s): it knows the token of "
      .. "the incident %s from an earlier %s and gave its old answer"):format(
      change.poller:knowledge(), name, noun),
    hint = again and ("to ask for it once more, give the incident its next name: incident = %q")
      :format(again) or "give the incident another name",
    last = change.poller.last, request_id = change.accepted and change.accepted.request_id,
  })
end

--- The wait ended before the change did.
---@param change alicloud.dr.Change
---@param stalled boolean
---@return nil, alicloud.Error
function M.timeout(change, stalled)
  local limit = duration.format(stalled and change.options.stall or change.options.timeout)
  return nil, base(change, {
    kind = "timeout", code = stalled and change.words.codes.stalled or change.words.codes.timeout,
    outcome = "unknown", retryable = true,
    message = (stalled and "nothing has changed for %s: %s" or "not done within %s: %s")
      :format(limit, change.poller:knowledge()),
    hint = ways_on(change), last = change.poller.last, cause = change.poller.last_error,
    forcible = stalled and forcible_again(change) or nil,
    request_id = change.accepted and change.accepted.request_id,
  })
end

--- The error for a wait that did not end with "completed".
---@param change alicloud.dr.Change
---@param ending alicloud.dr.Ending
---@return nil, alicloud.Error
function M.of_ending(change, ending)
  if ending == "replayed" then return M.replayed(change) end
  if ending == "failed" then return M.failed(change) end
  if ending == "superseded" then return M.superseded(change) end
  return M.timeout(change, ending == "stalled")
end

return M
