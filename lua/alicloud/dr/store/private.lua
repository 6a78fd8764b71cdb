--- Access to the files of a run: journal and locks. They are for their owner only. In a directory
--- of a team (see alicloud.base.trusted_file) they are for its group, so that members exclude each
--- other and can resume each other's runs.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local shell = require "alicloud.base.shell"
local trusted_files = require "alicloud.base.trusted_file"

local M = {}

--- The command that makes a directory for a team.
M.TEAM_HINT = "install -d -m 2770 -g GROUP DIRECTORY"

local FOREIGN_BITS, OTHERS_BITS = tonumber("077", 8), tonumber("007", 8)
local MODE, TEAM_MODE = tonumber("600", 8), tonumber("660", 8)

local HINTS = {
  EACCES = "it is somebody else's, or of a team whose group is not yours (id tells them): ask for "
    .. "a copy, or keep a new one elsewhere, by --journal PATH or ALICLOUD_DR_JOURNALS",
}

--- The error of an operation on a file; the message begins with its name.
---@param name string
---@param message string
---@param code string?
---@param hint string?
---@return alicloud.Error
function M.failure(name, message, code, hint)
  local is_told = message:sub(1, #name + 2) == name .. ": "
  return errors.new {
    kind = "journal", code = "Client.JournalFailed", outcome = "not_sent", errno = code,
    message = is_told and message or name .. ": " .. message, hint = hint or HINTS[code],
  }
end

--- Why an existing file must not be used; nil if it may be.
---@param file alicloud.File
---@param name string
---@param place alicloud.Place of its directory
---@return alicloud.Error|nil
function M.fault(file, name, place)
  local about, message, code = file:stat()
  if not about then return M.failure(name, message, code) end
  local is_team = place.team and about.gid == place.team
  if about.links ~= 1 then
    return M.failure(name, ("it has %d names"):format(about.links), trusted_files.UNTRUSTED,
      "take another name: somebody has linked it here")
  end
  if not about.own and not is_team then
    local owner = trusted_files.name(about.uid)
    return M.failure(name, "it belongs to somebody else, " .. owner, "EPERM",
      ("run it as that user, or keep it where a team does: %s"):format(M.TEAM_HINT))
  end
  if about.mode & (is_team and OTHERS_BITS or FOREIGN_BITS) ~= 0 then
    return M.failure(name, ("others may use it (mode %o)"):format(about.mode), "EPERM",
      (is_team and "chmod o= " or "chmod 600 ") .. shell.quote(name))
  end
  return nil
end

--- Opens a file for appending, and makes it if it does not exist.
---@param path string
---@param place alicloud.Place of its directory
---@return alicloud.File|nil
---@return alicloud.Error? err
function M.open(path, place)
  local file, message, code = core.open_file(path, "append", place.team and TEAM_MODE or MODE)
  if not file then return nil, M.failure(path, message, code) end
  local fault = M.fault(file, path, place)
  if fault then
    file:close()
    return nil, fault
  end
  return file
end

return M
