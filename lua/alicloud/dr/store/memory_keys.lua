--- An in-memory store of keys that several controllers share, for rehearsals and specs: implements
--- the primitives that alicloud.dr.store.shared needs, on a clock that the caller gives. Sessions
--- expire, a call can be late, an answer can get lost, the store can be full, a controller can
--- stop.
---
---     local world = memory_keys.world { now = function() return clock end }
---     local one = memory_keys.open(world, { name = "one" })
---     local two = memory_keys.open(world, { name = "two", txn = false,
---       faults = function(call) return call.op == "create" and "lost_answer" end })
---     local session = one:session(15)
---     one:create("runs/r/lock", "one", session.id)
---     clock = clock + 16
---     two:get "runs/r/lock"       -- false: it vanished with its session
---
--- As in etcd, one revision grows with every change of any key. A key has the revision of its last
--- change (`version`) and of its creation (`created`). The end of a session is one change.

local errors = require "alicloud.base.error"
local memory = require "alicloud.dr.store.memory"
local tables = require "alicloud.base.tables"
local worlds = require "alicloud.dr.store.memory_world"

local M = {}

-- The most that etcd takes in one transaction.
local MOST_OPERATIONS = 128

---@alias alicloud.dr.KeyFault
---| "lost_answer" # the call is done, but its answer is lost: outcome "unknown"
---| "unknown"     # the call is not done, and its outcome is "unknown"
---| "unreachable" # the request is not sent
---| "full"        # the store accepts no writes; renewals, reads and drops go on
---| "late"        # the request arrives after some seconds
---| "late_answer" # the answer arrives after some seconds
---| "then"        # the call is done, then a function is called, then it is answered
---| "crash"       # the controller stops before the call
---| "crash_after" # the controller stops when the call is done

---@class alicloud.dr.KeyCall
---@field n integer number of this call of the controller
---@field op string name of the primitive
---@field key string? the key, the prefix or the id of the session; in a transaction the first key
--- that it would put or drop
---@field values string[]? values to be written; nil: the call writes nothing
---@field name string name of the controller

--- Called before every call. Returns the fault and, for "late" and "late_answer", the seconds, for
--- "then" the function.
---@alias alicloud.dr.KeyFaults
---| fun(call: alicloud.dr.KeyCall): alicloud.dr.KeyFault|false|nil, number|function|nil

---@class alicloud.dr.MemoryKeys: alicloud.dr.Keys
---@field calls integer
---@field stopped boolean? the controller has stopped: every call raises memory.CRASH
---@field faults alicloud.dr.KeyFaults
local Keys = {}
Keys.__index = Keys

M.world = worlds.new

local function never() end

--- Opens the store for one controller.
---@param world alicloud.dr.KeyWorld
---@param given? { name?: string, loop?: alicloud.Loop, txn?: boolean, sessions?: boolean,
--- faults?: alicloud.dr.KeyFaults } `loop` sleeps for late calls; `txn = false`: no transactions;
--- `sessions = false`: no sessions
---@return alicloud.dr.MemoryKeys
function M.open(world, given)
  given = given or {}
  local keys = setmetatable({ world = world, name = given.name or "memory", loop = given.loop,
    faults = given.faults or never, calls = 0 }, Keys)
  if given.txn == false then keys.txn = false end
  if given.sessions == false then keys.session = false end
  return keys
end

local function failure(keys, outcome, what, more)
  return errors.new(tables.merged({ kind = "journal", code = "Client.JournalFailed",
    outcome = outcome, message = ("%s: %s (simulated)"):format(keys.name, what) }, more or {}))
end

local function is_full(keys)
  return failure(keys, "rejected", "the store is full", { errno = "ENOSPC",
    hint = "make room in the store (in etcd: compact, defragment, disarm its alarm), then resume" })
end

local AGAIN = { retryable = true }

local function halt(keys)
  keys.stopped = true
  error(memory.CRASH, 0)
end

