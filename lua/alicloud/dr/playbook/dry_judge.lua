--- Judges a step of a plan: what its result, or its error, would mean in a run.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local keeping = require "alicloud.dr.journal.keeping"
local precheck = require "alicloud.dr.model.precheck"
local steps = require "alicloud.dr.playbook.step"
local stops = require "alicloud.dr.playbook.stop"

local M = {}

-- The first obstacle in a report of a pre-check; nil: the table is no such report.
local function obstacle_of(result)
  local ok, obstacle = guard.call(precheck.first_obstacle, result)
  if not (ok and obstacle) then return nil end
  return errors.new { kind = "precheck", code = obstacle.code, message = obstacle.fact,
    hint = obstacle.cure, outcome = "not_sent" }
end

-- A result that cannot be kept fails the step in a run, unless it has changed something.
local function judge_result(entry, faults)
  entry.failed, entry.note = true, steps.odd_result(entry.key, faults)
  if entry.effect == "reads" then entry.effect = "refused" end
end

--- Sets effect, note and error of a planned step.
---@param entry alicloud.dr.PlannedStep changed in place
---@param ok boolean false: the step raised
---@param result any the result, or the raised value
---@param err any
---@return any result as a run would give it
function M.judge(entry, ok, result, err)
  if ok and (result ~= nil or err == nil) then
    local kept, faults = keeping.copy(result, "result", steps.MOST_BYTES)
    entry.effect = #entry.calls > 0 and "changes" or entry.not_done and "unknown" or "reads"
    entry.note = entry.not_done
    if type(result) == "table" and rawget(result, "ok") == false then
      entry.effect = "refused"
      entry.err = obstacle_of(result)
      entry.note = "its pre-check stands against it"
        .. (entry.err and (": %s: %s"):format(entry.err.code, entry.err.message) or "")
    elseif #faults > 0 and not entry.options.plan then
      judge_result(entry, faults)
    end
    -- The result of the option `plan` need not be one that a journal can keep.
    if entry.options.plan then return result end
    return kept
  end
  err = stops.error_of(ok and err or result, entry.key)
  if err.code == "Client.ObserveMode" then
    entry.effect = "changes"
    entry.note = "what it does after its first change cannot be known"
    return nil
  end
  entry.effect = (err.kind == "precheck" or err.outcome) and "refused" or "unknown"
  entry.failed, entry.err = true, err
  entry.note = err.code .. ": " .. err.message
  return nil
end

return M
