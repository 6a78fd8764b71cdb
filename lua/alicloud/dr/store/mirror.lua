--- A copy of a run's journal on this machine. A store that was restored from a backup has lost
--- records that it had acknowledged, and does not know it; comparing with the copy shows it.
---
--- The process that runs locks the copy. If a process that has lost the run to another one of this
--- machine still has that lock, the copy is compared and not written.

local errors = require "alicloud.base.error"
local files = require "alicloud.dr.store.file"
local private = require "alicloud.dr.store.private"
local shell = require "alicloud.base.shell"
local trusted_files = require "alicloud.base.trusted_file"

local M = {}

local WHOLE = 0

---@class alicloud.dr.Mirror
---@field path string
---@field file table of core.open_file
---@field writes boolean whether this process writes the copy
---@field warn fun(text: string)
local Mirror = {}
Mirror.__index = Mirror

--- Opens the copy, and makes its directory if it does not exist.
---@param path string
---@param warn fun(text: string)
---@return alicloud.dr.Mirror|nil
---@return alicloud.Error? err
function M.open(path, warn)
  local directory = path:match "^(.*)/[^/]*$"
  local ok, err = files.make_directories(directory)
  if not ok then return nil, err end
  local place, message, code = trusted_files.place(directory)
  if not place then return nil, private.failure(path, message, code) end
  local file
  file, err = private.open(path, place)
  if not file then return nil, err end
  return setmetatable({ path = path, file = file, warn = warn,
    writes = file:lock(WHOLE) == true }, Mirror)
end

local function rolled_back(mirror, name, kept, text)
  local _, here = kept:gsub("\n", "")
  local _, there = text:gsub("\n", "")
  return errors.new {
    kind = "journal", code = "Client.JournalRolledBack", outcome = "not_sent",
    message = ("%s: it has %d records that do not begin with the %d that this machine has kept in "
      .. "%s: an older state was restored, or it is another store"):format(name, there, here,
      mirror.path),
    hint = ("look at the groups, and read what was done: %s; to go on with the store as it is: mv "
      .. "%s"):format(shell.command("explain", { mirror.path }),
      shell.quote(mirror.path) .. " " .. shell.quote(mirror.path .. ".old")),
  }
end

-- The lines that a crash of the machine left whole. The copy is not synced, so its end may be
-- missing or read as zero bytes, which no record has.
local function whole_lines(text)
  return text:match "^[^\0]*":match "^(.*\n)" or ""
end

--- Compares the copy with the records of the store, and appends those that it lacks.
---@param name string name of the store
---@param text string all records of the store
---@return boolean|nil ok
---@return alicloud.Error? err
function Mirror:compare(name, text)
  local kept, message, code = trusted_files.read_all(self.file)
  if not kept then return nil, private.failure(self.path, message, code) end
  kept = whole_lines(kept)
  if text:sub(1, #kept) ~= kept then return nil, rolled_back(self, name, kept, text) end
  if self.writes then
    self:settle(self.file:truncate(#kept))
    self:append(text:sub(#kept + 1))
  end
  return true
end

-- After a failed write nothing more is appended: with a gap the copy would contradict the store.
function Mirror:settle(ok, message, code)
  if ok then return end
  self.writes = false
  self.warn(("the copy of the journal on this machine ends short: %s"):format(
    private.failure(self.path, tostring(message), code).message))
end

--- Appends records that the store has acknowledged. After a failed write, which is warned of once,
--- the copy stays short.
---@param text string
function Mirror:append(text)
  if self.writes and text ~= "" then self:settle(self.file:append(text)) end
end

function Mirror:close()
  if self.writes then self.file:unlock(WHOLE) end
  self.file:close()
end

return M
