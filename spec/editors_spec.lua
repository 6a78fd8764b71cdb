-- The declarations as a language server finds them: in the directory that the manual tells it, of
-- which `make install` makes a copy (spec/meta_spec.lua).

local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"

local text = scratch.read "lua/alicloud/manual/reference.md"

-- What a server reads unless it is told otherwise: so many files, none of more bytes.
local MOST_FILES, MOST_BYTES = 5000, 500 * 1000

local PUBLIC = { "alicloud", "alicloud.dr", "alicloud.core", "alicloud.transport", "alicloud.httpd",
  "alicloud.confine", "alicloud.emulator", "alicloud.emulator.server", "alicloud.simulation",
  "alicloud.credentials", "alicloud.playbooks", "alicloud.playbooks.failover",
  "alicloud.loop.blocking", "alicloud.loop.cqueues", "alicloud.loop.luv" }

local function lua_files(directory)
  local pipe <close> = assert(io.popen(("find '%s' -name '*.lua'"):format(directory)))
  local list = {}
  for path in pipe:lines() do list[#list + 1] = path end
  return list
end

describe("a language server", function()
  local command = text:match "\n```sh\n(lua5.4 %-e [^\n]+)\n```"
  local directory = process.sh(command):gsub("\n$", "")

  it("is told of a directory in which the modules lie, in a file that it can read", function()
    assert.truthy(core.look(directory .. "/alicloud/init.lua"), directory)
    local settings = core.decode(text:match "\n```json\n(.-)\n```")
    assert.equal("Lua 5.4", settings["runtime.version"])
    assert.is_false(settings["workspace.checkThirdParty"])
    assert.same({ "/usr/local/share/lua/5.4" }, settings["workspace.library"])
    assert.truthy(scratch.read("Makefile"):find("\nPREFIX  ?= /usr/local\n", 1, true))
  end)

  it("finds the file of every public module, those in C by the name that they declare", function()
    local meta = {}
    for _, path in ipairs(lua_files(directory)) do
      local name = scratch.read(path):match "^%-%-%-@meta ([%w_.]+)\n"
      if name then meta[name] = path end
    end
    for _, name in ipairs(PUBLIC) do
      local path = package.searchpath(name, directory .. "/?.lua;" .. directory .. "/?/init.lua")
      assert.is_string(meta[name] or path, name)
    end
  end)

  it("reads every file: as Lua, and small enough", function()
    local list = lua_files(directory .. "/alicloud")
    assert.is_true(#list > 400 and #list < MOST_FILES)
    for _, path in ipairs(list) do
      assert.is_function(loadfile(path, "t"), path)
      assert.is_true(core.look(path).bytes < MOST_BYTES, path)
    end
  end)
end)
