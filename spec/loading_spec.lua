-- What a program loads of us: what it uses, and not much more. A start is what an operator waits
-- for, so it is counted here in modules, since times drift.

local commands = require "alicloud.cli.commands"
local process = require "spec.process"
local scratch = require "spec.scratch"

local NATIVE = { ["alicloud.core"] = true, ["alicloud.transport"] = true,
  ["alicloud.httpd"] = true, ["alicloud.confine"] = true }

-- Our modules that a process of its own has loaded after a script.
local function loaded_by(script)
  local output = process.sh("lua5.4 " .. scratch.file(script .. [[

    for name in pairs(package.loaded) do
      if name == "alicloud" or name:find "^alicloud%." then print("\1" .. name) end
    end]], ".lua"))
  local set, count = {}, 0
  for name in output:gmatch "\1([^\n]+)" do
    set[name] = true
    if not NATIVE[name] then count = count + 1 end
  end
  assert.is_true(next(set) ~= nil, output)
  return set, count
end

local function loaded_by_command(...)
  return loaded_by(([[require("alicloud.cli.main").run({ %s },
    require("alicloud.cli.terminal").io())]]):format(('"' .. table.concat({ ... }, '", "') .. '"')))
end

-- Those of a folder.
local function within(set, prefix)
  local list = {}
  for name in pairs(set) do
    if name:sub(1, #prefix) == prefix then list[#list + 1] = name:sub(#prefix + 1) end
  end
  table.sort(list)
  return list
end

describe("the command", function()
  it("loads no command for its own help", function()
    assert.same({}, within(loaded_by_command("--help"), "alicloud.cli.commands."))
    assert.same({}, within(loaded_by_command("statu"), "alicloud.cli.commands."))
  end)

  it("finds the typed one behind every option that may stand before it", function()
    for _, before in ipairs { {}, { "--json" }, { "-h" }, { "--help", "--json" }, { "--" },
      { "--json", "--" } } do
      local words = table.move(before, 1, #before, 1, {})
      words[#words + 1] = "explain"
      words[#words + 1] = "Throttling"
      assert.same({ "explain" },
        within(loaded_by_command(table.unpack(words)), "alicloud.cli.commands."))
    end
  end)

  it("has a module for every name of its registry, and a name for every module", function()
    local named = {}
    for i, entry in ipairs(commands.LIST) do
      assert.is_true(commands.is_known(entry.name))
      local command = commands.load(entry.name)
      assert.is_function(command.configure)
      assert.is_function(command.run)
      named[i] = entry.name .. ".lua"
    end
    named[#named + 1] = "init.lua"
    table.sort(named)
    local there = {}
    for name in process.sh("ls lua/alicloud/cli/commands"):gmatch "%S+" do
      there[#there + 1] = name
    end
    assert.same(there, named)
  end)
end)