-- Sleeps for a late call; the store's clock goes on meanwhile.
local function wait(keys, seconds)
  keys.loop.sleep(seconds or 1)
  if keys.stopped then error(memory.CRASH, 0) end
end

-- Faults before the call: returns the error of a call that is not done.
local function enter(keys, fault, seconds, writes)
  if fault == "crash" then halt(keys) end
  if fault == "late" then wait(keys, seconds) end
  if fault == "unknown" then return failure(keys, "unknown", "no answer", AGAIN) end
  if fault == "unreachable" then return failure(keys, "not_sent", "cannot be reached", AGAIN) end
  return fault == "full" and writes and is_full(keys) or nil
end

local function leave(keys, fault, more)
  if fault == "crash_after" then halt(keys) end
  if fault == "late_answer" then wait(keys, more) end
  if fault == "then" then more() end
  return fault == "lost_answer" and failure(keys, "unknown", "the answer is lost", AGAIN) or nil
end

-- One call with its faults; `act` is what the store does.
local function call(keys, op, key, values, act)
  if keys.stopped then error(memory.CRASH, 0) end
  keys.calls = keys.calls + 1
  local fault, beside = keys.faults { n = keys.calls, op = op, key = key, values = values,
    name = keys.name }
  local err = enter(keys, fault, beside, values ~= nil)
  if err then return nil, err end
  keys.world:expire_due()
  local result, more = act(keys.world)
  err = leave(keys, fault, beside)
  if err then return nil, err end
  return result, more
end

-- A write with a session that is gone is refused.
local function session_fault(keys, id)
  if id == nil or keys.world.sessions[id] then return nil end
  return failure(keys, "rejected", ("the session %s is gone"):format(tostring(id)),
    { code = "Client.JournalLost" })
end

--- The entry of a key.
---@param key string
---@return alicloud.dr.Entry|false|nil entry false: the key does not exist
---@return alicloud.Error? err
function Keys:get(key)
  return call(self, "get", key, nil, function(world) return world:entry(key) end)
end

