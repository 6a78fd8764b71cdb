-- The command that rehearses a playbook under every trouble.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local posix = require "spec.posix"
local process = require "spec.process"
local scratch = require "spec.scratch"
local widths = require "alicloud.cli.width"

local MOVE, RAW = "spec/simulation/playbooks/move.lua", "spec/simulation/playbooks/raw.lua"

describe("alicloud-dr explore --exhaustive", function()
  local desk

  before_each(function() desk = desks.new { env = {} } end)

  local function explore(path, ...)
    return desk:run("explore", path, "--region", "cn-shanghai", "--exhaustive", ...)
  end

  it("says how many points, troubles and runs there are, and what was never met", function()
    local ran = explore(MOVE, "1", "--faults", "answers")
    assert.equal(0, ran.code, ran.err)
    assert.matches("✔ every single trouble %(answers%) at every one of %d+ points: 29 runs, "
      .. "no violation", ran.out)
    assert.matches("29 troubles, %d+ single ones that differ, 0 merged", ran.out)
    assert.matches("met %d+ kinds .*never:\n", ran.out)
    assert.matches("\n      request DescribeDiskReplicaGroups: [%l, ]*unsent\n", ran.out)
    assert.same({}, desk:sends())
  end)

  it("takes place over what a real service was seen to do", function()
    local seen = scratch.file('{"format":"alicloud-dr conformance 1",'
      .. '"assume":{"throttle":"second","throttle_limit":1}}', ".json")
    local words = { MOVE, "1", "--faults", "reads", "--json", "--only", "1" }
    assert.is_nil(explore(table.unpack(words)).object.coverage.met["code Throttling.Api"])
    local ran = explore(table.unpack(table.move({ "--assume-from", seen }, 1, 2, 8, words)))
    assert.is_number(ran.object.coverage.met["code Throttling.Api"])
  end)

  it("finds the same with one process as with two", function()
    local one = explore(MOVE, "2", "--faults", "group_ahead", "--jobs", "1", "--json")
    local two = explore(MOVE, "2", "--faults", "group_ahead", "--jobs", "2", "--json")
    assert.equal(0, one.code, one.err)
    assert.same(one.object, two.object)
    assert.is_true(one.object.runs > one.object.traces)
    assert.is_table(one.object.coverage.met)
  end)

  it("names a violation by the trouble, with the command that repeats it", function()
    local ran = explore(RAW, "1", "--faults", "answers", "--json")
    assert.equal(1, ran.code)
    local harm = ran.object.violations[#ran.object.violations]
    assert.matches("%-%-exhaustive 1 %-%-only %d+$", harm.command)
    ran = explore(RAW, "1", "--faults", "answers", "--only", tostring(harm.only[1]))
    assert.equal(1, ran.code)
    assert.matches("✘ .*again:  alicloud%-dr explore", ran.out)
    desk.given.tty, desk.given.columns = true, 60
    ran = explore(RAW, "1", "--faults", "answers", "--only", tostring(harm.only[1]))
    for _, line in ipairs(desks.lines_of((ran.out:gsub("\r\27%[K", "\n")))) do
      assert.is_true(line:find "alicloud%-dr" ~= nil or widths.of(line) <= 60, line)
    end
  end)

  it("goes on within the pairs of one trouble", function()
    local path = scratch.path "progress"
    local words = { MOVE, "2", "--faults", "answers", "--json", "--progress", path }
    local first = explore(table.unpack(words))
    assert.equal(0, first.code, first.err)
    local lines, cut = {}, nil
    for line in scratch.read(path):gmatch "[^\n]+\n" do
      lines[#lines + 1] = line
      if line:find '"next":' then cut = #lines end
    end
    -- The piece that is left over begins where the kept one ended.
    assert.is_number(cut)
    local kept, n = {}, lines[cut]:match '"kind":"pairs","n":(%d+)'
    for i, line in ipairs(lines) do
      local is_same = line:find('"kind":"pairs","n":' .. n .. ",", 1, true)
      if i <= cut or not is_same then
        kept[#kept + 1] = line
      else
        -- One that leaves itself over does not count.
        kept[#kept + 1] = line:gsub('"unit":{', ('%%0"next":%s,'):format(line:match '"from":(%d+)'))
      end
    end
    assert.equal(#lines, #kept)
    scratch.write(path, table.concat(kept))
    assert.same(first.object, explore(table.unpack(words)).object)
  end)

  it("goes on with what an earlier call has kept", function()
    local path = scratch.path "progress"
    local words = { MOVE, "1", "--faults", "answers", "--json", "--progress", path }
    local first = explore(table.unpack(words))
    assert.equal(0, first.code, first.err)
    local kept = scratch.read(path)
    local lines = {}
    for line in kept:gmatch "[^\n]+\n" do lines[#lines + 1] = line end
    assert.equal(30, #lines)
    scratch.write(path, table.concat(lines, "", 1, 12) .. lines[13]:sub(1, 40))
    local units = require "alicloud.cli.confine.units"
    local original, known = units.explore, nil
    local watched = stub(units, "explore", function(about, begin, given)
      local show = given.progress
      given.progress = function(deal)
        known = deal.known
        show(deal)
      end
      return original(about, begin, given)
    end)
    finally(function() watched:revert() end)
    assert.same(first.object, explore(table.unpack(words)).object)
    -- What is left is told by what this call has done itself.
    assert.equal(11, known)
    local again = explore(table.unpack(words))
    assert.same(first.object, again.object)
    local other = explore(MOVE, "1", "--faults", "reads", "--progress", path)
    assert.equal(2, other.code)
    assert.matches("%-%-progress: .* is of another playbook, other words or another version"
      .. "; allowed: a file that is not there yet, or the one of this very command\n", other.err)
  end)

  it("begins to keep with a playbook that comes to its end", function()
    local path, program = scratch.path "progress", scratch.path "move.lua"
    local words = { program, "1", "--faults", "answers", "--progress", path }
    local text = scratch.read(MOVE)
    scratch.write(program, (text:gsub("function%(run%)", "%0 error 'not yet'", 1)))
    local ran = explore(table.unpack(words))
    assert.equal(2, ran.code)
    assert.matches("not yet\n$", ran.err)
    assert.is_nil((core.open_file(path, "read")))
    scratch.write(program, text)
    assert.equal(0, explore(table.unpack(words)).code)
    assert.equal(30, select(2, scratch.read(path):gsub("\n", "")))
  end)

  it("goes on with nothing that was kept over another world", function()
    local world, path = scratch.path "world.json", scratch.path "progress"
    local function draw(age)
      scratch.write(world, core.encode { groups = { { id = "pg-move", pairs = 2,
        status = "normal", recover_point_age = age, source = "cn-hangzhou/cn-hangzhou-g",
        destination = "cn-shanghai/cn-shanghai-b" } } })
    end
    local words = { MOVE, "1", "--faults", "answers", "--world", world, "--progress", path }
    draw(60)
    assert.equal(0, explore(table.unpack(words)).code)
    assert.equal(0, explore(table.unpack(words)).code)
    draw(61)
    local ran = explore(table.unpack(words))
    assert.equal(2, ran.code, ran.out)
    assert.matches("is of another playbook, other words or another version", ran.err)
  end)

  it("says in the background, too, how long it takes, and that of pairs by pairs alone", function()
    local units = require "alicloud.cli.confine.units"
    local watched = stub(units, "explore", function(_, _, given)
      local report = { runs = 900, harmed = 0 }
      local function tell(deal)
        deal.report, deal.began = report, core.monotonic() - 100
        given.progress(deal)
      end
      tell { depth = 2, done = 30, known = 20, total = 50 }
      -- Not again within a minute.
      tell { depth = 1, done = 5, known = 0, total = 1000 }
      error("interrupted!", 0)
    end)
    finally(function() watched:revert() end)
    local ran = explore(MOVE, "2", "--faults", "answers", "--progress", scratch.path "progress")
    assert.matches("alicloud%-dr: explore: 30/50 parts, 900 runs, 0 violations, "
      .. "about 3m20s left before the pairs\n", ran.err)
    assert.is_nil(ran.err:find("5/1000", 1, true))
  end)

  it("goes on where it was killed", function()
    local path = scratch.path "progress"
    local words = { MOVE, "1", "--faults", "answers", "--json" }
    local whole = explore(table.unpack(words)).object
    local pid, output = posix.spawn { "alicloud-dr", "explore", MOVE, "--region", "cn-shanghai",
      "--exhaustive", "1", "--faults", "answers", "--jobs", "1", "--progress", path }
    process.wait_until("some parts", function()
      local text = core.open_file(path, "read") and scratch.read(path)
      return text and select(2, text:gsub("\n", "")) > 5
    end)
    posix.kill(pid, "KILL")
    posix.wait(pid)
    output:close()
    table.move({ "--progress", path }, 1, 2, #words + 1, words)
    assert.same(whole, explore(table.unpack(words)).object)
  end)

  it("says how to go on when it is interrupted, below a line that is cleared", function()
    local units = require "alicloud.cli.confine.units"
    local ended = stub(units, "explore", function(_, _, given)
      given.progress { depth = 1, done = 20, total = 60, known = 0, began = 0,
        report = { runs = 20, harmed = 0 } }
      error("interrupted!", 0)
    end)
    finally(function() ended:revert() end)
    local shown = desks.new { env = {}, tty = true }:run("explore", MOVE, "--region",
      "cn-shanghai", "--exhaustive", "1", "--progress", scratch.file "begun")
    assert.equal(130, shown.code)
    assert.matches("20/60 parts.*\r\27%[K$", shown.out)
    assert.matches("what is done is kept: the same command goes on\n.*interrupted\n$", shown.err)
  end)

  it("says how to go on where a process has ended too early", function()
    local units = require "alicloud.cli.confine.units"
    local ended = stub(units, "explore", function() return nil, { failure = "out of time" } end)
    finally(function() ended:revert() end)
    local ran = explore(MOVE, "1", "--progress", scratch.file "begun")
    assert.equal(1, ran.code)
    assert.matches("out of time.*what is done is kept: the same command goes on\n$", ran.err)
    ran = explore(MOVE, "1", "--progress", scratch.directory() .. "/progress")
    assert.matches("nothing is kept yet: the same command begins anew\n$", ran.err)
    ran = explore(MOVE, "1")
    assert.matches("nothing is kept; with %-%-progress FILE the same command could go on\n$",
      ran.err)
  end)

  it("refuses what does not go with it", function()
    for _, words in ipairs { { "1", "--seeds", "3" }, { "1", "--only", "1,2,3" }, { "3" } } do
      assert.equal(2, explore(MOVE, table.unpack(words)).code)
    end
    assert.equal(2, desk:run("explore", MOVE, "--progress", "x").code)
    local ran = explore(MOVE, "1", "--only", "1000000")
    assert.equal(2, ran.code)
    assert.matches("%-%-only: there are %d+ single troubles", ran.err)
  end)
end)
