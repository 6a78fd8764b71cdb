--- The notes of locks in files: each says who has the lock, or had it last. It is the kernel that
--- locks; a note alone says nothing.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local private = require "alicloud.dr.store.private"
local shell = require "alicloud.base.shell"
local trusted_files = require "alicloud.base.trusted_file"

local M = {}

local LEASE_BYTES = 4096

--- The error of a file or directory of locks, which says how it is taken away. Whoever made it for
--- himself keeps all others out, and need not mean it.
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
    -- What lies in the directory of somebody else is his alone to remove.
    local words = about.type == "directory" and { "mv", path, path .. ".old" } or { "rm", path }
    for i, word in ipairs(words) do words[i] = shell.quote(word) end
    err.hint = ("%s made it; while nobody runs: %s"):format(trusted_files.name(about.uid),
      table.concat(words, " "))
  end
  return err
end

--- Opens a note, or the file of the locks.
---@param path string
---@param place alicloud.Place of its directory
---@param within? string directory that is made for it
---@return alicloud.File|nil
---@return alicloud.Error? err
function M.open(path, place, within)
  local file, err = private.open(path, place)
  if file then return file end
  return nil, M.in_the_way(err, core.look(path) and path or within or path, place)
end

--- What a note says of whoever has the lock, or had it.
---@param note alicloud.File
---@return table|nil
function M.read(note)
  local holder = core.decode(note:read(0, LEASE_BYTES) or "")
  return type(holder) == "table" and holder or nil
end

--- Notes who has the lock. A crash of the machine ends all locks; only the fence of a run must
--- outlive it.
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

--- A lock whose process is gone is in a child that it has forked and that runs no other program.
---@param holder table|nil
---@return boolean
function M.is_gone(holder)
  local process, pid = core.process(), holder and math.tointeger(holder.pid)
  local known = pid ~= nil and pid > 0 and pid < 1 << 31 and holder.host == process.host
  return known and not core.is_process(pid)
end

--- The error of a lock that somebody has.
---@param name string of the lease
---@param path string of the note
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
