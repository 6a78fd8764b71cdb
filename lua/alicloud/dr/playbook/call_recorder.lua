--- Writes the calls of a branch to the journal: every changing attempt with its answer, and the
--- intents and outcomes of verbs (alicloud.call.interceptor, alicloud.dr.journal.protocol).

local errors = require "alicloud.base.error"
local takeovers = require "alicloud.dr.playbook.takeover"

local M = {}

local OUTSIDE = "a call that changes something belongs into a step, or into a task that the step "
  .. "has started; inside run:each and run:parallel, of the run that the function is given"

-- Actions that open the disks of a group for writing.
local OPENS = { FailoverDiskReplicaGroup = true, FailoverDiskReplicaPair = true }

--- The error for something that a run of the kind "drill" must not do.
---@param branch alicloud.dr.PlaybookRun
---@param what string
---@return alicloud.Error
function M.no_drill(branch, what)
  return errors.new { kind = "state", code = "Client.DrillOnly", outcome = "not_sent",
    step = branch.step_key,
    message = ("this run is a drill, and %s is no part of one"):format(what),
    hint = "rehearse with start_drill or drill; to move the group, run it as planned or unplanned" }
end

-- Whether the present task belongs to the branch's step; one that runs beside the step does not.
local function is_in_step(branch)
  local scope = branch.step_scope
  return branch.step_key ~= nil and (not scope or scope:is_around())
end

local function note_call(branch, call)
  local engine = branch.engine
  engine.loop.checkpoint()
  if engine.state.run.kind == "drill" and OPENS[call.action] then
    return nil, M.no_drill(branch, call.action)
  end
  if not is_in_step(branch) then return nil, OUTSIDE end
  -- A call of an earlier process may still arrive: then a verb looks again, and another call waits.
  local step = branch.step_key
  local early = branch.verb and takeovers.refusal(engine, step, call.action)
  if early then return nil, early end
  takeovers.wait(engine, step, engine.state.steps[step].calls, call.action)
  call.step = step
  local event = {
    type = "call", step = branch.step_key, product = call.product,
    action = call.action, region = call.region, host = call.host, attempt = call.attempt,
    client_token = call.client_token, digest = call.digest, verb = branch.verb,
    stable = call.client_token and engine.tokens[call.client_token] or nil,
  }
  -- The number is drawn at the event's turn, since other branches may write calls before.
  return engine:write(function()
    call.number = #engine.state.calls + 1
    event.call = call.number
    return event
  end, true)
end

local function note_answer(branch, call, result, answer)
  branch.engine:write_surely {
    type = "answer", call = call.number, step = call.step,
    outcome = result and "accepted" or answer.outcome or "unknown",
    code = answer.code, status = answer.status, request_id = answer.request_id,
    server_time = answer.date,
  }
end

--- The interceptor of a branch's client.
---@param branch alicloud.dr.PlaybookRun
---@return alicloud.Interceptor
function M.interceptor(branch)
  return {
    before = function(call) return note_call(branch, call) end,
    after = function(call, result, answer) return note_answer(branch, call, result, answer) end,
  }
end

local function event_of(kind, step, record)
  local event = { type = kind, step = step }
  for name, value in pairs(record) do event[name] = value end
  return event
end

--- The journal that a verb writes to.
---@param branch alicloud.dr.PlaybookRun
---@return alicloud.dr.Journal
function M.journal(branch)
  local step = branch.step_key
  return {
    intent = function(record)
      if not is_in_step(branch) then return nil, OUTSIDE end
      -- The intent of a part has the part's verb; `of` names the verb that it is a part of.
      record.of = branch.verb ~= record.verb and branch.verb or nil
      return branch.engine:write(event_of("intent", step, record), true)
    end,
    outcome = function(record)
      return branch.engine:write_surely(event_of("outcome", step, record))
    end,
  }
end

return M
