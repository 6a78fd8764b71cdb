-- Fleets at the command line, over a real etcd, its gateway and real sockets. The cloud is the
-- emulator, on its virtual clock.

local controllers = require "spec.cli.controller"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"
local widths = require "alicloud.cli.width"
local worlds = require "spec.worlds"

local check, words_of = controllers.check, controllers.words_of

-- The machine of a controller, with a store of its own.
local function controller(count, given, script)
  local all = { world = worlds.of_groups(count), tty = true, columns = 80 }
  for name, value in pairs(given or {}) do all[name] = value end
  local desk, file = controllers.new(script or false, all)
  desk.env.ALICLOUD_DR_ACCOUNT = "100001"
  return desk, file
end

-- A playbook of one's own.
local SCRIPT = [[
local dr = require "alicloud.dr"
return dr.playbook("move", { params = {
  { name = "group", type = "id", required = true, help = "which" },
  { name = "region", type = "region", required = true, help = "where" },
} }, function(run)
  local group = run:group(run.params.group, { region = run.params.region })
  run:step("promote", { point_of_no_return = true }, function() return group:failover {} end)
end)]]

local FAULT = { match = { action = "FailoverDiskReplicaGroup", group = "pg-01", count = 1 },
  effect = { error = { code = "Forbidden", status = 403 } } }

