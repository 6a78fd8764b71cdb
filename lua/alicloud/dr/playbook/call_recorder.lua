--- What a branch of a run tells the journal about calls: every attempt to change something, and
--- what verbs decide (alicloud.call.interceptor, alicloud.dr.journal.protocol).

local errors = require "alicloud.base.error"

local M = {}

local OUTSIDE = "a call that changes something belongs into a step; inside run:each and "
  .. "run:parallel, of the run that the function is given"

-- What opens the disks of a group to whoever writes.
local OPENS = { FailoverDiskReplicaGroup = true, FailoverDiskReplicaPair = true }

--- Why something is not done in a run that is a drill.
---@param branch alicloud.dr.PlaybookRun
---@param what string
---@return alicloud.Error
function M.no_drill(branch, what)
  return errors.new { kind = "state", code = "Client.DrillOnly", outcome = "not_sent",
    step = branch.step_key,
    message = ("this run is a drill, and %s is no part of one"):format(what),
    hint = "rehearse with start_drill or drill; to move the group, run it as planned or unplanned" }
end

local function note_call(branch, call)
  local engine = branch.engine
  if engine.state.run.kind == "drill" and OPENS[call.action] then
    return nil, M.no_drill(branch, call.action)
  end
  if not branch.step_key then return nil, OUTSIDE end
  call.number = #engine.state.calls + 1
  return engine:write({
    type = "call", call = call.number, step = branch.step_key, product = call.product,
    action = call.action, region = call.region, host = call.host, attempt = call.attempt,
    client_token = call.client_token, digest = call.digest, verb = branch.verb,
    stable = call.client_token and engine.tokens[call.client_token] or nil,
  }, true)
end

local function note_answer(branch, call, result, answer)
  branch.engine:write({
    type = "answer", call = call.number, step = branch.step_key,
    outcome = result and "accepted" or answer.outcome or "unknown",
    code = answer.code, status = answer.status, request_id = answer.request_id,
    server_time = answer.date,
  }, true)
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

local function noted(branch, kind, record)
  if not branch.step_key then return nil, OUTSIDE end
  local event = { type = kind, step = branch.step_key }
  for name, value in pairs(record) do event[name] = value end
  return branch.engine:write(event, true)
end

--- The journal that a verb writes to.
---@param branch alicloud.dr.PlaybookRun
---@return alicloud.dr.Journal
function M.journal(branch)
  return {
    intent = function(record)
      -- What a verb consists of is told under its own name, and whose part it is.
      record.of = branch.verb ~= record.verb and branch.verb or nil
      return noted(branch, "intent", record)
    end,
    outcome = function(record) return noted(branch, "outcome", record) end,
  }
end

return M
