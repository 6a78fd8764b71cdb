--- `explore --exhaustive`, in the process without rights: runs the units that it is dealt.

local book = require "alicloud.cli.confined.book"
local core = require "alicloud.core"
local exhaustive = require "alicloud.simulation.exhaustive"
local people = require "alicloud.simulation.people"
local rehearsed = require "alicloud.cli.confined.rehearsed"

local M = {}

local LONGEST_TEXT, MOST_HARMS = 4000, 20
-- Seconds after which a process without a unit asks again. Asking at once would take CPU time from
-- the processes that have one.
local PAUSE = 0.05

local function cut(text)
  return text:sub(1, LONGEST_TEXT)
end

local function frame_of(report)
  local harms = {}
  for i = 1, math.min(#report.harms, MOST_HARMS) do
    local harm = report.harms[i]
    local troubles = {}
    for k, text in ipairs(harm.troubles) do troubles[k] = cut(text) end
    harms[i] = { what = cut(harm.what), only = core.array(harm.only),
      troubles = core.array(troubles) }
  end
  return { type = "unit", runs = report.runs, troubles = report.troubles, merged = report.merged,
    processes = report.processes, crashes = report.crashes, requests = report.requests,
    effects = report.effects, endings = report.endings, met = report.met, harmed = #report.harms,
    harms = core.array(harms), traces = report.traces and core.array(report.traces) or nil,
    next = report.next }
end

local DO = {}

function DO.single(about, block) return exhaustive.single(about, block.n) end

function DO.pairs(about, block) return exhaustive.pairs(about, block.n, block.from) end

function DO.again(about, block)
  local report, message = exhaustive.again(about, block.only)
  return report or book.refuse("--only: " .. message)
end

---@param job table
---@param link alicloud.dr.ConfinedLink
---@return table
function M.run(job, link)
  collectgarbage "generational"
  book.forbid_clients()
  local plan = rehearsed.plan(job, link)
  local about, message = exhaustive.open(plan, { kinds = job.kinds })
  if not about then book.refuse("playbook: " .. message) end
  local violations, known = {}, people.learn(plan)
  for i, what in ipairs(about.violations) do violations[i] = cut(what) end
  local block = link.ask { type = "listed", points = about.points, units = #about.units,
    troubles = about.troubles, merged = about.merged, met = about.met,
    violations = core.array(violations),
    programs = core.array(known.unnamed), unused = core.array(known.unused) }
  while block.type ~= "end" do
    if block.type == "wait" then
      core.poll(nil, "r", PAUSE)
      block = link.ask { type = "idle" }
    else
      block = link.ask(frame_of(DO[block.type](about, block)))
    end
  end
  return {}
end

return M
