-- The command: what it says and asks before, what it writes, how it ends, and how it goes on.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local journals = require "alicloud.cli.conformance_journal"
local scratch = require "spec.scratch"
local width = require "alicloud.cli.width"

-- A desk with a directory of its own, and the command line up to the file.
local function sit(given)
  local directory = scratch.directory()
  local desk = desks.new(given)
  local function run(...)
    return desk:run("conformance", "--region", "cn-shanghai", "--output",
      directory .. "/seen.json", ...)
  end
  return desk, run, directory
end

local function actions(desk)
  local set = {}
  for _, entry in ipairs(desk:requests()) do set[entry.action] = (set[entry.action] or 0) + 1 end
  return set
end

local function mode_of(path) return core.look(path).mode end

-- Answers up to a number, and then nobody does, as after a kill or a cut.
local function cut_after(desk, count)
  local real, asked = desk.bench.emu.transport, 0
  return { send = function(request)
    asked = asked + 1
    if asked > count then error("interrupted!", 0) end
    return real.send(request)
  end }
end

describe("alicloud-dr conformance", function()
  it("reads, and writes what it has seen to two files of this user's", function()
    local desk, run, directory = sit()
    local ran = run()
    assert.equal(0, ran.code, ran.out .. ran.err)
    assert.same({}, desk:ledger())
    assert.matches("^  conformance   read   cn%-shanghai ", ran.out)
    assert.matches("✔ %d+ as assumed, 0 otherwise, 0 that nobody knew, %d+ not told\n", ran.out)
    assert.matches("needs %-%-drill GROUP: clear_busy\n", ran.out)
    assert.matches("/seen.json\n$", ran.out)
    assert.matches("RAM +ebs:DescribeDiskReplicaGroups, ", ran.err)
    assert.equal(tonumber("600", 8), mode_of(directory .. "/seen.json"))
    assert.equal(tonumber("600", 8), mode_of(directory .. "/seen.jsonl"))
    local file = core.decode(scratch.read(directory .. "/seen.json"))
    assert.equal("alicloud-dr conformance 1", file.format)
    assert.equal("acct-001", file.account)
    assert.equal("signature_status", file.evidence[1].name)
    assert.equal(2, #file.evidence[1].calls)
  end)

  it("announces every call in the journal before it is sent", function()
    local desk, run, directory = sit()
    run()
    local calls, answers, last = 0, 0, nil
    for line in scratch.read(directory .. "/seen.jsonl"):gmatch "[^\n]+" do
      local record = core.decode(line)
      if record.call then calls, last = calls + 1, record.n end
      if record.answer then
        answers = answers + 1
        assert.equal(last, record.n)
      end
    end
    assert.equal(#desk:requests(), calls)
    assert.equal(calls, answers)
  end)

  it("tells what is otherwise, what it means, and ends with 1", function()
    local _, run = sit { assume = { page_bounds = "clamp" } }
    local ran = run()
    assert.equal(1, ran.code)
    assert.truthy(ran.out:find("\n  otherwise than assumed\n"
      .. "    page_bounds = clamp   (assumed: refuse)\n"
      .. "      MaxResults=501 clamp, PageSize=101 clamp, MaxResults=0 clamp\n"
      .. "      page sizes out of bounds end otherwise\n", 1, true), ran.out)
    local object = select(2, sit { assume = { page_bounds = "clamp" } })("--json").object
    assert.same({ 1, "clamp" }, { object.exit, object.assume.page_bounds })
  end)

  it("fits a terminal", function()
    local _, run = sit { tty = true, columns = 80, assume = { page_bounds = "clamp" } }
    local ran = run("--burst", "--drill", "pg-orders", "--yes")
    for line in (ran.out .. ran.err):gmatch "[^\r\n]+" do
      local is_path = line:find("/seen.json", 1, true)
      assert.is_true(is_path ~= nil or width.of(line:gsub("\27%[[%d;]*%a", "")) <= 80, line)
    end
  end)

  it("writes over nothing", function()
    local desk, run, directory = sit()
    scratch.write(directory .. "/seen.json", "mine")
    local ran = run()
    assert.equal(2, ran.code)
    assert.matches("%-%-output: .*/seen.json is there already; allowed: a new file", ran.err)
    assert.same({}, desk:requests())
    assert.equal("mine", scratch.read(directory .. "/seen.json"))
  end)

  it("asks nobody's consent in vain, and sends nothing without it", function()
    local _, unasked = sit()
    local ran = unasked("--drill", "pg-orders")
    assert.equal(2, ran.code)
    assert.matches("%-%-yes: is missing and there is no terminal to type the group id on", ran.err)
    local desk, run = sit { input_tty = true, typed = { "pg-other" } }
    ran = run("--drill", "pg-orders")
    assert.equal(1, ran.code)
    assert.matches("Type the group id to go on: ", ran.err)
    assert.matches("not confirmed, nothing was sent", ran.err)
    assert.same({}, desk:requests())
  end)

  it("starts a drill and clears it, once its group was typed", function()
    local desk, run = sit { input_tty = true, typed = { "pg-orders" } }
    local ran = run("--drill", "pg-orders")
    assert.equal(0, ran.code, ran.out .. ran.err)
    assert.matches("drill +minutes; one pay%-as%-you%-go disk", ran.err)
    assert.equal(1, actions(desk).StartReplicaGroupDrill)
    assert.equal(2, actions(desk).ClearReplicaGroupDrill)
    assert.equal(0, #desk.bench.emu.world.drills)
    assert.matches("clear_busy", ran.out)
  end)

  it("says how to clear a drill that it could not clear", function()
    local _, run = sit { faults = { { match = { action = "ClearReplicaGroupDrill", after = 0 },
      effect = { error = { code = "InternalError" } } } } }
    local ran = run("--drill", "pg-orders", "--yes")
    assert.matches("left behind, clear it with: alicloud%-dr drill clear pg%-orders "
      .. "pg%-drill%S+ %-%-region cn%-shanghai\n", ran.err)
  end)

  it("reaches the same host with the command that clears a drill", function()
    local _, run = sit { faults = { { match = { action = "ClearReplicaGroupDrill", after = 0 },
      effect = { error = { code = "InternalError" } } } } }
    local one = run("--drill", "pg-orders", "--yes", "--endpoint", "http://127.0.0.1:9")
    assert.matches("drill clear pg%-orders pg%-drill%S+ %-%-region cn%-shanghai "
      .. "%-%-endpoint http://127.0.0.1:9\n", one.err)
    local _, again = sit { faults = { { match = { action = "ClearReplicaGroupDrill", after = 0 },
      effect = { error = { code = "InternalError" } } } } }
    local two = again("--drill", "pg-orders", "--yes", "--endpoint",
      "cn-hangzhou=http://127.0.0.1:8,cn-shanghai=http://127.0.0.1:9")
    assert.matches("drill clear pg%-orders pg%-drill%S+ %-%-region cn%-shanghai "
      .. "%-%-endpoint http://127.0.0.1:9\n", two.err)
  end)

  it("takes a region that does not exist for no finding", function()
    local desk, _, directory = sit()
    local ran = desk:run("conformance", "--region", "nowhere", "--output",
      directory .. "/none.json")
    assert.equal(3, ran.code, ran.out)
    assert.matches("does not know the region nowhere", ran.err)
    assert.is_nil(ran.err:find("go on with", 1, true))
  end)

  it("refuses what a run that goes on would ignore", function()
    local desk, run, directory = sit()
    run()
    local sent = #desk:requests()
    for _, words in ipairs { { "--burst" }, { "--drill", "pg-orders" },
      { "--region", "cn-beijing" } } do
      local ran = desk:run("conformance", "--continue", directory .. "/seen.jsonl", words[1],
        words[2])
      assert.equal(2, ran.code)
      assert.truthy(ran.err:find(words[1] .. ": does not go with --continue", 1, true), ran.err)
    end
    assert.equal(sent, #desk:requests())
  end)

  it("needs no cleaning where nothing was made", function()
    local desk, run, directory = sit()
    run()
    local ran = desk:run("conformance", "--cleanup", directory .. "/seen.jsonl", "--yes")
    assert.equal(0, ran.code, ran.err)
    assert.matches("nothing of the run is left\n$", ran.out)
    assert.is_nil(ran.err:find("go on with", 1, true))
  end)

  it("records what was made by hand, too", function()
    local desk, run, directory = sit()
    assert.equal(0, run("--record", directory .. "/night.rec").code)
    local recorded, text = 0, scratch.read(directory .. "/night.rec")
    for line in text:gmatch "[^\n]+" do
      if core.decode(line).action then recorded = recorded + 1 end
    end
    assert.equal(#desk:requests(), recorded)
    assert.matches('"action":"DescribeNothingOfThisKind"', text)
    assert.is_nil(text:find("pg-orders", 1, true))
  end)

  it("looks at throttling only if it is told to", function()
    local desk, run = sit { assume = { throttle = "minute" } }
    local ran = run("--burst", "--yes")
    assert.equal(1, ran.code)
    assert.matches("throttle = minute", ran.out)
    assert.equal(120, actions(desk).DescribeDiskReplicaPairProgress)
  end)

  it("ends with 3 and the command that goes on, where nobody answers", function()
    local _, run = sit { transport = { send = function() return { failure = "connect",
      sent = false, detail = "refused" } end } }
    local ran = run()
    assert.equal(3, ran.code)
    assert.matches("nothing could be told: ", ran.err)
    assert.matches("go on with: alicloud%-dr conformance %-%-continue %S+/seen.jsonl\n", ran.err)
  end)

  it("goes on after it was stopped at any call, and finds the same", function()
    local whole = select(2, sit())("--json").object
    for _, count in ipairs { 3, 10, 20, 30, 38 } do
      local desk, run, directory = sit()
      desk.given.transport = cut_after(desk, count)
      local ran = run()
      assert.equal(130, ran.code, ran.err)
      assert.matches("go on with: alicloud%-dr conformance %-%-continue ", ran.err)
      desk.given.transport = nil
      local before = journals.read(scratch.read(directory .. "/seen.jsonl"))
      ran = desk:run("conformance", "--continue", directory .. "/seen.jsonl", "--json")
      assert.equal(0, ran.code, ran.out .. ran.err)
      assert.same(whole.assume, ran.object.assume)
      if count > 20 then assert.is_true(next(before.decided) ~= nil) end
      assert.is_true(ran.object.calls <= whole.calls)
      if count == 38 then assert.is_true(ran.object.calls < whole.calls / 2, ran.object.calls) end
    end
  end)

  it("clears the drill of a run that was killed, when it goes on", function()
    local desk, run, directory = sit()
    local real = desk.bench.emu.transport
    desk.given.transport = { send = function(request)
      if request.action == "ClearReplicaGroupDrill" then error("interrupted!", 0) end
      return real.send(request)
    end }
    local ran = run("--drill", "pg-orders", "--yes")
    assert.equal(130, ran.code)
    assert.matches("left behind, clear it with: ", ran.err)
    assert.equal(1, #desk.bench.emu.world.drills)
    desk.given.transport = nil
    ran = desk:run("conformance", "--continue", directory .. "/seen.jsonl", "--yes")
    assert.equal(0, ran.code, ran.out .. ran.err)
    assert.equal(0, #desk.bench.emu.world.drills)
    assert.equal(1, actions(desk).StartReplicaGroupDrill)
  end)

  it("refuses a journal that is none, by line and field", function()
    local desk, _, directory = sit()
    for text, problem in pairs {
      [""] = "it is empty", ["{}\n"] = "line 1, field format: got nothing; allowed: ",
      ["{\n"] = "line 1: JSON: ",
      ['{"format":"alicloud-dr conformance journal 1","region":5}\n'] = "line 1, field ",
    } do
      scratch.write(directory .. "/odd.jsonl", text)
      local ran = desk:run("conformance", "--continue", directory .. "/odd.jsonl")
      assert.equal(2, ran.code)
      assert.truthy(ran.err:find(problem, 1, true), ran.err)
    end
  end)

  it("refuses options that do not fit, and sends nothing", function()
    local desk, run = sit()
    for words, problem in pairs {
      ["--disks d-a=d-b"] = "--disks: got 1 pairs; allowed: three pairs",
      ["--throwaway"] = "--disks: is missing, --throwaway needs it",
      ["--disks d-a=d-b,d-a=d-c,d-d=d-e"] = "--disks: d-a stands twice",
      ["--instance-source i-a"] = "--instance-source: is for --throwaway, which is missing",
      ["--endpoint cn-shanghai=a=b"] = "--endpoint: got ",
      ["--drill a/b"] = "--drill: got ",
    } do
      local list = {}
      for word in words:gmatch "%S+" do list[#list + 1] = word end
      local ran = run(table.unpack(list))
      assert.equal(2, ran.code, words)
      assert.truthy(ran.err:find(problem, 1, true), ran.err)
    end
    assert.same({}, desk:requests())
  end)
end)

describe("alicloud-dr policy conformance", function()
  it("prints what a tier needs", function()
    local ran = desks.new():run("policy", "conformance", "tier=drill", "--json")
    assert.equal(0, ran.code, ran.err)
    assert.same({ "ebs:ClearReplicaGroupDrill", "ebs:DescribeReplicaGroupDrills",
      "ebs:StartReplicaGroupDrill" }, ran.object.policy.Statement[1].Action)
  end)

  it("knows no other tier", function()
    local ran = desks.new():run("policy", "conformance", "tier=all")
    assert.equal(2, ran.code)
    assert.matches('parameter: got "tier=all"; allowed: tier=read, ', ran.err)
  end)
end)
