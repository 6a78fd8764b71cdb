-- What a half-done night is finished with by hand: fence, serve, start, stop.

local after = require "spec.dr.after_lab"
local desks = require "spec.cli.desk"
local lab = require "spec.dr.lab"
local zones = require "spec.dr.zone_lab"

local function given(changes, more)
  local all = { world = after.world(changes) }
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

local function again(desk, ...)
  local words = { ... }
  words[#words + 1], words[#words + 2] = "--region", "cn-shanghai"
  return desk:run(table.unpack(words))
end

local function actions(desk)
  local list = {}
  for i, effect in ipairs(desk:ledger()) do list[i] = effect.action end
  return table.concat(list, " ")
end

local OPEN = { status = "failovered", old = false }

describe("alicloud-dr fence", function()
  it("shows what it would stop and detach, and takes the typed group id", function()
    local ran, desk = desks.once(given(nil, { input_tty = true, typed = { "no" } }), "fence",
      "pg-orders")
    assert.equal(1, ran.code)
    assert.matches("Fence the side in cn%-hangzhou%?", ran.err)
    assert.matches("stop   i%-old %(orders, Running%)", ran.err)
    assert.matches("detach d%-old%-1 on i%-old", ran.err)
    assert.same({}, desk:ledger())
    desk.typed[1] = "pg-orders"
    ran = again(desk, "fence", "pg-orders")
    assert.equal(0, ran.code, ran.err)
    assert.matches("✔ fenced in .*: stopped i%-old; .*detached d%-old%-1, d%-old%-2", ran.out:gsub(
      "detached", "; detached", 1))
    assert.equal("StopInstance DetachDisk DetachDisk", actions(desk))
    assert.matches("already fenced: nothing in cn%-hangzhou", again(desk, "fence", "pg-orders",
      "--yes").out)
  end)

  it("stops a machine that others use only if it is named", function()
    local world = after.world()
    world.groups[2] = { id = "pg-bills", source = "cn-hangzhou/cn-hangzhou-g", status = "normal",
      destination = "cn-shanghai/cn-shanghai-b", pairs = { { source_disk = "d-bills" } } }
    table.insert(world.disks, { id = "d-bills", place = "cn-hangzhou/cn-hangzhou-g",
      instance = "i-old" })
    local ran, desk = desks.once({ world = world }, "fence", "pg-orders", "--yes")
    assert.equal(1, ran.code)
    assert.matches("i%-old also has d%-bills of pg%-bills, and would be", ran.err .. ran.out)
    assert.matches("%-%-stop%-shared i%-old", ran.err .. ran.out)
    assert.same({}, desk:ledger())
    ran = again(desk, "fence", "pg-orders", "--yes", "--stop-shared", "i-old")
    assert.equal(0, ran.code, ran.err)
    assert.equal("StopInstance DetachDisk DetachDisk", actions(desk))
    ran = again(desk, "fence", "pg-orders", "--yes", "--stop-shared", "i old")
    assert.equal(2, ran.code)
  end)

  it("leaves disks attached, or cuts the power, where that is asked for", function()
    local ran, desk = desks.once(given(), "fence", "pg-orders", "--yes", "--no-detach", "--force",
      "--json")
    assert.equal(0, ran.code, ran.err)
    assert.same({ "fenced", "i-old", {} }, { ran.object.outcome, ran.object.stopped[1],
      ran.object.detached })
    assert.equal("StopInstance", actions(desk))
    local asked = given(nil, { input_tty = true, typed = { "no" } })
    assert.matches("cut the power of   i%-old", desks.once(asked, "fence", "pg-orders",
      "--force").err)
  end)

  it("tells what was done before it failed, and the command that goes on", function()
    local ran = desks.once(given(nil, { faults = { after.fault("DetachDisk",
      lab.answer("OperationDenied", 403)) } }), "fence", "pg-orders", "--yes", "--force")
    assert.equal(1, ran.code)
    assert.matches("done so far: stopped i%-old", ran.out)
    assert.matches("go on:  alicloud%-dr fence pg%-orders %-%-region cn%-shanghai %-%-force\n",
      ran.out)
  end)
end)

describe("alicloud-dr fence that is interrupted", function()
  local function last_seen(pauses)
    local desk = desks.new(given())
    local sleep, calls = desk.bench.emu.runtime.sleep, 0
    desk.bench.emu.runtime.sleep = function(seconds)
      calls = calls + 1
      if calls == pauses then error("main.lua:1: interrupted!", 0) end
      return sleep(seconds)
    end
    local ran = again(desk, "fence", "pg-orders", "--yes")
    assert.equal(130, ran.code)
    return ran.out:match "; last seen: ([^\n]*)"
  end

  it("tells what was seen of the instances and disks", function()
    assert.equal("nothing yet", last_seen(1))
    assert.equal("i-old is Stopping", last_seen(2))
    assert.equal("i-old is Stopped, d-old-1 on i-old (Detaching), d-old-2 on i-old (Detaching)",
      last_seen(8))
  end)
end)

describe("alicloud-dr serve", function()
  it("attaches and starts what it has shown, and says how the old side stands", function()
    local ran, desk = desks.once(given(OPEN, { input_tty = true, typed = { "pg-orders" } }),
      "serve", "pg-orders", "--attach", "i-new")
    assert.equal(0, ran.code, ran.err)
    assert.matches("attach d%-new%-1 to i%-new", ran.err)
    assert.matches("start  i%-new", ran.err)
    assert.matches("✔ serving after .*: attached d%-new%-1, d%-new%-2; started i%-new", ran.out)
    assert.matches("the old side is fenced", ran.out)
    assert.equal("AttachDisk AttachDisk StartInstance", actions(desk))
    ran = again(desk, "serve", "pg-orders", "--attach", "d-new-1:i-new,d-new-2:i-new", "--yes")
    assert.matches("already serving, nothing was sent", ran.out)
  end)

  it("names the command that fences an old side which is not", function()
    local ran = desks.once(given { status = "failovered" }, "serve", "pg-orders", "--attach",
      "d-new-1:i-new", "--attach", "d-new-2:i-new", "--no-start", "--yes")
    assert.equal(0, ran.code, ran.err)
    assert.matches("the old side is not fenced", ran.out)
    assert.matches("next:   alicloud%-dr fence pg%-orders %-%-region cn%-shanghai\n", ran.out)
  end)

  it("refuses what is no instance, or nobody, before anything is read", function()
    for _, words in ipairs { {}, { "--attach", "x y" }, { "--attach", "d-1:i-1,d-1:i-2" } } do
      local ran, desk = desks.once(given(OPEN), "serve", "pg-orders", "--yes",
        table.unpack(words))
      assert.equal(2, ran.code)
      assert.matches("^alicloud%-dr: %-%-attach", ran.err)
      assert.same({}, desk:requests())
    end
  end)

  it("names what goes before the start of a group that is failed over", function()
    local desk = desks.new { group = { status = "failovered" } }
    local ran = desk:run("start", "pg-orders", "--region", "cn-shanghai", "--yes")
    assert.equal(1, ran.code)
    assert.matches("what to do: turn it round first, alicloud%-dr reprotect pg%-orders %-%-region "
      .. "cn%-shanghai, then start it", ran.out)
  end)

  it("is refused before the failover", function()
    local ran, desk = desks.once(given(), "serve", "pg-orders", "--attach", "i-new", "--yes")
    assert.equal(1, ran.code)
    assert.matches("what to do: serve it where it is copied from, cn-hangzhou; to serve it here, "
      .. "fail it over first: alicloud-dr failover pg-orders --region cn-shanghai\n", ran.out, 1,
      true)
    assert.same({}, desk:ledger())
    -- At a terminal the command has a line of its own.
    ran = desks.once(given(nil, { tty = true, columns = 80 }), "serve", "pg-orders", "--attach",
      "i-new", "--yes")
    assert.matches("first:\n +alicloud%-dr failover pg%-orders %-%-region cn%-shanghai\n", ran.out)
  end)
end)

describe("alicloud-dr start and stop", function()
  it("stop and start replication, each with its token and once", function()
    local ran, desk = desks.once(given(), "stop", "pg-orders", "--yes")
    assert.equal(0, ran.code, ran.err)
    assert.matches("✔ replication is stopped: cn%-hangzhou/g → cn%-shanghai/b", ran.out)
    assert.matches("continue with: alicloud%-dr stop pg%-orders .*%-%-client%-token", ran.err)
    assert.matches("is stopped already, nothing was sent", again(desk, "stop", "pg-orders",
      "--yes").out)
    ran = again(desk, "start", "pg-orders", "--yes", "--json")
    assert.equal("started", ran.object.outcome)
    assert.equal("StopDiskReplicaGroup StartDiskReplicaGroup", actions(desk))
  end)

  it("synchronize once", function()
    local ran, desk = desks.once(given { status = "stopped" }, "start", "pg-orders", "--one-shot",
      "--yes")
    assert.equal(0, ran.code, ran.err)
    assert.matches("synchronized once, stopped again", ran.out)
    assert.equal("StartDiskReplicaGroup", actions(desk))
  end)

  it("ask, and say what is overwritten", function()
    local ran, desk = desks.once(given({ status = "stopped" }, { input_tty = true,
      typed = { "" } }), "start", "pg-orders")
    assert.equal(1, ran.code)
    assert.matches("What is on the disks in cn%-shanghai/b will be overwritten", ran.err)
    desk.typed[1] = "no"
    ran = again(desk, "stop", "pg-orders")
    assert.equal(0, ran.code)
    assert.same({}, desk:ledger())
  end)
end)

describe("each of them", function()
  it("needs --yes without a terminal", function()
    for _, words in ipairs { { "fence" }, { "start" }, { "stop" },
      { "serve", "--attach", "i-new" } } do
      local ran, desk = desks.once(given(OPEN), words[1], "pg-orders", table.unpack(words, 2))
      assert.equal(2, ran.code)
      assert.matches("%-%-yes: is missing and there is no terminal", ran.err)
      assert.same({}, desk:requests())
    end
  end)

  it("goes to the side that is said, where the region does not decide", function()
    local desk = desks.new { world = zones.world() }
    local ran = desk:run("stop", zones.ID, "--to", "cn-hangzhou-h", "--yes")
    assert.equal(0, ran.code, ran.err)
    ran = desk:run("fence", zones.ID, "--region", "cn-hangzhou", "--yes")
    assert.equal(2, ran.code)
    assert.matches("Client.DirectionNeeded", ran.out)
    ran = desk:run("fence", zones.ID, "--to", "cn-hangzhou-h", "--yes")
    assert.equal(0, ran.code, ran.err)
  end)

  it("says what is next after a failover and a reprotection", function()
    local ran, desk = desks.once(given { old = false }, "failover", "pg-orders", "--yes")
    assert.is_truthy(ran.out:find("next:   alicloud-dr serve pg-orders --region cn-shanghai "
      .. "--attach INSTANCE\n", 1, true))
    ran = again(desk, "reprotect", "pg-orders", "--yes")
    assert.matches("next:   alicloud%-dr start pg%-orders %-%-region cn%-shanghai\n", ran.out)
  end)
end)
