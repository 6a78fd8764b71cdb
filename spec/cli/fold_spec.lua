-- Help on terminals that are narrower than the lines in which it is written.
local after = require "spec.dr.after_lab"
local desks = require "spec.cli.desk"
local folds = require "alicloud.cli.fold"
local lab = require "spec.dr.lab"
local worlds = require "spec.worlds"

local fold = folds.fold

local function help(columns, ...)
  local words = { ... }
  words[#words + 1] = "--help"
  local ran = desks.new { columns = columns }:run(table.unpack(words))
  assert.equal(0, ran.code)
  return ran.out
end

local function words_of(text)
  return (text:gsub("%s+", " "))
end

local function commands()
  local list = { false }
  for name in help(100):match("\nCommands:\n(.-)\n\n"):gmatch "%f[^\n%z]   (%l+)" do
    list[#list + 1] = name
  end
  return list
end

describe("help", function()
  it("fits 80 columns and loses no word", function()
    local all = commands()
    assert.is_true(#all > 20)
    for _, command in ipairs(all) do
      local wide, narrow = help(100, command or nil), help(80, command or nil)
      assert.equal(words_of(wide), words_of(narrow), command)
      for line in narrow:gmatch "[^\n]+" do
        assert.is_true(utf8.len(line) <= 80, line)
        assert.is_nil(line:find "^%S.*  alicloud%-dr ", line)
      end
    end
  end)

  it("is folded at blanks, and goes on in the line that follows", function()
    assert.equal("one two three\nfour five six\nseven",
      fold("one two three four\nfive six\nseven", 13))
    assert.equal("ä ö ü\nß", fold("ä ö ü ß", 5))
    assert.equal("unbroken words", fold("unbroken words", 14))
    assert.equal("longer-than-a-line\nx", fold("longer-than-a-line x", 8))
    local margin = (" "):rep(25)
    assert.equal("   -h, --help            Show\n" .. margin .. "this\n" .. margin .. "help.",
      fold("   -h, --help            Show this\n" .. margin .. "help.", 30))
  end)

  it("leaves lines to be copied, tables and paragraphs as they are", function()
    for _, text in ipairs { "  alicloud-dr status --region cn-shanghai", "", "a b\n\nc d",
      "  name         what it is\n               and more", "a b\n  c d\ne f\n" } do
      assert.equal(text, fold(text, 10))
    end
    assert.equal("a b c\nd e\n\nf", fold("a b c d e\n\nf", 5))
  end)

  it("leaves commands in backquotes whole, and folds what is around them", function()
    local io = { tty = true, columns = 20 }
    assert.equal("it failed; hint:\n  `alicloud-dr plan x`\n  finds it before\n",
      folds.lines(io, "it failed; hint: `alicloud-dr plan x` finds it before\n"))
    assert.equal("a b\n  `c d e f g h i j k l m n o`\n  p",
      folds.hang(io, "a b `c d e f g h i j k l m n o` p", 2))
  end)
end)

describe("what a change says on a terminal of 80 columns", function()
  local function lines_beyond(text)
    local list = {}
    local shown = text:gsub("\27%[[%d;]*m", ""):gsub("[^\n]*\27%[K", ""):gsub("go on: ", "%0\n")
    for line in shown:gmatch "[^\n]+" do
      if utf8.len(line) > 80 and not line:find "alicloud%-dr " then list[#list + 1] = line end
    end
    return list
  end

  it("fits, but for commands, which stand on lines of their own", function()
    local before = { failover = "normal", stop = "normal", start = "stopped",
      reprotect = "failovered" }
    for verb, group_status in pairs(before) do
      local desk = desks.new { tty = true, input_tty = true, columns = 80, color = true,
        typed = { "pg-orders" }, group = { status = group_status } }
      local ran = desk:run(verb, "pg-orders", "--region", "cn-shanghai")
      assert.equal(0, ran.code, ran.out .. ran.err)
      assert.same({}, lines_beyond(ran.out .. ran.err))
      local token, command =
        ran.err:match "client token (%x+)\n    continue with:  (alicloud[^\n]+)"
      assert.is_truthy(command:find("--client-token " .. token, 1, true))
    end
  end)

  it("fits where the parameters of playbooks are told", function()
    for _, name in ipairs { "drill", "planned", "failover", "failback", "fleet" } do
      local ran = desks.new { tty = true, columns = 80 }:run("playbooks", name)
      assert.same({}, lines_beyond(ran.out))
    end
  end)

  it("fits where the words of a command are wrong, and where scenarios are told", function()
    local desk = desks.new { tty = true, columns = 80 }
    for _, words in ipairs { { "drill", "pg-orders" }, { "bugreport", "one", "two" },
      { "emulator", "--scenario", "none-that-there-is" }, { "emulator", "--list-scenarios" } } do
      local ran = desk:run(table.unpack(words))
      local told = (ran.out .. ran.err):gsub("alicloud%-dr", "alicloud_dr")
      assert.same({}, lines_beyond(told))
    end
  end)

  it("fits where a command or a run fails", function()
    local desk = desks.room(false, { world = after.world(), tty = true, columns = 80 })
    local ran = desk:run("run", "failover", "group=pg-orders", "region=cn-shanghai",
      "attach=i-nwe", "max_rpo=1d", "--yes")
    assert.equal(1, ran.code)
    assert.same({}, lines_beyond(ran.err))
    assert.matches("\n    if it is wrong: add attach=VALUE %-%-why TEXT\n", ran.err)
    -- A way on is no parameter that is wrong.
    local fleet = desks.room(false, { world = worlds.of_groups(2), faults = { { match = {
      action = "FailoverDiskReplicaGroup", nth = 1 }, effect = lab.answer("Forbidden", 403) } } })
    local stopped = fleet:run("run", "fleet", "groups=all", "region=cn-shanghai", "--yes")
    assert.matches("resumed with canary=pg%-02", stopped.err)
    assert.is_nil(stopped.err:find("if it is wrong", 1, true))
    ran = desk:run("status", "pg-nobody-has-ever-heard-of-a-group-of-such-a-name", "--region",
      "cn-shanghai")
    assert.same({}, lines_beyond(ran.err))
  end)
end)

describe("prose with commands in it", function()
  it("is folded, and each command begins a line of its own and stays whole", function()
    local command = "alicloud-dr fleet night --store 'etcd+https://one,two,three/alicloud-dr'"
    local text = folds.lines({ tty = true, columns = 60 }, ("alicloud-dr: it is on hold, since "
      .. "somebody has asked for an hour; see what has failed: %s --status; then let it go on: "
      .. "%s --release\n"):format(command, command))
    assert.equal(([[
alicloud-dr: it is on hold, since somebody has asked for an
  hour; see what has failed:
  %s --status; then let it go on:
  %s --release
]]):format(command, command), text)
    local label = "    report: " .. command .. "\n"
    assert.equal(label, folds.lines({ tty = true, columns = 60 }, label))
  end)
end)

describe("the help of a command that talks to the service", function()
  it("has its own options first, those of the connection under a heading of their own", function()
    for _, name in ipairs(commands()) do
      local text = name and help(80, name) or ""
      local at = text:find("\nOptions of the connection:\n", 1, true)
      local proxy = text:find("\n   --proxy <url>", 1, true)
      assert.equal(proxy ~= nil, at ~= nil, name)
      if at then
        assert.is_true(text:find("\nOptions:\n", 1, true) < at)
        assert.is_true((text:find("\n   --region ", 1, true) or 1) < at)
        for _, option in ipairs { "endpoint", "wait%-for%-cloud", "ca%-file", "stats" } do
          local place = text:find("\n   %-%-" .. option .. "[ \n]")
          assert.is_true(name == "whoami" or (place or at + 1) > at, name .. option)
        end
      end
      assert.is_true(not name or text:find("^Usage: %S+ " .. name .. " %[options%]") ~= nil, text)
    end
  end)
end)
