-- On the command line: which side of a group is meant.

local desks = require "spec.cli.desk"
local zones = require "spec.dr.zone_lab"

local G, H = zones.G, zones.H

local function desk_of(changes, given)
  local all = { world = zones.world(changes) }
  for name, value in pairs(given or {}) do all[name] = value end
  return desks.new(all)
end

describe("the side of a group between two zones, on the command line", function()
  it("is asked for with both zones, and nothing is sent", function()
    local desk = desk_of { status = "failovered", old = false }
    for _, words in ipairs { { "failover", "--yes" }, { "reprotect", "--yes" }, { "precheck" } } do
      local verb = table.remove(words, 1)
      local ran = desk:run(verb, zones.ID, "--region", zones.REGION, table.unpack(words))
      assert.equal(2, ran.code, verb)
      assert.matches("%-%-to cn%-hangzhou%-h, or %-%-to cn%-hangzhou%-g", ran.out .. ran.err)
    end
    assert.same({}, desk.bench:sends())
    local ran = desk:run("failover", zones.ID, "--to", "cn-hangzhou-k", "--yes", "--json")
    assert.equal(2, ran.code)
    assert.equal("Client.UnknownSide", ran.object.error.code)
  end)

  it("is said with --to, which names the region too", function()
    local desk = desk_of { old = false }
    assert.equal(0, desk:run("precheck", zones.ID, "--to", H).code)
    assert.equal(0, desk:run("failover", zones.ID, "--to", H, "--yes").code)
    assert.equal(H, desk.bench:ledger()[1].to:match "/(.*)")
    assert.equal(0, desk:run("reprotect", zones.ID, "--to", H, "--yes").code)
    local ran = desk:run("failover", zones.ID, "--to", H, "--yes")
    assert.equal(2, ran.code)
    assert.matches("stands there already", ran.out .. ran.err)
    assert.equal(2, #desk.bench:ledger())
  end)

  it("is shown by status without being said", function()
    local ran = desk_of():run("status", "--region", zones.REGION)
    assert.equal(0, ran.code)
    assert.matches("both sites", ran.out)
  end)

  it("is part of the command that goes on", function()
    local desk = desk_of({ old = false }, { faults = { {
      match = { action = "FailoverDiskReplicaGroup" }, when = "before",
      effect = { drop = true } } } })
    local ran = desk:run("failover", zones.ID, "--to", H, "--yes", "--timeout", "30s")
    assert.equal(3, ran.code)
    assert.matches("go on:  alicloud%-dr failover pg%-orders %-%-region cn%-hangzhou "
      .. "%-%-client%-token %x+ %-%-to cn%-hangzhou%-h", ran.out .. ran.err)
  end)

  it("is said to a run that has stopped for want of it", function()
    local desk = desks.room(false, { world = zones.world() })
    local ran = desk:run("run", "planned", "group=" .. zones.ID, "attach=i-new", "--region",
      zones.REGION, "--yes")
    assert.equal(2, ran.code)
    local journal, way = ran.err:match "go on:  alicloud%-dr resume (%S+) ([^\n]*)"
    assert.matches("%-%-to PLACE %-%-why TEXT$", way)
    local told = desk:run("explain", journal).out
    assert.is_truthy(told:find("resume " .. journal .. " --to PLACE --why TEXT", 1, true), told)
    local resumed = desk:run("resume", journal, "--region", zones.REGION, "--to", H, "--why",
      "zone g is lost", "--yes")
    assert.equal(0, resumed.code, resumed.err)
    assert.equal("Running", desk.bench.emu.world.instance_by_id["i-new"].status)
    assert.equal(H, desk.bench.emu:group(zones.ID).source.zone)
  end)

  it("is a parameter of a playbook", function()
    local desk, _, directory = desks.room(false, { world = zones.world() })
    local words = { "planned", "group=" .. zones.ID, "attach=i-new", "--to", H }
    local function run(...)
      return desk:run("run", "-y", words[1], words[2], words[3], words[4], words[5], "--journal",
        directory .. "/" .. ...)
    end
    assert.equal(0, desk:run("plan", table.unpack(words)).code)
    assert.equal(0, run("first.jsonl").code)
    local effects = #desk.bench:ledger()
    desk.bench.emu:advance(1000)
    local again = run "second.jsonl"
    assert.equal(0, again.code)
    assert.matches("already there, nothing was done", again.out)
    assert.equal(effects, #desk.bench:ledger())
    local odd = desk:run("run", "planned", "group=" .. zones.ID, "to=" .. G, "--to", H)
    assert.equal(2, odd.code)
    assert.matches("one of the two", odd.err)
  end)
end)
