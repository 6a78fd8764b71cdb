--- A store that several machines reach: the contract of alicloud.dr.journal over the primitives of
--- alicloud.dr.store.etcd. Records are keys of their own, locks vanish with the session of their
--- holder, and a copy of the journal is kept on this machine.
---
---     PREFIX/v1/index/RUN            which runs there are
---     PREFIX/v1/runs/RUN/lock        who runs it; its `created` is the fence
---     PREFIX/v1/runs/RUN/rec/N       a line each, ten digits
---     PREFIX/v1/runs/RUN/mail/X      what people leave for it
---     PREFIX/v1/locks/ACCOUNT/GROUP  whose run has the group, whichever side it is opened at

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

--- Seconds from the beginning of a record's transaction in which the change that it announces may
--- leave, and the longest that its exchange takes from there on.
M.SEND_WINDOW, M.EXCHANGE = 4, 30

-- A record that is larger is not taken by a store with its usual settings.
local LARGEST = 1024 * 1024
-- Records that need not be safe at once ride with the next one that must.
local MOST_AT_ONCE, MOST_BYTES = 60, 256 * 1024
-- Of other runs so many are read.
local MOST_OTHERS = 100

---@class alicloud.dr.SharedOptions
---@field keys alicloud.dr.Keys closed with the store, unless a session of the process is given
---@field run string
---@field name string for messages and commands: the address
---@field prefix string
---@field loop alicloud.loop.Loop
---@field runtime alicloud.Runtime
---@field mirror? string path of the copy on this machine
---@field session? alicloud.dr.Session of the process; else the store begins one of its own
---@field ttl? integer seconds of such a one
---@field send_window? number seconds instead of `SEND_WINDOW`
---@field exchange? number seconds instead of `EXCHANGE`: no less than a change may take
---@field conditions? table[] of alicloud.dr.Txn, under which alone the lock of the run is taken
---@field marks? string[] keys that are there, with the holder, as long as that lock is
---@field alone? boolean it looks at no other runs: there are thousands, and each would look at a
---hundred
---@field keeps_lock? boolean closing it leaves the lock of the run to `finish` and `abandon`

---@class alicloud.dr.SharedStore: alicloud.dr.Store
---@field shared true
---@field takeover_wait number seconds after which nothing of an older process can leave any more
---@field send_window number seconds, see `SEND_WINDOW`
---@field fence string? `created` of the run's lock
---@field waiting alicloud.dr.Record[] not sent yet
---@field sent integer records that the store has
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

-- A machine that can keep no copy goes on without.
local function check_mirror(store, text)
  local mirror, err = mirrors.open(store.mirror_path, store.runtime.warn)
  if not mirror then
    store.runtime.warn(("no copy of the journal is kept on this machine: %s"):format(err.message))
    return true
  end
  store.mirror = mirror
  return mirror:compare(store.name, text)
end

--- All its records. Whoever holds its lock has them compared with the copy of this machine.
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

-- Each line is a key, so none is torn.
function Store:cut()
  return nil, failure(self, "Client.JournalDamaged", "its last record is not a whole line",
    "look at the groups, then begin a new run")
end

--- Whether the store takes writes.
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

--- Takes the session by which its locks are held.
---@param session alicloud.dr.Session
function Store:use(session)
  self.session, self.when_lost = session, function(err) end_it(self, err) end
  session:on_lost(self.when_lost)
end

--- Why it is lost; nil while it is held.
---@return alicloud.Error|nil
function Store:lost()
  local fault = self.fault
  if fault and fault.code == "Client.JournalLost" then return fault end
  return self.session and self.session:lost()
end

--- Tells once when it is lost.
---@param listener fun(err: alicloud.Error)
function Store:on_lost(listener)
  self.listeners[#self.listeners + 1] = listener
end

-- What says who has a run, wherever that is.
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

-- What a record announces is not sent without it, and no later try is made.
local function refused(store, err)
  err.outcome, err.retryable = "not_sent", false
  return end_it(store, err)
end

-- Sends what waits, until that is known to be done: the moment at which that was begun.
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

--- Only if `seq` follows, and while the lock is ours. What need not be safe at once waits for the
--- next record that must.
---@param seq integer
---@param text string
---@param durable boolean
---@return boolean|nil ok
---@return number|alicloud.Error|nil send_by seconds of runtime.boottime: a change that this record
---announces must not leave later
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

--- Takes a lease: "run" is that of the journal itself, "group ID" that of a group.
---@param name string
---@param holder alicloud.dr.Holder
---@return alicloud.dr.Lease|nil
---@return alicloud.Error? err names the holder
function Store:lease(name, holder)
  return locks.take(self, name, holder)
end

--- Who is at work on it. Only looks.
---@return alicloud.dr.Hold
function Store:hold()
  return locks.look(self)
end

--- Leaves a line for whoever runs.
---@param line string without its end
---@return boolean|nil ok
---@return alicloud.Error? err
function Store:post(line)
  return letters.post(self, line)
end

--- The lines that were left. Whoever is refused them, while he has the run, has lost it: a session
--- is renewed without a right to anything, and a gate would keep the run for ever.
---@return alicloud.dr.Letters[]|nil
---@return alicloud.Error? err
function Store:mail()
  local list, err = letters.read(self)
  local is_out = err and err.outcome == "rejected" and not err.retryable and self.fence
  if not is_out then return list, err end
  return end_it(self, failure(self, "Client.JournalLost", "the store lets this process in no more: "
    .. err.message, err.hint))
end

--- The runs that the store has, the newest first.
---@return string[]|nil names
---@return alicloud.Error? err
function Store:runs()
  return index.runs(self)
end

-- The store of another run beside one, to be read; it ends with that one.
local function beside(store, run)
  return M.open { keys = store.keys, run = run, name = store.name:gsub("#.*$", "") .. "#" .. run,
    prefix = store.prefix, loop = store.loop, runtime = store.runtime }
end

--- The other runs of the store that can be read, the newest ones.
---@return { name: string, text: string }[]|nil list nil: it is not looked
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

--- Where something of the run may be kept as a file.
---@param ending string
---@return string|nil path
function Store:beside(ending)
  return self.mirror_path and self.mirror_path .. ending
end

--- Ends the lock of its run, and writes in the same transaction; also once it is closed.
---@param puts { key: string, value: string }[] the first one tells by its bytes who has written it
---@param when? table[] of alicloud.dr.Txn: what must hold, too
---@return boolean|nil ok false: that does not hold; the lock is still ours
---@return alicloud.Error? err
function Store:finish(puts, when)
  return locks.finish(self, puts, when)
end

--- Gives the lock of its run back as it is, so that somebody else may take it at once.
function Store:abandon()
  if self.run_lease and not self:lost() then locks.abandon(self) end
end

--- Gives its locks back. In a child that was forked they are the parent's.
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
