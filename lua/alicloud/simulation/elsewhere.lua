--- A colleague who goes on elsewhere: the machine of a run is believed dead, and a colleague with a
--- copy of its journal finishes the run on another machine. Then the first machine comes back where
--- it stood still, and goes on with its own journal, unaware. No lock and no fence keeps the two
--- apart, since their journals are in two places: only tokens and looks protect.

local errors = require "alicloud.base.error"
local memory = require "alicloud.dr.store.memory"
local random = require "alicloud.simulation.random"

local M = {}

M.INVARIANTS = {
  P13 = "a colleague who goes on with a copied journal, and the first machine that comes back, "
    .. "open a group once, and both end well if nothing else is wrong",
}

local STREAM = 1 << 46

--- Adds such a colleague to some seeds, from a random stream of its own. Not if the service forgets
--- tokens, since nothing would protect, and not with a shared store, whose journal is not copied.
---@param seed integer
---@param list alicloud.simulation.Trouble[]
---@return alicloud.simulation.Trouble[]
function M.with(seed, list)
  local d = random.new(seed + STREAM)
  if not d:chance(0.06) then return list end
  local all = {}
  if d:chance(0.5) then
    for i, trouble in ipairs(list) do
      if trouble.kind == "controllers" or trouble.name == "token_forget" then return list end
      all[i] = trouble
    end
  end
  local trouble = { kind = "elsewhere", seconds = d:pick { 0, 0, 20, 100, 1000 } }
  local where = d:random()
  if where < 0.5 then
    trouble.call = d:between(3, 34)
  elseif where < 0.75 then
    trouble.send = d:pick { 1, 1, 2 }
  else
    trouble.request = d:between(1, 20)
  end
  all[#all + 1] = trouble
  return all
end

-- Seconds until the first machine comes back: none, and more than the limits of repeating a call.
local AWAY = { 0, 100, 1000 }

--- All troubles of this kind that can come at a moment.
---@param moment { request: integer?, call: integer? } number of a request, or of a call of the disk
---@return alicloud.simulation.Trouble[]
function M.at(moment)
  local list = {}
  for i, seconds in ipairs(AWAY) do
    list[i] = { kind = "elsewhere", seconds = seconds, request = moment.request,
      call = moment.call }
  end
  return list
end

--- A trouble of this kind in words.
---@param trouble alicloud.simulation.Trouble
---@return string
function M.describe(trouble)
  local when = trouble.call and ("at call %d of the disk"):format(trouble.call)
    or trouble.send and ("before change %d"):format(trouble.send)
    or ("before request %d"):format(trouble.request)
  return ("a colleague goes on elsewhere with a copy of the journal, %s; the first one comes back "
    .. "%g s later"):format(when, trouble.seconds)
end

-- Drills are left out: if somebody else clears the drill of a run, the run cannot tell that from a
-- drill that never began.
local function is_drill(plan)
  return (plan.kind or plan.playbook.kind) == "drill"
end

-- Whether the colleague has reprotected the group, so that it is not failed over any more.
local function has_turned(stage, since)
  for i, effect in ipairs(stage.emu:ledger()) do
    if i > since and effect.action == "ReprotectDiskReplicaGroup" then return true end
  end
  return false
end

--- Applies the trouble to a stage: runs the colleague to the end of his run.
---@param stage alicloud.simulation.Stage
---@param trouble alicloud.simulation.Trouble
function M.come(stage, trouble)
  local taken = stage.nested > 0 or stage.other_disk or stage.disk.shared
  if taken or is_drill(stage.plan) then return end
  local who, copy, stood = stage.who, memory.disk(), stage.emu:now()
  copy:open("run")
  copy:put("run", stage.disk:durable "run")
  stage.other_disk = copy
  local done = #stage.emu:ledger()
  stage.nested, stage.who = stage.nested + 1, "elsewhere"
  stage.away = stage:run_on(copy)
  stage.nested, stage.who = stage.nested - 1, who
  stage.undone = stage.undone or has_turned(stage, done)
  stage.emu:advance(trouble.seconds)
  stage.disk.delayed = (stage.disk.delayed or 0) + stage.emu:now() - stood
end

local OPENS = "FailoverDiskReplicaGroup"

-- A run that also stops or reverses replication cannot go on after somebody else has finished it;
-- it tells so, and people decide.
local TURNS = { StopDiskReplicaGroup = true, StartDiskReplicaGroup = true,
  ReprotectDiskReplicaGroup = true }

local function opens_alone(stage)
  for _, effect in ipairs(stage.emu:ledger()) do
    if TURNS[effect.action] then return false end
  end
  return #stage.emu.world.groups == 1
end

-- If the colleague has failed the group over and finished, nothing may stop the first run.
local function check_end(stage, violated)
  local last = stage.processes[#stage.processes]
  if stage.away and not last.result and opens_alone(stage) then
    violated("P13 who comes back does not end well, and his colleague has: "
      .. errors.text_of(last.err))
  end
end

--- Checks P13 after a case has ended, if it has no other trouble: if others have interfered or a
--- failover has failed, a second failover may be right.
---@param stage alicloud.simulation.Stage
---@param violated fun(what: string)
function M.check(stage, violated)
  local alone = #stage.case.troubles == 1 and stage.case.troubles[1]
  if not alone or alone.kind ~= "elsewhere" then return end
  check_end(stage, violated)
  local opened = {}
  for _, effect in ipairs(stage.emu:ledger()) do
    if effect.action == OPENS then
      if opened[effect.group] then
        violated(("P13 %s was opened twice, at %s and %s"):format(effect.group,
          opened[effect.group], tostring(effect.to)))
      end
      opened[effect.group] = tostring(effect.to)
    end
  end
end

return M
