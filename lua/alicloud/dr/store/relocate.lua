--- A journal is moved to another directory: handed over to a colleague, or away from a disk that is
--- full. There are never two of it that could be gone on with: it is copied aside, then the old one
--- gets another name (PATH.moved), then the copy gets its own. Whoever breaks that off does it once
--- more. Nothing of it writes to the old disk, which may have no room left.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local files = require "alicloud.dr.store.file"
local letters = require "alicloud.dr.store.letters"
local private = require "alicloud.dr.store.private"
local shell = require "alicloud.base.shell"
local trusted_files = require "alicloud.base.trusted_file"

local M = {}

local MODE, TEAM_MODE = tonumber("600", 8), tonumber("660", 8)

--- What a journal is called once it has been moved away.
---@param path string
---@return string
function M.moved_name(path)
  return path .. ".moved"
end

-- The bytes, as they are to be gone on with: of the journal, or of what an earlier attempt left.
local function read(path)
  local text, err = files.read_trusted(path)
  if text then return text, nil, path end
  local moved = M.moved_name(path)
  if err.errno ~= "ENOENT" or not core.look(moved) then return nil, err end
  text, err = files.read_trusted(moved)
  return text, err, moved
end

local function write(path, text, mode)
  os.remove(path)
  local file <close>, message, code = core.open_file(path, "create", mode)
  if not file then return nil, private.failure(path, message, code) end
  local ok
  ok, message, code = file:append(text)
  if ok then ok, message, code = file:sync() end
  if not ok then return nil, private.failure(path, message, code) end
  return true
end

local function rename(from, to)
  local ok, message = os.rename(from, to)
  if not ok then return nil, private.failure(from, message, nil) end
  return core.sync_directory(to:match "^(.*)/[^/]*$" or ".")
end

-- Orders count by their file's owner, which the copy is not: only trusted ones are taken along.
local function take_letters(path, target, directory, place)
  local from = trusted_files.place(path:match "^(.*)/[^/]*$" or ".")
  for _, file in ipairs(from and letters.read(path, from) or {}) do
    for _, line in ipairs(file.trusted and file.lines or {}) do
      letters.post(target, place, line)
    end
  end
  core.sync_directory(directory)
end

-- The note of the old lock tells those who look for it there, wherever they do that from; on a full
-- disk it may fail.
local function leave_word(path, target)
  local file <close> = core.open_file(path .. ".lock", "append", MODE)
  if file and file:truncate(0) then
    file:append(core.encode { moved_to = core.real_path(target) or target } .. "\n")
  end
end

--- Where a journal was moved to.
---@param path string where it was
---@return string|nil target "": nobody knows where; nil: it was not moved
function M.moved_to(path)
  if core.look(path) or not core.look(M.moved_name(path)) then return nil end
  local note <close> = core.open_file(path .. ".lock", "read")
  local told = note and core.decode(note:read(0, 4096) or "")
  return type(told) == "table" and type(told.moved_to) == "string" and told.moved_to or ""
end

--- The journals of a directory that were moved away from it.
---@param directory string
---@return string[] paths where they were
function M.moved_from(directory)
  local list = {}
  for _, name in ipairs(core.list_directory(directory) or {}) do
    local path = name:match "^(.+%.jsonl)%.moved$"
    path = path and directory .. "/" .. path
    if path and M.moved_to(path) then list[#list + 1] = path end
  end
  return list
end

--- Why nothing is gone on with at a path: it was moved away.
---@param path string
---@return alicloud.Error|nil
function M.moved_error(path)
  local target = M.moved_to(path)
  if not target then return nil end
  local known = target ~= ""
  return errors.new { kind = "journal", code = "Client.JournalMoved", outcome = "not_sent",
    errno = "ENOENT",
    message = ("%s was handed over%s"):format(path, known and ", and is " .. target or ""),
    hint = known and "go on there: " .. shell.command("resume", { target })
      or ("what it held is in %s"):format(shell.quote(M.moved_name(path))) }
end

-- Nobody may run it meanwhile; the note of its lock stays as it is, since there may be no room.
local function held(path, source)
  if source ~= path then return { close = function() end } end
  local store, err = files.open(path)
  if not store then return nil, err end
  local lease
  lease, err = store:lease "run"
  if lease then return store end
  store:close()
  return nil, err
end

local function settle(path, source, target, text, place)
  local part = target .. ".part"
  local ok, err = write(part, text, place.team and TEAM_MODE or MODE)
  if ok and source == path then ok, err = rename(path, M.moved_name(path)) end
  if ok then ok, err = rename(part, target) end
  return ok, err
end

--- Moves a journal.
---@param path string
---@param directory string that is there
---@return string|nil target its path from now on
---@return alicloud.Error? err "Client.JournalLocked": somebody runs it
function M.move(path, directory)
  local text, err, source = read(path)
  if not text then return nil, err end
  local target = ("%s/%s"):format(directory:gsub("/+$", ""), path:match "([^/]*)$")
  local place, message, code = trusted_files.place(directory)
  if not place then return nil, private.failure(directory, message, code) end
  if core.look(target) then
    return nil, private.failure(target, "is there already", "EEXIST",
      "look at both: " .. shell.command("explain", { target }))
  end
  local hold
  hold, err = held(path, source)
  if not hold then return nil, err end
  local ok
  ok, err = settle(path, source, target, text, place)
  hold:close()
  if not ok then return nil, err end
  leave_word(path, target)
  take_letters(path, target, directory, place)
  return target
end

return M
