-- Ready playbooks at a desk: by name, listed, copied, planned, resumed.

local after = require "spec.dr.after_lab"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"

local function room(world)
  return (desks.room(false, { world = world or after.world() }))
end

describe("alicloud-dr run NAME", function()
  it("runs a ready playbook in the region of its parameter", function()
    local desk = room()
    local ran = desk:run("run", "-y", "failover", "group=pg-orders", "region=cn-shanghai",
      "max_rpo=20m", "attach=i-new", "verify=true")
    assert.equal(0, ran.code, ran.err)
    assert.matches("✔ promote", ran.out)
    assert.matches("✔ service answers", ran.out)
    assert.matches("✔ completed, RTO ", ran.out)
    assert.matches("/failover%-%x+%-1%.jsonl", ran.out)
  end)

  it("says once what it looks again for, so that nobody waits before a silent terminal", function()
    local world = after.world()
    world.groups[1].pairs[2].status = "stopped"
    local ran = room(world):run("run", "-y", "failover", "group=pg-orders", "region=cn-shanghai")
    assert.equal(1, ran.code)
    local _, times = ran.out:gsub("\n    check looks again, for 2m at most: group normal, but "
      .. "pair%-2 is stopped\n", "")
    assert.equal(1, times, ran.out)
  end)

  it("goes on by its name with a run that a person has to decide about", function()
    local desk = room(after.world { recover_point_age = 7200 })
    local words = { "run", "--yes", "failover", "group=pg-orders", "region=cn-shanghai" }
    local ran = desk:run(table.unpack(words))
    assert.equal(1, ran.code)
    assert.matches("Client.RecoveryPointTooOld", ran.err)
    local journal = ran.err:match "(/%S+%.jsonl)"
    ran = desk:run("resume", journal, "max_rop=3h")
    assert.equal('alicloud-dr: unknown parameter "max_rop"; did you mean "max_rpo"?\n', ran.err)
    ran = desk:run("resume", journal, "--accept-loss", "3h", "--why", "the region is gone")
    assert.equal(0, ran.code, ran.err)
    assert.matches("completed, RTO .*, RPO 2h", ran.out)
  end)

  it("refuses an ungraceful way where there is none, and names the one that gives a side up",
    function()
      local desk = room()
      for name, way in pairs { planned = "alicloud-dr run failover",
          failback = "alicloud-dr run failover region=THE-OTHER-SITE" } do
        for _, command in ipairs { "run", "plan", "policy" } do
          local ran = desk:run(command, name, "group=pg-orders", "region=cn-shanghai", "--mode",
            "ungraceful")
          assert.equal(2, ran.code, command)
          assert.is_truthy(ran.err:find(('--mode: got "ungraceful"; allowed: graceful: %s has no '
            .. "ungraceful way"):format(name), 1, true), ran.err)
          assert.is_truthy(ran.err:find(way, 1, true), ran.err)
        end
      end
      assert.same({}, desk:requests())
      local ran = desk:run("run", "-y", "planned", "group=pg-orders", "region=cn-shanghai",
        "max_rpo=1m", "--json")
      assert.equal(1, ran.code)
      local journal = ran.object.journal
      ran = desk:run("resume", journal, "--mode", "ungraceful")
      assert.equal(2, ran.code)
      assert.matches("planned has no ungraceful way", ran.err)
      ran = desk:run("ungraceful", journal, "--why", "it is dark", "--as", "ops")
      assert.equal(2, ran.code)
      assert.matches("planned has no ungraceful way: it needs both sites", ran.err)
    end)

  it("refuses by name, and sends nothing", function()
    local desk = room()
    for _, case in ipairs {
      { { "failovr", "group=x" }, 'got "failovr"; allowed: drill, planned, failover, failback, '
        .. 'fleet, or the path of a file, e.g. ./failovr.lua; did you mean "failover"?' },
      { { "failover" }, "parameter group is missing: the group; allowed: an id" },
      { { "failover", "grup=x" }, 'unknown parameter "grup"; did you mean "group"?' },
      { { "drill", "group=x", "check_for=soon" }, 'parameter check_for: got "soon"; allowed: ' },
    } do
      for _, command in ipairs { "run", "plan" } do
        local ran = desk:run(command, "--region", "cn-shanghai", table.unpack(case[1]))
        assert.equal(2, ran.code, case[2])
        assert.is_truthy(ran.err:find(case[2], 1, true), ran.err)
      end
    end
    assert.same({}, desk:requests())
  end)

  it("refuses a command whose file is not there before there is a journal", function()
    local desk, journal = room(), scratch.directory() .. "/j.jsonl"
    local words = { "run", "-y", "failover", "group=pg-orders", "region=cn-shanghai", "fence=no",
      "verify=./no-such.sh", "--journal", journal }
    local ran = desk:run(table.unpack(words))
    assert.equal(2, ran.code, ran.err)
    assert.matches("parameter verify: there is no file %./no%-such%.sh", ran.err)
    assert.is_nil(core.look(journal))
    assert.same({}, desk:requests())
  end)

  it("tells of a drill that is cleared though its check failed, and begins another", function()
    local desk = room()
    local words = { "run", "drill", "group=pg-orders", "region=cn-shanghai", "check=exit 4" }
    local ran = desk:run(table.unpack(words))
    assert.equal(1, ran.code)
    assert.matches("✘ check the disks .*exit 4: exit code 4", ran.out)
    assert.matches("✔ clear", ran.out)
    assert.matches("the disks are no good: exit 4", ran.err)
    words[#words + 1] = "--new"
    ran = desk:run(table.unpack(words))
    assert.equal(1, ran.code)
    assert.equal(4, #desk:ledger())
  end)
end)

describe("alicloud-dr plan NAME", function()
  it("shows every ready playbook without changing anything", function()
    for name, words in pairs {
      drill = { "group=pg-orders" }, planned = { "group=pg-orders", "attach=i-new" },
      failover = { "group=pg-orders", "verify=true", "approvers=dba" },
      fleet = { "groups=all" } } do
      local desk = room()
      local ran = desk:run("plan", name, "region=cn-shanghai", table.unpack(words))
      assert.equal(0, ran.code, ran.out .. ran.err)
      assert.same({}, desk:ledger())
    end
    local desk = room(after.world { status = "failovered", old = false })
    local ran = desk:run("plan", "failback", "region=cn-shanghai", "group=pg-orders")
    assert.equal(0, ran.code, ran.out .. ran.err)
    assert.matches("ebs:ReprotectDiskReplicaGroup pg%-orders in cn%-shanghai", ran.out)
  end)
end)

describe("alicloud-dr playbooks", function()
  it("lists them, what they take, and one alone", function()
    local desk = room()
    local ran = desk:run "playbooks"
    assert.equal(0, ran.code)
    for _, name in ipairs { "drill", "planned", "failover", "failback", "fleet" } do
      assert.matches("\n?  " .. name .. "   %u", ran.out)
    end
    assert.matches("max_rpo +oldest recovery point .* %(1h%)\n", ran.out)
    ran = desk:run("playbooks", "drill", "--json")
    assert.equal(1, #ran.object.playbooks)
    assert.equal("drill", ran.object.playbooks[1].kind)
    assert.same({ name = "group", type = "id", required = true, help = "the group",
      allowed = "an id of 1 to 64 letters, digits, '-', '_' or '.'" },
      ran.object.playbooks[1].params[1])
    assert.equal(2, desk:run("playbooks", "dril").code)
    assert.same({}, desk:requests())
  end)

  it("ends no line with a blank where a file has no summary", function()
    local desk = room()
    local path = scratch.file [[return require "alicloud.dr".playbook("bare", function() end)]]
    local ran = desk:run("playbooks", path)
    assert.matches("^  bare\n", ran.out)
  end)
end)
