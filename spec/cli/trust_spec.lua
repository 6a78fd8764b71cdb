-- Whose code the command executes, and whose files it obeys.

local scratch = require "spec.scratch"

local BIN = os.getenv "ALICLOUD_BUILD" or "build"

local function sh(line)
  local pipe = assert(io.popen("{ " .. line .. "; } 2>&1"))
  local text = pipe:read "a"
  local _, how, code = pipe:close()
  return text, how == "exit" and code or 128 + code
end

local function exists(path)
  return os.execute("test -e " .. path) == true
end

describe("the command in somebody else's directory", function()
  local command = sh("realpath " .. BIN .. "/bin/alicloud-dr"):gsub("\n", "")

  it("executes nothing of that directory", function()
    local hostile, mark = scratch.directory(), scratch.directory()
    assert(os.execute(("mkdir -p %s/alicloud/cli %s/luv"):format(hostile, hostile)))
    for i, name in ipairs { "alicloud/core.lua", "alicloud/cli/main.lua", "argparse.lua", "luv.lua",
      "readline.lua", "luv/init.lua", "alicloud/installed.lua" } do
      scratch.write(hostile .. "/" .. name, ("io.open('%s/%d', 'w'):close()"):format(mark, i))
    end
    for _, words in ipairs { "version", "explain Throttling",
      "repl --region cn-shanghai </dev/null" } do
      local text, code = sh(("cd %s && env -i HOME=/ %s %s"):format(hostile, command, words))
      assert.equal(0, code, text)
    end
    assert.equal("", (sh("ls -A " .. mark)))
  end)

  it("executes nothing that the environment names", function()
    local hostile, mark = scratch.directory(), scratch.path()
    local line = ("io.open('%s', 'w'):close()"):format(mark)
    scratch.write(hostile .. "/argparse.lua", line)
    for _, setting in ipairs { "LUA_INIT", "LUA_INIT_5_4", "LUA_INIT_5_5" } do
      sh(("env %s=\"%s\" %s version"):format(setting, line, command))
      assert.is_false(exists(mark), setting)
    end
    for _, setting in ipairs { "LUA_PATH", "LUA_PATH_5_4", "LUA_CPATH" } do
      local text, code = sh(("env %s='%s/?.lua' %s version"):format(setting, hostile, command))
      assert.equal(0, code, text)
      assert.is_false(exists(mark), setting)
    end
  end)

  it("takes no module of its own from elsewhere, though it is missing", function()
    local own, other = scratch.directory(), scratch.directory()
    assert(os.execute(("mkdir -p %s/alicloud %s/alicloud"):format(own, other)))
    scratch.write(other .. "/alicloud/spare.lua", "return 'taken'")
    local text = sh(([[lua5.4 -e 'package.path = "%s/?.lua"
      loadfile("lua/alicloud/installed.lua")("%s", "%s")
      print(pcall(require, "alicloud.spare"))']]):format(other, own, own))
    assert.matches('^false\tmodule "alicloud.spare" is not installed', text)
  end)
end)

describe("make install", function()
  it("names interpreter and directories from the root, however they were given", function()
    local root = scratch.directory() .. "/a place"
    local text, code = sh(("make -s --no-print-directory install BUILD=%s LUA=lua5.4 "
      .. "'PREFIX=%s'"):format(BIN, root))
    assert.equal(0, code, text)
    local launcher = scratch.read(root .. "/bin/alicloud-dr")
    assert.matches("^#!/[^\n]+ %-E\n", launcher)
    text, code = sh(("cd / && env -i '%s/bin/alicloud-dr' version"):format(root))
    assert.equal(0, code, text)
  end)
end)
