--- The keys of a store that several controllers share, in memory, for rehearsals and specs: what
--- alicloud.dr.store.shared needs of an engine, on a clock that the caller gives. Sessions expire,
--- a call can be late, its answer can get lost, the store can be full, and a controller can stop.
---
---     local world = memory_keys.world { now = function() return clock end }
---     local one = memory_keys.open(world, { name = "one" })
---     local two = memory_keys.open(world, { name = "two", txn = false,
---       faults = function(call) return call.op == "create" and "lost_answer" end })
---     local session = one:session(15)
---     one:create("runs/r/lock", "one", session.id)
---     clock = clock + 16
---     two:get "runs/r/lock"       -- false: it has gone with its session
---
--- As in etcd, one number grows with every change of any key. A key has that of its last change
--- (`version`) and that of its making (`created`); a session that ends takes its keys along in one.

local errors = require "alicloud.base.error"
local memory = require "alicloud.dr.store.memory"
local tables = require "alicloud.base.tables"
local worlds = require "alicloud.dr.store.memory_world"

local M = {}

-- As etcd takes at most in one transaction.
local MOST_OPERATIONS = 128

---@alias alicloud.dr.KeyFault
---| "lost_answer" # it is done, but its answer is lost: outcome "unknown"
---| "unknown"     # it is not done, and nobody can tell
---| "unreachable" # nothing was sent
---| "full"        # the store takes no writes; renewals, reads and drops go on
---| "late"        # the request is so many seconds on its way
---| "late_answer" # the answer is
---| "then"        # it is done, and then what the function beside it does, before it is answered
---| "crash"       # the controller stops before the call
---| "crash_after" # the controller stops when the call is done

---@class alicloud.dr.KeyCall
---@field n integer calls of this controller so far, this one included
---@field op string name of the primitive
---@field key string? the key, the prefix, the id of the session; of a transaction the first key
--- that it would put or drop
---@field values string[]? what is to be written
---@field name string of the controller

--- Is asked before every call; beside the fault it gives the seconds of what is late, or what is
--- done then.
---@alias alicloud.dr.KeyFaults
---| fun(call: alicloud.dr.KeyCall): alicloud.dr.KeyFault|false|nil, number|function|nil

---@class alicloud.dr.MemoryKeys: alicloud.dr.Keys
---@field calls integer
---@field stopped boolean? the controller has stopped: every call raises
---@field faults alicloud.dr.KeyFaults
local Keys = {}
Keys.__index = Keys

M.world = worlds.new

local function never() end

--- A way into a store, as one controller has it.
---@param world alicloud.dr.KeyWorld
---@param given? { name?: string, loop?: alicloud.Loop, txn?: boolean, sessions?: boolean,
--- faults?: alicloud.dr.KeyFaults } the loop is where calls are late; without `txn` it has no
--- transactions, without `sessions` no sessions
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

-- What a late call waits for passes for the store, too.
local function wait(keys, seconds)
  keys.loop.sleep(seconds or 1)
  if keys.stopped then error(memory.CRASH, 0) end
end

-- Before the call is done: the error that it ends with, if it is not to be done.
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

-- One call: what is to go wrong does, and `act` is what the store does in between.
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

-- A key that is written with a session that is gone is not written.
local function session_fault(keys, id)
  if id == nil or keys.world.sessions[id] then return nil end
  return failure(keys, "rejected", ("the session %s is gone"):format(tostring(id)),
    { code = "Client.JournalLost" })
end

--- What is there under a key.
---@param key string
---@return alicloud.dr.Entry|false|nil entry false: nothing
---@return alicloud.Error? err
function Keys:get(key)
  return call(self, "get", key, nil, function(world) return world:entry(key) end)
end

--- What is there under keys that begin alike, in the order of keys.
---@param prefix string
---@param after? string a key; those behind it
---@param limit? integer so many at most (all)
---@return alicloud.dr.Entry[]|nil
---@return boolean|alicloud.Error more whether there are more, or the error
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

--- Writes a key that is not there.
---@param key string
---@param value string
---@param session? string id; the key vanishes with it
---@return alicloud.dr.Entry|false|nil entry false: it is there
---@return alicloud.dr.Entry|alicloud.Error|nil other the entry that is there, or the error
function Keys:create(key, value, session)
  return call(self, "create", key, { value }, function(world)
    if world.entries[key] then return false, world:entry(key) end
    local fault = session_fault(self, session)
    if fault then return nil, fault end
    world:change()
    return world:put(key, value, session)
  end)
end

--- Writes a key that has not changed since.
---@param key string
---@param value string
---@param version string of the entry that is to be there
---@param session? string id
---@return alicloud.dr.Entry|false|nil entry false: it has changed, or is gone
---@return alicloud.dr.Entry|alicloud.Error|nil other the entry that is there, or the error
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

--- Takes a key away that has not changed since.
---@param key string
---@param version string of the entry that is to be there
---@return boolean|nil ok true also if there is none
---@return alicloud.dr.Entry|alicloud.Error|nil other the entry that is there, or the error
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

-- Why a store would not even look at the conditions.
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

--- All of it or nothing.
---@param given alicloud.dr.Txn
---@return boolean|nil ok false: a condition does not hold
---@return table more `revision`; or by key what is there of `read`; or the error
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
---@param ttl number seconds for which it lives unrenewed
---@return { id: string, ttl: number }|nil
---@return alicloud.Error? err
function Keys:session(ttl)
  return call(self, "session", nil, {}, function(world)
    return { id = world:begin_session(ttl), ttl = ttl }
  end)
end

--- Lets a session live on.
---@param id string
---@return number|false|nil ttl seconds from now on; false: it is gone
---@return alicloud.Error? err
function Keys:renew(id)
  return call(self, "renew", id, nil, function(world)
    local session = world.sessions[id]
    if not session then return false end
    session.ends = world.now() + session.ttl
    return session.ttl
  end)
end

--- Ends a session and its keys.
---@param id string
---@return true|nil ok
---@return alicloud.Error? err
function Keys:revoke(id)
  return call(self, "revoke", id, nil, function(world)
    if world.sessions[id] then world:end_session(id) end
    return true
  end)
end

--- How long a session lives on unrenewed.
---@param id string
---@return number|false|nil seconds false: it is gone
---@return alicloud.Error? err
function Keys:left(id)
  return call(self, "left", id, nil, function(world)
    local session = world.sessions[id]
    return session and session.ends - world.now() or false
  end)
end

--- Whether writes are taken.
---@return true|nil ok
---@return alicloud.Error? err
function Keys:probe()
  return call(self, "probe", nil, {}, function() return true end)
end

--- Which store this is.
---@return string|nil
---@return alicloud.Error? err
function Keys:cluster()
  return call(self, "cluster", nil, nil, function(world) return world.cluster end)
end

--- Nothing is to be given back: sessions end by themselves, or are revoked.
function Keys:close() end

return M
