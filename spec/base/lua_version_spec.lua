-- Another Lua that finds the modules, because LUA_PATH is shared by all versions.

local PUBLIC = {
  "alicloud", "alicloud.cli.main", "alicloud.credentials", "alicloud.dr", "alicloud.emulator",
  "alicloud.emulator.scenarios", "alicloud.emulator.server", "alicloud.loop.blocking",
  "alicloud.playbooks", "alicloud.playbooks.drill", "alicloud.playbooks.failback",
  "alicloud.playbooks.failover", "alicloud.playbooks.fleet", "alicloud.playbooks.planned",
  "alicloud.simulation",
}

local build = os.getenv("ALICLOUD_BUILD") or "build"

-- Other Luas are started without the sanitizers' runtime.
local function run(command)
  local pipe = assert(io.popen("env -u LD_PRELOAD " .. command .. " 2>&1"))
  local text = pipe:read "a"
  return text, pipe:close()
end

local function is_installed(program)
  return os.execute("command -v " .. program .. " >/dev/null") == true
end

describe("the modules refuse", function()
  for program, name in pairs { ["lua5.1"] = "Lua 5%.1", ["lua5.2"] = "Lua 5%.2",
    ["lua5.3"] = "Lua 5%.3", luajit = "LuaJIT 2%.%d" } do
    local expected = "^[^\n]*alicloud%-dr needs Lua 5%.4 or 5%.5, and this is " .. name

    it(program .. ", whichever is required first", function()
      if not is_installed(program) then return pending(program .. " is not installed") end
      for _, module in ipairs(PUBLIC) do
        local text, ok = run(("%s -e 'require \"%s\"'"):format(program, module))
        assert.is_nil(ok)
        assert.matches(expected, text, 1, false, module)
      end
    end)

    it(program .. " that runs the command", function()
      if not is_installed(program) then return pending(program .. " is not installed") end
      local text, ok = run(program .. " " .. build .. "/bin/alicloud-dr --version")
      assert.is_nil(ok)
      assert.matches(expected, text)
    end)
  end
end)

describe("the modules take", function()
  local function load_in(version, jit)
    return assert(loadfile("lua/alicloud/base/lua_version.lua", "t",
      { _VERSION = version, _G = { jit = jit }, error = error, rawget = rawget }))
  end

  for version, taken in pairs { ["Lua 5.3"] = false, ["Lua 5.4"] = true, ["Lua 5.5"] = true } do
    it(version .. ": " .. tostring(taken), function()
      local ok, problem = pcall(load_in(version))
      assert.equal(taken, ok)
      if not ok then
        assert.equal("alicloud-dr needs Lua 5.4 or 5.5, and this is " .. version, problem)
      end
    end)
  end

  it("LuaJIT not, which has a name of its own", function()
    local _, problem = pcall(load_in("Lua 5.1", { version = "LuaJIT 2.1.0" }))
    assert.equal("alicloud-dr needs Lua 5.4 or 5.5, and this is LuaJIT 2.1.0", problem)
  end)
end)
