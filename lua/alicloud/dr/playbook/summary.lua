--- How a run ended, from its journal alone.

local states = require "alicloud.dr.playbook.state"

local M = {}

---@class alicloud.dr.RunResult
---@field status "completed"|"completed_with_exceptions"
---@field outcome "already_there"|nil a group stood where it was to go, so nothing was done
---@field run_id string
---@field playbook string
---@field journal string
---@field head string sum of the journal's last line; noted elsewhere it proves that nothing was cut
---@field rto number? seconds from the beginning to the first successful verification, else to the
---open data
---@field rpo number? seconds, the worst of the failovers
---@field declared { rto: number?, rpo: number? }?
---@field marks table<string, number> unix seconds: data_ready, old_side_fenced, verified
---@field exceptions string[]
---@field attempts integer
---@field steps alicloud.dr.StepState[] in order

--- How long the service was away, as far as the run has come.
---@param state alicloud.dr.RunState
---@return number|nil seconds from the beginning
---@return "verified"|"data_ready"|nil basis what stopped the clock
function M.rto(state)
  local basis = state.marks.verified and "verified" or state.marks.data_ready and "data_ready"
  if not basis then return nil end
  return state.marks[basis] - state.run.at, basis
end

local function outcome(state)
  for _, key in ipairs(state.order) do
    local result = state.steps[key].result
    if type(result) == "table" and result.outcome == "already_there" then
      return result.outcome
    end
  end
  return nil
end

--- How much was lost: the worst of the failovers.
---@param state alicloud.dr.RunState
---@return number|nil seconds
function M.rpo(state)
  local worst
  for _, key in ipairs(state.order) do
    local result = state.steps[key].result
    local loss = type(result) == "table" and type(result.rpo) == "number" and result.rpo
    if loss and (not worst or loss > worst) then worst = loss end
  end
  return worst
end

--- What was overruled of pre-checks, and was needed.
---@param state alicloud.dr.RunState
---@return string[] texts
function M.overruled(state)
  local texts, known = {}, {}
  for _, entry in ipairs(state.intents) do
    for _, force in ipairs(entry.force or {}) do
      local text = ("%s of %s was overruled by %s: %s"):format(force.code,
        entry.intent.group_id, force.by, force.why)
      if not known[text] then texts[#texts + 1], known[text] = text, true end
    end
  end
  return texts
end

--- The last record of a run that came to its end.
---@param engine alicloud.dr.Engine
---@return table event
function M.ending(engine)
  local state = engine.state
  return {
    type = "finished",
    status = #engine.exceptions == 0 and "completed" or "completed_with_exceptions",
    exceptions = engine.exceptions, rto = (M.rto(state)), rpo = M.rpo(state),
  }
end

--- What a finished run came to.
---@param state alicloud.dr.RunState
---@param journal alicloud.dr.JournalFile
---@return alicloud.dr.RunResult
function M.of(state, journal)
  local ending, steps = state.ending, {}
  for i, key in ipairs(state.order) do steps[i] = state.steps[key] end
  return {
    status = ending.status, outcome = outcome(state), exceptions = ending.exceptions,
    rto = ending.rto, rpo = ending.rpo,
    run_id = state.run.run_id, playbook = state.run.playbook, declared = state.run.declared,
    journal = journal.store.name, head = journal.head, marks = state.marks,
    attempts = state.attempts, steps = steps,
  }
end

--- What a journal tells without running anything.
---@param events table[]
---@return alicloud.dr.RunState
function M.state(events)
  return states.fold(events)
end

return M
