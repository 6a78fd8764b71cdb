--- The slots of one quota, and the queue of calls that wait for one.
--
-- A request reaches the service at some moment between its sending and its answer. So a call keeps
-- its slot until a second after its answer came: the next call in that slot is sent a whole second
-- after the earlier one arrived, or later. Then no period of one second has more calls than there
-- are slots, neither in sending here nor in arriving there.
--
-- A call that finds no slot waits in a queue, changes before reads. Only the first in the queue
-- knows a moment at which to wake; the others are woken when they become the first.
--
-- An interrupt finds each change of these data done or not begun (core.aside). What every call
-- does here is kept short.

local core = require "alicloud.core"

local M = {}

-- Seconds; more than the error by which the clock's numbers are rounded.
local ROUNDING = 1e-8
-- Seconds; a block that has less than this left is not worth a sleep.
local NOTHING = 1e-6
-- Seconds after the deadline of its call at which a slot or a place in the queue is given up: a
-- coroutine that was dropped without being closed gives nothing back.
local GRACE = 10

---@class alicloud.slots.Line waiting calls of one kind, in the order of coming
---@field waiters table<integer, alicloud.slots.Waiter> by place; nil where one has left
---@field first integer
---@field last integer
---@field waiting integer number of waiters

---@class alicloud.slots.Window
---@field count integer slots
---@field reserved integer slots that the account has beyond `count`; changes may use them when
---reads hold the others
---@field seconds number for which a slot is kept after the answer
---@field free integer slots neither held nor kept; below zero where changes have taken more
---@field changes integer slots of changes, held or kept
---@field kept table<integer, number> by place: monotonic seconds at which a slot that is kept after
---its answer becomes free, in ascending order
---@field kinds table<integer, true> places in `kept` whose slot a change had
---@field first integer place in `kept`
---@field last integer place in `kept`
---@field lapses number monotonic seconds: the latest deadline of the calls that hold a slot
---@field blocked_until number monotonic seconds before which no call passes
---@field waiting integer number of waiters in both queues
---@field urgent alicloud.slots.Line of changes
---@field others alicloud.slots.Line
---@field pid integer of the process that the held slots and the waiters belong to

-- The two windows in which a call counts.
---@class alicloud.slots.Pair
---@field own alicloud.slots.Window of its action
---@field all alicloud.slots.Window of its region
---@field limit number calls a second of its action that the account has
---@field left number the same, as far as throttling has shown how much others leave of it
---@field eased alicloud.slots.Eased? why `left` is below the limit

---@class alicloud.slots.Eased
---@field at number monotonic seconds at which the first call was throttled
---@field from number `left` before
---@field passed integer calls that counted then and were not throttled
---@field ends number monotonic seconds until which `left` holds

-- What an attempt holds until it is closed.
---@class alicloud.slots.Turn
---@field pair alicloud.slots.Pair
---@field urgent boolean|nil whether it changes something
---@field loop alicloud.loop.Loop
---@field holds "nothing"|"own"|"both"|"sent" own: a slot of its action; both: of its region, too;
---sent: both, and a request may have left
local Turn = {}

local function new_line()
  return { waiters = {}, first = 1, last = 0, waiting = 0 }
end

--- Makes the slots of a quota, all of them free.
---@param limit number calls a second
---@param reserve number share of them that is left to others
---@return alicloud.slots.Window
function M.new(limit, reserve)
  local usable = limit * (1 - reserve)
  local count = math.max(math.floor(usable), 1)
  return {
    count = count, reserved = math.max(math.floor(limit) - count, 0),
    seconds = math.max(1, count / usable) + ROUNDING,
    free = count, changes = 0, kept = {}, kinds = {}, first = 1, last = 0, lapses = 0,
    blocked_until = 0, waiting = 0, urgent = new_line(), others = new_line(), pid = core.pid(),
  }
end

-- How many calls may pass at once; below zero if changes have taken more slots than there are.
local function room(window, urgent)
  if not urgent then return window.free end
  return math.min(window.count - window.changes, window.free + window.reserved)
end

-- Frees the slots whose time in `kept` has passed.
local function expire(window, now)
  local kept, kinds, first, last = window.kept, window.kinds, window.first, window.last
  while first <= last and kept[first] <= now do
    if kinds[first] then window.changes, kinds[first] = window.changes - 1, nil end
    kept[first] = nil
    first = first + 1
  end
  window.free = window.free + first - window.first
  if first > last then first, window.last = 1, 0 end
  window.first = first
end

-- Frees all slots that are held: their calls are not under way any more.
local function drop_held(window)
  window.free, window.changes = window.count - (window.last - window.first + 1), 0
  for _ in pairs(window.kinds) do window.changes = window.changes + 1 end
end

