--- Where the command finds modules: what is its own where it was installed and nowhere else, all
--- others in directories named from the root. The command is typed in anybody's directory, so
--- neither that nor the environment may name code. The launcher runs this file before all others,
--- with two arguments: the directory of the Lua modules, and that of the C modules. It gives the
--- function that runs the command line and gives the exit code.

local lua, lib = ...

-- A wrong interpreter is told before anything else of it is used.
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

-- Raises what is missing, so that no later searcher is asked.
local function search(name)
  if not is_own(name) then return nil end
  local path, complaint = package.searchpath(name, LUA)
  if path then return assert(loadfile(path)), path end
  local more
  path, more = package.searchpath(name, C)
  if not path then error(("module %q is not installed:%s%s"):format(name, complaint, more), 0) end
  return assert(package.loadlib(path, "luaopen_" .. name:gsub("%.", "_"))), path
end

package.path = LUA .. ";" .. rooted(package.path)
package.cpath = C .. ";" .. rooted(package.cpath)
-- Another Lua has none, and the first module refuses it.
if package.searchers then table.insert(package.searchers, 2, search) end

-- While the modules are loaded, the interpreter answers Ctrl-C.
local INTERRUPTED, FAILED = 130, 1

return function(argv)
  local ok, main = pcall(require, "alicloud.cli.main")
  if ok then return main.main(argv) end
  local interrupted = tostring(main):find "interrupted!"
  io.stderr:write("alicloud-dr: ", interrupted and "interrupted" or tostring(main), "\n")
  return interrupted and INTERRUPTED or FAILED
end
