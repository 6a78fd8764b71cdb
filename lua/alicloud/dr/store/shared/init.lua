--- A store that several machines reach: implements the contract of alicloud.dr.journal with the
--- primitives of alicloud.dr.store.etcd. Each record is a key, locks vanish with the session of
--- their holder, and this machine keeps a copy of the journal.
---
---     PREFIX/v1/index/RUN            a run exists
---     PREFIX/v1/runs/RUN/lock        its process; `created` of the key is the fencing token
---     PREFIX/v1/runs/RUN/rec/N       a record, one line; N has ten digits
---     PREFIX/v1/runs/RUN/mail/X      a line that people left for it
---     PREFIX/v1/locks/ACCOUNT/GROUP  the run that has the group, for both sites of the group

local commit = require "alicloud.dr.store.shared.commit"
local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local holds = require "alicloud.dr.store.shared.hold"
local index = require "alicloud.dr.store.shared.index"
local letters = require "alicloud.dr.store.shared.mail"
local locks = require "alicloud.dr.store.shared.lock"
local mirrors = require "alicloud.dr.store.mirror"
local shell = require "alicloud.base.shell"
local support = require "alicloud.dr.store.shared.support"

local failure, persist = support.failure, support.persist

local M = {}

--- SEND_WINDOW: seconds since a record's transaction began in which the change that it announces
--- may be sent. EXCHANGE: most seconds that this change then takes until its answer.
M.SEND_WINDOW, M.EXCHANGE = 4, 30

-- Bytes: a store with its default settings takes no larger values.
local LARGEST = 1024 * 1024
-- Records that need not be durable at once are written together with the next one that must.
local MOST_AT_ONCE, MOST_BYTES = 60, 256 * 1024
-- Most other runs that are read.
local MOST_OTHERS = 100

---@class alicloud.dr.SharedOptions
---@field keys alicloud.dr.Keys closed with the store, unless `session` is given
---@field run string
---@field name string the address, for messages and commands
---@field prefix string
---@field loop alicloud.loop.Loop
---@field runtime alicloud.Runtime
---@field mirror? string path of the copy on this machine
---@field session? alicloud.dr.Session session of the process; nil: the store begins its own
---@field ttl? integer seconds, for a session of its own
---@field send_window? number seconds in place of `SEND_WINDOW`
---@field exchange? number seconds in place of `EXCHANGE`: at least as many as a change may take
---@field conditions? table[] as in alicloud.dr.Txn: the run's lock is taken only if they hold
---@field marks? string[] keys that are written with the run's lock and vanish with it
---@field alone? boolean does not read other runs: in a fleet each run would read a hundred of
---thousands
---@field keeps_lock? boolean `close` keeps the run's lock; `finish` or `abandon` gives it back

---@class alicloud.dr.SharedStore: alicloud.dr.Store
---@field shared true
---@field takeover_wait number seconds after a takeover until nothing of an older process can arrive
---@field send_window number seconds, see `SEND_WINDOW`
---@field fence string? `created` of the run's lock, once it is taken
---@field waiting alicloud.dr.Record[] records that are not sent yet
---@field sent integer number of records in the store
local Store = {}
Store.__index = Store

---@param options alicloud.dr.SharedOptions
---@return alicloud.dr.SharedStore
function M.open(options)
  local base = options.prefix .. "/v1/"
  local send_window = options.send_window or M.SEND_WINDOW
  local store = setmetatable({
    name = options.name, shared = true, send_window = send_window,
    takeover_wait = send_window + (options.exchange or M.EXCHANGE),
    keys = options.keys, loop = options.loop, runtime = options.runtime,
    prefix = options.prefix, base = base,
    run = options.run, at = base .. "runs/" .. support.part(options.run) .. "/",
    mirror_path = options.mirror, ttl = options.ttl,
    conditions = options.conditions, marks = options.marks, keeps_lock = options.keeps_lock,
    alone = options.alone,
    leases = {}, waiting = {}, bytes = 0, listeners = {}, pid = core.pid(),
  }, Store)
  if options.session then store:use(options.session) end
  return store
end

local function record_key(store, seq)
  return ("%srec/%010d"):format(store.at, seq)
end

