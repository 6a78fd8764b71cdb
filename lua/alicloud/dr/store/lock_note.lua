--- The notes in lock files, which say who has or had a lock. The lock itself is the kernel's: a
--- note does not prove that it is held.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local private = require "alicloud.dr.store.private"
local shell = require "alicloud.base.shell"
local trusted_files = require "alicloud.base.trusted_file"

local M = {}

local LEASE_BYTES = 4096

--- Adds to the error of a file or directory of locks how it can be removed. A file that one user
--- made for himself keeps all others from locking.
---@param err alicloud.Error
---@param path string
---@param place alicloud.Place of its directory
---@return alicloud.Error err
function M.in_the_way(err, path, place)
  local about = core.look(path)
  if about and place.strangers then
    err.hint = ("%s made it, where anybody could; move the journal to a directory of your own and "
      .. "resume it there: mv %s DIRECTORY"):format(trusted_files.name(about.uid),
      shell.quote((path:gsub("%.lock$", ""))))
  elseif about then
    -- Only its owner can remove what is in a directory that belongs to somebody else.
    local words = about.type == "directory" and { "mv", path, path .. ".old" } or { "rm", path }
    for i, word in ipairs(words) do words[i] = shell.quote(word) end
    err.hint = ("%s made it; while nobody runs: %s"):format(trusted_files.name(about.uid),
      table.concat(words, " "))
  end
  return err
end

--- Opens a note, or the file with the locks of groups.
---@param path string
---@param place alicloud.Place of its directory
---@param within? string the directory that was made for it
---@return alicloud.File|nil
---@return alicloud.Error? err
function M.open(path, place, within)
  local file, err = private.open(path, place)
  if file then return file end
  return nil, M.in_the_way(err, core.look(path) and path or within or path, place)
end

--- Who has the lock, or had it last; nil if the note does not say.
---@param note alicloud.File
---@return table|nil
function M.read(note)
  local holder = core.decode(note:read(0, LEASE_BYTES) or "")
  return type(holder) == "table" and holder or nil
end

--- Writes who has the lock. A crash of the machine ends all locks, so only the note of a run, whose
--- fence must survive, needs `durable`.
---@param note alicloud.File
---@param holder table
---@param durable boolean
---@return boolean|nil ok
---@return string? message
---@return string? code
function M.write(note, holder, durable)
  local ok, message, code = note:truncate(0)
  if ok then ok, message, code = note:append(core.encode(holder) .. "\n") end
  if ok and durable then return note:sync() end
  return ok, message, code
end

--- Whether the holder's process is gone; a forked child of it that runs no other program has the
--- lock then.
---@param holder table|nil
---@return boolean
function M.is_gone(holder)
  local process, pid = core.process(), holder and math.tointeger(holder.pid)
  local known = pid ~= nil and pid > 0 and pid < 1 << 31 and holder.host == process.host
  return known and not core.is_process(pid)
end

--- The error of a lock that another process has.
---@param name string name of the lease
---@param path string path of the note
---@param holder table|nil
---@return alicloud.Error
function M.held(name, path, holder)
  local who = holder
    and ("%s (pid %s on %s) since %s, journal %s"):format(tostring(holder.owner),
      tostring(holder.pid), tostring(holder.host), tostring(holder.since),
      tostring(holder.journal)) or "somebody"
  return errors.new {
    kind = "journal", code = "Client.JournalLocked", outcome = "not_sent", holder = holder,
    message = ("%s is held by %s"):format(name == "run" and path:gsub("%.lock$", "") or name, who),
    hint = M.is_gone(holder) and "that process is gone, but a child that it has forked still has "
        .. "the lock open; the lock ends with the child"
      or "wait for it, or end that process; the lock ends with it",
  }
end

return M
