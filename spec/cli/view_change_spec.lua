local after = require "spec.dr.after_lab"
local desks = require "spec.cli.desk"

local function run(given, ...)
  local desk = desks.new(given)
  local words = { ... }
  words[#words + 1], words[#words + 2] = "--region", "cn-shanghai"
  return desk:run(table.unpack(words)), desk
end

local function again(desk, ...)
  local words = { ... }
  words[#words + 1], words[#words + 2] = "--region", "cn-shanghai"
  return desk:run(table.unpack(words))
end

local function world(changes) return { world = after.world(changes) } end

local OPEN = { status = "failovered", old = false }

describe("alicloud-dr reprotect", function()
  it("shows direction, progress, old side, request id and token", function()
    local ran, desk = run(world(OPEN), "reprotect", "pg-orders", "--yes")
    assert.equal(0, ran.code, ran.err)
    assert.matches("reprotect   accepted, request id %x+", ran.out)
    assert.matches("reprotect   reprotecting, pairs: 2 reprotecting", ran.out)
    assert.matches("✔ reprotected in %d+ s: cn%-shanghai/b → cn%-hangzhou/g, stopped", ran.out)
    assert.matches("old side: d%-old%-1 %(Available%)", ran.out)
    assert.matches("continue with: alicloud%-dr reprotect pg%-orders .*%-%-client%-token", ran.err)
    assert.equal(1, #desk:ledger())
    ran = again(desk, "reprotect", "pg-orders", "--yes")
    assert.equal(0, ran.code)
    assert.matches("already so: cn%-shanghai/b → cn%-hangzhou/g, stopped, nothing was sent",
      ran.out)
  end)

  it("asks for the group id, naming what is overwritten", function()
    local given = world(OPEN)
    given.input_tty, given.typed = true, { "no" }
    local ran, desk = run(given, "reprotect", "pg-orders")
    assert.equal(1, ran.code)
    assert.matches("The disks in cn%-hangzhou/g will be overwritten", ran.err)
    assert.same({}, desk:ledger())
    given.typed = { "pg-orders" }
    ran = run(given, "reprotect", "pg-orders", "--cancel")
    assert.equal(0, ran.code)
    assert.matches("What was written in cn%-shanghai/b since will be overwritten", ran.err)
  end)

  it("refuses attached disks by name, exit code 1, in words and as JSON", function()
    local ran, desk = run(world { status = "failovered" }, "reprotect", "pg-orders", "--yes")
    assert.equal(1, ran.code)
    assert.matches("refused, nothing was sent Client%.OldSideInUse", ran.out)
    assert.matches("d%-old%-1 on i%-old %(orders, Running%)", ran.out)
    ran = again(desk, "reprotect", "pg-orders", "--yes", "--json")
    assert.equal("Client.OldSideInUse", ran.object.error.code)
    assert.equal("i-old", ran.object.error.old_side.disks[1].hosts[1].id)
    assert.same({}, desk:ledger())
  end)

  it("ends with 3 when the outcome is unknown, and tells how to go on", function()
    local given = world(OPEN)
    given.faults = { after.fault("ReprotectDiskReplicaGroup", { drop = true }, "before", 99) }
    local ran = run(given, "reprotect", "pg-orders", "--yes", "--old-side", "stopped")
    assert.equal(3, ran.code)
    assert.matches("go on:  alicloud%-dr reprotect pg%-orders %-%-region cn%-shanghai "
      .. "%-%-client%-token %x+ %-%-old%-side stopped", ran.out)
  end)

  it("prints one JSON object", function()
    local ran = run(world(OPEN), "reprotect", "pg-orders", "--yes", "--json")
    assert.equal("reprotected", ran.object.outcome)
    assert.is_true(ran.object.old_side.known)
    assert.equal(0, ran.object.exit)
  end)

  it("refuses wrong words before anything is asked", function()
    for _, words in ipairs { { "--old-side", "free" }, { "--timeout", "soon" },
      { "--client-token", "" }, { "--incident", "a", "--client-token", "b" } } do
      local ran, desk = run(world(OPEN), "reprotect", "pg-orders", "--yes",
        table.unpack(words))
      assert.equal(2, ran.code)
      assert.same({}, desk:requests())
    end
    assert.equal(2, run(world(OPEN), "reprotect", "pg-orders").code)
  end)
end)

describe("alicloud-dr drill", function()
  it("starts, lists with the cost, and clears", function()
    local ran, desk = run(world(), "drill", "start", "pg-orders", "--yes")
    assert.equal(0, ran.code, ran.err)
    local id = ran.out:match "drill (pg%-drill%-%x+), 2 disks ready"
    assert.is_string(id)
    assert.matches("billed until:  alicloud%-dr drill clear pg%-orders " .. id:gsub("%-", "%%-"),
      ran.out)
    ran = again(desk, "drill", "list")
    assert.matches("2 pay%-as%-you%-go disks are billed", ran.out)
    ran = again(desk, "drill", "list", "pg-orders", "--json")
    assert.equal(id, ran.object.drills[1].drill_id)
    ran = again(desk, "drill", "clear", "pg-orders", id, "--yes")
    assert.equal(0, ran.code)
    assert.matches("and its disks are gone", ran.out)
    assert.matches("no open drill in cn%-shanghai", again(desk, "drill", "list").out)
    ran = again(desk, "drill", "clear", "pg-orders", id, "--yes", "--json")
    assert.same({ 1, "not_open", {} }, { ran.code, ran.object.outcome, ran.object.open })
    assert.equal(2, #desk:ledger())
  end)

  it("says of a drill that is not there that it is not, and which ones are", function()
    local ran, desk = run(world(), "drill", "clear", "pg-orders", "pg-drill-1", "--yes")
    assert.equal(1, ran.code)
    assert.equal("  ✘ drill: pg-orders has no open drill pg-drill-1, nothing was sent; it has "
      .. "none\n    cleared before, or the drill of another group? look:\n"
      .. "    alicloud-dr drill list --region cn-shanghai\n", ran.out)
    again(desk, "drill", "start", "pg-orders", "--yes")
    local id = desk.bench.emu.world.drills[1].id
    ran = again(desk, "drill", "clear", "pg-orders", "pg-drill-1", "--yes")
    assert.equal(1, ran.code)
    assert.matches("no open drill pg%-drill%-1, nothing was sent; it has " .. id:gsub("%-", "%%-")
      .. "\n", ran.out)
    ran = again(desk, "drill", "clear", "pg-orders", "pg-drill-1", "--yes", "--json")
    assert.same({ 1, id }, { ran.code, ran.object.open[1].drill_id })
  end)

  it("lists of one group, and knows a group that is not there", function()
    local ran, desk = run(world(), "drill", "list", "pg-orders")
    assert.same({ 0, "  no open drill of pg-orders in cn-shanghai\n" }, { ran.code, ran.out })
    ran = again(desk, "drill", "list", "pg-order")
    assert.equal(2, ran.code)
    assert.matches("group: pg%-order is not listed in cn%-shanghai; did you mean pg%-orders",
      ran.err)
    ran = again(desk, "drill", "list", "pg-order", "--json")
    assert.same({ 2, "NoSuchResource" }, { ran.code, ran.object.error.code })
  end)

  it("asks, and takes nothing else for a yes", function()
    local given = world()
    given.input_tty, given.typed = true, { "pg-orders", "yes" }
    local ran, desk = run(given, "drill", "start", "pg-orders")
    assert.equal(0, ran.code)
    assert.matches("2 new pay%-as%-you%-go disks are billed", ran.err)
    local id = desk.bench.emu.world.drills[1].id
    ran = again(desk, "drill", "clear", "pg-orders", id)
    assert.equal(1, ran.code)
    assert.matches("Its 2 disks and what is on them are deleted", ran.err)
    assert.equal(1, #desk:ledger())
  end)

  it("is told what is missing", function()
    for _, words in ipairs { { "start" }, { "clear" }, { "clear", "pg-orders" }, { "stop" },
      { "start", "pg-orders", "pg-drill-1" } } do
      local ran, desk = run(world(), "drill", table.unpack(words))
      assert.equal(2, ran.code)
      assert.same({}, desk:requests())
    end
  end)

  it("tells an interrupt with what was seen last", function()
    local given = world()
    given.input_tty = true
    local desk = desks.new(given)
    desk.typed = setmetatable({}, { __len = function() error("stdin:1: interrupted!", 0) end })
    local ran = again(desk, "drill", "start", "pg-orders")
    assert.equal(130, ran.code)
    assert.matches("nothing was sent", ran.out)
  end)
end)

describe("alicloud-dr readiness", function()
  it("prints one line per group and ends with 0, 1 or 2", function()
    local ran = run(world(), "readiness", "--max-rpo", "20m")
    assert.equal(0, ran.code)
    assert.matches("^  ✔ ok    pg%-orders %(orders%)  cn%-hangzhou/g → cn%-shanghai/b  normal  "
      .. "RPO 7m12s\n$", ran.out)
    ran = run(world { status = "stopped" }, "readiness", "pg-orders")
    assert.equal(1, ran.code)
    assert.matches("! warn  pg%-orders .*replication is stopped", ran.out)
    ran = run(world(), "readiness", "--max-rpo", "5m")
    assert.equal(2, ran.code)
    assert.matches("✘ fail  pg%-orders .*RPO 7m12s > 5m", ran.out)
  end)

  it("prints one JSON object", function()
    local ran = run(world(), "readiness", "--max-rpo", "5m", "--json")
    assert.equal(2, ran.object.exit)
    assert.equal("fail", ran.object.verdict)
    assert.equal("Client.RecoveryPointTooOld", ran.object.groups[1].code)
    assert.equal("pg-orders", ran.object.groups[1].group.group_id)
  end)

  it("leaves out what is excluded, and is silent about what is ok where it is to be", function()
    local given = world()
    given.world.groups[2] = after.world({ id = "pg-test-1", name = "probe", pairs = 1,
      status = "stopped" }).groups[1]
    assert.equal(1, run(given, "readiness").code)
    for _, word in ipairs { "pg-test-1", "pg-test-*", "name:probe" } do
      local ran = run(given, "readiness", "--exclude", word, "--quiet")
      assert.equal(0, ran.code, ran.err)
      assert.equal("", ran.out)
    end
    local ran = run(given, "readiness", "--quiet")
    assert.equal(1, ran.code)
    assert.matches("^  ! warn  pg%-test%-1", ran.out)
    assert.is_nil(ran.out:find("pg-orders", 1, true))
    assert.matches("%-%-exclude: got \"%*\"", run(given, "readiness", "--exclude", "*").err)
  end)

  it("ends with 3 when nothing can be read, and with 2 when there is nothing", function()
    local given = world()
    given.faults = { after.fault("DescribeDiskReplicaGroups", { drop = true }, "before", 99) }
    assert.equal(3, run(given, "readiness").code)
    local ran = run({ world = { regions = { "cn-shanghai" } } }, "readiness")
    assert.equal(2, ran.code)
    assert.matches("no group fails over to cn%-shanghai", ran.out)
  end)
end)