-- Brings a window up to the present moment.
local function look(window, now)
  local oldest = window.kept[window.first]
  if oldest and oldest > now + window.seconds then
    -- A rehearsal that starts anew has set the virtual clock back.
    expire(window, math.huge)
    drop_held(window)
  end
  expire(window, now)
  if now >= window.lapses + GRACE then drop_held(window) end
end

local function take_out(window, line, place)
  line.waiters[place] = nil
  line.waiting, window.waiting = line.waiting - 1, window.waiting - 1
end

-- In a forked child, held slots and waiters belong to the parent: the child drops them.
local function forget_parent(window)
  local pid = core.pid()
  if window.pid == pid then return end
  window.pid, window.urgent, window.others, window.waiting = pid, new_line(), new_line(), 0
  drop_held(window)
end

local function front(window, line, now)
  while line.first <= line.last do
    local waiter = line.waiters[line.first]
    if waiter and now <= waiter.deadline + GRACE then return waiter end
    if waiter then take_out(window, line, line.first) end
    line.first = line.first + 1
  end
  line.first, line.last = 1, 0
end

local function first_in_line(window, now)
  return front(window, window.urgent, now) or front(window, window.others, now)
end

local function wake_first(window, now)
  local waiter = first_in_line(window, now)
  if waiter then waiter.gate.open() end
end

--- Gives a window another number of slots while calls go on, e.g. because more processes share the
--- quota. Slots that are held or kept count in the new number, too. Takes the window, its limit in
--- calls a second, the share of it that is left to others, and now in monotonic seconds.
---@type fun(window: alicloud.slots.Window, limit: number, reserve: number, now: number)
M.resize = core.aside(function(window, limit, reserve, now)
  local fresh = M.new(limit, reserve)
  window.free = window.free + fresh.count - window.count
  window.count, window.reserved, window.seconds = fresh.count, fresh.reserved, fresh.seconds
  -- No slot is kept for longer than the new `seconds`.
  for place = window.first, window.last do
    window.kept[place] = math.min(window.kept[place], now + fresh.seconds)
  end
  if window.waiting > 0 then wake_first(window, now) end
end)

local function blocked(window, now)
  local left = window.blocked_until - now
  return left > NOTHING and left or 0
end

local function occupy(window, urgent, deadline)
  window.free = window.free - 1
  if urgent then window.changes = window.changes + 1 end
  if window.lapses < deadline then window.lapses = deadline end
end

-- Takes a slot if a new call can pass at once, as most can. Slots whose time in `kept` has passed
-- are freed only when one is needed, many at a time.
local function pass(window, urgent, now, deadline)
  if window.waiting > 0 or window.blocked_until > now then return false end
  if (urgent and room(window, urgent) or window.free) <= 0 then
    expire(window, now)
    if room(window, urgent) <= 0 then return false end
  end
  occupy(window, urgent, deadline)
  return true
end

-- Takes the slots of action and region, as far as the call can have them at once.
local pass_both = core.aside(function(turn, now, deadline)
  local pair, urgent = turn.pair, turn.urgent
  if not pass(pair.own, urgent, now, deadline) then return end
  turn.holds = "own"
  if urgent then
    -- A change does not wait for a slot of its region; reads wait until there is room again.
    occupy(pair.all, urgent, deadline)
  elseif not pass(pair.all, urgent, now, deadline) then
    return
  end
  turn.holds = "both"
end)

local function give_back(window, urgent, now, used)
  local last = window.last
  if used then
    last = last + 1
    window.last, window.kept[last] = last, now + window.seconds
    if urgent then window.kinds[last] = true end
  elseif window.free < window.count then
    window.free = window.free + 1
    if urgent then window.changes = window.changes - 1 end
  end
  -- If other slots are kept, the first waiter sleeps until the first of them is free.
  if window.waiting > 0 and (not used or last == window.first) then wake_first(window, now) end
end

Turn.__close = core.aside(function(turn)
  local pair, urgent, holds = turn.pair, turn.urgent, turn.holds
  if holds == "nothing" then return end
  local now, used = turn.loop.now(), holds == "sent"
  turn.holds, pair.spare = "nothing", turn
  give_back(pair.own, urgent, now, used)
  if holds ~= "own" then give_back(pair.all, urgent, now, used) end
end)

--- Makes a turn that holds no slot yet; it is to be closed however the attempt ends. If it is
--- "sent" by then, its slots are kept for `seconds` more.
---@param pair alicloud.slots.Pair
---@param urgent boolean|nil whether it changes something
---@param loop alicloud.loop.Loop
---@return alicloud.slots.Turn
function M.turn(pair, urgent, loop)
  local turn = pair.spare
  if not turn then
    return setmetatable({ pair = pair, urgent = urgent, loop = loop, holds = "nothing" }, Turn)
  end
  pair.spare, turn.urgent, turn.loop = nil, urgent, loop
  return turn
end