local function read_records(store)
  local lines = {}
  local ok, err = support.each(store, store.at .. "rec/", function(entry)
    if entry.key ~= record_key(store, #lines + 1) then
      return failure(store, "Client.JournalDamaged",
        ("record %d is missing"):format(#lines + 1),
        "nothing is continued from it: look at the groups, then begin a new run")
    end
    lines[#lines + 1] = entry.value
  end)
  if not ok then return nil, err end
  return table.concat(lines), #lines
end

-- Opens the copy and compares it; a machine that cannot keep one goes on without.
local function check_mirror(store, text)
  local mirror, err = mirrors.open(store.mirror_path, store.runtime.warn)
  if not mirror then
    store.runtime.warn(("no copy of the journal is kept on this machine: %s"):format(err.message))
    return true
  end
  store.mirror = mirror
  return mirror:compare(store.name, text)
end

--- Reads all records. With the run's lock held they are compared with the copy on this machine.
---@return string|nil text
---@return alicloud.Error? err
function Store:load()
  local ok, err = index.check(self)
  if not ok then return nil, err end
  local text, count = read_records(self)
  if not text then return nil, count end
  self.seq, self.sent = count, count
  if self.fence and self.mirror_path and not self.mirror then
    ok, err = check_mirror(self, text)
    if not ok then return nil, err end
  end
  return text
end

-- Each record is a key and is never torn, so there is nothing to cut.
function Store:cut()
  return nil, failure(self, "Client.JournalDamaged", "its last record is not a whole line",
    "look at the groups, then begin a new run")
end

--- Whether the store accepts writes.
---@return boolean|nil ok
---@return alicloud.Error? err
function Store:reserve()
  return persist(self, function() return self.keys:probe() end)
end

local function end_it(store, err)
  store.fault = store.fault or err
  if err.code ~= "Client.JournalLost" then return nil, err end
  local listeners = store.listeners
  store.listeners = {}
  for _, listener in ipairs(listeners) do listener(err) end
  return nil, err
end

--- Sets the session that holds the store's locks.
---@param session alicloud.dr.Session
function Store:use(session)
  self.session, self.when_lost = session, function(err) end_it(self, err) end
  session:on_lost(self.when_lost)
end

--- Why the run was lost to this process; nil while it is held.
---@return alicloud.Error|nil
function Store:lost()
  local fault = self.fault
  if fault and fault.code == "Client.JournalLost" then return fault end
  return self.session and self.session:lost()
end

--- Adds a listener that is called once when the run is lost.
---@param listener fun(err: alicloud.Error)
function Store:on_lost(listener)
  self.listeners[#self.listeners + 1] = listener
end

-- The command that shows who has the run.
local function explain(store)
  return shell.command("explain", { store.name })
end

local FAULTS = {
  conflict = { "Client.JournalConflict", "somebody else has written to it" },
  missing = { "Client.JournalRolledBack", "records that it had acknowledged are gone: an older "
    .. "state was restored", "look at the groups before anything is sent" },
}

local function fault_of(store, name)
  local code, message, hint = table.unpack(FAULTS[name])
  return failure(store, code, message, hint or "see who: " .. explain(store))
end

local function taken_over(store, holder)
  if not holder then
    return failure(store, "Client.JournalLost", "its lock is gone", "resume the run")
  end
  return failure(store, "Client.JournalLost", "it was taken over by " .. holds.words(holder),
    "that process goes on with it; see what it does: " .. explain(store), holder)
end

-- Ends the store after a refused record: the change that it announces is not sent, and not retried.
local function refused(store, err)
  err.outcome, err.retryable = "not_sent", false
  return end_it(store, err)
end

-- Writes the waiting records and retries until the outcome is known. Returns the boottime at which
-- it began.
local function flush(store)
  local batch = { lock = locks.run_key(store), fence = store.fence, records = store.waiting,
    before = store.sent > 0 and record_key(store, store.sent) or nil }
  local began_at = store.runtime.boottime()
  local ended, found = persist(store, function()
    local lost = store:lost()
    if lost then return false, lost end
    return commit.try(store.keys, batch)
  end, store.session.held_until)
  if ended == "done" then return began_at end
  if errors.is_error(found) then return refused(store, found) end
  if ended == "lost" then
    return end_it(store, taken_over(store, holds.of(found[batch.lock])))
  end
  return end_it(store, fault_of(store, ended))
end

local function settle(store)
  local began_at, err = flush(store)
  if not began_at then return nil, err end
  local lines = {}
  for i, record in ipairs(store.waiting) do lines[i] = record.text end
  if store.mirror then store.mirror:append(table.concat(lines)) end
  store.sent, store.waiting, store.bytes = store.seq, {}, 0
  return true, math.min(began_at + store.send_window, store.session.held_until)
end

local function append_fault(store, seq, text)
  local known = store.fault or store:lost()
  if known then return known end
  if not store.fence then
    return failure(store, "Client.JournalFailed", "whoever writes to it takes its lock before")
  end
  if seq ~= store.seq + 1 then return fault_of(store, "conflict") end
  if #text > LARGEST then
    return failure(store, "Client.JournalFailed", ("a record of %d bytes is larger than the store "
      .. "takes"):format(#text), "let the step return less")
  end
end

--- Appends a record if `seq` follows the last one and this process has the lock. A record that need
--- not be durable waits for the next one that must.
---@param seq integer
---@param text string
---@param durable boolean
---@return boolean|nil ok
---@return number|alicloud.Error|nil send_by runtime.boottime in seconds after which the change that
---this record announces must not be sent
function Store:append(seq, text, durable)
  local fault = append_fault(self, seq, text)
  if fault then return end_it(self, fault) end
  self.waiting[#self.waiting + 1] = { key = record_key(self, seq), text = text }
  self.seq, self.bytes = seq, self.bytes + #text
  if durable or #self.waiting >= MOST_AT_ONCE or self.bytes >= MOST_BYTES then
    return settle(self)
  end
  return true
end

--- Takes a lock: "run" is that of the journal itself, "group ID" that of a group.
---@param name string
---@param holder alicloud.dr.Holder
---@return alicloud.dr.Lease|nil
---@return alicloud.Error? err names the holder
function Store:lease(name, holder)
  return locks.take(self, name, holder)
end

--- Which process is at work on the run. Reads only.
---@return alicloud.dr.Hold
function Store:hold()
  return locks.look(self)
end

--- Leaves a line for the process that runs.
---@param line string without a newline
---@return boolean|nil ok
---@return alicloud.Error? err
function Store:post(line)
  return letters.post(self, line)
end

--- The lines that were left. If the store denies this process access while it has the run, the run
--- counts as lost: the session would still be renewed, and an open gate would keep the run for
--- ever.
---@return alicloud.dr.Letters[]|nil
---@return alicloud.Error? err
function Store:mail()
  local list, err = letters.read(self)
  local is_out = err and err.outcome == "rejected" and not err.retryable and self.fence
  if not is_out then return list, err end
  return end_it(self, failure(self, "Client.JournalLost", "the store lets this process in no more: "
    .. err.message, err.hint))
end

--- The names of the runs in the store, the newest first.
---@return string[]|nil names
---@return alicloud.Error? err
function Store:runs()
  return index.runs(self)
end

-- A store for reading another run; it uses the keys of this one.
local function beside(store, run)
  return M.open { keys = store.keys, run = run, name = store.name:gsub("#.*$", "") .. "#" .. run,
    prefix = store.prefix, loop = store.loop, runtime = store.runtime }
end

--- The newest other runs of the store that can be read.
---@return { name: string, text: string }[]|nil list nil: the option `alone` is set
function Store:others()
  if self.alone then return nil end
  local list = {}
  for run in index.others(self) do
    local other = beside(self, run)
    local text = read_records(other)
    list[#list + 1] = text and { name = other.name, text = text }
    if #list == MOST_OTHERS then break end
  end
  return list
end

--- The path of a file that is kept beside the copy of the run.
---@param ending string
---@return string|nil path nil: this machine keeps no copy
function Store:beside(ending)
  return self.mirror_path and self.mirror_path .. ending
end

--- Releases the run's lock and writes keys in one transaction, also after `close`.
---@param puts { key: string, value: string }[] the value of the first shows whether this process
---wrote it
---@param when? table[] further conditions, see alicloud.dr.Txn
---@return boolean|nil ok false: a condition does not hold, and the lock is still ours
---@return alicloud.Error? err
function Store:finish(puts, when)
  return locks.finish(self, puts, when)
end

--- Releases the run's lock without writing anything, so that others can take it at once.
function Store:abandon()
  if self.run_lease and not self:lost() then locks.abandon(self) end
end

--- Writes the waiting records and releases the locks. Does nothing in a forked child.
function Store:close()
  if self.closed or core.pid() ~= self.pid then return end
  self.closed = true
  if not self.fault and self.fence and #self.waiting > 0 then settle(self) end
  if self.session then
    self.session:forget(self.when_lost)
    locks.give_back(self)
  end
  if self.mirror then self.mirror:close() end
  if self.own_session or not self.session then self.keys:close() end
end

return M
