--- A store on a simulated disk, for rehearsals: what was not synced can be lost, a write can be
--- torn, every call can fail, and the machine can stop before or after any call. Implements the
--- contract of alicloud.dr.journal without touching a file.
---
---     local disk = memory.disk { fault = function(call) return call.n == 7 and "crash" end }
---     local store = disk:open("run")
---     …                      -- raises memory.CRASH at the seventh call
---     disk:restart()         -- what was not synced is gone
---     store = disk:open("run")

local errors = require "alicloud.base.error"

local M = {}

--- The error that stands for a stopped machine. Like an interrupt it passes through every pcall
--- guard.
M.CRASH = "the simulated machine stopped: interrupted!"

---@alias alicloud.dr.DiskFault
---| "crash"       # the machine stops before the call
---| "crash_after" # the machine stops when the call is done
---| "torn"        # half of the bytes are written and kept, then the machine stops
---| "short"       # half of the bytes are written, then ENOSPC
---| "ENOSPC" | "EIO" | "EROFS" # the call fails

---@class alicloud.dr.DiskCall
---@field n integer number of this call
---@field op "append"|"sync"|"reserve"|"cut"|"load"|"post"|"lease"
---@field name string name of the store

---@class alicloud.dr.Disk
---@field calls integer
---@field fault fun(call: alicloud.dr.DiskCall): alicloud.dr.DiskFault|false|nil
local Disk = {}
Disk.__index = Disk

---@class alicloud.dr.MemoryStore: alicloud.dr.Store
local Store = {}
Store.__index = Store

--- Makes a disk.
---@param given? { fault: function } `fault` is called before every call on the disk
---@return alicloud.dr.Disk
function M.disk(given)
  return setmetatable({ calls = 0, files = {}, leases = {}, mails = {},
    fault = given and given.fault or function() end }, Disk)
end

local function failure(name, code)
  return errors.new {
    kind = "journal", code = "Client.JournalFailed", outcome = "not_sent", errno = code,
    message = ("%s: %s (simulated)"):format(name, code),
  }
end

local function halt(disk)
  disk.stopped = true
  error(M.CRASH, 0)
end

-- Counts a call; returns its fault, or raises for "crash".
local function enter(disk, op, name)
  if disk.stopped then error(M.CRASH, 0) end
  disk.calls = disk.calls + 1
  local fault = disk.fault { n = disk.calls, op = op, name = name }
  if fault == "crash" then halt(disk) end
  return fault or nil
end

local function is_error_code(fault)
  return fault == "ENOSPC" or fault == "EIO" or fault == "EROFS"
end

local function leave(disk, fault)
  if fault == "crash_after" then halt(disk) end
end

local function count_lines(text)
  local count, stop = 0, text:find("\n", 1, true)
  while stop do
    count, stop = count + 1, text:find("\n", stop + 1, true)
  end
  return count
end

-- A file is a list of pieces that are joined when it is read; pieces up to `synced` are durable.
local function put(file, text)
  file.pieces, file.synced, file.lines = { text }, 1, count_lines(text)
  file.bytes, file.safe = #text, #text
  return file
end

