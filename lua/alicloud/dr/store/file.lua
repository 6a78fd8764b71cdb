--- A store in a file of one machine; implements the contract of alicloud.dr.journal.
---
--- Beside PATH are PATH.lock, which the running process locks, and the lines that people leave (see
--- alicloud.dr.store.letters). alicloud.dr.store.private says who may use them. In a directory
--- where strangers can make files groups cannot be locked: a stranger could own the lock file.
---
--- A lease is a lock of the kernel: it ends with its process, so it needs no expiry. Programs that
--- the process starts do not inherit it; a forked child that runs no other program does, but may
--- not use it. The lock of a group is a byte of one file in the directory: two runs in a directory
--- then exclude each other, and a thousand groups need one descriptor. The notes on holders are in
--- groups.notes, since the directory itself is listed for mail at each step.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local lazy = require "alicloud.base.lazy"
local letters = require "alicloud.dr.store.letters"
local private = require "alicloud.dr.store.private"
local shell = require "alicloud.base.shell"
local trusted_files = require "alicloud.base.trusted_file"

-- Loaded by the lease of the run, which comes first.
---@module "alicloud.dr.store.lock_note"
local lock_notes = lazy.module "alicloud.dr.store.lock_note"

local failure = private.failure

local M = {}

-- The byte of PATH.lock that is the lock of the run.
local RUN_BYTE = 0
local TEAM_MODE = tonumber("2770", 8)

---@class alicloud.dr.FileStore: alicloud.dr.Store
local Store = {}
Store.__index = Store

local function broken(store, message, code)
  store.fault = store.fault or failure(store.name, message, code,
    "nothing more is written to it and nothing more is sent; mend the file system, then resume")
  return nil, store.fault
end

local function directory_of(path)
  local directory = path:match("^(.*)/[^/]*$")
  if not directory then return "." end
  return directory == "" and "/" or directory
end

--- Makes a directory for its owner only, with missing parents.
---@param path string
---@return boolean|nil ok
---@return alicloud.Error? err
function M.make_directories(path)
  local made = path:sub(1, 1) == "/" and "" or nil
  for part in path:gmatch("[^/]+") do
    made = made and made .. "/" .. part or part
    local ok, message, code = core.make_directory(made)
    if not ok then return nil, failure(made, message, code) end
  end
  return true
end

--- Opens the store. Makes the file if it does not exist; the directory must exist.
---@param path string
---@return alicloud.dr.FileStore|nil
---@return alicloud.Error? err
function M.open(path)
  local directory = directory_of(path)
  local place, message, code = trusted_files.place(directory)
  local file, err
  if place then file, err = private.open(path, place) else err = failure(path, message, code) end
  if not file then return nil, err end
  return setmetatable({ name = path, directory = directory, place = place, file = file,
    leases = {}, pid = core.pid() }, Store)
end

-- A forked child shares the locks of its parent and must neither use nor release them.
local function is_own(store)
  return core.pid() == store.pid
end

local function forked(store)
  return nil, errors.new {
    kind = "journal", code = "Client.JournalForked", outcome = "not_sent",
    message = ("%s: process %d has opened it, and this is a child that it has forked"):format(
      store.name, store.pid),
    hint = "only that process goes on with the run; a child that is to do so opens the journal "
      .. "anew, once that process has closed it",
  }
end

local function read(path, fault_of)
  local file <close>, message, code = core.open_file(path, "read")
  if not file then return nil, failure(path, message, code) end
  local fault = fault_of and fault_of(file)
  if fault then return nil, fault end
  local text
  text, message, code = trusted_files.read_all(file)
  if not text then return nil, failure(path, message, code) end
  return text
end

--- Reads a journal, whoever owns it; another process may be writing it.
---@param path string
---@return string|nil text
---@return alicloud.Error? err code "Client.JournalFailed", errno "ENOENT" if there is none
function M.read(path)
  return read(path)
end

--- Reads a journal that will be obeyed: it must pass the checks of `open` first.
---@param path string
---@return string|nil text
---@return alicloud.Error? err see `read` and `open`
function M.read_trusted(path)
  return read(path, function(file)
    local place, message, code = trusted_files.place(directory_of(path))
    if not place then return failure(path, message, code) end
    return private.fault(file, path, place)
  end)
end

