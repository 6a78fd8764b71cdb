--- Finds room for a journal whose disk is full, and the command that moves it there.

local core = require "alicloud.core"
local files = require "alicloud.dr.store.file"
local shell = require "alicloud.base.shell"
local trusted_files = require "alicloud.base.trusted_file"

local M = {}

-- Bytes that a run reserves for its journal.
local BYTES = 262144
local MODE = tonumber("600", 8)

-- The disk is full, over its quota, read-only or broken.
local NO_ROOM = { ENOSPC = true, EDQUOT = true, EROFS = true, EIO = true, EFBIG = true }

--- Whether an error says that the disk of a journal takes no more bytes.
---@param err alicloud.Error
---@return boolean
function M.is_full(err)
  return err.kind == "journal" and NO_ROOM[err.errno] == true
end

local function candidates(getenv)
  local list, uid = {}, core.user().uid
  local function add(base, name)
    if base and base:sub(1, 1) == "/" then list[#list + 1] = base .. name end
  end
  local home = getenv "HOME"
  add(getenv "XDG_STATE_HOME", "/alicloud-dr")
  add(home, "/.local/state/alicloud-dr")
  add("/var/tmp", "/alicloud-dr-" .. uid)
  add("/tmp", "/alicloud-dr-" .. uid)
  add(getenv "XDG_RUNTIME_DIR", "/alicloud-dr")
  add("/dev/shm", "/alicloud-dr-" .. uid)
  return list
end

-- Whether so many bytes can be written: the free space of a file system may be for root only.
local function takes(directory)
  local place = files.make_directories(directory) and trusted_files.place(directory)
  if not place or place.fault or place.strangers then return false end
  local path = ("%s/.room-%s"):format(directory, core.random_hex(4))
  local file <close> = core.open_file(path, "create", MODE)
  if not file then return false end
  local ok = file:append(("\0"):rep(BYTES)) and file:sync()
  os.remove(path)
  return ok ~= nil and ok ~= false
end

-- Another directory of this user with room for a journal; nil if there is none.
local function other_directory(path, getenv)
  local own = core.real_path(path:match "^(.*)/[^/]*$" or ".")
  for _, directory in ipairs(candidates(getenv)) do
    if core.real_path(directory) ~= own and takes(directory) then return directory end
  end
  return nil
end

-- The typed command without its --journal.
local function again(words)
  local list, skip = { "alicloud-dr" }, false
  for _, word in ipairs(words) do
    local names_journal = word == "--journal"
    if not (skip or names_journal or word:find "^%-%-journal=") then
      list[#list + 1] = shell.quote(word)
    end
    skip = names_journal
  end
  return table.concat(list, " ")
end

local function holds_run(path)
  local text = files.read(path)
  return text ~= nil and text:find("\n", 1, true) ~= nil
end

--- The command that goes on after a full disk: the same one with another journal if no record was
--- written, else one that moves the journal and resumes.
---@param path string
---@param words string[] the typed command line
---@param getenv fun(name: string): string|nil
---@param resume fun(path: string): string the command that resumes from a journal
---@return string|nil command nil: no directory has room
function M.command(path, words, getenv, resume)
  local directory = other_directory(path, getenv)
  if not directory then return nil end
  local target = ("%s/%s"):format(directory, path:match "([^/]*)$")
  if not holds_run(path) then
    return ("%s %s"):format(again(words), shell.option("--journal", target))
  end
  return ("%s && %s"):format(shell.command("handover", { path },
    { shell.option("--to", directory) }), resume(target))
end

return M
