--- Sweeps over one side of a region for as long as there are askers, and gives each asker the sweep
--- that shows its group. An asker says after which moment the sweep must have begun; an earlier
--- sweep is not used for it.

local guard = require "alicloud.base.guard"
local sweeps = require "alicloud.dr.read.sweep"

local M = {}

-- Seconds from the beginning of one sweep to that of the next: EACH_CALL for each call of the
-- sweep, but at least LEAST and at most MOST.
local LEAST, MOST, EACH_CALL = 3, 5, 0.6
--- A decision may use a sweep that began up to so many seconds before it was asked for.
M.FRESH = 3.5
-- Seconds to wait before a sweep, so that several askers share it.
local GATHER = 0.05
-- Seconds for each call.
local DEADLINE = 30
-- After MISSES sweeps that do not show its group an asker is told to look itself. At most ALONE
-- askers are told so after one sweep: if a list is cut, looks of all would delay the next sweep.
local MISSES, ALONE = 2, 10

---@class alicloud.dr.Asker
---@field id string
---@field after number monotonic seconds: only a sweep that began later is used
---@field ends number monotonic seconds, when the asker stops waiting
---@field seen string? the asker waits for a signature other than this one
---@field due number? monotonic seconds from which on the asker should look itself
---@field decides boolean? the asker needs a sweep that shows which pairs the group has
---@field sweep alicloud.dr.Sweep? the answer; nil: the asker should look itself
---@field over boolean? the asker waits no longer
---@field misses integer how many sweeps in a row did not show its group
---@field gate { wait: fun(deadline: number), open: fun() }

---@class alicloud.dr.Sweeper
---@field client alicloud.Client
---@field loop alicloud.loop.Loop
---@field region string
---@field at_work fun(): string[]|nil the groups that a sweep has to show; nil: there is at most one
---@field askers alicloud.dr.Asker[]
---@field latest alicloud.dr.Sweep? the latest that succeeded; an old one is dropped by the next one
---@field sizes alicloud.dr.SweepSizes?
---@field next_at number monotonic seconds, when the next sweep may begin
---@field blind number total seconds in which sweeps failed, up to the next one that succeeded
---@field blind_since number? monotonic seconds, when the first of the present failures began
---@field alone integer how many askers may still be told to look themselves before the next sweep
---@field task alicloud.Task? makes the sweeps; nil: there are no askers
local Sweeper = {}
Sweeper.__index = Sweeper

---@param client alicloud.Client
---@param region string
---@param at_work fun(): string[]|nil
---@return alicloud.dr.Sweeper
function M.new(client, region, at_work)
  return setmetatable({ client = client, loop = client.loop, region = region, askers = {},
    at_work = at_work, next_at = 0, blind = 0, alone = ALONE }, Sweeper)
end

local function end_wait(asker, sweep)
  asker.sweep, asker.over = sweep, true
  asker.gate.open()
end

local function may_look_alone(sweeper)
  if sweeper.alone <= 0 then return false end
  sweeper.alone = sweeper.alone - 1
  return true
end

-- Gives an asker the sweep, tells it to look itself, or lets it wait on.
local function tell(sweeper, asker, sweep)
  if sweep.began <= asker.after then return end
  if asker.decides and not sweep:can_decide(asker.id) then
    -- Even a sweep for deciders did not list all pairs, since own looks take fewer calls: look
    -- itself. If the sweep was not for deciders, wait for the next one.
    if sweep.decides then end_wait(asker) end
    return
  end
  if sweep:is_complete(asker.id) then
    asker.misses = 0
    if sweep:signature(asker.id) ~= asker.seen then return end_wait(asker, sweep) end
    local is_due = asker.due and sweeper.loop.now() >= asker.due
    if is_due and may_look_alone(sweeper) then end_wait(asker) end
    return
  end
  asker.misses = asker.misses + 1
  if asker.misses >= MISSES and may_look_alone(sweeper) then end_wait(asker) end
end

-- Counts a failed sweep as a miss; not if it was throttled, since own looks would be more calls.
local function tell_failure(sweeper, asker, began, err)
  if began <= asker.after or err and err.kind == "throttled" then return end
  asker.misses = asker.misses + 1
  if asker.misses >= MISSES and may_look_alone(sweeper) then end_wait(asker) end
