--- Locks of a shared store: keys that exist as long as the session of their holder.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local holds = require "alicloud.dr.store.shared.hold"
local index = require "alicloud.dr.store.shared.index"
local sessions = require "alicloud.dr.store.session"
local support = require "alicloud.dr.store.shared.support"

local M = {}

local Lease = {}
Lease.__index = Lease

-- Deletes the key, since the session may live on. Until that is done, `session.locks` keeps other
-- stores of this process from taking the key for their own lock.
function Lease:release()
  if self.released then return end
  self.released = true
  local store = self.store
  support.persist(store, function() return store.keys:drop(self.key, self.version) end,
    store.session.held_until)
  store.session.locks[self.key] = nil
end

-- The session of the store; begun at its first lock, unless the process has given one.
local function session_of(store)
  if store.session then return store.session end
  local session, err = support.persist(store, function()
    return sessions.open(store.keys, { loop = store.loop, runtime = store.runtime,
      ttl = store.ttl })
  end)
  if not session then return nil, err end
  store.own_session = true
  store:use(session)
  return session
end

--- The key of a run's lock.
---@param store alicloud.dr.SharedStore
---@return string
function M.run_key(store)
  return store.at .. "lock"
end

-- The account is part of the key: groups of two accounts may have the same id. The region is not: a
-- group is the same at both sites.
local function key_of(store, name, holder)
  if name == "run" then return M.run_key(store) end
  return ("%slocks/%s/%s"):format(store.base, support.part(holder.account or "-"),
    support.part((name:gsub("^group ", ""))))
end

-- Creates a lock with its marks if further conditions hold. If not, it returns false and the lock
-- that was found, or the error Client.ItemClosed.
local function create_under(store, session, key, value)
  local when, read = { { key = key, absent = true } }, { key }
  for _, condition in ipairs(store.conditions) do
    when[#when + 1], read[#read + 1] = condition, condition.absent and condition.key or nil
  end
  local puts = { { key = key, value = value, session = session.id } }
  for _, mark in ipairs(store.marks or {}) do
    puts[#puts + 1] = { key = mark, value = value, session = session.id }
  end
  local done, found = store.keys:txn { when = when, read = read, put = puts }
  if done == nil then return nil, found end
  if done then return { created = found.revision, version = found.revision } end
  if found[key] then return false, found[key] end
  return false, errors.new { kind = "journal", code = "Client.ItemClosed", outcome = "not_sent",
    found = found, message = store.name .. ": it is not open to be claimed" }
end

-- Creates a lock. One that exists with our session was made by an earlier try, unless another store
-- of this process has it or is just taking it.
local function claim(store, session, name, key, value)
  local taken = session.locks[key]
  session.locks[key] = true
  local made, found = support.persist(store, function()
    if name == "run" and store.conditions then
      return create_under(store, session, key, value)
    end
    return store.keys:create(key, value, session.id)
  end, session.held_until)
  if made then return made end
  if made == false and not taken and found.session == session.id then return found end
  session.locks[key] = taken
  if made == nil or errors.is_error(found) then return nil, found end
  return nil, holds.locked(store, name, holds.of(found))
end

--- Takes a lock: "run" is that of the journal itself, "group ID" that of a group.
---@param store alicloud.dr.SharedStore
---@param name string
---@param holder alicloud.dr.Holder
---@return alicloud.dr.Lease|nil
---@return alicloud.Error? err names the holder
function M.take(store, name, holder)
  local session, err = session_of(store)
  if not session then return nil, err end
  local key = key_of(store, name, holder)
  local entry
  entry, err = claim(store, session, name, key, core.encode(holds.note(holder, store.name)))
  if not entry then return nil, err end
  local lease = setmetatable({ store = store, key = key, version = entry.version,
    fence = math.tointeger(tonumber(entry.created)) }, Lease)
  store.leases[#store.leases + 1] = lease
  if name ~= "run" then return lease end
  store.fence, store.run_lease = entry.created, lease
  local ok
  ok, err = index.make(store)
  if not ok then return nil, err end
  return lease
end

--- Which process is at work on a run. Reads only.
---@param store alicloud.dr.SharedStore
---@return alicloud.dr.Hold
function M.look(store)
  local here = core.process().host
  local entry, err = store.keys:get(M.run_key(store))
  if entry == nil then return { here = here, why = err.message } end
  if not entry then return { here = here, held = false } end
  local left = store.keys.left and entry.session and store.keys:left(entry.session)
  return { here = here, held = true, holder = holds.of(entry), left = left or nil,
    session = entry.session }
end

--- Releases the locks of a store, except that of the run if `keeps_lock` is set.
---@param store alicloud.dr.SharedStore
function M.give_back(store)
  if store.own_session then
    store.session:close()
  else
    for _, lease in ipairs(store.leases) do
      if not (store.keeps_lock and lease == store.run_lease) then lease:release() end
    end
  end
end

-- The run's lock, and the marks that exist only with it.
local function all_keys(store)
  return { store.run_lease.key, table.unpack(store.marks or {}) }
end

--- Releases the lock of a run.
---@param store alicloud.dr.SharedStore
function M.abandon(store)
  local lease = store.run_lease
  if lease.released then return end
  lease.released, store.session.locks[lease.key] = true, nil
  support.persist(store, function()
    return store.keys:txn { when = { { key = lease.key, created = store.fence } },
      drop = all_keys(store) }
  end, store.session.held_until)
end

-- Whether an earlier try already did it: the lock is gone and the first key has our value.
local function ended_before(puts, found)
  local first = puts[1]
  return found[first.key] ~= nil and found[first.key].value == first.value
end

--- Releases the lock of a run and writes keys in one transaction, if the lock is still ours.
---@param store alicloud.dr.SharedStore
---@param puts { key: string, value: string }[] the value of the first shows whether this process
---wrote it
---@param when? { key: string, absent?: true, version?: string }[] further conditions
---@return boolean|nil ok false: one of these does not hold, and the lock is still ours
---@return alicloud.Error? err
function M.finish(store, puts, when)
  local lease = store.run_lease
  local list = { { key = lease.key, created = store.fence }, table.unpack(when or {}) }
  local done, found = support.persist(store, function()
    return store.keys:txn { when = list, put = puts, drop = all_keys(store),
      read = { lease.key, puts[1].key } }
  end, store.session.held_until)
  if done == nil then return nil, found end
  local lock = not done and found[lease.key]
  if lock and lock.created == store.fence then return false end
  lease.released, store.session.locks[lease.key] = true, nil
  if done or ended_before(puts, found) then return true end
  return nil, support.failure(store, "Client.JournalLost", "its lock is gone", nil, holds.of(lock))
end

return M
