--- Makes the plan of a rehearsal for the explorations in the process without rights.

local assumed = require "alicloud.conformance.assume"
local book = require "alicloud.cli.confined.book"
local simulation = require "alicloud.simulation"

local M = {}

--- Loads a playbook and plans its rehearsal: in the world that was given or else found, with the
--- assumptions and durations that were measured on a real service, if there are any.
---@param job table
---@param link alicloud.dr.ConfinedLink
---@return alicloud.simulation.Plan
function M.plan(job, link)
  local playbook, begin = book.open(job, link)
  local plan, message, world_helps = simulation.plan(playbook, { region = begin.region,
    kind = begin.kind, params = job.params, world = begin.world, programs = job.programs,
    wire = job.wire, assume = job.assume, messages = job.messages,
    alive = function() link.send { type = "progress" } end })
  if not plan then book.refuse_world(message --[[@as string]], world_helps) end
  if job.timings then plan.world = assumed.in_world(plan.world, job.timings) end
  return plan
end

return M