function Store:load()
  local text, message, code = trusted_files.read_all(self.file)
  if not text then return nil, failure(self.name, message, code) end
  local _, lines = text:gsub("\n", "\n")
  self.bytes, self.seq = #text, lines
  return text
end

function Store:cut(bytes)
  local ok, message, code = self.file:truncate(bytes)
  if ok then ok, message, code = self.file:sync() end
  if not ok then return broken(self, message, code) end
  self:load()
  return true
end

function Store:reserve(bytes)
  local ok, message, code = self.file:reserve(bytes)
  if ok or code == "EOPNOTSUPP" then return true end
  return nil, failure(self.name, message, code)
end

-- Whether another process has written: the file must be as long as this process left it.
local function conflict(store, seq)
  if not store.bytes then store:load() end
  local about, message, code = store.file:stat()
  if not about then return broken(store, message, code) end
  if seq == store.seq + 1 and about.bytes == store.bytes then return false end
  store.fault = errors.new {
    kind = "journal", code = "Client.JournalConflict", outcome = "not_sent",
    message = ("%s: somebody else has written to it: record %d was to follow, it holds %d bytes "
      .. "instead of %d"):format(store.name, seq, about.bytes, store.bytes),
    hint = "stop the other one, then resume",
  }
  return nil, store.fault
end

-- Syncs the file and, once, its directory: only then its name is durable.
function Store:settle()
  if self.fault then return nil, self.fault end
  local ok, message, code = self.file:sync()
  if ok and not self.named then
    ok, message, code = core.sync_directory(self.directory)
    self.named = ok
  end
  if not ok then return broken(self, message, code) end
  return true
end

function Store:append(seq, text, durable)
  if self.fault then return nil, self.fault end
  if not is_own(self) then return forked(self) end
  local hindered, err = conflict(self, seq)
  if hindered == nil then return nil, err end
  local ok, message, code = self.file:append(text)
  if not ok then return broken(self, message, code) end
  self.bytes, self.seq = self.bytes + #text, seq
  if durable then return self:settle() end
  return true
end

local function run_note(path)
  return path .. ".lock"
end

local function notes_of(store)
  return store.directory .. "/groups.notes"
end

local function note_path(store, name)
  if name == "run" then return run_note(store.name) end
  return notes_of(store) .. "/" .. name:gsub("[^%w._-]", "_") .. ".lock"
end

-- The byte that is the lock of a name. Two names share a byte once in 2^60.
local function byte_of(name)
  return tonumber(core.sha256(name):sub(1, 15), 16)
end

---@class alicloud.dr.Hold
---@field here string name of this machine
---@field held boolean|nil nil: it cannot be known here
---@field holder table? owner, host, pid and since of the process that has the lock or had it last
---@field inherited boolean? the holder is gone, and a child that it has forked has the lock
---@field why string? why it cannot be known
---@field shared boolean? the lock is in a shared store and holds for every machine
---@field session string? id of the session that holds it there
---@field left integer? seconds after which that session ends if it is not renewed

--- Whether a process is at work on a journal. Takes no lock, so it is in nobody's way.
---@param path string path of the journal
---@return alicloud.dr.Hold
function M.hold(path)
  local here = core.process().host
  local note <close>, message, code = core.open_file(run_note(path), "read")
  if not note then
    return { here = here, why = code == "ENOENT" and "no lock lies beside it" or message }
  end
  local locked
  locked, message = note:is_locked(RUN_BYTE)
  if locked == nil then return { here = here, why = message } end
  local holder = lock_notes.read(note)
  return { here = here, held = locked, holder = holder,
    inherited = locked and lock_notes.is_gone(holder) or nil }
end

local Lease = {}
Lease.__index = Lease

-- Unlocks before closing: a forked child that has the file open would keep the lock.
function Lease:release()
  if self.released then return end
  self.released = true
  if is_own(self.store) then self.file:unlock(self.byte) end
  if self.own then self.file:close() end
end

-- Why groups cannot be locked here: strangers could make the lock files.
local function lock_fault(store, name)
  local place = store.place
  local wrong = place.fault or place.strangers
  if name == "run" or not wrong then return nil end
  return failure(store.name, "groups cannot be locked here: " .. trusted_files.words(wrong),
    trusted_files.UNTRUSTED, ("keep journals in a directory of your own (mode 700), or of a team "
    .. "(%s); a run that was begun here goes on from there: mv %s* DIRECTORY"):format(
      private.TEAM_HINT, shell.quote(store.name)))