describe("alicloud-dr fleet", function()
  check("makes a fleet, takes its items, and shows them", function()
    local desk = controller(6)
    local ran = desk:run("fleet", "night", "groups=all", "region=cn-shanghai", "--yes")
    assert.equal(0, ran.code, ran.err .. ran.out)
    assert.matches("✔ 100001/pg%-01 ", ran.out)
    assert.matches("night   failover, stage 2 of 2   of 6: 6 done\n", ran.out)
    assert.equal(6, #desk:ledger())
    assert.matches("\r\27%[K  ⠹ 0 of 6 done, 1 under way, %d+ of 30 calls a second\r", ran.out)
    -- What is written over is a line of its own.
    for _, line in ipairs(desks.lines_of((ran.out:gsub("\r\27%[K", "\n")))) do
      assert.is_true(line:find "alicloud%-dr" ~= nil or widths.of(line) <= 80, line)
    end
    -- The same words, and the name alone, find that nothing is left.
    ran = desk:run("fleet", "night", "groups=all", "region=cn-shanghai", "--yes")
    assert.equal(0, ran.code, ran.err)
    assert.equal(0, desk:run("fleet", "night", "--region", "cn-shanghai", "--yes").code)
    assert.equal(6, #desk:ledger())
    ran = desk:run("fleet", "night", "groups=pg-01", "region=cn-shanghai", "--yes")
    assert.equal(1, ran.code)
    assert.matches('it was begun with words%.groups %["all"%], not with %["pg%-01"%] %[out',
      (ran.err:gsub("%s+", " ")))
    local join = ran.err:match "join it as it is:%s+(alicloud%-dr fleet .-), or give another name"
    assert.equal(0, desk:run(words_of(join)).code)
    ran = desk:run("fleet", "night", "--status", "--json")
    assert.same({ 0, 6, 6, "done" }, { ran.code, ran.object.count, ran.object.done,
      ran.object.items[1].state })
  end)

  check("shows who goes before whom before it asks", function()
    local desk = controller(20, { input_tty = true, typed = { "no" } })
    local ran = desk:run("fleet", "night", "groups=all", "region=cn-shanghai",
      "--tier", "1:pg-*4,2:pg-*3")
    assert.equal(2, ran.code)
    assert.matches("  stage 1 %(canary%), 1 group: 100001/pg%-04\n"
      .. "  stage 2, 1 group: 100001/pg%-14\n"
      .. "  stage 3, 2 groups: 100001/pg%-03, 100001/pg%-13\n"
      .. "  stage 4, 16 groups: 100001/pg%-01, 100001/pg%-02, [^\n]*…\n"
      .. "  night moves 20 groups ", ran.err)
    for _, line in ipairs(desks.lines_of(ran.err:match "^(.-)  night moves")) do
      assert.is_true(widths.of(line) <= 80, line)
    end
  end)

  check("shows who goes where all go at once", function()
    local desk = controller(4, { input_tty = true, typed = { "no" } })
    local ran = desk:run("fleet", "night", "groups=all", "region=cn-shanghai", "--canary", "0")
    assert.matches("  at once, 4 groups: 100001/pg%-01, 100001/pg%-02, 100001/pg%-03, "
      .. "100001/pg%-04\n  night moves 4 groups ", ran.err)
  end)

  check("prints commands that work when it stops", function()
    local desk = controller(6, { faults = { FAULT } })
    local ran = desk:run("fleet", "night", "groups=all", "region=cn-shanghai", "--yes")
    assert.equal(1, ran.code, ran.out)
    local flat = ran.err:gsub("%s+", " ")
    assert.matches("on hold: the canary 100001/pg%-01 failed: Forbidden", flat)
    assert.equal(0, #desk:ledger())
    local status = flat:match "see what has failed: (alicloud%-dr fleet [^;]*%-%-status);"
    ran = desk:run(words_of(status))
    assert.equal(0, ran.code, ran.err)
    local why = ran.out:match "why:    (alicloud%-dr explain [^\n]*)\n"
    assert.matches("Forbidden", desk:run(words_of(why)).out)
    -- Whoever looks at the run alone is led to its fleet, which may be on hold.
    local going = desk:run("runs").out:match "go on:  ([^\n]*)\n"
    assert.matches("^alicloud%-dr fleet night .* %-%-again 100001/pg%-01$", going)
    assert.is_true(desk:run(words_of(why)).out:find(going, 1, true) ~= nil)
    local again = ran.out:match "again:  (alicloud%-dr fleet [^\n]*)\n"
    assert.equal(0, desk:run(words_of(again)).code)
    local release = flat:match "let it go on: (alicloud%-dr fleet [^,]*%-%-release),"
    assert.equal(0, desk:run(words_of(release)).code)
    local take = flat:match "take items: (alicloud%-dr fleet .-) *$"
    ran = desk:run(words_of(take))
    assert.equal(0, ran.code, ran.err .. ran.out)
    assert.equal(6, #desk:ledger())
  end)

  check("leads from the run of a group that was left out to the command that takes it", function()
    local desk = controller(2)
    desk.bench.emu:group "pg-02".status = "created"
    local ran = desk:run("fleet", "night", "groups=all", "region=cn-shanghai", "--yes")
    assert.matches("- 100001/pg%-02 +left out:", ran.out)
    local going = desk:run("runs", "--open").out:match "go on:  ([^\n]*)\n"
    desk.bench.emu:group "pg-02".status = "normal"
    assert.equal(0, desk:run(words_of(going)).code)
    assert.equal(0, desk:run("fleet", "night", "--yes").code)
    assert.equal(2, #desk:ledger())
  end)

  check("joins by the name alone, in the region of the fleet", function()
    local desk = controller(3)
    assert.equal(0, desk:run("fleet", "night", "groups=all", "region=cn-shanghai", "--yes").code)
    desk:run("fleet", "night", "--hold", "wait")
    local ran = desk:run("fleet", "night", "--release")
    assert.equal(0, ran.code, ran.err)
    assert.equal(0, desk:run("fleet", "night", "--yes").code)
    desk = controller(3)
    desk.given.input_tty, desk.typed = true, { "no" }
    desk:run("fleet", "night", "groups=all", "region=cn-shanghai", "--workers", "2")
    local take = desk:run("fleet", "night", "--status").out:match "take what is open:  ([^\n]*)\n"
    assert.matches("%-%-region cn%-shanghai$", take)
    desk.typed = { "night" }
    assert.equal(0, desk:run(words_of(take)).code)
    assert.equal(3, #desk:ledger())
  end)

  check("repeats what was typed in the command that goes on, and says what it lacks", function()
    local desk, file = controller(3, { faults = { FAULT } }, SCRIPT)
    assert(os.execute("chmod 666 " .. file))
    local typed = { "--playbook", file, "--trust-file", file, "--incident", "flood",
      "--wait-for-cloud", "1h", "--yes" }
    local ran = desk:run("fleet", "night", "groups=all", "region=cn-shanghai", table.unpack(typed))
    assert.equal(1, ran.code, ran.out)
    local take = ran.err:match "take items:%s+(alicloud%-dr fleet [^\n]*)"
    assert.matches("%-%-incident flood .*%-%-wait%-for%-cloud 1h ", take)
    assert.equal(0, desk:run("fleet", "night", "--release").code)
    assert.equal(0, desk:run("fleet", "night", "--again", "all").code)
    -- The machine that takes them has the playbook elsewhere.
    local elsewhere = file .. ".elsewhere"
    assert(os.rename(file, elsewhere))
    ran = desk:run("fleet", "night", "--yes")
    assert.equal(2, ran.code)
    local go_on = ran.err:match "which is not there:%s+(alicloud%-dr fleet [^\n]* PATH)"
    assert.equal(0, desk:run(words_of((go_on:gsub("PATH", elsewhere)) .. " --trust-file "
      .. elsewhere .. " --workers 1")).code)
    assert(os.rename(elsewhere, file))
    -- As it was printed: without --trust-file it would be refused.
    assert.equal(0, desk:run(words_of(take)).code)
    assert.equal(3, #desk:ledger())
  end)

  check("holds the patterns of tiers against names, and refuses those that take nobody", function()
    local given = worlds.of_groups(4)
    for i, group in ipairs(given.groups) do group.name = (i > 2 and "db-" or "app-") .. i end
    for _, groups in ipairs { "all", "pg-01,pg-02,pg-03,pg-04" } do
      local desk = controller(4, { world = given })
      local ran = desk:run("fleet", "night", "groups=" .. groups, "region=cn-shanghai", "--yes",
        "--tier", "1:db-*,2:app-*", "--canary", "0")
      assert.equal(0, ran.code, ran.err .. ran.out)
      assert.matches("stage 2 of 2", ran.out)
      assert.matches("^pg%-0[34]$", desk:ledger()[1].group)
      assert.matches("^pg%-0[34]$", desk:ledger()[2].group)
      ran = desk:run("fleet", "day", "groups=" .. groups, "region=cn-shanghai", "--yes",
        "--tier", "1:db-*,2:web-*")
      assert.equal(2, ran.code)
      assert.matches("2:web%-%*, which takes no group", (ran.err:gsub("%s+", " ")))
    end
  end)

  check("asks for the name of the fleet, and is not begun without", function()
    local desk = controller(3)
    local ran = desk:run("fleet", "night", "groups=all", "region=cn-shanghai")
    assert.equal(2, ran.code)
    assert.matches("%-%-yes: is missing", ran.err)
    desk.given.input_tty, desk.typed = true, { "nacht" }
    ran = desk:run("fleet", "night", "groups=all", "region=cn-shanghai")
    assert.equal(2, ran.code)
    assert.equal(0, #desk:ledger())
    desk.typed = { "night" }
    assert.equal(0, desk:run("fleet", "night", "--region", "cn-shanghai").code)
    assert.equal(3, #desk:ledger())
  end)

  check("holds and releases by name", function()
    local desk = controller(3)
    local ran = desk:run("fleet", "night", "--hold", "wait")
    assert.equal(1, ran.code)
    assert.matches("there is no such fleet", ran.err)
    desk:run("fleet", "night", "groups=all", "region=cn-shanghai")
    ran = desk:run("fleet", "night", "--hold", "wait for the network")
    assert.equal(0, ran.code, ran.err)
    assert.matches("on hold since .*wait for the network %(by operator%)", ran.out)
    ran = desk:run("fleet", "night", "--region", "cn-shanghai", "--yes", "--json")
    assert.same({ 1, "Client.FleetHeld" }, { ran.code, ran.object.error.code })
    assert.equal(0, desk:run("fleet", "night", "--release").code)
    assert.equal(0, desk:run("fleet", "night", "--region", "cn-shanghai", "--yes").code)
  end)

  check("writes one report over all groups", function()
    local desk = controller(3)
    assert.equal(0, desk:run("fleet", "night", "groups=all", "region=cn-shanghai", "--yes").code)
    local file = scratch.directory() .. "/night.html"
    local ran = desk:run("fleet", "night", "--report", file)
    assert.equal(0, ran.code, ran.err)
    assert.is_true(ran.out:find("  report: " .. file .. "\n", 1, true) ~= nil)
    local page = scratch.read(file)
    assert.matches("All done", page)
    assert.matches("#night%.100001%.pg%-02", page)
    ran = desk:run("fleet", "night", "--report", "night.pdf")
    assert.equal(2, ran.code)
    assert.matches("allowed: a file that ends in .html, .md or .json", (ran.err:gsub("%s+", " ")))
  end)

  check("tells of every run of it, with its item", function()
    local desk, path = controller(2), scratch.path ".ndjson"
    local ran = desk:run("fleet", "night", "groups=all", "region=cn-shanghai", "--yes", "--events",
      path)
    assert.equal(0, ran.code, ran.err)
    local ends, types, last = {}, {}, nil
    for i, line in ipairs(desks.lines_of(scratch.read(path))) do
      local event = core.decode(line)
      assert.equal(i, event.seq)
      if event.type == "headway" then last = event else types[#types + 1] = event.type end
      if event.type == "finished" then ends[event.item] = true end
    end
    assert.same({ ["100001/pg-01"] = true, ["100001/pg-02"] = true }, ends)
    assert.same({ "begin", "item", "end" }, { types[1], types[#types - 1], types[#types] })
    assert.same({ 2, 2, true }, { last.count, last.done, last.last })
  end)

  check("refuses what was mistyped", function()
    local desk = controller(3)
    for pattern, words in pairs {
      ["%-%-workers: got \"many\""] = { "groups=all", "region=cn-shanghai", "--workers", "many" },
      ["name: got \"a b\""] = { "groups=all", "region=cn-shanghai", name = "a b" },
      ["groups: is missing"] = { "region=cn-shanghai" },
      ["groups: got all beside names"] = { "groups=all,pg-01", "region=cn-shanghai" },
      ["but an option here: %-%-tier '1:db%-%*'"] = { "groups=all", "region=cn-shanghai",
        "tier=1:db-*" },
      ["cannot be given together"] = { "--hold", "x", "--release" },
      ["%-%-accounts: got \"100001\""] = { "--accounts", "100001", "--region", "cn-shanghai" },
      ["groups: got .100002/pg%-01., and 100002 is no account"] = { "groups=100002/pg-01",
        "region=cn-shanghai" },
    } do
      local ran = desk:run("fleet", words.name or "night", "--yes", table.unpack(words))
      assert.equal(2, ran.code, ran.err)
      assert.matches(pattern, (ran.err:gsub("%s+", " ")))
    end
    desk.env.ALICLOUD_DR_STORE = nil
    assert.matches("%-%-store: is missing", desk:run("fleet", "night", "--status").err)
  end)
end)
