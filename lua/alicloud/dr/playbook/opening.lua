--- Opens the journal of a run: takes its lock, waits for it if needed, reads the records, and
--- reserves space for more.

local accounts = require "alicloud.dr.playbook.account"
local core = require "alicloud.core"
local effects = require "alicloud.dr.playbook.effect"
local events = require "alicloud.dr.playbook.events"
local guard = require "alicloud.base.guard"
local journals = require "alicloud.dr.journal"
local productions = require "alicloud.dr.playbook.production"
local states = require "alicloud.dr.playbook.state"

local M = {}

-- Space for the records of a run, reserved before anything is sent.
local RESERVED_BYTES = 262144
-- Seconds between two attempts to take the lock.
local PAUSE = 1

local function holder_of(options)
  local process = core.process()
  return { owner = options.requester, host = process.host, pid = process.pid }
end

-- Why a journal cannot be continued: a damaged record, or records of a newer version; nil: it can.
local function fault_of(store, list)
  local line, reason, newer = events.check(list)
  if line then return journals.damaged(store.name, { line = line, reason = reason }) end
  return events.newer_error(store.name, newer)
end

--- Adds the state of production to an error, and the point of no return that was passed, for a
--- person who cannot continue the run.
---@param state alicloud.dr.RunState
---@param err alicloud.Error
---@return nil
---@return alicloud.Error err the same
function M.tell_production(state, err)
  err.production_down = productions.words(state)
  err.no_return = effects.no_return(state)
  err.ways_up = productions.ways_up(state, err.no_return ~= nil)
  return nil, err
end

-- The records of a journal that cannot be opened for writing; empty if they cannot be read.
local function readable(store)
  local text = store:load()
  local reading = text and journals.read(text)
  return reading and not fault_of(store, reading.events) and reading.events or {}
end

--- Whether a store that several machines share was lost to another process.
---@param store alicloud.dr.Store
---@return boolean
function M.is_lost(store)
  return store.lost ~= nil and store:lost() ~= nil
end

-- Whether to wait for the lock after an error. After the first contact with the store, waiting goes
-- on also while the store is out of reach.
local function may_wait(options, err, waited, seen)
  if not options.standby or waited >= options.standby then return false end
  if err.code == "Client.JournalLocked" then return true end
  return seen and (options.reopen ~= nil or not M.is_lost(options.store))
    and (err.code == "Client.JournalFailed" or err.code == "Client.JournalLost")
end

local function tell_wait(options, err, waited)
  local holder = err.holder
  if not options.progress then return end
  guard.call(options.progress, { type = "standby", at = options.client.runtime.time(),
    waited = waited, holder = holder, since = holder and holder.since,
    err = err.code ~= "Client.JournalLocked" and err or nil })
end

-- Asks for the lock, after opening a lost store anew.
local function lease_of(options, holder)
  if options.reopen and (not options.store or M.is_lost(options.store)) then
    local ok, err = options.reopen()
    if not ok then return nil, err end
  end
  return options.store:lease("run", holder)
end

-- Takes the lock of the run; on standby this waits for it.
local function take_lock(options, holder)
  local client = options.client
  local now = client.runtime.boottime
  local since, seen = now(), options.regaining
  while true do
    holder.since = core.iso8601(math.floor(client.runtime.time()))
    local lease, err = lease_of(options, holder)
    local waited = now() - since
    if lease or not may_wait(options, err, waited, seen) then return lease, err end
    seen = true
    tell_wait(options, err, waited)
    client.loop.sleep(PAUSE)
  end
end

---@class alicloud.dr.Opening
---@field journal alicloud.dr.JournalFile
---@field lease alicloud.dr.Lease
---@field holder alicloud.dr.Holder
---@field state alicloud.dr.RunState from the journal
---@field account string? number of the account that owns the groups; nil: the store is not shared

--- Opens the journal of a run for writing.
---@param options alicloud.dr.RunOptions
---@return alicloud.dr.Opening|nil
---@return alicloud.Error? err with the state of production, if it is known
function M.open(options)
  local holder = holder_of(options)
  local lease, err = take_lock(options, holder)
  if not lease then return nil, err end
  options.leased = true
  local store = options.store
  local journal
  journal, err = journals.open(store, options.client.loop)
  if not journal then return M.tell_production(states.fold(readable(store)), err) end
  local fault = fault_of(store, journal.events)
  if fault then return nil, fault end
  local state = states.fold(journal.events)
  local ok
  ok, err = store:reserve(RESERVED_BYTES)
  if not ok then return M.tell_production(state, err) end
  local account
  account, err = accounts.of(options, state)
  if err then return M.tell_production(state, err) end
  -- Frees the records, since the state has what they say: a large run has ten thousand.
  journal.events = nil
  return { journal = journal, lease = lease, holder = holder, state = state, account = account }
end

return M