--- The entries with a prefix, in the order of keys.
---@param prefix string
---@param after? string only keys behind this one
---@param limit? integer most entries (all)
---@return alicloud.dr.Entry[]|nil
---@return boolean|alicloud.Error more whether there are further entries, or the error
function Keys:list(prefix, after, limit)
  return call(self, "list", prefix, nil, function(world)
    local list, behind = {}, after and after >= prefix and after .. "\0" or nil
    for key in world:keys(prefix, behind) do
      if #list == limit then return list, true end
      list[#list + 1] = world:entry(key)
    end
    return list, false
  end)
end

--- Writes a key that does not exist.
---@param key string
---@param value string
---@param session? string id of the session with which it vanishes
---@return alicloud.dr.Entry|false|nil entry false: the key exists
---@return alicloud.dr.Entry|alicloud.Error|nil other the existing entry, or the error
function Keys:create(key, value, session)
  return call(self, "create", key, { value }, function(world)
    if world.entries[key] then return false, world:entry(key) end
    local fault = session_fault(self, session)
    if fault then return nil, fault end
    world:change()
    return world:put(key, value, session)
  end)
end

--- Writes a key that still has a version.
---@param key string
---@param value string
---@param version string version that it must have
---@param session? string id
---@return alicloud.dr.Entry|false|nil entry false: it has another version, or does not exist
---@return alicloud.dr.Entry|alicloud.Error|nil other the existing entry, or the error
function Keys:swap(key, value, version, session)
  return call(self, "swap", key, { value }, function(world)
    local entry = world.entries[key]
    if not entry or entry.version ~= version then return false, world:entry(key) or nil end
    local fault = session_fault(self, session)
    if fault then return nil, fault end
    world:change()
    return world:put(key, value, session)
  end)
end

--- Deletes a key that still has a version.
---@param key string
---@param version string version that it must have
---@return boolean|nil ok true also if the key does not exist
---@return alicloud.dr.Entry|alicloud.Error|nil other the existing entry, or the error
function Keys:drop(key, version)
  return call(self, "drop", key, nil, function(world)
    local entry = world.entries[key]
    if not entry then return true end
    if entry.version ~= version then return false, world:entry(key) end
    world:change()
    world:remove(key)
    return true
  end)
end

local function holds(world, condition)
  local entry = world.entries[condition.key]
  if condition.absent then return entry == nil end
  if condition.present then return entry ~= nil end
  local by = condition.version and "version" or "created"
  assert(type(condition[by]) == "string", "a condition without what it compares")
  return entry ~= nil and entry[by] == condition[by]
end

-- Why a transaction is refused before its conditions are checked.
local function txn_fault(keys, given)
  local seen = {}
  local puts, drops = given.put or {}, given.drop or {}
  if #given.when > MOST_OPERATIONS or #puts + #drops > MOST_OPERATIONS then
    return failure(keys, "rejected", "too many operations in a transaction")
  end
  for _, entry in ipairs(puts) do
    if seen[entry.key] then return failure(keys, "rejected", "a key is put twice") end
    seen[entry.key] = true
  end
end

local function refused(world, given)
  local found = {}
  for _, key in ipairs(given.read or {}) do found[key] = world:entry(key) or nil end
  return found
end

local function apply(world, puts, drops)
  if not puts[1] and not drops[1] then return end
  world:change()
  for _, entry in ipairs(puts) do world:put(entry.key, entry.value, entry.session) end
  for _, key in ipairs(drops) do world:remove(key) end
end

--- Does all of a transaction, or nothing.
---@param given alicloud.dr.Txn
---@return boolean|nil ok false: a condition does not hold
---@return table more `revision`; or the entries of `read` by key; or the error
function Keys:txn(given)
  local puts, drops = given.put or {}, given.drop or {}
  local first, values = puts[1] and puts[1].key or drops[1], puts[1] and {}
  for i, entry in ipairs(puts) do values[i] = entry.value end
  return call(self, "txn", first, values, function(world)
    local fault = txn_fault(self, given)
    if fault then return nil, fault end
    for _, condition in ipairs(given.when) do
      if not holds(world, condition) then return false, refused(world, given) end
    end
    for _, entry in ipairs(puts) do
      fault = session_fault(self, entry.session)
      if fault then return nil, fault end
    end
    apply(world, puts, drops)
    return true, { revision = tostring(world.revision) }
  end)
end

--- Begins a session.
---@param ttl number seconds for which it lives without being renewed
---@return { id: string, ttl: number }|nil
---@return alicloud.Error? err
function Keys:session(ttl)
  return call(self, "session", nil, {}, function(world)
    return { id = world:begin_session(ttl), ttl = ttl }
  end)
end

--- Renews a session.
---@param id string
---@return number|false|nil ttl seconds from now on; false: the session is gone
---@return alicloud.Error? err
function Keys:renew(id)
  return call(self, "renew", id, nil, function(world)
    local session = world.sessions[id]
    if not session then return false end
    session.ends = world.now() + session.ttl
    return session.ttl
  end)
end

--- Ends a session and deletes its keys.
---@param id string
---@return true|nil ok
---@return alicloud.Error? err
function Keys:revoke(id)
  return call(self, "revoke", id, nil, function(world)
    if world.sessions[id] then world:end_session(id) end
    return true
  end)
end

--- The time that a session has left.
---@param id string
---@return number|false|nil seconds false: the session is gone
---@return alicloud.Error? err
function Keys:left(id)
  return call(self, "left", id, nil, function(world)
    local session = world.sessions[id]
    return session and session.ends - world.now() or false
  end)
end

--- Whether the store accepts writes.
---@return true|nil ok
---@return alicloud.Error? err
function Keys:probe()
  return call(self, "probe", nil, {}, function() return true end)
end

--- The id of the store.
---@return string|nil
---@return alicloud.Error? err
function Keys:cluster()
  return call(self, "cluster", nil, nil, function(world) return world.cluster end)
end

--- Does nothing: sessions expire or are revoked.
function Keys:close() end

return M
