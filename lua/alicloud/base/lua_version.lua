--- Refuses other versions of Lua, and C modules of another build, in a sentence, before any other
--- module is read. Each module that a program may require first requires this one first. Like this
--- file, it is written so that every Lua can read it.

if _VERSION ~= "Lua 5.4" and _VERSION ~= "Lua 5.5" then
  local jit = rawget(_G, "jit")
  error("alicloud-dr needs Lua 5.4 or 5.5, and this is " .. (jit and jit.version or _VERSION), 0)
end

-- `make install` writes the build of the C modules here that it installs with this file. In a
-- source tree nothing is compared: files are edited between two builds.
local BUILD = "any"

-- Each C module calls this with its name, its build, and the path from which it is loaded.
local function check_build(name, build, path)
  if BUILD == "any" or build == BUILD then return end
  local here = package.searchpath("alicloud.base.lua_version", package.path)
  error(("%s (%s) is of the build %s, and the Lua modules (%s) are of %s. Start a program anew "
    .. "that ran while they were installed; else install one build again, with make install or "
    .. "luarocks. Where there are two, LUA_PATH and LUA_CPATH must name the same one"):format(name,
    path or package.searchpath(name, package.cpath) or "?", build, here or "?", BUILD), 0)
end

local core = rawget(_G, "package") and package.loaded["alicloud.core"]
if core then check_build("alicloud.core", core.version.build) end

return check_build
