--- `explore`, in the process without rights: runs the seeds that it is dealt, with an emulator in
--- the same process.

local book = require "alicloud.cli.confined.book"
local core = require "alicloud.core"
local people = require "alicloud.simulation.people"
local rehearsed = require "alicloud.cli.confined.rehearsed"
local simulation = require "alicloud.simulation"

local M = {}

local LONGEST_TEXT = 4000

local function cut(text)
  return text:sub(1, LONGEST_TEXT)
end

local function harm_of(harm)
  local troubles = {}
  for i, text in ipairs(harm.troubles) do troubles[i] = cut(text) end
  return { what = cut(harm.what), only = core.array(harm.only), troubles = core.array(troubles) }
end

local function seed_of(report, seed)
  local harm = report.violations[1]
  return { type = "seed", seed = seed, processes = report.processes, crashes = report.crashes,
    requests = report.requests, effects = report.effects, ending = cut((next(report.endings))),
    met = report.met,
    harm = harm and harm_of(harm) or nil }
end

---@param job table
---@param link alicloud.dr.ConfinedLink
---@return table
function M.run(job, link)
  -- Few objects outlive the seed in which they are made.
  collectgarbage "generational"
  book.forbid_clients()
  local plan = rehearsed.plan(job, link)
  local known = people.learn(plan)
  local block = link.ask { type = "ready", programs = core.array(known.unnamed),
    unused = core.array(known.unused) }
  while block.type == "block" do
    for seed = block.first, block.first + block.count - 1 do
      link.send(seed_of(simulation.explore(plan, { first = seed, seeds = 1, only = job.only,
        kinds = job.kinds }), seed))
    end
    block = link.ask { type = "ready" }
  end
  return {}
end

return M