local function add(file, text)
  file.pieces[#file.pieces + 1] = text
  file.lines, file.bytes = file.lines + count_lines(text), file.bytes + #text
end

local function secure(file)
  file.synced, file.safe = #file.pieces, file.bytes
end

local function safe_text(file)
  local pieces, synced = file.pieces, file.synced
  if synced > 1 then
    local text = table.concat(pieces, "", 1, synced)
    file.pieces, file.synced = table.move(pieces, synced + 1, #pieces, 2, { text }), 1
  end
  return file.pieces[1]
end

local function text_of(file)
  local safe = safe_text(file)
  return #file.pieces == 1 and safe or table.concat(file.pieces)
end

--- Opens a store on the disk.
---@param name string
---@return alicloud.dr.MemoryStore
function Disk:open(name)
  self.files[name] = self.files[name] or put({}, "")
  return setmetatable({ name = name, disk = self, data = self.files[name], held = {} }, Store)
end

--- Replaces the bytes of a store, as a person with an editor could.
---@param name string
---@param text string
function Disk:put(name, text)
  put(self.files[name], text)
end

--- Starts the machine again: leases are gone, and bytes that were not synced.
---@param keep? integer bytes beyond the synced ones that reached the disk all the same (0)
function Disk:restart(keep)
  for _, file in pairs(self.files) do
    put(file, text_of(file):sub(1, file.safe + (keep or 0)))
  end
  self.leases, self.stopped = {}, false
end

--- The bytes of a store, as a reader finds them now.
---@param name string
---@return string
function Disk:text(name)
  return self.files[name] and text_of(self.files[name]) or ""
end

--- The bytes that would be there after a stop of the machine.
---@param name string
---@return string
function Disk:durable(name)
  return safe_text(self.files[name])
end

--- The number of bytes of a store, without joining its pieces.
---@param name string
---@return integer bytes
---@return integer durable bytes that would be there after a stop of the machine
function Disk:size(name)
  local file = self.files[name]
  return file.bytes, file.safe
end

function Store:load()
  local fault = enter(self.disk, "load", self.name)
  if is_error_code(fault) then return nil, failure(self.name, fault) end
  self.seq = self.data.lines
  leave(self.disk, fault)
  return text_of(self.data)
end

local function broken(store, code)
  store.fault = failure(store.name, code)
  return nil, store.fault
end

local function write(store, text, fault)
  local data = store.data
  if fault == "torn" or fault == "short" then
    add(data, text:sub(1, #text // 2))
    if fault == "short" then return broken(store, "ENOSPC") end
    secure(data)
    halt(store.disk)
  end
  if is_error_code(fault) then return broken(store, fault) end
  add(data, text)
  leave(store.disk, fault)
  return true
end

function Store:settle()
  if self.fault then return nil, self.fault end
  local fault = enter(self.disk, "sync", self.name)
  if is_error_code(fault) then return broken(self, fault) end
  secure(self.data)
  leave(self.disk, fault)
  return true
end

function Store:append(seq, text, durable)
  if self.disk.stopped then error(M.CRASH, 0) end
  if self.fault then return nil, self.fault end
  self.seq = self.seq or self.data.lines
  if seq ~= self.seq + 1 or self.data.lines ~= self.seq then
    self.fault = errors.new {
      kind = "journal", code = "Client.JournalConflict", outcome = "not_sent",
      message = ("%s: somebody else has written to it"):format(self.name),
    }
    return nil, self.fault
  end
  local ok, err = write(self, text, enter(self.disk, "append", self.name))
  if not ok then return nil, err end
  self.seq = seq
  if durable then return self:settle() end
  return true
end

function Store:cut(bytes)
  local fault = enter(self.disk, "cut", self.name)
  if is_error_code(fault) then return broken(self, fault) end
  put(self.data, text_of(self.data):sub(1, bytes))
  self.seq = self.data.lines
  leave(self.disk, fault)
  return true
end

function Store:reserve()
  local fault = enter(self.disk, "reserve", self.name)
  if is_error_code(fault) then return nil, failure(self.name, fault) end
  leave(self.disk, fault)
  return true
end

local Lease = {}
Lease.__index = Lease

function Lease:release()
  if self.disk.leases[self.name] == self then self.disk.leases[self.name] = nil end
end

function Store:lease(name, holder)
  local fault = enter(self.disk, "lease", self.name)
  if is_error_code(fault) then return nil, failure(self.name, fault) end
  local key = name == "run" and "run " .. self.name or name
  local other = self.disk.leases[key]
  if other then
    return nil, errors.new {
      kind = "journal", code = "Client.JournalLocked", outcome = "not_sent", holder = other.holder,
      message = ("%s is held by %s (pid %s on %s) since %s"):format(name,
        tostring(other.holder.owner), tostring(other.holder.pid), tostring(other.holder.host),
        tostring(other.holder.since)),
    }
  end
  self.disk.fence = (self.disk.fence or 0) + 1
  local lease = setmetatable({ disk = self.disk, name = key, holder = holder,
    fence = self.disk.fence }, Lease)
  self.disk.leases[key], self.held[#self.held + 1] = lease, lease
  leave(self.disk, fault)
  return lease
end

function Store:post(line)
  local fault = enter(self.disk, "post", self.name)
  if is_error_code(fault) then return nil, failure(self.name, fault) end
  local mails = self.disk.mails
  mails[self.name] = mails[self.name] or {}
  table.insert(mails[self.name], line)
  leave(self.disk, fault)
  return true
end

function Store:mail()
  return { { name = self.name, who = "this process", trusted = true,
    lines = { table.unpack(self.disk.mails[self.name] or {}) } } }
end

function Store:others()
  local list = {}
  for name, file in pairs(self.disk.files) do
    if name ~= self.name then list[#list + 1] = { name = name, text = text_of(file) } end
  end
  return list
end

function Store:close()
  for _, lease in ipairs(self.held) do lease:release() end
  self.held = {}
end

return M
