--- The protocol between a change of a group and a journal: what it writes, and how it is continued.
---
--- A change (a failover, or another call to a group) takes the option `journal`, any object with
--- two functions:
---
---   intent(record)   called when the decision is made, before the first byte leaves. When it
---                    returns true the record is safe from a crash. `nil, why`: the change sends
---                    nothing and ends with `Client.JournalFailed`, outcome "not_sent".
---   outcome(record)  called at the end of the change, good or bad, if there was an intent. Its
---                    result is ignored: the work is done or in doubt by then.
---
--- and the option `continue`, an earlier intent without an outcome. The client's own option
--- `witness` (see alicloud.call.interceptor) tells the journal of each attempt in between.
---
--- With `continue` a change does not decide again. It looks until several looks agree, compared
--- with the intent:
--- - under way or completed: it waits for the end;
--- - another direction, set of pairs or state: it stops with the difference;
--- - untouched: it sends again under the same token if the resend window, which counts from the
---   first send by the wall clock, is still open; else the outcome stays unknown.
--- Until `resend_from` an earlier request may still arrive, so "untouched" is not believed before.
--- An intent that was never sent is decided anew with its token, if direction and pairs are equal.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Journal
---@field intent fun(record: alicloud.dr.IntentRecord): boolean|nil, any
---@field outcome fun(record: alicloud.dr.OutcomeRecord)

---@class alicloud.dr.IntentRecord
---@field verb string e.g. "failover"
---@field action string of the API
---@field intent alicloud.dr.Intent direction, states, pairs and token; plain JSON
---@field resend_window number seconds
---@field max_rpo number? seconds
---@field accept_loss alicloud.dr.AcceptLoss?
---@field force { code: string, why: string, by: string }[]? findings that were overruled for it

---@class alicloud.dr.OutcomeRecord
---@field verb string
---@field group_id string
---@field client_token string
---@field ok boolean
---@field outcome string of the result, or `err.outcome`; "unknown" leaves the intent open
---@field code string? of the error
---@field request_id string?
---@field result table? of a verb that ended well, without its snapshot
---@field drill_id string? of the drill that was started, from the answer

---@class alicloud.dr.Continue
---@field intent alicloud.dr.Intent
---@field is_open boolean? of a drill with a known id: the journal has no end of its start
---@field verb string? of the intent's record; a verb made of several others continues with this one
---@field one_shot boolean? of a start: whether it was a one-shot sync; nil: as is asked for now
---@field reverse boolean? of a reprotection: whether it was a reversal; nil: as is asked for now
---@field first_send_wall number? unix seconds of the first call that may have had an effect; nil:
---none has left, or each was refused
---@field doubtful boolean the outcome of an attempt is unknown
---@field accepted { request_id: string, server_time: number? }? the service accepted the call
---@field refused table? the last refusal, if each call was refused: the token has ended
---@field attempts integer? how many attempts have left so far
---@field request_ids string[]?
---@field resend_from number? seconds of the runtime's boottime: before then an earlier request may
---still arrive, so nothing is sent again

---@class alicloud.dr.AcceptLoss
---@field seconds number age of the recovery point that is accepted
---@field by string who accepts it
---@field why string

M.JOURNAL = schema.rule("a table with the functions intent and outcome", function(value)
  return type(value) == "table" and schema.callable.test(value.intent)
    and schema.callable.test(value.outcome)
end)

M.CONTINUE = schema.rule("a table with intent, first_send_wall and doubtful", function(value)
  return type(value) == "table" and type(value.intent) == "table"
    and type(value.intent.client_token) == "string" and type(value.doubtful) == "boolean"
end)

--- The rule of the option `continue` of a verb that is made of several others.
---@param ... string names of these verbs
---@return alicloud.schema.Rule
function M.continue_one_of(...)
  local verbs = tables.set { ... }
  local allowed = M.CONTINUE.allowed .. " and verb " .. table.concat({ ... }, " or ")
  return schema.rule(allowed, function(value)
    return M.CONTINUE.test(value) and verbs[value.verb] == true
  end)
end

local function is_words(value)
  return type(value) == "string" and value:find("%S") ~= nil and not value:find("%c")
end

-- A bound that excludes infinity, which a journal cannot keep.
local MOST_SECONDS = 1e11

M.ACCEPT_LOSS = schema.rule("{ seconds = number, by = who, why = reason }", function(value)
  return type(value) == "table" and type(value.seconds) == "number" and value.seconds > 0
    and value.seconds <= MOST_SECONDS and is_words(value.by) and is_words(value.why)
end)

--- Writes an intent, if there is a journal.
---@param journal alicloud.dr.Journal|nil
---@param record alicloud.dr.IntentRecord
---@return boolean|nil ok nil: nothing may be sent
---@return alicloud.Error? err
function M.write_intent(journal, record)
  if not journal then return true end
  local ok, written, why = guard.call(journal.intent, record)
  if ok and written then return true end
  local reason = ok and (why or "no reason given") or written
  return nil, errors.new {
    kind = "journal", code = "Client.JournalFailed", outcome = "not_sent",
    message = "the intent could not be written down, nothing was sent: " .. tostring(reason),
    hint = "mend the journal's file system; nothing is sent that a crash could make us forget",
    cause = errors.is_error(reason) and reason or nil,
  }
end

local function without_snapshot(result)
  if not result then return nil end
  local copy = tables.copy(result)
  copy.snapshot = nil
  return copy
end

--- Writes the outcome of an intent, if there is a journal.
---@param journal alicloud.dr.Journal|nil
---@param verb string
---@param intent alicloud.dr.Intent
---@param result table|nil with `outcome` and `request_id`
---@param err alicloud.Error|nil
function M.write_outcome(journal, verb, intent, result, err)
  if not journal then return end
  local ending = result or err or {}
  guard.call(journal.outcome, {
    verb = verb, group_id = intent.group_id, client_token = intent.client_token,
    ok = result ~= nil, outcome = ending.outcome, code = err and err.code or nil,
    request_id = ending.request_id, result = without_snapshot(result), drill_id = intent.drill_id,
  })
end

return M
