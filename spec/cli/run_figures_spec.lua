-- The figures of a run at the command line: from what, to what, and where there are none.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local lab = require "spec.dr.lab"

local function late(given)
  given.group = given.group or { recover_point_age = 300, failover_seconds = 40 }
  local desk, file, directory = desks.room(nil, given)
  local died_at = desk.bench.emu:now()
  desk.bench.emu:region(lab.PRIMARY, "blackhole")
  desk.bench.emu:advance(70 * 60)
  return desk, file, died_at, directory
end

local function run(desk, file, ...)
  return desk:run("run", file, "--region", "cn-shanghai", "--yes", ...)
end

describe("alicloud-dr run", function()
  it("counts loss and time to and from a declared outage", function()
    local desk, file = late {}
    local ran = run(desk, file, "max_rpo=20m", "--outage-at", "70m")
    assert.equal(0, ran.code, ran.err)
    assert.matches("completed, RTO 1h1%dm from the outage, RPO 5m0?%d?s? to the outage\n", ran.out)
  end)

  it("goes on with the same moment, whenever it is resumed", function()
    local desk, file, died_at = late { group = { recover_point_age = 300,
      failover_seconds = 3000 } }
    local ran = run(desk, file, "max_rpo=20m", "--outage-at", "70m")
    assert.equal(3, ran.code)
    local journal = ran.err:match "go on:  alicloud%-dr resume (%S+)"
    assert.is_nil(ran.err:match "go on:[^\n]+outage")
    desk.bench.emu:advance(3600)
    ran = desk:run("resume", journal, "--region", "cn-shanghai", "--yes", "--json")
    assert.equal(0, ran.code, ran.out .. ran.err)
    assert.is_true(ran.object.rpo >= 299 and ran.object.rpo <= 302, ran.object.rpo)
    assert.is_true(ran.object.rto > 4200 + 3600, ran.object.rto)
    assert.is_true(math.abs(ran.object.figures.rto.from_at - died_at) < 2)
  end)

  it("says that nothing was left to do", function()
    local desk, file = desks.room(nil, { group = { status = "failovered" } })
    local ran = run(desk, "failover", "group=pg-orders", "fence=no")
    assert.equal(0, ran.code, ran.err)
    assert.matches("completed, already there, nothing was done\n", ran.out)
    assert.is_nil(ran.out:find("RTO", 1, true))
    ran = run(desk, file, "max_rpo=20m", "--json")
    assert.equal(core.null, ran.object.rto or core.null)
    assert.equal("already_failovered", ran.object.outcome)
  end)

  it("counts the time from the first run of the incident", function()
    local desk, file = desks.room(nil, { group = { recover_point_age = 4000 } })
    local ran = run(desk, file, "max_rpo=20m", "--incident", "INC-7")
    assert.equal(1, ran.code)
    desk.bench.emu:advance(1800)
    ran = run(desk, file, "max_rpo=1d", "--incident", "INC-7")
    assert.equal(0, ran.code, ran.err)
    assert.matches("completed, RTO 3%dm%S* from the first run of the incident", ran.out)
  end)

  it("takes a run of another incident, or of one that ended, for no beginning", function()
    local desk, file = desks.room(nil, { group = { recover_point_age = 4000 } })
    assert.equal(1, run(desk, file, "max_rpo=20m", "--incident", "INC-7").code)
    desk.bench.emu:advance(1800)
    local ran = run(desk, file, "max_rpo=1d", "--incident", "INC-8", "--json")
    assert.is_true(ran.object.rto < 100, ran.out)
    assert.equal("run", ran.object.figures.rto.from)
    desk, file = desks.room(nil, { group = { recover_point_age = 4000 } })
    assert.equal(1, run(desk, file, "max_rpo=20m", "--incident", "INC-7").code)
    assert.equal(0, run(desk, file, "max_rpo=1d", "--incident", "INC-7").code)
    desk.bench:reverse "normal"
    desk.bench:reverse "normal"
    desk.bench.emu:advance(7200)
    ran = run(desk, file, "max_rpo=1d", "--incident", "INC-7", "--new", "--json")
    assert.equal(0, ran.code, ran.out)
    assert.equal("run", ran.object.figures.rto.from)
  end)

  it("refuses what is no moment before anything is begun", function()
    local desk, file = desks.room()
    local ran = run(desk, file, "--outage-at", "yesterday")
    assert.equal(2, ran.code)
    assert.matches("%-%-outage%-at: got", ran.err)
    ran = run(desk, "failover", "group=pg-orders", "outage_at=yesterday")
    assert.equal(2, ran.code)
    assert.matches("outage_at: got \"yesterday\"; allowed: unix seconds", ran.err)
    assert.same({}, desk:requests())
  end)
end)

describe("alicloud-dr plan", function()
  it("holds the loss against the declared outage, as the run will", function()
    local desk = late {}
    for _, how in ipairs { { "outage_at=70m" }, { "--outage-at", "70m" } } do
      local ran = desk:run("plan", "failover", "group=pg-orders", "region=cn-shanghai",
        "max_rpo=20m", "fence=no", table.unpack(how))
      assert.equal(0, ran.code, ran.out)
      assert.matches("FailoverDiskReplicaGroup pg%-orders in cn%-shanghai", ran.out)
    end
    local ran = desk:run("plan", "failover", "group=pg-orders", "region=cn-shanghai",
      "max_rpo=20m", "fence=no")
    assert.equal(1, ran.code)
    assert.matches("Client.RecoveryPointTooOld", ran.out)
    assert.same({}, desk:sends())
  end)
end)
