--- What a command asks the kernel for, as strace saw it: which programs it started, which files it
--- read and wrote, and whom it spoke to.

local bare = require "spec.bare"
local core = require "alicloud.core"
local scratch = require "spec.scratch"

local M = {}

local CALLS = "execve,execveat,connect,open,openat,openat2,creat,rename,renameat,renameat2,unlink,"
  .. "unlinkat,mkdir,mkdirat,link,linkat,symlink,symlinkat,truncate,ptrace,kill,tgkill"

---@class spec.Traced
---@field output string of both streams
---@field code integer exit code
---@field programs string[] that were started, the first one left out
---@field read table<string, boolean> files that were opened for reading
---@field written table<string, boolean> files that were opened for writing, made, moved or removed
---@field reached table<string, boolean> "address:port" of every connection that was tried
---@field refused string[] calls that the kernel refused with EPERM or EACCES, as strace wrote them

--- Whether strace can be used. The command lets nobody but root read its memory, where the names of
--- files are.
---@return boolean
function M.is_here()
  return os.execute "test $(id -u) = 0 && strace -qq -o /dev/null true 2>/dev/null" == true
end

local function quoted(text)
  local path = text:match '"([^"]*)"'
  return path
end

local TELL = {}

function TELL.execve(seen, _, line)
  seen.programs[#seen.programs + 1] = quoted(line)
end

function TELL.openat(seen, _, line)
  local path = quoted(line)
  if not path then return end
  local writes = line:find "O_WRONLY" or line:find "O_RDWR" or line:find "O_CREAT"
  local list = writes and seen.written or seen.read
  list[path] = true
end

TELL.open, TELL.creat, TELL.openat2 = TELL.openat, TELL.openat, TELL.openat

function TELL.connect(seen, _, line)
  local port, address = line:match "sin6?_port=htons%((%d+)%).-\"([%x.:]+)\""
  if port then seen.reached[address .. ":" .. port] = true end
end

local function tell_paths(seen, _, line)
  for path in line:gmatch '"([^"]*)"' do seen.written[path] = true end
end

for _, name in ipairs { "rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat",
  "link", "linkat", "symlink", "symlinkat", "truncate" } do
  TELL[name] = tell_paths
end

-- The processes in the order in which they began, by the times before the lines: their numbers
-- begin anew at the greatest one that the system gives.
local function logs_of(directory)
  local list = {}
  for _, name in ipairs(assert(core.list_directory(directory))) do
    local text = scratch.read(directory .. "/" .. name)
    list[#list + 1] = { text = text, began = tonumber(text:match "^[%d.]+") or math.huge }
  end
  table.sort(list, function(a, b) return a.began < b.began end)
  return list
end

-- A connection that is still being made is one that was tried.
local function fold(seen, text)
  for stamped in text:gmatch "[^\n]+" do
    local line = stamped:gsub("^[%d.]+ +", "")
    local call, result = line:match "^(%l[%w_]*)%(", line:match "= (%-?%d+)[^=]*$"
    local tell = call and TELL[call]
    if line:find "EPERM" or line:find "EACCES" then seen.refused[#seen.refused + 1] = line end
    if tell and (call == "connect" or tonumber(result) and tonumber(result) >= 0) then
      tell(seen, call, line)
    end
  end
end

--- Runs a shell line under strace, with all that it starts.
---@param line string
---@param env? table<string, string> variables, and none but these and PATH, LUA_PATH, LUA_CPATH
---@param directory? string in which it runs
---@param typed? string what somebody types at its terminal; else it has none
---@return spec.Traced
function M.run(line, env, directory, typed)
  local own, traces = scratch.directory(), scratch.directory()
  local words = { "cd '" .. (directory or own) .. "' && env -i " .. bare.words() }
  local given = { PATH = os.getenv "PATH", LUA_PATH = os.getenv "LUA_PATH",
    LUA_CPATH = os.getenv "LUA_CPATH" }
  for name, value in pairs(env or {}) do given[name] = value end
  for name, value in pairs(given) do words[#words + 1] = ("%s='%s'"):format(name, value) end
  local traced = ("strace -ff -qq -ttt -s 4096 -o '%s/t' -e trace=%s %s"):format(traces, CALLS,
    line)
  words[#words + 1] = typed and ("timeout -k 1 300 script -qec \"%s\" /dev/null <'%s' 2>&1"):format(
    traced, scratch.file(typed)) or "timeout -k 1 300 " .. traced .. " 2>&1 </dev/null"
  local pipe = assert(io.popen(table.concat(words, " ")))
  local seen = { programs = {}, read = {}, written = {}, reached = {}, refused = {} }
  seen.output = pipe:read "a"
  local _, _, code = pipe:close()
  seen.code = code
  for _, log in ipairs(logs_of(traces)) do fold(seen, log.text) end
  table.remove(seen.programs, 1) -- of the process that is the command itself
  return seen
end

return M