end

local function drop_those_over(sweeper)
  local left = {}
  for _, asker in ipairs(sweeper.askers) do
    if not asker.over then left[#left + 1] = asker end
  end
  sweeper.askers = left
end

local function see(sweeper, now)
  if not sweeper.blind_since then return end
  sweeper.blind = sweeper.blind + now - sweeper.blind_since
  sweeper.blind_since = nil
end

local function take(sweeper, began, sweep, err)
  sweeper.alone = ALONE
  if sweep then
    sweeper.latest, sweeper.sizes = sweep, sweep.sizes
    see(sweeper, began)
  else
    sweeper.blind_since = sweeper.blind_since or began
  end
  for _, asker in ipairs(sweeper.askers) do
    if sweep then tell(sweeper, asker, sweep) else tell_failure(sweeper, asker, began, err) end
  end
  drop_those_over(sweeper)
end

local function one_decides(sweeper)
  for _, asker in ipairs(sweeper.askers) do
    if asker.decides then return true end
  end
end

-- A sweep of a fleet is large: the old one is dropped before the next one is read.
local function forget_old(sweeper, now)
  local latest = sweeper.latest
  if latest and now - latest.began >= M.FRESH then sweeper.latest = nil end
end

local function sweep_once(sweeper, ids)
  local began = sweeper.loop.now()
  forget_old(sweeper, began)
  sweeper.next_at = began + LEAST
  -- An error that a sweep raises must not end the task for the others.
  local ok, sweep, err = guard.call(sweeps.read, sweeper.client, sweeper.region,
    { ids = ids, decides = one_decides(sweeper), sizes = sweeper.sizes, deadline = DEADLINE })
  if ok and sweep then
    sweeper.next_at = began + math.max(LEAST, math.min(MOST, sweep.calls * EACH_CALL))
  end
  take(sweeper, began, ok and sweep or nil, ok and err or nil)
end

-- Tells all askers to look themselves.
local function dismiss(sweeper)
  for _, asker in ipairs(sweeper.askers) do end_wait(asker) end
  sweeper.askers = {}
end

local function run(sweeper)
  while #sweeper.askers > 0 do
    sweeper.loop.sleep(math.max(GATHER, sweeper.next_at - sweeper.loop.now()))
    drop_those_over(sweeper)
    local ids = sweeper.at_work()
    if ids and #sweeper.askers > 0 then sweep_once(sweeper, ids) else dismiss(sweeper) end
  end
  sweeper.task = nil
end

local function can_tell(sweep, asker)
  return sweep and sweep.began > asker.after and sweep:is_complete(asker.id)
    and sweep:signature(asker.id) ~= asker.seen
    and not (asker.decides and not sweep:can_decide(asker.id))
end

local Waiting = { __close = function(asker) asker.over = true end }

--- Waits until a sweep shows a group.
---@param scope alicloud.Scope the scope of all askers, in which the sweeps run
---@param wish { id: string, after: number, ends: number, seen: string?, due: number?,
---decides: boolean? } becomes an Asker
---@return alicloud.dr.Sweep|nil nil: the asker should look itself
---@return number blind seconds of the wait in which sweeps failed
function Sweeper:ask(scope, wish)
  if can_tell(self.latest, wish) then return self.latest, 0 end
  local asker <close> = setmetatable(wish, Waiting)
  asker.misses, asker.gate = 0, self.loop.gate()
  self.askers[#self.askers + 1] = asker
  local blind = self:blind_until_now()
  -- The task runs in the common scope: the first asker may be cancelled while the others wait.
  self.task = self.task or scope:spawn(run, self)
  while not asker.over and self.loop.now() < asker.ends do asker.gate.wait(asker.ends) end
  return asker.sweep, self:blind_until_now() - blind
end

function Sweeper:blind_until_now()
  return self.blind + (self.blind_since and self.loop.now() - self.blind_since or 0)
end

--- Ends the sweeps; all askers are told to look themselves.
function Sweeper:close()
  local task = self.task
  self.task = nil
  if task then task:close() end
  dismiss(self)
end

return M
