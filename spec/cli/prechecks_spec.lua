-- `precheck` of a region and of several groups: a line each, and one exit code for all.

local desks = require "spec.cli.desk"

local STATES = { a = "normal", b = "created", c = "normal" }

local function world(changes)
  local groups = {}
  for i, name in ipairs { "a", "b", "c" } do
    groups[i] = { id = "pg-" .. name, name = "group " .. name, pairs = 2, status = STATES[name],
      recover_point_age = 300, source = "cn-hangzhou/cn-hangzhou-g",
      destination = "cn-shanghai/cn-shanghai-b" }
    for field, value in pairs(changes and changes[name] or {}) do groups[i][field] = value end
  end
  return { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups }
end

local FINE = { b = { status = "normal" } }

local function check(changes, ...)
  return desks.once({ world = world(changes) }, "precheck", ...)
end

-- After the listing of the region a group is gone, which was to be looked at again.
local function check_vanishing(...)
  local desk = desks.new { world = world { a = { status = "created" }, b = { status = "normal" } } }
  local emu, listed = desk.bench.emu, false
  desk.given.transport = { send = function(request)
    local exchange = emu.transport.send(request)
    if not listed and request.action == "DescribeDiskReplicaPairs" then
      listed = true
      local group = emu:group "pg-a"
      for _, pair in ipairs(group.pairs) do emu.world:remove("pair", pair) end
      emu.world:remove("group", group)
    end
    return exchange
  end }
  return desk:run("precheck", "--region", "cn-shanghai", ...)
end

