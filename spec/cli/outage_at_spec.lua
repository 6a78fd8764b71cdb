-- The time of the outage at the command line.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local lab = require "spec.dr.lab"

-- The primary has been dead for 70 minutes.
local function late(given)
  given.group = given.group or { recover_point_age = 300, failover_seconds = 40 }
  local desk = desks.new(given)
  local died_at = desk.bench.emu:now()
  desk.bench.emu:region(lab.PRIMARY, "blackhole")
  desk.bench.emu:advance(70 * 60)
  return desk, died_at
end

describe("--outage-at", function()
  it("ends the loss of a failover, and is what its time begins with", function()
    for _, how in ipairs { "ago", "seconds", "utc", "offset" } do
      local desk, died_at = late {}
      local typed = ({ ago = "70m", seconds = ("%d"):format(died_at), utc = core.iso8601(died_at),
        offset = core.iso8601(died_at - 5 * 3600):gsub("Z", "-05:00") })[how]
      local ran = desk:run("failover", "pg-orders", "--region", "cn-shanghai", "--max-rpo", "20m",
        "--yes", "--json", "--outage-at", typed)
      assert.equal(0, ran.code, ran.out)
      assert.equal(300, ran.object.rpo, how)
      assert.equal("outage", ran.object.rpo_basis)
      assert.equal("outage", ran.object.rto_basis)
      assert.is_true(ran.object.rto >= 4240, how)
      assert.equal(math.floor(died_at), math.floor(ran.object.outage_at))
    end
  end)

  it("is told beside the figures, as what they are counted to without it", function()
    local desk = late {}
    local ran = desk:run("failover", "pg-orders", "--region", "cn-shanghai", "--yes",
      "--outage-at", "70m")
    assert.matches("failovered, RTO 1h10m, RPO 5m %(recovery point", ran.out)
    assert.matches("\n    counted to and from the outage at 2%d+%-%d%d%-%d%d %d%d:%d%d:%d%d "
      .. "[+-]%d%d:%d%d\n",
      ran.out)
    ran = desks.once(nil, "failover", "pg-orders", "--yes")
    assert.matches("\n    loss to the accepted call, time from the start of this command\n",
      ran.out)
  end)

  it("is told to be doubtful where something was copied after it", function()
    local ran = desks.once({ group = { recover_point_age = 60 } }, "failover", "pg-orders", "--yes",
      "--outage-at", "70m")
    assert.matches("RPO 0 s %(recovery point", ran.out)
    assert.matches("counted to and from the outage at .-; copied until 1h09m after it", ran.out)
  end)

  it("is the same moment in the command that goes on", function()
    local desk, died_at = late { group = { recover_point_age = 300, failover_seconds = 1500 } }
    local ran = desk:run("failover", "pg-orders", "--region", "cn-shanghai", "--yes",
      "--outage-at", "70m", "--timeout", "2m")
    assert.equal(3, ran.code)
    assert.is_truthy(ran.out:find("--outage-at " .. core.iso8601(died_at), 1, true), ran.out)
    local token = ran.out:match "%-%-client%-token (%x+)"
    ran = desk:run("failover", "pg-orders", "--region", "cn-shanghai", "--yes", "--json",
      "--client-token", token, "--outage-at", core.iso8601(died_at), "--timeout", "1h")
    assert.equal(0, ran.code, ran.out)
    assert.is_true(ran.object.rto >= 4200 + 1500, ran.object.rto)
  end)

  it("is told to be missing from what goes on with a token of before", function()
    local desk = desks.new { group = { failover_seconds = 1500 } }
    local ran = desk:run("failover", "pg-orders", "--region", "cn-shanghai", "--yes", "--timeout",
      "2m")
    local token = ran.out:match "%-%-client%-token (%x+)"
    ran = desk:run("failover", "pg-orders", "--region", "cn-shanghai", "--yes", "--client-token",
      token, "--timeout", "1h")
    assert.equal(0, ran.code, ran.out)
    assert.matches("failovered, RTO not known, RPO at most", ran.out)
    assert.matches("time not known: it was begun before this command", ran.out)
  end)

  it("tells the loss of a group that is open already, and no time", function()
    local desk = late { group = { status = "failovered", recover_point_age = 300 } }
    local ran = desk:run("failover", "pg-orders", "--region", "cn-shanghai", "--yes",
      "--outage-at", "70m")
    assert.equal(0, ran.code)
    assert.matches("already failovered.*nothing was sent\n    RPO 5m .*counted to the outage at",
      ran.out)
    assert.is_nil(ran.out:find("RTO", 1, true))
  end)

  it("is what a pre-check is held against", function()
    local desk, died_at = late {}
    local ran = desk:run("precheck", "pg-orders", "--region", "cn-shanghai", "--max-rpo", "20m")
    assert.equal(1, ran.code)
    ran = desk:run("precheck", "pg-orders", "--region", "cn-shanghai", "--max-rpo", "20m",
      "--outage-at", core.iso8601(died_at))
    assert.equal(0, ran.code)
    assert.matches("RPO 5m ≤ 20m, counted to the outage at", ran.out)
  end)

  it("is refused where it is no moment, or still to come", function()
    for _, typed in ipairs { "70", "soon", "2026-11-22", "1795317160000", "" } do
      local ran, desk = desks.once(nil, "failover", "pg-orders", "--yes", "--outage-at", typed)
      assert.equal(2, ran.code, typed)
      assert.matches("%-%-outage%-at: got .*; allowed: unix seconds", ran.err)
      assert.same({}, desk:requests())
    end
    local desk = desks.new()
    local ran = desk:run("failover", "pg-orders", "--region", "cn-shanghai", "--yes",
      "--outage-at", core.iso8601(desk.bench.emu:now() + 3600))
    assert.equal(1, ran.code)
    assert.matches("Client%.OutageInFuture", ran.out .. ran.err)
    assert.same({}, desk:sends())
  end)
end)
