--- The invariants about figures: compares the RPO and the RTO that a run reports with what really
--- happened. A missing figure is no violation; one that is too good is.

local random = require "alicloud.simulation.random"

local M = {}

M.INVARIANTS = {
  N1 = "a loss is counted up to the declared outage; without one, not up to a moment before the "
    .. "effect",
  N2 = "no reported recovery time is shorter than the true one, and a run that did nothing reports "
    .. "none",
}

-- A random stream of its own, so that the rest of a seed's case stays the same.
local STREAM = 1 << 42

--- Draws when the outage began, which is declared in a third of all cases.
---@param seed integer
---@return integer|nil seconds before the start of the run; nil: no outage is declared
function M.declared(seed)
  local d = random.new(seed + STREAM)
  return d:chance(0.35) and d:pick { 0, 60, 300, 600, 4200 } or nil
end

-- Seconds: dates of answers have whole seconds, and marks are written a moment after their event.
local SLACK = 3

-- A machine may sleep between an answer and its record, and the store may be slow.
local function slack_of(stage)
  return SLACK + stage.asleep + (stage.disk.delayed or 0)
end

local function first_effects(found)
  local by_token = {}
  for _, entry in ipairs(found.effects) do
    local effect = entry.effect
    local token = effect.client_token
    if token and effect.action:find "^Failover" then
      local first = by_token[token]
      if not first or effect.time < first.time then by_token[token] = effect end
    end
  end
  return by_token
end

local function check_loss(stage, result, effect_at, violated)
  if not result.rpo or not result.recover_point then return end
  local outage_at = stage.outage_at
  if result.rpo_basis == "stop" then
    if result.recover_point < result.rpo_to then
      violated "N1 no loss since the stop, by a recovery point from before it"
    end
  elseif outage_at then
    local loss = math.max(0, outage_at - result.recover_point)
    if math.abs(result.rpo - loss) > 0.001 then
      violated(("N1 a loss of %.0f s, and %.0f s to the outage"):format(result.rpo, loss))
    end
  elseif effect_at and result.rpo < effect_at - result.recover_point - SLACK then
    violated(("N1 a loss of %.0f s, and %.0f s to the effect"):format(result.rpo,
      effect_at - result.recover_point))
  end
end

-- A call under a token that a colleague has used is answered as his was, and nothing tells so: then
-- the time of the run begins when it asks itself.
local function asked_at(stage, effect)
  for _, request in ipairs(stage.requests) do
    local id = request.entry and request.entry.request_id
    if request.who == "run" and id == effect.request_id then return request.time end
  end
  return nil
end

local function check_time(stage, success, effect, violated)
  local result = success.result
  if not result.rto or not success.at or stage.was_set then return end
  local asked = effect and asked_at(stage, effect)
  local since = stage.outage_at or asked and math.max(asked, effect.time)
  if since and result.rto < success.at - since - slack_of(stage) then
    violated(("N2 a recovery time of %.0f s, and %.0f s have passed"):format(result.rto,
      success.at - since))
  end
end

-- The times of marks. The first "verified" counts; of others the last, since many groups are failed
-- over with the last one.
local function marks_of(list)
  local marks = {}
  for _, event in ipairs(list) do
    if event.type == "mark" and not (event.mark == "verified" and marks.verified) then
      marks[event.mark] = event.at
    end
  end
  return marks
end

-- Records have the machine's time, which is the model's as long as nobody has set the clock.
local function check_run(stage, found, result, violated)
  if result.outcome == "already_failovered" and result.rto then
    violated "N2 a recovery time of a run that has done nothing"
  end
  local basis = result.figures.rto.basis
  if not result.rto or stage.was_set or not found.events[1] then return end
  -- If the first record of a process was lost, its beginning is unknown.
  local since = stage.outage_at or found.events[1].at
  local passed = marks_of(found.events)[basis] - since
  if math.abs(result.rto - passed) > slack_of(stage) then
    violated(("N2 the run says %.0f s, and %.0f s have passed"):format(result.rto, passed))
  end
end

--- Checks the figures of a case that has ended.
---@param stage alicloud.simulation.Stage
---@param found table effects and more, as of alicloud.simulation.invariants
---@param violated fun(what: string)
function M.check(stage, found, violated)
  local by_token = first_effects(found)
  for _, success in ipairs(stage.successes) do
    local effect = by_token[success.result.client_token]
    check_loss(stage, success.result, effect and effect.time, violated)
    check_time(stage, success, effect, violated)
  end
  for _, process in ipairs(stage.processes) do
    if type(process.result) == "table" then check_run(stage, found, process.result, violated) end
  end
end

return M
