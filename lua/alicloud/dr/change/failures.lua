--- How a failover, or another change, ends if not well: errors, made in one place so that no path
--- forgets the token, the outcome or what is known.

local duration = require "alicloud.base.duration"
local errors = require "alicloud.base.error"
local precheck = require "alicloud.dr.model.precheck"

local M = {}

local SAFE_WAYS_ON = "look at the group; to go on, ask again with the same client token"
local TOKENLESS_WAYS_ON = "look first; to go on, ask again, which looks before it sends"

local function base(run, fields)
  fields.product, fields.action = run.words.product, run.words.action
  fields.region = run.region or run.group.region
  fields.group_id = run.group.id
  fields.client_token = run.intent and run.intent.client_token or run.options.client_token
  fields.attempts = run.attempts
  fields.request_ids = run.request_ids
  fields.elapsed = run:elapsed()
  return errors.new(fields)
end

local function ways_on(run)
  return run.intent and run.intent.client_token and SAFE_WAYS_ON or TOKENLESS_WAYS_ON
end

-- The cure of a service's own failure is for a change that it may have done.
local READ_AGAIN = "nothing was asked for yet, so ask again; `alicloud-dr precheck` tells whose "
  .. "trouble it is"

--- A look before anything was sent went wrong.
---@param run alicloud.dr.Mutation
---@param cause alicloud.Error
---@return nil, alicloud.Error
function M.unreadable(run, cause)
  return nil, base(run, {
    kind = cause.kind, code = cause.code, status = cause.status, request_id = cause.request_id,
    message = "the group could not be read, nothing was sent: " .. cause.message,
    outcome = "not_sent", retryable = cause.retryable, cause = cause,
    hint = (cause.status or 0) >= 500 and READ_AGAIN or cause.hint,
  })
end

--- The pre-check stands against it.
---@param run alicloud.dr.Mutation
---@param report alicloud.dr.Report
---@return nil, alicloud.Error
function M.refused(run, report)
  local obstacle = precheck.first_obstacle(report)
  local message = obstacle.fact
  if report.snapshot.role == "absent" then
    message = message .. "; allowed: the region of its secondary site"
  end
  return nil, base(run, {
    kind = "precheck", code = obstacle.code, message = message, hint = obstacle.cure,
    outcome = "not_sent", findings = report.findings, report = report, snapshot = report.snapshot,
  })
end

--- Whoever was asked did not agree.
---@param run alicloud.dr.Mutation
---@return nil, alicloud.Error
function M.not_confirmed(run)
  return nil, base(run, {
    kind = "cancelled", code = "Client.NotConfirmed", outcome = "not_sent",
    message = ("the %s was not confirmed, nothing was sent"):format(run.words.noun),
  })
end

--- Between the question and the answer the world became another one.
---@param run alicloud.dr.Mutation
---@param difference string
---@return nil, alicloud.Error
function M.world_changed(run, difference)
  return nil, base(run, {
    kind = "state", code = "Client.WorldChanged", outcome = "not_sent",
    message = "what was confirmed is no longer so, nothing was sent: " .. difference,
    hint = "look again and decide again",
  })
end

--- The journal did not take the intent.
---@param run alicloud.dr.Mutation
---@param cause alicloud.Error
---@return nil, alicloud.Error
function M.unwritten(run, cause)
  return nil, base(run, {
    kind = cause.kind, code = cause.code, message = cause.message, hint = cause.hint,
    outcome = "not_sent", cause = cause.cause,
  })
end

--- Why there is no answer to a call that another process has sent.
---@param run alicloud.dr.Mutation
---@return alicloud.Error
function M.lost_answer(run)
  return base(run, {
    kind = "cancelled", code = "Client.Interrupted", outcome = "unknown", retryable = true,
    message = ("whoever sent the %s ended before its answer"):format(run.words.noun),
  })
end

--- What was seen stands against it, and nothing was sent.
---@param run alicloud.dr.Mutation
---@param problem { kind: string?, code: string, message: string, hint: string? } and more fields
---@return nil, alicloud.Error
function M.forbidden(run, problem)
  local fields = { kind = "precheck", outcome = "not_sent" }
  for name, value in pairs(problem) do fields[name] = value end
  return nil, base(run, fields)
