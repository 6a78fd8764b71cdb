--- Sets the paths of Lua modules for the installed command: its own modules come only from where it
--- was installed, others only from absolute paths. The command is started in any directory, so
--- neither that nor the environment may choose code. The launcher runs this file first, with two
--- arguments: the directories of the Lua and of the C modules. It returns the function that runs a
--- command line and returns the exit code.

local lua, lib = ...

-- A wrong version of Lua is reported before anything else is used.
dofile(lua .. "/alicloud/base/lua_version.lua")

local LUA = ("%s/?.lua;%s/?/init.lua"):format(lua, lua)
local C = lib .. "/?.so"

local function is_own(name)
  return name == "alicloud" or name:sub(1, 9) == "alicloud."
end

local function rooted(path)
  local entries = {}
  for entry in path:gmatch "[^;]+" do
    if entry:sub(1, 1) == "/" then entries[#entries + 1] = entry end
  end
  return table.concat(entries, ";")
end

-- The numbers of ENOENT and ENOTDIR.
local MISSING = { [2] = true, [20] = true }

-- Why a module is not found. Lua calls each file missing that it cannot open, also if the process
-- has no descriptor left. Lua 5.1 has to read this file, too.
local function fault_of(name, places)
  local file, message, code = io.open(lua .. "/" .. name:gsub("%.", "/") .. ".lua")
  if file then file:close() end
  return (file or MISSING[code]) and ("module %q is not installed:%s"):format(name, places)
    or ("module %q cannot be read: %s"):format(name, message)
end

-- Raises if a module of ours is missing, so that no later searcher looks for it.
local function search(name)
  if not is_own(name) then return nil end
  local path, complaint = package.searchpath(name, LUA)
  if path then return assert(loadfile(path)), path end
  local more
  path, more = package.searchpath(name, C)
  if not path then error(fault_of(name, complaint .. more), 0) end
  return assert(package.loadlib(path, "luaopen_" .. name:gsub("%.", "_"))), path
end

package.path = LUA .. ";" .. rooted(package.path)
package.cpath = C .. ";" .. rooted(package.cpath)
-- A Lua version without `package.searchers` is refused by the first module.
if package.searchers then table.insert(package.searchers, 2, search) end

-- While modules load, Ctrl-C raises the interpreter's own error.
local INTERRUPTED, FAILED = 130, 1

return function(argv)
  local ok, main = pcall(require, "alicloud.cli.main")
  if ok then return main.main(argv) end
  local interrupted = tostring(main):find "interrupted!"
  io.stderr:write("alicloud-dr: ", interrupted and "interrupted" or tostring(main), "\n")
  return interrupted and INTERRUPTED or FAILED
end