-- A change is not queued behind other calls to its region.
local take_of_region = core.aside(function(turn, deadline)
  occupy(turn.pair.all, true, deadline)
  turn.holds = "both"
end)

--- Seconds that a new call waits at least; calls under way are taken to be answered at once. Takes
--- the window, whether the call changes something, and now in monotonic seconds.
---@type fun(window: alicloud.slots.Window, urgent: boolean|nil, now: number): number
M.estimate = core.aside(function(window, urgent, now)
  forget_parent(window)
  look(window, now)
  local free, block = room(window, urgent), blocked(window, now)
  local before = window.urgent.waiting + (urgent and 0 or window.others.waiting)
  if before < free then return block end
  -- Each round of `count` calls keeps the slots for a whole window.
  local round, place = before // window.count, before % window.count + 1
  local freed, wait = place - free, window.seconds
  if freed <= 0 then wait = 0 end
  local kept = window.kept[window.first + freed - 1]
  if freed > 0 and kept then wait = kept - now end
  return math.max(block, wait) + round * window.seconds
end)

--- Calls a second that count in a window now: those under way, and those answered less than a
--- second ago. Takes the window, and now in monotonic seconds.
---@type fun(window: alicloud.slots.Window, now: number): number
M.used = core.aside(function(window, now)
  forget_parent(window)
  look(window, now)
  return (window.count - window.free) / window.seconds
end)

---@class alicloud.slots.Waiter
---@field window alicloud.slots.Window
---@field turn alicloud.slots.Turn
---@field line alicloud.slots.Line
---@field place integer? in the queue
---@field deadline number monotonic seconds
---@field gate { wait: fun(deadline: number), open: fun() }
local Waiter = {}

local stand_in_line = core.aside(function(waiter)
  local window, line = waiter.window, waiter.line
  waiter.place = line.last + 1
  line.waiters[waiter.place] = waiter
  line.last, line.waiting = waiter.place, line.waiting + 1
  window.waiting = window.waiting + 1
end)

-- Leaves the queue, after passing or giving up, and wakes the next waiter.
local function step_out(waiter, now)
  local window, line = waiter.window, waiter.line
  if line.waiters[waiter.place] ~= waiter then return end
  take_out(window, line, waiter.place)
  wake_first(window, now)
end

Waiter.__close = core.aside(function(waiter)
  step_out(waiter, waiter.turn.loop.now())
end)

-- Lets a waiter pass if it can. Gives whether it passed, else when to try again in monotonic
-- seconds; nil: a call has to be answered first, and `give_back` wakes the waiter then.
local try = core.aside(function(waiter, holds, now)
  local window, turn = waiter.window, waiter.turn
  look(window, now)
  if first_in_line(window, now) ~= waiter then return false, waiter.deadline end
  if blocked(window, now) > 0 then return false, window.blocked_until end
  if room(window, turn.urgent) <= 0 then return false, window.kept[window.first] end
  occupy(window, turn.urgent, waiter.deadline)
  turn.holds = holds
  step_out(waiter, now)
  return true
end)

local function wait_in_line(window, turn, holds, deadline)
  local waiter <close> = setmetatable({ window = window, turn = turn, deadline = deadline,
    line = turn.urgent and window.urgent or window.others, gate = turn.loop.gate() }, Waiter)
  stand_in_line(waiter)
  while true do
    local now = turn.loop.now()
    local passed, due = try(waiter, holds, now)
    if passed then return now end
    if due and due > deadline then return nil, due - now end
    if now >= deadline then return nil, window.seconds end
    waiter.gate.wait(math.min(due or window.lapses + GRACE, deadline))
  end
end

--- Takes the slots of a turn, after as long a wait as it needs. Raises if the wait is cancelled.
---@param turn alicloud.slots.Turn
---@param now number monotonic seconds
---@param deadline number monotonic seconds, of the call
---@return number|nil now monotonic seconds, after the wait; nil: the wait would pass the deadline
---@return number? wait seconds that the wait would take
function M.take(turn, now, deadline)
  pass_both(turn, now, deadline)
  if turn.holds == "both" then return now end
  local own, all = turn.pair.own, turn.pair.all
  if turn.holds == "nothing" then
    -- A call that would be too late for its region is refused before it queues for its action.
    local wait = math.max(M.estimate(own, turn.urgent, now),
      turn.urgent and 0 or M.estimate(all, turn.urgent, now))
    if wait > 0 and now + wait >= deadline then return nil, wait end
    now, wait = wait_in_line(own, turn, "own", deadline)
    if not now then return nil, wait end
  end
  if turn.urgent then
    take_of_region(turn, deadline)
    return now
  end
  local wait = M.estimate(all, turn.urgent, now)
  if wait > 0 and now + wait >= deadline then return nil, wait end
  return wait_in_line(all, turn, "both", deadline)
end

return M
