--- Moves a journal to another directory: to hand it over to a colleague, or away from a full disk.
--- There are never two journals to resume from: it is copied to TARGET.part, then the old one is
--- renamed to PATH.moved, then the copy to TARGET. An interrupted move is completed by moving
--- again. Except for a note, nothing is written to the old disk.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local files = require "alicloud.dr.store.file"
local letters = require "alicloud.dr.store.letters"
local private = require "alicloud.dr.store.private"
local shell = require "alicloud.base.shell"
local trusted_files = require "alicloud.base.trusted_file"

local M = {}

local MODE, TEAM_MODE = tonumber("600", 8), tonumber("660", 8)

--- The name of a journal that was moved away.
---@param path string
---@return string
function M.moved_name(path)
  return path .. ".moved"
end

-- The bytes of the journal, or of the PATH.moved that an interrupted move left.
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

-- Takes the trusted lines of the inbox along: the copy changes the owner, which made them trusted.
local function take_letters(path, target, directory, place)
  local from = trusted_files.place(path:match "^(.*)/[^/]*$" or ".")
  for _, file in ipairs(from and letters.read(path, from) or {}) do
    for _, line in ipairs(file.trusted and file.lines or {}) do
      letters.post(target, place, line)
    end
  end
  core.sync_directory(directory)
end

-- Writes the new path into the note of the old lock. On a full disk that may fail, which is
-- ignored.
local function leave_word(path, target)
  local file <close> = core.open_file(path .. ".lock", "append", MODE)
  if file and file:truncate(0) then
    file:append(core.encode { moved_to = core.real_path(target) or target } .. "\n")
  end
end

--- The path to which a journal was moved.
---@param path string old path
---@return string|nil target "": it was moved, and the new path is not known; nil: it was not moved
function M.moved_to(path)
  if core.look(path) or not core.look(M.moved_name(path)) then return nil end
  local note <close> = core.open_file(path .. ".lock", "read")
  local told = note and core.decode(note:read(0, 4096) or "")
  return type(told) == "table" and type(told.moved_to) == "string" and told.moved_to or ""
end

--- The old paths of journals that were moved out of a directory.
---@param directory string
---@return string[] paths as they were before
function M.moved_from(directory)
  local list = {}
  for _, name in ipairs(core.list_directory(directory) or {}) do
    local path = name:match "^(.+%.jsonl)%.moved$"
    path = path and directory .. "/" .. path
    if path and M.moved_to(path) then list[#list + 1] = path end
  end
  return list
end

--- The error of a journal that was moved away; nil if it was not.
---@param path string
---@return alicloud.Error|nil
function M.moved_error(path)
  local target = M.moved_to(path)
  if not target then return nil end
  local known = target ~= ""
  return errors.new { kind = "journal", code = "Client.JournalMoved", outcome = "not_sent",
    errno = "ENOENT",
    message = ("%s was handed over%s"):format(path, known and ", and is " .. target or ""),
    -- Only the journal there tells how its run reaches the service.
    hint = known and "how it goes on there: " .. shell.command("explain", { target })
      or ("what it held is in %s"):format(shell.quote(M.moved_name(path))) }
end

-- Holds the run's lock during the move, without a note: the disk may have no room for one.
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
---@param directory string an existing one
---@return string|nil target new path
---@return alicloud.Error? err "Client.JournalLocked": a process is at work on it
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
