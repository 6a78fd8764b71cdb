--- A failover whose controller is killed before and after each of its appends, one after the other;
--- a second controller waits and finishes.

local invariants = require "spec.etcd.invariants"
local stages = require "spec.etcd.stage"
local tables = require "alicloud.base.tables"

local M = {}

-- Trials that run beside each other, and how many appends are tried at most.
local AT_ONCE, MOST, MOST_AGAIN = 6, 20, 3
local GROUP = "pg-orders"

---@class spec.KillTrial
---@field name string
---@field trap spec.Trap
---@field first spec.StagedController
---@field second spec.StagedController

local function begin(stage, trap, settings)
  local name = ("%s-%d"):format(trap.when, trap.nth) .. ("x"):rep(trap.again)
  local account = tostring((trap.when == "before" and 1000000 or 2000000) + 100 * trap.again
    + trap.nth)
  local items = { { run = name, account = account, group = GROUP } }
  local trial = { name = name, trap = trap }
  trial.first = stage:controller(name .. "-one",
    tables.merged(settings, { items = items, trap = trap }))
  -- The second must not be the first: on a busy machine it takes some time to begin.
  stages.wait(trial.first.settings.patience, function()
    return trial.first:ended() or trial.first:tells '"try"'
  end)
  trial.second = stage:controller(name .. "-two", tables.merged(settings, { items = items }))
  return trial
end

local function has_ended(trial)
  return trial.first:ended() and trial.second:ended()
end

-- Each append, before and after it.
local function traps(nths)
  local list = {}
  for _, nth in ipairs(nths) do
    for _, when in ipairs { "before", "after" } do
      list[#list + 1] = { signal = "KILL", when = when, nth = nth, again = 0 }
    end
  end
  return list
end

local function all()
  local nths = {}
  for nth = 1, MOST do nths[nth] = nth end
  return nths
end

-- Seconds from each kill to the first append of whoever has taken over, sorted.
local function takeovers(history)
  local killed_at, list = {}, {}
  for _, event in ipairs(history) do
    local trial, which = (event.who or ""):match "^(.*)%-(%a+)$"
    if event.type == "struck" then killed_at[trial] = event.at end
    if event.type == "try" and which == "two" and killed_at[trial] then
      list[#list + 1] = event.at - killed_at[trial]
      killed_at[trial] = nil
    end
  end
  table.sort(list)
  return list
end

-- One whose store was slow loses its session, and the other one takes over before its time.
local function was_overtaken(trial)
  return trial.first:tells '"stopped"' and trial.trap.again < MOST_AGAIN
end

-- Takes those out that have ended: how many were killed, and whether one was not, though it has
-- made all its appends. Who was overtaken is to be tried again.
local function harvest(open, waiting)
  local killed, spared = 0, false
  for i = #open, 1, -1 do
    if has_ended(open[i]) then
      local trial = table.remove(open, i)
      if trial.first.how == "signal" then
        killed = killed + 1
      elseif was_overtaken(trial) then
        local trap = trial.trap
        table.insert(waiting, 1, tables.merged(trap, { again = trap.again + 1 }))
      else
        spared = true
      end
    end
  end
  return killed, spared
end

--- Runs a sweep. It ends behind the first append that is not made any more.
---@param stage spec.Stage
---@param nths? integer[] which appends; all unless given
---@param settings? table of spec.ControllerSettings, those that differ
---@return { killed: integer, history: table[], violations: string[], takeovers: number[] }
function M.run(stage, nths, settings)
  local open, waiting, killed, over = {}, traps(nths or all()), 0, false
  local function is_due() return waiting[1] and (not over or waiting[1].again > 0) end
  while #open > 0 or is_due() do
    while #open < AT_ONCE and is_due() do
      open[#open + 1] = begin(stage, table.remove(waiting, 1), settings or {})
    end
    local before, n, spared = #open, nil, nil
    stages.wait(60, function()
      n, spared = harvest(open, waiting)
      return #open < before
    end)
    killed, over = killed + n, over or spared
  end
  stage:finish(5)
  local history = stage:history()
  return { killed = killed, history = history, violations = invariants.check(history),
    takeovers = takeovers(history) }
end

return M