end

-- Opens the file of group locks and makes the directory of notes, once.
local function open_groups(store)
  if store.locks then return true end
  local notes = notes_of(store)
  local ok, message, code = core.make_directory(notes, store.place.team and TEAM_MODE or nil)
  if not ok then
    return nil, lock_notes.in_the_way(failure(notes, message, code), notes, store.place)
  end
  local file, err = lock_notes.open(store.directory .. "/groups.lock", store.place)
  store.locks = file
  return file ~= nil, err
end

local function open_note(store, name)
  local path = note_path(store, name)
  if name == "run" then return lock_notes.open(path, store.place) end
  local ok, err = open_groups(store)
  if not ok then return nil, err end
  return lock_notes.open(path, store.place, notes_of(store))
end

-- Takes the lock, then writes the note; the note alone proves nothing.
local function take(store, name, note, holder)
  -- The run's lock is a byte of its note; locks of groups are bytes of one file.
  local file, byte = note, RUN_BYTE
  if name ~= "run" then file, byte = store.locks, byte_of(name) end
  local locked, message, code = file:lock(byte)
  local before, path = lock_notes.read(note), note_path(store, name)
  if locked == false then return nil, lock_notes.held(name, path, before) end
  if not locked then return nil, failure(path, message, code) end
  local fence = (before and math.tointeger(before.fence) or 0) + 1
  local entry, ok = { fence = fence, journal = store.name }, true
  for key, value in pairs(holder or {}) do entry[key] = value end
  if holder then ok, message, code = lock_notes.write(note, entry, name == "run") end
  if ok then
    local lease = { store = store, file = file, byte = byte, fence = fence, own = file == note }
    return setmetatable(lease, Lease)
  end
  file:unlock(byte)
  return nil, failure(path, message, code)
end

--- Takes a lock: "run" is that of the journal itself.
---@param name string
---@param holder? { owner: string, host: string, pid: integer, since: string } nil: the lock is held
---for a moment, and no note is written
---@return alicloud.dr.Lease|nil
---@return alicloud.Error? err names the holder
function Store:lease(name, holder)
  if not is_own(self) then return forked(self) end
  local fault = lock_fault(self, name)
  if fault then return nil, fault end
  local note, err = open_note(self, name)
  if not note then return nil, err end
  local lease
  lease, err = take(self, name, note, holder)
  if not (lease and lease.own) then note:close() end
  if not lease then return nil, err end
  self.leases[#self.leases + 1] = lease
  return lease
end

--- Leaves a line for the process that runs.
---@param line string without a newline
---@return boolean|nil ok
---@return alicloud.Error? err
function Store:post(line)
  local ok, message, code = letters.post(self.name, self.place, line)
  if not ok then return nil, failure(self.name, message, code) end
  return true
end

--- The lines that were left.
---@return alicloud.dr.Letters[]|nil
---@return alicloud.Error? err
function Store:mail()
  local list, message, code = letters.read(self.name, self.place)
  if not list then return nil, failure(self.name, message, code) end
  return list
end

-- Most other journals that are read, and the bytes of the largest.
local MOST_OTHERS, LARGEST_OTHER = 500, 16 * 1024 * 1024

-- Reads another journal; nil if it cannot be read or need not be trusted.
local function other(path)
  local about = core.look(path)
  if not about or about.type ~= "file" or about.bytes > LARGEST_OTHER then return nil end
  local text = M.read_trusted(path)
  return text and { name = path, text = text }
end

function Store:others()
  local own, list = self.name:match "[^/]*$", {}
  for _, name in ipairs(core.list_directory(self.directory) or {}) do
    if name:find "%.jsonl$" and name ~= own and #list < MOST_OTHERS then
      list[#list + 1] = other(self.directory .. "/" .. name)
    end
  end
  return list
end

--- The path of a file that is kept beside the journal.
---@param ending string
---@return string path
function Store:beside(ending)
  return self.name .. ending
end

function Store:close()
  for _, lease in ipairs(self.leases) do lease:release() end
  if self.locks then self.locks:close() end
  self.leases, self.locks = {}, nil
  self.file:close()
end

return M
