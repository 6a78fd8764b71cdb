--- Makes the result of a run from its journal alone.

local effects = require "alicloud.dr.playbook.effect"
local figures = require "alicloud.dr.playbook.figures"
local productions = require "alicloud.dr.playbook.production"
local readable = require "alicloud.base.readable"
local states = require "alicloud.dr.playbook.state"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.RunResult
---@field status "completed"|"completed_with_exceptions"
---@field outcome "already_there"|"already_failovered"|nil nothing was done, since a group was at
---its destination, or open there, already
---@field run_id string
---@field playbook string
---@field journal string
---@field head string sum of the journal's last line; if noted elsewhere, it proves that no line was
---cut off or changed
---@field rto number? seconds to the first successful verification, else to the open data; nil: not
---known
---@field rpo number? seconds, the worst of the failovers; nil: not known
---@field figures { rto: alicloud.dr.RecoveryTime, rpo: alicloud.dr.RecoveryPoint } from when and to
---when both are counted
---@field declared { rto: number?, rpo: number? }?
---@field marks table<string, number> unix seconds: data_ready, old_side_fenced, verified
---@field exceptions string[]
---@field attempts integer
---@field production_down string? what the run has stopped and not brought back, or opened and not
---served, in words
---@field ways_up alicloud.dr.WayUp[] where each of these groups can come up
---@field steps alicloud.dr.StepState[] in order

local function outcome(state)
  for _, key in ipairs(state.order) do
    local result = state.steps[key].result
    if type(result) == "table" and result.outcome == "already_there" then
      return result.outcome
    end
  end
  return figures.recovery_time(state).why == "already" and "already_failovered" or nil
end

-- Outcomes of verbs that tell what they have not seen. A step may return anything.
local TELLS = tables.set { "failovered", "already_failovered", "serving", "already_serving",
  "fenced", "already_fenced" }

-- What the fences, failovers and services of a run have not seen.
local function unseen(state)
  local texts, known = {}, {}
  local function add(group_id, words)
    local text = type(words) == "string" and ("%s: %s"):format(group_id, words)
    if text and not known[text] then texts[#texts + 1], known[text] = text, true end
  end
  for _, entry in ipairs(state.intents) do
    add(entry.intent.group_id, entry.outcome and entry.outcome.unseen)
  end
  -- A failover that was joined has no intent.
  for _, key in ipairs(state.order) do
    local result = state.steps[key].result
    if type(result) == "table" and TELLS[result.outcome] then
      add(result.group_id, result.unseen)
    end
  end
  return texts
end

--- The findings of pre-checks that were overruled for a change, and what was not seen at its end,
--- in words.
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
  for _, text in ipairs(unseen(state)) do texts[#texts + 1] = text end
  return texts
end

--- The RTO and RPO of a run, with the times from which and to which they are counted.
---@param state alicloud.dr.RunState
---@return { rto: alicloud.dr.RecoveryTime, rpo: alicloud.dr.RecoveryPoint }
function M.figures(state)
  return { rto = figures.recovery_time(state), rpo = figures.recovery_point(state) }
end

--- The last record of a run that came to its end.
---@param engine alicloud.dr.Engine
---@return table event
function M.ending(engine)
  local state = engine.state
  return {
    type = "finished",
    status = #engine.exceptions == 0 and "completed" or "completed_with_exceptions",
    exceptions = engine.exceptions, rto = figures.recovery_time(state).seconds,
    rpo = figures.recovery_point(state).seconds,
  }
end

--- The result of a finished run.
---@param state alicloud.dr.RunState
---@param journal alicloud.dr.JournalFile
---@return alicloud.dr.RunResult
function M.of(state, journal)
  local ending, steps = state.ending, {}
  for i, key in ipairs(state.order) do steps[i] = state.steps[key] end
  return readable.printed {
    status = ending.status, outcome = outcome(state), exceptions = ending.exceptions,
    rto = ending.rto, rpo = ending.rpo,
    figures = M.figures(state),
    run_id = state.run.run_id, playbook = state.run.playbook, declared = state.run.declared,
    journal = journal.store.name, head = journal.head, marks = state.marks,
    attempts = state.attempts, steps = steps, production_down = productions.words(state),
    ways_up = productions.ways_up(state, effects.no_return(state) ~= nil),
  }
end

--- The state of a run, from the events of its journal.
---@param events table[]
---@return alicloud.dr.RunState
function M.state(events)
  return states.fold(events)
end

return M