end

--- The service said no, and nothing speaks for an effect.
---@param run alicloud.dr.Mutation
---@param err alicloud.Error of the call
---@return nil, alicloud.Error
function M.rejected(run, err)
  local doubtful = run.doubtful or err.outcome == "unknown"
  local message = err.message
  if doubtful then message = message .. " (an earlier attempt may still take effect)" end
  return nil, base(run, {
    kind = err.kind, code = err.code, status = err.status, request_id = err.request_id,
    message = message, outcome = doubtful and "unknown" or err.outcome,
    retryable = err.retryable, retry_after = err.retry_after, recommend = err.recommend,
    access_denied_detail = err.access_denied_detail, verdict = err.verdict,
    hint = doubtful and ways_on(run) or err.hint, cause = err, last = run.watch.last,
  })
end

--- Nobody can tell whether the call had an effect, and sending again is not safe any more.
---@param run alicloud.dr.Mutation
---@param err alicloud.Error of the last attempt
---@return nil, alicloud.Error
function M.unknown(run, err)
  local window = duration.format(run.options.resend_window)
  return nil, base(run, {
    kind = "state", code = "Client.OutcomeUnknown", outcome = "unknown", retryable = true,
    message = ("no usable answer to the %s (%s); %s; the time for sending again (%s) is over")
      :format(run.words.noun, err.code, run.watch:knowledge(), window),
    request_id = err.request_id, hint = ways_on(run), cause = err, last = run.watch.last,
  })
end

-- What may be said of the call itself once the group was seen under way, or away from it. A group
-- that moved after a refusal makes even the refusal doubtful.
local function call_outcome(run)
  if run.accepted then return "accepted" end
  if run.attempts == 0 then return "not_sent" end
  return (run.doubtful or run.watch.first_moving) and "unknown" or "rejected"
end

--- Somebody else has changed direction, pairs or state.
---@param run alicloud.dr.Mutation
---@param cause? alicloud.Error of the call, if it was not accepted
---@return nil, alicloud.Error
function M.superseded(run, cause)
  local outcome = call_outcome(run)
  return nil, base(run, {
    kind = "state", code = "Client.Superseded",
    message = ("things are no longer as this %s was decided for: %s"):format(
      run.words.noun, run.watch.reason),
    outcome = outcome == "accepted" and "unknown" or outcome,
    hint = "find out who changed it before anything else is sent", last = run.watch.last,
    request_id = run.accepted and run.accepted.request_id, cause = cause,
  })
end

-- The second failure of an incident has used up both tokens that its name stands for.
local function way_after_failure(run)
  local noun = run.words.noun
  local hint = ("look why it failed; then the %s may be asked for again, as a new %s"):format(
    noun, noun)
  if run.options.incident and run.intent.status == "failover_failed" then
    return hint .. ": give another incident name, this one repeats the token that has failed"
  end
  return hint
end

--- The service gave up.
---@param run alicloud.dr.Mutation
---@return nil, alicloud.Error
function M.failed(run)
  local outcome = call_outcome(run)
  return nil, base(run, {
    kind = "state", code = run.words.codes.failed, message = run.watch.reason,
    outcome = outcome == "unknown" and "accepted" or outcome,
    hint = way_after_failure(run),
    last = run.watch.last, pairs = run.watch.last.pairs,
    request_id = run.accepted and run.accepted.request_id,
  })
end

--- The wait ended before the change did.
---@param run alicloud.dr.Mutation
---@param stalled boolean
---@return nil, alicloud.Error
function M.timeout(run, stalled)
  local limit = duration.format(stalled and run.options.stall or run.options.timeout)
  return nil, base(run, {
    kind = "timeout", code = stalled and run.words.codes.stalled or run.words.codes.timeout,
    outcome = "unknown", retryable = true,
    message = (stalled and "nothing has changed for %s: %s" or "not done within %s: %s")
      :format(limit, run.watch:knowledge()),
    hint = ways_on(run), last = run.watch.last, cause = run.watch.last_error,
    request_id = run.accepted and run.accepted.request_id,
  })
end

return M
