--- Keeps the lines that were typed into the REPL in a file that only its owner may read, without
--- lines that hold or may hold a secret.

local core = require "alicloud.core"
local files = require "alicloud.dr.store.file"
local user_directory = require "alicloud.base.user_directory"

local M = {}

local MOST_LINES = 1000
local MOST_BYTES = 1024 * 1024
local FOREIGN_BITS = tonumber("077", 8)

-- Words in a line that may give a key, a token or a password.
local TELLING = { "secret", "token", "passw", "authorization", "credential", "private_?key",
  "access_?key", "signature", "bearer" }

---@class alicloud.cli.repl.History
---@field lines string[] lines that were typed before, from the file
---@field path string
---@field hide fun(text: string): string masks the secrets that are known
---@field added string[] lines that were typed since, not yet written
local History = {}
History.__index = History

-- Keys and tokens are long and mix both cases with digits, which typed code hardly does.
local function looks_like_key(line)
  for word in line:gmatch "[%w+/=]+" do
    if #word >= 20 and word:find "%d" and word:find "%l" and word:find "%u" then return true end
  end
  return false
end

local function is_worth_keeping(line, hide)
  if line:find "^%s" or not line:find "%S" or hide(line) ~= line then return false end
  local low = line:lower():gsub("-", "_")
  for _, word in ipairs(TELLING) do
    if low:find(word) then return false end
  end
  return not looks_like_key(line)
end

-- The lines of the file, and whether others may read it; nil for a link or somebody else's file.
local function read(path)
  local file <close>, _, code = core.open_file(path, "read")
  if not file then return code == "ENOENT" and {} or nil end
  local about = file:stat()
  if not about.own then return nil end
  local lines = {}
  for line in file:read(0, MOST_BYTES):gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines, about.mode & FOREIGN_BITS ~= 0
end

local function write(path, lines)
  local last = table.move(lines, math.max(1, #lines - MOST_LINES + 1), #lines, 1, {})
  last[#last + 1] = ""
  return core.write_file(path, table.concat(last, "\n"), "private")
end

-- Moves the file of an earlier version to its present place, unless there is one already.
local function move_over(old, path)
  local lines = not core.look(path) and read(old)
  if lines and lines[1] and write(path, lines) then os.remove(old) end
end

--- The path of the history; the file of an earlier version is moved there.
---@param getenv fun(name: string): string|nil
---@return string|nil path nil: no directory for such files is known or can be made
function M.place(getenv)
  local state, home = user_directory.state(getenv), getenv "HOME"
  local directory = state and state .. "/alicloud-dr"
  -- A missing home directory is not made for the sake of a history.
  if not directory or home and directory:find(home, 1, true) == 1 and not core.look(home)
    or not files.make_directories(directory) then return nil end
  local path = directory .. "/history"
  if home and home:sub(1, 1) == "/" then move_over(home .. "/.alicloud-dr_history", path) end
  return path
end

--- Opens a history, and makes a file that others may read private. A file that cannot be written
--- does not end the session.
---@param path string
---@param hide fun(text: string): string masks the secrets of the session
---@return alicloud.cli.repl.History|nil history nil: the file must not be used
function M.open(path, hide)
  local lines, is_open = read(path)
  if not lines then return nil end
  if is_open then write(path, lines) end
  return setmetatable({ lines = lines, path = path, hide = hide, added = {} }, History)
end

--- Adds a typed line, unless it may hold a secret.
---@param line string
---@return boolean whether it is kept
function History:add(line)
  if not is_worth_keeping(line, self.hide) then return false end
  self.added[#self.added + 1] = line
  return true
end

--- Appends the new lines to the file, behind those that other REPLs have appended meanwhile.
function History:close()
  if #self.added == 0 then return end
  local lines = read(self.path)
  if lines then write(self.path, table.move(self.added, 1, #self.added, #lines + 1, lines)) end
end

return M
