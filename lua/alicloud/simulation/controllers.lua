--- Troubles with several controllers: the journal is in a shared store, whose leases expire and
--- whose answers get lost. One controller stands still at some point, another one takes over its
--- run and finishes it, and the first one goes on, unaware. This module draws such troubles,
--- applies them to a stage, and checks what must hold.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local lazy = require "alicloud.base.lazy"
local memory = require "alicloud.dr.store.memory"
local random = require "alicloud.simulation.random"

---@module "alicloud.dr.store.memory_keys"
local memory_keys = lazy.module "alicloud.dr.store.memory_keys"
---@module "alicloud.dr.store.shared"
local shared = lazy.module "alicloud.dr.store.shared"

local M = {}

M.INVARIANTS = {
  C1 = "no two processes of a run have the same fencing token, and a later one has a higher one",
  C2 = "a controller that was taken over sends nothing more, wherever it was when it was suspended",
  C3 = "another process repeats a call without an answer only when the process before it can send "
    .. "nothing more",
}

local STREAM = 1 << 43

-- Seconds after which an unrenewed lease expires, and that the next controller waits at most.
local TTL, STANDBY = 15, 60

-- Locks of groups have the account in their names.
local ACCOUNT = "1234567890123456"

local RECORDS = "/dr/v1/runs/%s/rec/"

local MAKE = {}

-- Comes before or after a call of the store, or the call that announces a change, or when the
-- request of a change is handed over. In the last case only the token protects, which the service
-- remembers.
function MAKE.takeover(d)
  local trouble = { seconds = d:pick { 0, 0, 20, 100, 1000 }, after = d:chance(0.5) }
  local where = d:random()
  if where < 0.5 then
    trouble.call = d:between(3, 40)
  elseif where < 0.75 then
    trouble.record = d:pick { 1, 1, 1, 2 }
  else
    trouble.send, trouble.delay = d:pick { 1, 1, 1, 2 }, 0
  end
  return trouble
end

function MAKE.expiry(d)
  return { call = d:between(3, 40), after = d:chance(0.5) }
end

function MAKE.answers(d)
  return { call = d:between(1, 40), lasts = d:pick { 1, 1, 1, 2, 5, 100 },
    how = d:pick { "lost_answer", "lost_answer", "unknown", "unreachable", "full" } }
end

function MAKE.slow(d)
  return { call = d:between(1, 40), lasts = 1, seconds = d:pick { 1, 3, 5, 13, 40 },
    how = d:pick { "late", "late_answer" } }
end

-- Seconds after which a run whose journal was taken over is resumed, which counts as a pause.
local RESUMED_AFTER = 30

local NAMES = { "takeover", "takeover", "takeover", "expiry", "answers", "answers", "slow" }

-- Whether a trouble fits a shared store. There is no disk. And if a controller stands still between
-- the check of its lease and the first byte, only the service's memory for tokens protects.
local function fits(trouble)
  return trouble.kind ~= "disk" and trouble.name ~= "token_forget"
end

