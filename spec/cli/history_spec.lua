local core = require "alicloud.core"
local histories = require "alicloud.cli.repl.history"
local scratch = require "spec.scratch"

local function mode_of(path)
  local file <close> = assert(core.open_file(path, "read"))
  return ("%o"):format(file:stat().mode)
end

local function hide(text)
  return (text:gsub("pa55", "***"))
end

local KEY = ("aB3"):rep(10)

describe("the history of the REPL", function()
  it("is its owner's alone, also if it was not, and holds what was typed", function()
    local path = scratch.path()
    local history = histories.open(path, hide)
    assert.is_true(history:add "ebs:DescribeRegions {}")
    assert.is_true(history:add "canary = 1")
    history:close()
    assert.equal("600", mode_of(path))
    assert.equal("ebs:DescribeRegions {}\ncanary = 1\n", scratch.read(path))
    assert(os.execute("chmod 644 " .. path))
    history = histories.open(path, hide)
    assert.equal("600", mode_of(path))
    assert.same({ "ebs:DescribeRegions {}", "canary = 1" }, history.lines)
    history:add "third()"
    scratch.write(path, "of another session\n")
    history:close()
    assert.equal("of another session\nthird()\n", scratch.read(path))
    assert.equal("600", mode_of(path))
  end)

  it("leaves out what holds a secret or may hold one, and what begins with a blank", function()
    local history = histories.open(scratch.path(), hide)
    for _, line in ipairs { " x = 1", "", "  ", "\tx", "x = 'pa55'", "x = '" .. KEY .. "'",
      "access_key_secret = 1", "c = { AccessKeySecret = k }", "security-token: x", "sts_token = 1",
      "password = 'x'", "h = { Authorization = 'x' }", "bearer = 1", "passwd = 1",
      "private_key = 1", "client_token = 1", "alicloud.client { access_key_id = 'x' }" } do
      assert.is_false(history:add(line), line)
    end
    for _, line in ipairs { "ebs:DescribeDiskReplicaGroups { GroupIds = 'pg-orders' }",
      "_.ReplicaGroups[1].LastRecoverPoint", "dr.group(client, 'pg-1')", "for i = 1, 2 do" } do
      assert.is_true(history:add(line), line)
    end
  end)

  it("lies where the state of a user does, and one of an earlier version is moved there", function()
    local home, state = scratch.directory(), scratch.directory()
    local function place(env)
      return histories.place(function(name) return env[name] end)
    end
    local old = home .. "/.alicloud-dr_history"
    scratch.write(old, "one()\ntwo()\n")
    local path = place { HOME = home, XDG_STATE_HOME = "relative/is/none" }
    assert.equal(home .. "/.local/state/alicloud-dr/history", path)
    assert.is_nil(core.look(old))
    assert.equal("600", mode_of(path))
    assert.equal("one()\ntwo()\n", scratch.read(path))
    scratch.write(old, "left()\n")
    assert.equal(path, place { HOME = home })
    assert.equal("left()\n", scratch.read(old))
    assert.equal("one()\ntwo()\n", scratch.read(path))
    path = place { HOME = home, XDG_STATE_HOME = state }
    assert.equal(state .. "/alicloud-dr/history", path)
    assert.equal("left()\n", scratch.read(path))
    assert.equal("700", ("%o"):format(core.look(state .. "/alicloud-dr").mode & 511))
    assert.is_nil(place {})
    assert.is_nil(place { HOME = "/dev/null" })
    local missing = scratch.path()
    assert.is_nil(place { HOME = missing })
    assert.is_nil(core.look(missing))
  end)

  it("keeps the newest thousand lines", function()
    local path = scratch.path()
    local history = histories.open(path, hide)
    for i = 1, 1100 do history:add("line(" .. i .. ")") end
    history:close()
    local lines = histories.open(path, hide).lines
    assert.equal(1000, #lines)
    assert.equal("line(1100)", lines[1000])
  end)

  it("is not read or written through a link, or where it cannot be", function()
    local target, link = scratch.file "kept\n", scratch.path()
    assert(os.execute(("ln -s %s %s"):format(target, link)))
    assert.is_nil(histories.open(link, hide))
    assert.is_nil(histories.open("/dev/null", hide))
    local history = histories.open(scratch.path() .. "/nowhere", hide)
    history:add "x()"
    history:close()
    assert.equal("kept\n", scratch.read(target))
  end)
end)
