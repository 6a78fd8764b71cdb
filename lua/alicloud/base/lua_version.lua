--- Refuses every Lua but those that the modules are written for, in a sentence, before anything of
--- theirs is read; and C modules of another build. What a program may require first requires this
--- first, and is written, as this file is, so that every Lua can read it.

if _VERSION ~= "Lua 5.4" and _VERSION ~= "Lua 5.5" then
  local jit = rawget(_G, "jit")
  error("alicloud-dr needs Lua 5.4 or 5.5, and this is " .. (jit and jit.version or _VERSION), 0)
end

-- `make install` writes here of which build the C modules are that it installs with this file. In
-- a tree where files are edited between two builds, nothing is compared.
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
