-- Lua files and C modules of two installations, of which a program finds some of each.

local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"

local C_MODULES = (os.getenv "ALICLOUD_BUILD" or "build") .. "/alicloud/"
local LUA_VERSION = "alicloud/base/lua_version.lua"

-- As long as ours, and never ours.
local OTHER = core.version.build:gsub("%d%d%d", function(digits)
  return digits == "777" and "888" or "777"
end, 1)

-- A directory with that file of an installation of a build.
local function lua_of(build)
  local directory = scratch.directory()
  assert(os.execute(("mkdir -p %s/alicloud/base"):format(directory)))
  local text, count = scratch.read("lua/" .. LUA_VERSION):gsub('local BUILD = "any"',
    ('local BUILD = "%s"'):format(build))
  assert.equal(1, count)
  scratch.write(directory .. "/" .. LUA_VERSION, text)
  return directory
end

-- A directory with a C module that says it is of the other build.
local function other_module(name)
  local directory = scratch.directory()
  assert(os.execute(("mkdir %s/alicloud"):format(directory)))
  local own = core.version.build:gsub("%p", "%%%0")
  local bytes, count = scratch.read(C_MODULES .. name .. ".so"):gsub(own, OTHER)
  assert.is_true(count > 0)
  scratch.write(("%s/alicloud/%s.so"):format(directory, name), bytes)
  return directory
end

local function run(script, lua, c)
  return process.sh(([[LUA_PATH='%s/?.lua;'"$LUA_PATH" LUA_CPATH='%s/?.so;'"$LUA_CPATH" \
    lua5.4 %s]]):format(lua, c or "/nowhere", scratch.file(script, ".lua")))
end

local function assert_refused(name, text, build, other)
  local expected = ("%s (%%s/%s.so) is of the build %s, and the Lua modules (%%s/%s) are of %s. "
    .. "Start a program anew that ran while they were installed; else install one build again, "
    .. "with make install or luarocks. "):format(name,
    name:gsub("%.", "/"), build, LUA_VERSION, other)
  local pattern = expected:gsub("[%(%)%.%-%%]", "%%%0"):gsub("%%%%s", "/[^ ]*")
  assert.matches(pattern, text)
end

describe("C modules and Lua files of one build", function()
  it("are taken, and any of them where files are edited between builds", function()
    for _, build in ipairs { core.version.build, "any" } do
      for _, first in ipairs { "alicloud", "alicloud.core" } do
        local text, code = run(('require "%s" require "alicloud" require "alicloud.transport" '
          .. 'require "alicloud.confine"'):format(first), lua_of(build))
        assert.equal(0, code, text)
      end
    end
    local text, code = run('require "alicloud" require "alicloud.transport"', lua_of "any",
      other_module "core")
    assert.equal(0, code, text)
  end)

  it("are missed where the Lua files are others, whichever is loaded first", function()
    for _, first in ipairs { "alicloud", "alicloud.core" } do
      local text, code = run(('require "%s" require "alicloud.dr"'):format(first), lua_of(OTHER))
      assert.equal(1, code)
      assert_refused("alicloud.core", text, core.version.build, OTHER)
    end
  end)

  for _, name in ipairs { "core", "transport", "httpd", "confine" } do
    it("are missed where one C module is another: " .. name, function()
      if not io.open(C_MODULES .. name .. ".so") then return pending(name .. " is not built") end
      local text, code = run(('require "alicloud" require "alicloud.%s"'):format(name),
        lua_of(core.version.build), other_module(name))
      assert.equal(1, code)
      assert_refused("alicloud." .. name, text, OTHER, core.version.build)
    end)
  end

  it("are missed by the emulator's server, which says so and not that it was not built", function()
    if not io.open(C_MODULES .. "httpd.so") then return pending "httpd is not built" end
    local text = run([[local emulator = require "alicloud.emulator"
      print(require "alicloud.emulator.server".start(emulator.new {}))]],
      lua_of(core.version.build), other_module "httpd")
    assert.matches("^nil\t", text)
    assert_refused("alicloud.httpd", text, OTHER, core.version.build)
  end)

  it("are missed by the command, in a line", function()
    local prefix = scratch.directory()
    assert(os.execute(("cp -r lua %s/lua && mkdir %s/alicloud && cp %s*.so %s/alicloud"):format(
      prefix, prefix, C_MODULES, prefix)))
    assert(os.execute(("cp %s/%s %s/lua/%s"):format(lua_of(OTHER), LUA_VERSION, prefix,
      LUA_VERSION)))
    local command = scratch.path()
    assert(os.execute((".ci/launcher $(command -v lua5.4) %s/lua %s >%s && chmod 755 %s"):format(
      prefix, prefix, command, command)))
    local text, code = process.sh(command .. " version")
    assert.equal(1, code)
    assert_refused("alicloud.core", text, core.version.build, OTHER)
    assert.matches("^alicloud%-dr: [^\n]+\n$", text)
  end)
end)