describe("alicloud-dr precheck of a region", function()
  it("shows what stands against it first, a line each, and counts", function()
    local ran = check(nil, "--max-rpo", "20m")
    assert.equal(1, ran.code)
    local lines = desks.lines_of(ran.out)
    assert.matches("^  ✘ block    pg%-b  status created; allowed: .*   "
      .. "OperationDenied%.InvalidStatus$", lines[1])
    assert.same({ "  ✔ ok       pg-a  normal, RPO 5m", "  ✔ ok       pg-c  normal, RPO 5m",
      "  of 3: 1 block, 2 ok",
      "    all of one:  alicloud-dr precheck pg-b --region cn-shanghai --max-rpo 20m" },
      { table.unpack(lines, 2) })
    assert.equal("", ran.err)
  end)

  it("has one line for each at a terminal of 80 columns", function()
    local ran = desks.once({ world = world(), tty = true, columns = 80 }, "precheck")
    local shown = ran.out:match "(  ✘ .*)$"
    for line in shown:gmatch "[^\n]+" do assert.is_true(utf8.len(line) <= 80, line) end
    assert.equal(5, #desks.lines_of(shown))
    assert.matches("looking again for 00:15: 1 of 3, the first is pg%-b: status cre", ran.out)
  end)

  it("waits for what may pass for 15 seconds, whether one is asked for or all", function()
    local stopped = { b = { pairs = { {}, { status = "stopped" } }, status = "normal" } }
    for _, words in ipairs { {}, { "pg-b" }, { "pg-a", "pg-b" } } do
      local desk = desks.new { world = world(stopped) }
      local clock = desk.bench.emu.runtime.monotonic
      local began = clock()
      local ran = desk:run("precheck", "--region", "cn-shanghai", table.unpack(words))
      assert.equal(1, ran.code)
      local took = clock() - began
      assert.is_true(took >= 15 and took < 30, took)
      assert.matches("looking again, for up to 12 s: .*group normal, but .- is stopped", ran.err)
      if #words == 1 then
        assert.matches("may pass by itself; a failover waits two minutes for it; to look "
          .. "again:\n    alicloud%-dr precheck pg%-b %-%-region cn%-shanghai\n", ran.out)
      end
    end
  end)

  it("shows at a terminal what it waits for though it is quiet, and mails nothing", function()
    local stopped = { b = { pairs = { {}, { status = "stopped" } }, status = "normal" } }
    local given = { world = world(stopped), tty = true, columns = 80 }
    assert.matches("looking again for 00:15: 1 of 3", desks.once(given, "precheck", "--quiet").out)
    assert.equal("", check(stopped, "--quiet").err)
  end)

  it("ends with 0 where every one could be failed over, and is silent then if it shall", function()
    local ran = check(FINE)
    assert.equal(0, ran.code)
    assert.matches("\n  of 3: 3 ok\n$", ran.out)
    ran = check(FINE, "--quiet")
    assert.same({ 0, "", "" }, { ran.code, ran.out, ran.err })
    ran = check(nil, "--quiet")
    assert.matches("^  ✘ block .-\n  of 3: 1 block, 2 ok\n", ran.out)
    ran = check(FINE, "pg-a", "--quiet")
    assert.same({ 0, "", "" }, { ran.code, ran.out, ran.err })
  end)

  it("lists a region once, and no pair of a group beside it", function()
    local region = world(FINE)
    region.pairs = { { id = "pair-lone", status = "normal", recover_point_age = 300,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b" } }
    for _, verb in ipairs { "precheck", "readiness" } do
      local desk = desks.new { world = region }
      local ran = desk:run(verb, "--region", "cn-shanghai", "--json")
      assert.equal(0, ran.code, ran.err)
      local ids, listings = {}, {}
      for i, line in ipairs(ran.object.groups) do ids[i] = line.group_id end
      assert.same({ "pair-lone", "pg-a", "pg-b", "pg-c" }, ids)
      for _, request in ipairs(desk:requests()) do
        if request.action:find "^DescribeDiskReplica" then
          listings[#listings + 1] = request.action
        end
      end
      assert.same({ "DescribeDiskReplicaGroups", "DescribeDiskReplicaPairs" }, listings)
    end
  end)

  it("holds one limit against all", function()
    local ran = check({ b = { status = "normal" }, c = { recover_point_age = 3000 } },
      "--max-rpo", "20m", "--json")
    assert.same({ 1, false, "block" }, { ran.code, ran.object.ok, ran.object.verdict })
    local verdicts = {}
    for i, group in ipairs(ran.object.groups) do verdicts[i] = group.verdict end
    assert.same({ "ok", "ok", "block" }, verdicts)
    assert.equal("Client.RecoveryPointTooOld", ran.object.groups[3].error.code)
    -- As the pre-check of one tells it, with cures that can be typed.
    local alone = check({ c = { recover_point_age = 3000 } }, "pg-c", "--max-rpo", "20m", "--json")
    assert.same(alone.object.findings, ran.object.groups[3].findings)
    assert.same(alone.object.error, ran.object.groups[3].error)
    assert.matches("%-%-max%-rpo", alone.object.error.hint)
  end)

  it("takes several groups, by their names too, and leaves groups out", function()
    local ran = check(nil, "pg-a", "name:group c")
    assert.same({ 0, 3 }, { ran.code, #desks.lines_of(ran.out) })
    ran = check(nil, "--exclude", "pg-b")
    assert.same({ 0, 3 }, { ran.code, #desks.lines_of(ran.out) })
    ran = check(nil, "--exclude", "pg-*")
    assert.equal(1, ran.code)
    assert.matches('no group is left: %-%-exclude "pg%-%*" leaves out all of pg%-a, pg%-b, pg%-c\n',
      ran.out)
    ran = check(nil, "--exclude", "pg-*", "--json")
    assert.same({ 1, false, 0 }, { ran.code, ran.object.ok, #ran.object.groups })
  end)

  it("says what --exclude has left out where nothing is left, or matches nothing", function()
    for _, verb in ipairs { "precheck", "readiness" } do
      local given = { world = world(FINE) }
      local ran = desks.once(given, verb, "--exclude", "pg-tset-*", "--exclude", "pg-bb")
      assert.equal('alicloud-dr: --exclude: "pg-tset-*" leaves nothing out; cn-shanghai lists '
        .. 'pg-a, pg-b, pg-c\nalicloud-dr: --exclude: "pg-bb" leaves nothing out; did you mean '
        .. 'pg-b?\n',
        (ran.err:gsub(" or .-%?", "?")))
      ran = desks.once(given, verb, "--exclude", "pg-x", "--quiet")
      assert.same({ 0, "" }, { ran.code, ran.err })
      ran = desks.once(given, verb, "pg-a", "pg-c", "--exclude", "pg-b")
      assert.matches('"pg%-b" leaves nothing out; did you mean pg%-', ran.err)
      ran = desks.once(given, verb, "pg-a", "pg-c", "--exclude", "pg-a", "--exclude", "pg-c")
      assert.matches('no group is left: %-%-exclude "pg%-a", %-%-exclude "pg%-c" leaves out all of '
        .. "pg%-a, pg%-c\n", ran.out)
      ran = desks.once(given, verb, "--exclude", "name:group x")
      assert.equal(2, ran.code)
      assert.matches('%-%-exclude: no group of cn%-shanghai is called "group x"; ', ran.err)
      ran = desks.once({ world = { regions = { "cn-hangzhou", "cn-shanghai" }, groups = {} } },
        verb, "--exclude", "pg-b")
      assert.matches("no group fails over to cn%-shanghai\n", ran.out)
    end
  end)

  it("says of a group that is named and not there that the command line is wrong", function()
    local ran = check(FINE, "pg-a", "pg-nobody")
    assert.equal(2, ran.code)
    assert.matches("✘ block    pg-nobody  pg-nobody is on neither site of cn-shanghai   "
      .. "NoSuchResource", ran.out, 1, true)
    local near = { c = { id = "pg-payments" } }
    assert.matches('pg-paymnets is on neither site of cn-shanghai; did you mean "pg-payments"?',
      check(near, "pg-a", "pg-paymnets").out, 1, true)
    -- What else stands in the way weighs more.
    assert.equal(1, check(nil, "pg-b", "pg-x").code)
  end)

  it("does not take a group that vanishes for a slip of the hand", function()
    local ran = check_vanishing("--json")
    assert.same({ 1, "block", "ok", "ok" }, { ran.code, ran.object.groups[1].verdict,
      ran.object.groups[2].verdict, ran.object.groups[3].verdict })
    assert.equal("NoSuchResource", ran.object.groups[1].error.code)
  end)

  it("fails where nobody answers, whether or not groups are named", function()
    for _, words in ipairs { { "precheck" }, { "precheck", "pg-a", "pg-b" } } do
      local desk = desks.new { world = world() }
      desk.bench.emu:region("cn-shanghai", "down")
      table.move({ "--region", "cn-shanghai", "--json" }, 1, 3, #words + 1, words)
      local ran = desk:run(table.unpack(words))
      assert.equal(1, ran.code)
      local err = ran.object.error or ran.object.groups[2].error
      assert.equal("network", err.kind)
    end
  end)

  it("refuses what cannot be meant", function()
    for _, case in ipairs {
      { "--exclude", "*", "%-%-exclude: got \"%*\"" },
      { "pg-a", "pg b", "pg b" },
      { "pg-a", "--exclude", "pg-b", "%-%-exclude: got one group as well" },
      { "--max-rpo", "soon", "%-%-max%-rpo" },
      { "--max-drill-age", "1d", "max%-drill%-age" },
    } do
      local ran = check(nil, table.unpack(case, 1, #case - 1))
      assert.equal(2, ran.code)
      assert.matches(case[#case], ran.err)
    end
  end)
end)
