--- `explore --draft-world`, in the process without rights: drafts the world that a playbook needs.

local book = require "alicloud.cli.confined.book"
local discover = require "alicloud.simulation.discover"

local M = {}

local LONGEST_TEXT, PAIRS = 4000, 3

---@param job table
---@param link alicloud.dr.ConfinedLink
---@return { world: table, problem: string? }
function M.run(job, link)
  book.forbid_clients()
  local playbook, begin = book.open(job, link)
  local plan = { playbook = playbook, region = begin.region, kind = begin.kind,
    params = job.params, alive = function() link.send { type = "progress" } end }
  local _, problem = discover.run(plan)
  if #plan.world.groups == 0 then book.refuse("playbook: " .. problem) end
  for _, group in ipairs(plan.world.groups) do group.pairs = group.pairs or PAIRS end
  return { world = plan.world, problem = problem and problem:sub(1, LONGEST_TEXT) }
end

return M
