--- Corrected parameters in a rehearsal: somebody who goes on with a run gives other values, and
--- every process behind keeps them.

local core = require "alicloud.core"
local journals = require "alicloud.dr.journal"
local states = require "alicloud.dr.playbook.state"

local M = {}

M.INVARIANTS = {
  P11 = "a correction is written once, with the value before it, and kept by all that follows",
}

--- What the next process of a stage corrects: all that the plan says, from the second one on, in
--- two of three seeds.
---@param stage alicloud.simulation.Stage
---@return alicloud.dr.CorrectionWish|nil
function M.wish(stage)
  local values = stage.plan.correction
  if not values or stage.case.seed % 3 == 0 or #stage.processes < 2 then return nil end
  local reading = journals.read(stage.disk:text "run")
  if not reading or #reading.events == 0 then return nil end
  return { values = values, why = "corrected in a rehearsal", by = "operator" }
end

local function is_same(a, b) return core.encode { a } == core.encode { b } end

--- Holds the records against it.
---@param stage alicloud.simulation.Stage
---@param events table[]
---@param violated fun(what: string)
function M.check(stage, events, violated)
  if not stage.plan.correction then return end
  local state, seen = states.new(), {}
  for _, event in ipairs(events) do
    if event.type == "correction" then
      if seen[event.name] then violated("P11 " .. event.name .. " was corrected twice") end
      if not is_same(event.old, state.params[event.name]) then
        violated("P11 the value before is not the one that was there: " .. event.name)
      end
      seen[event.name] = event.new
    end
    states.apply(state, event)
  end
  for name, value in pairs(seen) do
    if not is_same(state.params[name], value) then violated("P11 " .. name .. " was forgotten") end
  end
end

return M
