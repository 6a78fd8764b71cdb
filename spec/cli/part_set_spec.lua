-- What operators type after a run of a group of which not every pair is listed.

local after = require "spec.dr.after_lab"
local desks = require "spec.cli.desk"

local SET = "Client.PairSetIncomplete"
local FORCE = { "--force", SET, "--why", "behind", "--as", "chief" }
local MORE, WHOLE = { pair_count_off = 1, pair_ids = "empty" },
  { pair_count_off = 0, pair_ids = "array" }
local REFUSED = { effect = { error = { code = "Forbidden", status = 403 } },
  match = { action = "FailoverDiskReplicaGroup", count = 1 } }

-- A desk; while it is `short`, the service does not list the last pair of a group.
local function room(given)
  given.world = after.world()
  local desk = desks.room(false, given)
  local emu = desk.bench.emu
  local send = emu.transport.send
  desk.given.transport = { send = function(request)
    local is_short = desk.short and request.action == "DescribeDiskReplicaPairs"
    emu:hostile { short_list = is_short and 1 or 0 }
    local exchange = send(request)
    emu:hostile { short_list = 0 }
    return exchange
  end }
  return desk
end

local function forced(desk, ...)
  local words = { ... }
  table.move(FORCE, 1, #FORCE, #words + 1, words)
  return desk:run(table.unpack(words))
end

local function failover(desk, ...)
  return desk:run("run", "failover", "group=pg-orders", "region=cn-shanghai", "--yes", ...)
end

local function line_of(desk) return desk:run("runs", "--json").object.runs[1] end

local function serve(desk)
  return forced(desk, "serve", "pg-orders", "--region", "cn-shanghai", "--attach", "i-new", "--yes")
end

local function unfence(desk, journal)
  return desk:run("unfence", journal, "pg-orders", "--yes", "--json").object
end

describe("a run that has opened an incomplete set of pairs", function()
  it("is closed once the listed disks are served", function()
    local desk = room { hostile = MORE }
    assert.equal(0, failover(desk, "fence=no", table.unpack(FORCE)).code)
    local journal = line_of(desk).journal
    assert.equal("Client.NotServed", unfence(desk, journal).error.code)
    assert.equal(0, serve(desk).code)
    assert.equal("served_elsewhere", unfence(desk, journal).outcome)
    assert.is_nil(line_of(desk).message)
  end)

  it("has fenced the listed pairs, and says that there may be others", function()
    local desk = room { hostile = MORE }
    local ran = failover(desk, "fence=must", table.unpack(FORCE))
    assert.equal(0, ran.code, ran.err)
    assert.matches("2 of 3 pairs were seen fenced", ran.out, 1, true)
    assert.equal("failovered failovered failovered", after.truth(desk.bench))
  end)
end)

describe("a group of which a pair is not listed any more", function()
  it("does not count as served by the disks of the others", function()
    local desk = room {}
    assert.equal(0, failover(desk, "fence=no").code)
    desk.short = true
    assert.equal(0, serve(desk).code)
    local journal = line_of(desk).journal
    assert.equal(SET, unfence(desk, journal).error.code)
    desk.short = false
    assert.equal("Client.NotServed", unfence(desk, journal).error.code)
  end)

  it("does not so either where somebody else has opened it", function()
    local desk = room { faults = { REFUSED } }
    assert.equal(1, failover(desk, "fence=must").code)
    local journal = line_of(desk).journal
    assert.equal(0, desk:run("failover", "pg-orders", "--region", "cn-shanghai", "--yes").code)
    desk.short = true
    assert.equal(0, serve(desk).code)
    local err = unfence(desk, journal).error
    assert.equal(SET, err.code)
    assert.matches("so serve it there: alicloud-dr run failover", err.hint, 1, true)
    assert.matches("production is down", line_of(desk).message)
  end)

  it("is said to be gone where it is", function()
    local desk = room {}
    assert.equal(0, failover(desk, "fence=no").code)
    local journal = line_of(desk).journal
    desk.bench.emu:hostile { short_list = 9 }
    desk.given.transport = nil
    assert.matches("does not come up in cn%-shanghai now: the group is not listed$",
      unfence(desk, journal).error.message)
  end)
end)

describe("a run whose fenced group counts more pairs than are listed", function()
  it("brings production back all the same", function()
    local desk = room { faults = { REFUSED } }
    assert.equal(1, failover(desk, "fence=must").code)
    desk.bench.emu:hostile(MORE)
    assert.equal("unfenced", unfence(desk, line_of(desk).journal).outcome)
    desk.bench.emu:hostile(WHOLE)
    assert.equal("Running", desk.bench.emu.world.instance_by_id["i-old"].status)
  end)

  it("does not while a fenced disk is of no listed pair", function()
    local desk = room { faults = { REFUSED } }
    assert.equal(1, failover(desk, "fence=must").code)
    desk.short = true
    assert.equal(SET, unfence(desk, line_of(desk).journal).error.code)
    assert.equal("Stopped", desk.bench.emu.world.instance_by_id["i-old"].status)
  end)
end)
