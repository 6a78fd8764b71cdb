-- Whose code the command executes, and whose files it obeys.

local bare = require "spec.bare"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local dr = require "alicloud.dr"
local process = require "spec.process"
local scratch = require "spec.scratch"
local tree = require "spec.tree"

local BIN = os.getenv "ALICLOUD_BUILD" or "build"

local sh = process.sh

local function exists(path)
  return os.execute("test -e " .. path) == true
end

local EMPTY = "env -i " .. bare.words()

describe("the command in somebody else's directory", function()
  local command = sh("realpath " .. BIN .. "/bin/alicloud-dr"):gsub("\n", "")

  it("executes nothing of that directory", function()
    local hostile, mark = scratch.directory(), scratch.directory()
    assert(os.execute(("mkdir -p %s/alicloud/cli %s/luv"):format(hostile, hostile)))
    for i, name in ipairs { "alicloud/core.lua", "alicloud/cli/main.lua", "argparse.lua", "luv.lua",
      "readline.lua", "luv/init.lua", "alicloud/cli/installed.lua" } do
      scratch.write(hostile .. "/" .. name, ("io.open('%s/%d', 'w'):close()"):format(mark, i))
    end
    for _, words in ipairs { "version", "explain Throttling",
      "repl --region cn-shanghai </dev/null" } do
      local text, code = sh(("cd %s && %s HOME=/ %s %s"):format(hostile, EMPTY, command, words))
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
    assert(os.execute(("mkdir -p %s/alicloud/base %s/alicloud"):format(own, other)))
    scratch.write(other .. "/alicloud/spare.lua", "return 'taken'")
    scratch.write(own .. "/alicloud/base/lua_version.lua", "return _VERSION")
    local text = sh(([[lua5.4 -e 'package.path = "%s/?.lua"
      loadfile("lua/alicloud/cli/installed.lua")("%s", "%s")
      print(pcall(require, "alicloud.spare"))']]):format(other, own, own))
    assert.matches('^false\tmodule "alicloud.spare" is not installed', text)
  end)

  it("does not call a module missing that it cannot open", function()
    local own = scratch.directory()
    assert(os.execute(("mkdir -p %s/alicloud/base && ln -s spare.lua %s/alicloud/spare.lua"):format(
      own, own)))
    scratch.write(own .. "/alicloud/base/lua_version.lua", "return _VERSION")
    local text = sh(([[lua5.4 -e 'loadfile("lua/alicloud/cli/installed.lua")("%s", "%s")
      print(pcall(require, "alicloud.spare"))']]):format(own, own))
    assert.matches('^false\tmodule "alicloud.spare" cannot be read: .*spare.lua: Too many', text)
  end)
end)

describe("make install", function()
  it("names interpreter and directories from the root, however they were given", function()
    local root = scratch.directory() .. "/a place"
    tree.install(("BUILD=%s LUA=lua5.4 'PREFIX=%s'"):format(BIN, root))
    local launcher = scratch.read(root .. "/bin/alicloud-dr")
    assert.matches("^#!/[^\n]+ %-E\n", launcher)
    local text, code = sh(("cd / && %s '%s/bin/alicloud-dr' version"):format(EMPTY, root))
    assert.equal(0, code, text)
  end)
end)

local ROOT = core.user().uid == 0
local it_as_root = ROOT and it or function(name) pending(name .. " (needs root)") end

local function chmod(mode, path)
  assert(os.execute(("chmod %s %s"):format(mode, path)))
end

-- A playbook that leaves a mark when it is executed, and fails as long as `mark` is not 2.
local MARKING = [[
local file = assert(io.open("%s", "a"))
file:write "x"
file:close()
return require "alicloud.dr".playbook("marking", function(run)
  run:step("one", function() return true end)
  run:step("two", function() %s end)
end)
]]

local function marking(directory, body)
  local mark, path = directory .. "/mark", directory .. "/marking.lua"
  scratch.write(path, MARKING:format(mark, body or "return true"))
  return path, mark
end

local function times(mark)
  return exists(mark) and #scratch.read(mark) or 0
end

describe("a playbook that is run", function()
  it("is not executed where somebody else may write it, unless it is named", function()
    local desk, _, directory = desks.room(false)
    local path, mark = marking(directory)
    chmod("666", path)
    local ran = desk:run("run", "-y", path, "--region", "cn-shanghai")
    assert.equal(2, ran.code)
    assert.equal(0, times(mark))
    assert.matches("may be written by everybody %(mode 666%); chmod go%-w " .. path
      .. "; or use it as it is: %-%-trust%-file " .. path, (ran.err:gsub("[\n]", "")))
    ran = desk:run("run", "-y", path, "--region", "cn-shanghai", "--trust-file", path)
    assert.equal(0, ran.code, ran.err)
    assert.equal(1, times(mark))
    chmod("go-w", path)
    assert.equal(0, desk:run("run", "-y", path, "--region", "cn-shanghai", "--new").code)
  end)

  it("finds modules of its own beside it, and nowhere else", function()
    local desk, _, directory = desks.room(false)
    assert(os.execute(("mkdir %s/parts"):format(directory)))
    local path = directory .. "/whole.lua"
    scratch.write(path, [[
      local part = require "parts.first"
      return require "alicloud.dr".playbook(part.name, function(run)
        run:step("one", function() return part.second end)
      end)]])
    scratch.write(directory .. "/parts/first.lua",
      "return { name = 'of two', second = require('second') .. require 'second' }")
    scratch.write(directory .. "/second.lua", "count = (count or 0) + 1\nreturn 'taken' .. count")
    local ran = desk:run("run", "-y", path, "--region", "cn-shanghai", "--json")
    assert.equal(0, ran.code, ran.err)
    assert.equal("of two", ran.object.playbook)
    local whole = ran.object.journal
    assert.matches('"result":"taken1taken1"', scratch.read(whole))
    local digest = scratch.read(whole):match '"digest":"(%x+)"'
    scratch.write(directory .. "/second.lua", "return 'another'")
    ran = desk:run("run", "-y", path, "--region", "cn-shanghai", "--json")
    assert.is_not.equal(digest, scratch.read(ran.object.journal):match '"digest":"(%x+)"')
    chmod("666", directory .. "/second.lua")
    ran = desk:run("run", "-y", path, "--region", "cn-shanghai", "--json")
    assert.equal(2, ran.code)
    assert.matches("second%.lua: may be written by everybody", ran.object.error.message)
    assert(os.remove(directory .. "/second.lua"))
    ran = desk:run("run", "-y", path, "--region", "cn-shanghai", "--json")
    assert.matches("module 'second' not found", ran.object.error.message)
  end)

  it("is not named by a name that leads nowhere", function()
    local _, _, directory = desks.room(false)
    local path, mark = marking(directory)
    local command = sh("realpath " .. BIN .. "/bin/alicloud-dr"):gsub("\n", "")
    local function piped(trusted)
      return sh(("cat %s | HOME=%s %s run /dev/stdin --region cn-shanghai --no-ask "
        .. "--trust-file %s --new"):format(path, directory, command, trusted))
    end
    assert.matches("no such file", (piped "/nowhere"))
    assert.equal(0, times(mark))
    assert.is_nil((piped "/dev/stdin"):find("no such file", 1, true))
    assert.equal(1, times(mark))
  end)

  it("takes no other files into a look at it, wherever its links lead", function()
    local desk, _, directory = desks.room(false)
    local elsewhere, link = scratch.directory(), directory .. "/part.lua"
    local path = directory .. "/whole.lua"
    scratch.write(elsewhere .. "/key", "canary")
    scratch.write(elsewhere .. "/other.lua", "return 'canary'")
    scratch.write(directory .. "/hidden", "canary")
    scratch.write(directory .. "/beside.lua", "return 'beside'")
    local text = [[
      local part = require %q
      return require "alicloud.dr".playbook("whole", function(run) run:step(part, print) end)]]
    scratch.write(path, text:format "part")
    local function look(target)
      assert(os.execute(("ln -sfn %s %s"):format(target, link)))
      return desk:run("plan", path, "--region", "cn-shanghai")
    end
    for _, target in ipairs { elsewhere .. "/key", "/proc/self/environ", "/dev/zero", "hidden" } do
      local ran = look(target)
      assert.equal(2, ran.code, ran.out)
      assert.matches("part.lua: leads to .*, which is no Lua file below " .. directory, ran.err)
      assert.is_nil((ran.out .. ran.err):find("canary", 1, true))
      assert.is_nil(ran.err:find("cp ", 1, true))
    end
    local ran = look(elsewhere .. "/other.lua")
    assert.equal(2, ran.code)
    assert.matches("if it is meant, put a copy in its place: rm %-%- " .. link
      .. " && cp %-%- " .. elsewhere .. "/other.lua " .. link, (ran.err:gsub("\n", "")))
    ran = look "beside.lua"
    assert.equal(0, ran.code, ran.err)
    assert.matches("step beside", ran.out)
    assert(os.execute(("rm %s && mkfifo %s"):format(link, link)))
    ran = desk:run("plan", path, "--region", "cn-shanghai")
    assert.equal(2, ran.code)
    assert.matches("part.lua: not a regular file", ran.err)
    scratch.write(path, text:format((elsewhere .. "/other"):gsub("/", ".")))
    ran = sh(("cd %s && HOME=/ %s plan whole.lua --region cn-shanghai"):format(directory,
      sh("realpath " .. BIN .. "/bin/alicloud-dr"):gsub("\n", "")))
    assert.is_nil(ran:find("canary", 1, true), ran)
  end)

  it("is asked about if it was edited since, before it is executed", function()
    local typed = {}
    local desk, _, directory = desks.room(false, { input_tty = true, typed = typed })
    local path, mark = marking(directory, "error 'not yet'")
    local ran = desk:run("run", "-y", path, "--region", "cn-shanghai", "--no-ask", "--json")
    assert.equal(1, ran.code)
    local journal = ran.object.journal
    local before = scratch.read(journal):match '"digest":"(%x+)"'
    marking(directory)
    local now = core.sha256(scratch.read(path))
    assert.equal(1, times(mark))
    for _, answer in ipairs { "", "no", "y" } do
      typed[1] = answer
      ran = desk:run("resume", journal)
      assert.equal(1, ran.code)
      assert.matches(("then  %s\n      now   %s\n.* all your rights.*Type yes: "):format(
        before, now), ran.err)
      assert.matches("hint: look at it, then: alicloud%-dr resume .* %-%-accept%-edit", ran.err)
    end
    assert.matches("Client.PlaybookChanged", desk:run("resume", journal, "--no-ask").err)
    assert.equal("Client.PlaybookChanged", desk:run("resume", journal, "--json").object.error.code)
    assert.equal(1, times(mark))
    typed[1] = "yes"
    ran = desk:run("resume", journal)
    assert.equal(0, ran.code, ran.err)
    assert.equal(2, times(mark))
  end)

  it("is executed as it was edited where that is said", function()
    local desk, _, directory = desks.room(false)
    local path, mark = marking(directory, "error 'not yet'")
    local journal = desk:run("run", "-y", path, "--region", "cn-shanghai", "--json").object.journal
    marking(directory)
    assert.equal(1, desk:run("resume", journal).code)
    assert.equal(1, times(mark))
    local ran = desk:run("run", "-y", path, "--region", "cn-shanghai")
    assert.equal(1, ran.code)
    assert.matches("Client.PlaybookChanged", ran.err)
    assert.equal(0, desk:run("resume", journal, "--accept-edit").code)
  end)

  it("is walked through only if its file is trusted", function()
    local path, mark = marking(scratch.directory())
    chmod("646", path)
    assert.has_error(function() dr.walk(path, {}) end, "dr.walk: " .. path
      .. ": may be written by everybody (mode 646); chmod go-w " .. path)
    assert.equal(0, times(mark))
  end)
end)

describe("a file that people write for a command", function()
  it("is not used where somebody else may write it", function()
    local desk, file, directory = desks.room()
    local path = directory .. "/given"
    scratch.write(path, "dba " .. ("ab"):rep(32) .. "\n")
    chmod("666", path)
    local ran = desk:run("run", "-y", file, "max_rpo=20m", "--region", "cn-shanghai", "--approvers",
      path)
    assert.equal(2, ran.code)
    assert.matches("%-%-approvers: .* may be written by everybody", ran.err)
    scratch.write(path, "return {}")
    ran = desk:run("explore", file, "--region", "cn-shanghai", "--world", path)
    assert.equal(2, ran.code)
    assert.matches("%-%-world: .* may be written by everybody", ran.err)
    assert.same({}, desk:requests())
  end)
end)

describe("a world file with wrong types", function()
  for text, problem in pairs {
    ["return { groups = 5 }"] = "groups: must be table, got number 5",
    ["return { groups = { pg = {} } }"] = 'groups: must be a list, got the field "pg"',
    ["return { groups = { 5 } }"] = "groups[1]: must be table, got number 5",
    ["return { groups = {} }"] = "world: groups: has none",
    ["return { }"] = "world: groups: has none",
    ["return { later = { { at = 1, action = 'x', version = 'y', request_id = 'r', params = { 1 }"
      .. "} } }"] = "later[1].params: must have names, got the field 1",
    ["return { now = 1 / 0 }"] = "now: must be number, got number inf",
    ["return { regions = function() end }"] = "regions: must be plain data, got function",
    ["return 'x'"] = "must give a table, gives string",
    ["return {"] = "unexpected symbol",
  } do
    it("is refused: " .. problem, function()
      local desk, file, directory = desks.room()
      local world = directory .. "/world.lua"
      scratch.write(world, text)
      local ran = desk:run("explore", file, "--region", "cn-shanghai", "--world", world,
        "--seeds", "1", "max_rpo=20m")
      assert.equal(2, ran.code, ran.err)
      assert.is_truthy(ran.err:find(problem, 1, true), ran.err)
      if not problem:find "has none" then
        ran = desk:run("policy", file, "--region", "cn-shanghai", "--world", world, "max_rpo=20m")
        assert.equal(2, ran.code, ran.err)
        assert.is_truthy(ran.err:find(problem, 1, true), ran.err)
      end
    end)
  end

  it("is one that imagines groups where it has no regions", function()
    local desk, file, directory = desks.room()
    scratch.write(directory .. "/world.json", "{}")
    local ran = desk:run("policy", file, "--region", "cn-shanghai", "--world",
      directory .. "/world.json", "max_rpo=20m")
    assert.equal(0, ran.code, ran.err)
  end)
end)

describe("a journal of somebody else", function()
  local function prepared()
    local desk, _, directory = desks.room(false)
    local path, mark = marking(directory, "error 'not yet'")
    local journal = desk:run("run", "-y", path, "--region", "cn-shanghai", "--json").object.journal
    assert.equal(1, times(mark))
    return desk, journal, mark
  end

  it("is not obeyed where others may write it", function()
    local desk, journal, mark = prepared()
    for _, mode in ipairs { "664", "666", "640" } do
      chmod(mode, journal)
      local ran = desk:run("resume", journal)
      assert.equal(1, ran.code)
      assert.matches("others may use it %(mode " .. mode .. "%).*chmod 600 ", ran.err)
      ran = desk:run("explain", journal)
      assert.equal(0, ran.code)
      assert.equal(mode ~= "640", ran.err:find("need not be yours: .*: may be written by",
        1) ~= nil)
      assert.equal(1, times(mark))
    end
    chmod("600", journal)
    assert(os.execute(("ln %s %s.other"):format(journal, journal)))
    assert.matches("it has 2 names", desk:run("resume", journal).err)
    assert.equal(1, times(mark))
  end)

  it_as_root("is looked at, and said to be theirs", function()
    local desk, journal, mark = prepared()
    assert(os.execute(("chown 65534 %s"):format(journal)))
    for _, command in ipairs { "explain", "report", "verify" } do
      local ran = desk:run(command, journal)
      assert.equal(0, ran.code, ran.err)
      assert.matches("warning: what the journal says need not be yours: .*: belongs to .*uid 65534",
        ran.err)
    end
    local ran = desk:run("resume", journal)
    assert.equal(1, ran.code)
    assert.matches("it belongs to somebody else, .*uid 65534", ran.err)
    assert.equal(1, times(mark))
  end)
end)