--- Gives some seeds a shared store and its troubles, from a random stream of its own. Some of these
--- have no other troubles, and must end as undisturbed runs do.
---@param seed integer
---@param list alicloud.simulation.Trouble[]
---@return alicloud.simulation.Trouble[]
function M.with(seed, list)
  local d = random.new(seed + STREAM)
  if not d:chance(0.15) then return list end
  local troubles = {}
  if d:chance(0.6) then
    for _, trouble in ipairs(list) do
      if not fits(trouble) then return list end
      troubles[#troubles + 1] = trouble
    end
  end
  for _ = 1, d:pick { 1, 1, 2, 3 } do
    local name = d:pick(NAMES)
    local trouble = MAKE[name](d)
    trouble.kind, trouble.name = "controllers", name
    trouble.pause = (trouble.seconds or 0) + RESUMED_AFTER
    troubles[#troubles + 1] = trouble
  end
  return troubles
end

--- A trouble of this kind in words.
---@param trouble alicloud.simulation.Trouble
---@return string
function M.describe(trouble)
  local when = ("%s %s"):format(trouble.after and "after" or "before",
    trouble.call and ("call %d of the store"):format(trouble.call)
      or trouble.record and ("change %d is written down"):format(trouble.record)
      or trouble.request and ("request %d"):format(trouble.request)
      or ("change %d"):format(trouble.send or 0))
  if trouble.name == "takeover" then
    return ("another controller takes over, %s, and %g s pass"):format(when, trouble.seconds)
  end
  if trouble.name == "expiry" then return "the lease ends, " .. when end
  local seconds = trouble.seconds and (" by %g s"):format(trouble.seconds) or ""
  return ("the store: %s%s, at calls %d to %d"):format(trouble.how, seconds, trouble.call,
    trouble.call + trouble.lasts - 1)
end

--- Whether the run must end as without the trouble. Not with a full store, whose refusals leave
--- groups of a fleet out; and not if it lasts long, since recovery points and tokens get old (as
--- in pauses).
---@param trouble alicloud.simulation.Trouble
---@return boolean
function M.is_harmless(trouble)
  local passes = trouble.how ~= "full" and (trouble.lasts or 0) <= 5
  return trouble.kind == "controllers" and passes
end

-- The shared store in place of a stage's disk, with the methods that are used of a disk.
local Disk = {}
Disk.__index = function(disk, name)
  if name == "leases" then return disk:locks() end
  return Disk[name]
end

--- The disk of a stage, or a shared store in its place if the case has troubles of this kind.
---@param stage alicloud.simulation.Stage
---@param disk alicloud.dr.Disk
---@return table disk
function M.disk_of(stage, disk)
  local is_shared = false
  for _, trouble in ipairs(stage.case.troubles) do
    is_shared = is_shared or trouble.kind == "controllers"
  end
  if not is_shared then return disk end
  local world = memory_keys.world { now = function() return stage.emu.clock:now() end }
  return setmetatable({ stage = stage, world = world, calls = 0, announced = 0, kept = {},
    shared = true, delayed = 0, account = ACCOUNT, standby = STANDBY }, Disk)
end

--- The store of a process.
---@param name string of the run
---@param client alicloud.Client of the process
---@return alicloud.dr.SharedStore
function Disk:open(name, client)
  local keys = memory_keys.open(self.world, { name = "store", loop = client.loop,
    faults = function(call) return self:fault(call) end })
  return shared.open { keys = keys, run = name, name = "store#" .. name, prefix = "/dr",
    loop = client.loop, runtime = client.runtime, ttl = TTL }
end

--- The text of a run's records in the store.
---@param name string
---@return string
function Disk:text(name)
  local lines = {}
  for i, entry in ipairs(self.world:dump(RECORDS:format(name))) do lines[i] = entry.value end
  return table.concat(lines)
end

-- A store keeps all records that it has acknowledged.
Disk.durable = Disk.text

--- The locks that were not released, by key. Those of dead processes, and those whose release was
--- lost in a trouble, are not counted, since they expire.
---@return table<string, boolean>
function Disk:locks()
  local left = {}
  for _, entry in ipairs(self.world:dump()) do
    if entry.session and not self.kept[entry.session] then left[entry.key] = true end
  end
  return left
end

--- Marks all current sessions as those of dead processes, whose locks nobody releases.
function Disk:leave_locks()
  for id in pairs(self.world.sessions) do self.kept[id] = true end
end

--- Whether a process has ended because it lost its journal in a shared store.
---@param stage alicloud.simulation.Stage
---@param err alicloud.Error? that it ended with
---@return boolean
function M.was_cut_off(stage, err)
  return stage.disk.shared and err ~= nil and err.kind == "journal" or false
end

--- Restarts after a crash: the next process waits until the lease of the dead one expires.
function Disk:restart()
  self.stopped = false
  self:leave_locks()
end

local ENDS = { revoke = true, drop = true }
local CRASHES = { crash = "crash", crash_after = "crash_after", torn = "crash_after" }

local COME = {}

local function run_second(stage, process)
  local ok, result, err = pcall(stage.run_on, stage, stage.disk, function(event)
    stage:saw(event)
  end)
  process.ended, process.last, process.asleep = stage.emu:now(), #stage.requests, 0
  if stage.disk.stopped then
    process.crashed, stage.disk.stopped = true, false
    stage.disk:leave_locks()
  elseif ok then
    process.result, process.err = result, err
    process.told = M.was_cut_off(stage, err)
  else
    stage:violated("raised: " .. errors.text_of(result))
  end
end

-- Runs another controller, which takes over. The one that stood still goes on after its end.
function COME.takeover(stage, trouble)
  if stage.nested > 0 then return end
  local active, open, stood = stage.active, stage.open, stage.emu:now()
  stage.nested = stage.nested + 1
  run_second(stage, stage:begin())
  stage.nested, stage.active, stage.open = stage.nested - 1, active, open
  stage.emu:advance(trouble.seconds)
  stage.disk.delayed = stage.disk.delayed + stage.emu:now() - stood
end

function COME.expiry(stage)
  stage.disk.world:expire()
end

--- Applies a trouble to a stage.
---@param stage alicloud.simulation.Stage
---@param trouble alicloud.simulation.Trouble
function M.come(stage, trouble)
  COME[trouble.name](stage, trouble)
end

local ANNOUNCES = '"type":"call"'

-- The number of the change that a call of the store announces; nil: it announces none.
local function announced(disk, call)
  for _, value in ipairs(call.values or {}) do
    if value:find(ANNOUNCES, 1, true) then
      disk.announced = disk.announced + 1
      return disk.announced
    end
  end
end

local function is_at(trouble, n, record)
  if trouble.record then return trouble.record == record end
  return trouble.call ~= nil and n >= trouble.call and n < trouble.call + (trouble.lasts or 1)
end

-- The store's answer to a call under a trouble.
local function answer(disk, trouble, call)
  local stage = disk.stage
  if trouble.kind == "crashes" then
    stage.keep, stage.pause, disk.stopped = trouble.keep, trouble.pause, true
    return CRASHES[trouble.how]
  end
  if trouble.how then
    disk.delayed = disk.delayed + (trouble.seconds or 1)
    if ENDS[call.op] then disk.kept[call.key] = true end
    return trouble.how, trouble.seconds
  end
  if trouble.after then return "then", function() COME[trouble.name](stage, trouble) end end
  COME[trouble.name](stage, trouble)
end

--- The fault at a call of the store.
---@param call alicloud.dr.KeyCall
---@return alicloud.dr.KeyFault|nil fault nil: none
---@return number|function|nil beside seconds of the fault, or a function to run with it
function Disk:fault(call)
  if self.stopped then error(memory.CRASH, 0) end
  self.calls = self.calls + 1
  if self.stage.trace then self.stage.trace:store(self.stage, self.calls) end
  local record = announced(self, call)
  for _, trouble in ipairs(self.stage.case.troubles) do
    local mine = trouble.kind == "controllers" or trouble.kind == "crashes"
    if mine and is_at(trouble, self.calls, record) then return answer(self, trouble, call) end
  end
end

-- The records so far. A journal only grows, which S6 checks at the end, so only new lines are read.
local function events_of(stage)
  local read = stage.disk.read or { events = {}, bytes = 0 }
  stage.disk.read = read
  for line, stop in stage.disk:text("run"):gmatch("([^\n]*)\n()", read.bytes + 1) do
    read.events[#read.events + 1], read.bytes = core.decode(line).event, stop - 1
  end
  return read.events
end

local function newest(events, test)
  for i = #events, 1, -1 do
    if test(events[i]) then return i, events[i] end
  end
end

-- Whether two records of calls are of the same change: by the token, else by the digest.
local function is_same(call, other)
  if call.client_token then return call.client_token == other.client_token end
  return call.digest == other.digest
end

-- Whether the newest call of this action was announced before the last attempt, too, and had no
-- answer by then.
local function is_in_doubt(events, attempt_at, action)
  local _, own = newest(events, function(event)
    return event.type == "call" and event.action == action
  end)
  local open = {}
  for i = 1, attempt_at do
    local event = events[i]
    if event.type == "call" and own and is_same(own, event) then open[event.call] = true end
    if event.type == "answer" then open[event.call] = nil end
  end
  return next(open) ~= nil
end

--- Checks a changing request that is about to be sent against the records in the store (C2, C3).
---@param stage alicloud.simulation.Stage
---@param request alicloud.simulation.Request
function M.check_send(stage, request)
  if not stage.disk.shared or request.who ~= "run" then return end
  local events, process = events_of(stage), stage.active
  local at, attempt = newest(events, function(event) return event.type == "attempt" end)
  if not attempt or attempt.fence ~= process.fence then
    return stage:violated(("C2 %s left after another controller had taken over"):format(
      request.action))
  end
  local waited = request.time - process.attempted
  if waited < shared.SEND_WINDOW + shared.EXCHANGE and is_in_doubt(events, at, request.action) then
    stage:violated(("C3 %s was sent again %.0f s after the takeover"):format(request.action,
      waited))
  end
end

--- Called with every record of a process, after it was written.
---@param stage alicloud.simulation.Stage
---@param event table
function M.saw(stage, event)
  if event.type ~= "attempt" or not stage.active then return end
  stage.active.fence, stage.active.attempted = event.fence, stage.emu.clock:now()
end

--- Checks C1 after a case has ended.
---@param stage alicloud.simulation.Stage
---@param events table[]
---@param violated fun(what: string)
function M.check(stage, events, violated)
  if not stage.disk.shared then return end
  local last = 0
  for _, event in ipairs(events) do
    if event.type == "attempt" then
      if not event.fence or event.fence <= last then
        violated(("C1 attempt %s has the fence %s, the one before had %d"):format(
          tostring(event.n), tostring(event.fence), last))
      end
      last = event.fence or last
    end
  end
end

return M
