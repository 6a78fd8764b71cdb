--- Counts for reports on rehearsals, whether their cases are from seeds or enumerated.

local coverage = require "alicloud.simulation.coverage"

local M = {}

---@class alicloud.simulation.Tally
---@field processes integer
---@field crashes integer
---@field requests integer
---@field effects integer
---@field endings table<string, integer>
---@field met table<string, integer> see alicloud.simulation.coverage

--- Makes a tally, with counts of 0.
---@param fields table other fields of the report; becomes the tally
---@return alicloud.simulation.Tally
function M.new(fields)
  fields.processes, fields.crashes, fields.requests, fields.effects = 0, 0, 0, 0
  fields.endings, fields.met = {}, {}
  return fields
end

--- Counts a rehearsal.
---@param tally alicloud.simulation.Tally
---@param rehearsal alicloud.simulation.Rehearsal
function M.add(tally, rehearsal)
  local stage = rehearsal.stage
  tally.processes = tally.processes + #stage.processes
  for _, process in ipairs(stage.processes) do
    if process.crashed then tally.crashes = tally.crashes + 1 end
  end
  tally.requests = tally.requests + #stage.requests
  tally.effects = tally.effects + #stage.emu:ledger()
  tally.endings[rehearsal.ending] = (tally.endings[rehearsal.ending] or 0) + 1
  coverage.add(tally.met, rehearsal)
end

return M
