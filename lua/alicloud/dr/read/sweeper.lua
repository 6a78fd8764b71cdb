--- Sweeps over one side of a region for as long as somebody asks, and tells each what he asked
--- for. Whoever asks says after which moment the sweep has to have begun; one that began before it,
--- or at it, tells him nothing.

local guard = require "alicloud.base.guard"
local sweeps = require "alicloud.dr.read.sweep"

local M = {}

-- Seconds from the beginning of one sweep to that of the next: so many for each of its calls, since
-- a sweep over many thousands costs all of them a call and time to read it, within these bounds.
local LEAST, MOST, EACH_CALL = 3, 5, 0.6
--- Seconds since the beginning of a sweep for which whoever decides may go by it.
M.FRESH = 3.5
-- Seconds in which whoever asks at the same time is told by the same sweep.
local GATHER = 0.05
-- Of each call.
local DEADLINE = 30
-- After so many sweeps that do not tell of him, one looks by himself; but no more than so many
-- after one sweep, or where a list is cut their looks would hold up the sweeps that tell all.
local MISSES, ALONE = 2, 10

---@class alicloud.dr.Asker
---@field id string
---@field after number monotonic seconds
---@field ends number monotonic seconds, when he wants to wait no longer
---@field seen string? he is to be told when the signature is another one than this
---@field due number? monotonic seconds from which on he had better look by himself
---@field decides boolean? he is about to decide which pairs the group has
---@field sweep alicloud.dr.Sweep? that tells him
---@field over boolean? he waits no longer
---@field misses integer sweeps in a row that did not tell of him
---@field gate { wait: fun(deadline: number), open: fun() }

---@class alicloud.dr.Sweeper
---@field client alicloud.Client
---@field loop alicloud.loop.Loop
---@field region string
---@field at_work fun(): string[]|nil the groups that sweeps are to tell of; nil: one at most
---@field askers alicloud.dr.Asker[]
---@field latest alicloud.dr.Sweep? an old one is forgotten when the next one is begun
---@field sizes alicloud.dr.SweepSizes?
---@field next_at number monotonic seconds
---@field blind number seconds in all from a sweep that failed to the next one that did not
---@field blind_since number? monotonic seconds
---@field alone integer so many may look by themselves before the next sweep
---@field task alicloud.Task?
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

-- Tells an asker what a sweep shows, or that he had better look; else he waits on.
local function tell(sweeper, asker, sweep)
  if sweep.began <= asker.after then return end
  if asker.decides and not sweep:can_decide(asker.id) then
    -- The side is so large that looks of their own are less; or the sweep was for others.
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

-- A sweep that failed tells nobody anything. Where calls are too many, more of them do not help.
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

-- Of a fleet's, two at a time would be too much to hold.
local function forget_old(sweeper, now)
  local latest = sweeper.latest
  if latest and now - latest.began >= M.FRESH then sweeper.latest = nil end
end

local function sweep_once(sweeper, ids)
  local began = sweeper.loop.now()
  forget_old(sweeper, began)
  sweeper.next_at = began + LEAST
  -- What is said of one group must not stop the others.
  local ok, sweep, err = guard.call(sweeps.read, sweeper.client, sweeper.region,
    { ids = ids, decides = one_decides(sweeper), sizes = sweeper.sizes, deadline = DEADLINE })
  if ok and sweep then
    sweeper.next_at = began + math.max(LEAST, math.min(MOST, sweep.calls * EACH_CALL))
  end
  take(sweeper, began, ok and sweep or nil, ok and err or nil)
end

-- One who is left alone had better look by himself.
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

--- Waits until a sweep tells of a group.
---@param scope alicloud.Scope of all who ask
---@param wish { id: string, after: number, ends: number, seen: string?, due: number?,
---decides: boolean? } becomes an Asker
---@return alicloud.dr.Sweep|nil nil: he had better look by himself
---@return number blind seconds of the wait in which no sweep succeeded
function Sweeper:ask(scope, wish)
  if can_tell(self.latest, wish) then return self.latest, 0 end
  local asker <close> = setmetatable(wish, Waiting)
  asker.misses, asker.gate = 0, self.loop.gate()
  self.askers[#self.askers + 1] = asker
  local blind = self:blind_until_now()
  -- Whoever asks first may be given up, and the others wait on.
  self.task = self.task or scope:spawn(run, self)
  while not asker.over and self.loop.now() < asker.ends do asker.gate.wait(asker.ends) end
  return asker.sweep, self:blind_until_now() - blind
end

function Sweeper:blind_until_now()
  return self.blind + (self.blind_since and self.loop.now() - self.blind_since or 0)
end

--- Gives up what is being read; nobody is told anything any more.
function Sweeper:close()
  local task = self.task
  self.task = nil
  if task then task:close() end
  dismiss(self)
end

return M
