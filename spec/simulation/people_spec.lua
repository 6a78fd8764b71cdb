-- Troubles of people and their programs: hooks that fail, a typo that is corrected behind the
-- failover, a colleague who goes on elsewhere with a copy of the journal.

local discover = require "alicloud.simulation.discover"
local lab = require "spec.simulation.lab"
local people = require "alicloud.simulation.people"
local programs = require "alicloud.simulation.programs"
local tables = require "alicloud.base.tables"

local simulation, plan = lab.plan(lab.HOOKED)

local function rehearse(troubles, own)
  local about = tables.merged(plan, own or {})
  return simulation.judge({ seed = 1, world = discover.calm(about.world), troubles = troubles,
    incident = own and own.incident }, about)
end

local function effects(rehearsal, action)
  local count = 0
  for _, effect in ipairs(rehearsal.stage.emu:ledger()) do
    if effect.action == action then count = count + 1 end
  end
  return count
end

local function statuses(rehearsal)
  local list = {}
  for _, step in ipairs(rehearsal.last.result and rehearsal.last.result.steps or {}) do
    list[step.key] = step.status
  end
  return list
end

describe("the table of programs", function()
  it("is read, and refuses what is none", function()
    assert.same({ stop = { { code = 0, seconds = 120 } },
      ["./check.sh -v"] = { { code = 1, seconds = 0 }, { code = 0, seconds = 0 } } },
      programs.read { "stop=0@120", "./check.sh -v=1,0" })
    for _, text in ipairs { "stop", "=0", "stop=", "stop=256", "stop=-1", "stop=0,", "stop=0@",
      "stop=1@x", "stop=0@86401", "stop=a" } do
      local all, bad = programs.read { text }
      assert.is_nil(all)
      assert.equal(text, bad)
    end
    assert.is_nil((programs.read { "stop=0", "stop=1" }))
  end)

  it("answers in turn, by parameter, step and file, and the last end comes again", function()
    for _, name in ipairs { "verify", "answers", "./check.sh", "check.sh", "./check.sh --all" } do
      local ran = rehearse({}, { programs = { [name] = {
        { code = 1, seconds = 0 }, { code = 3, seconds = 2 }, { code = 0, seconds = 0 } } } })
      assert.same({}, ran.violations)
      assert.equal("completed", ran.ending, name)
      assert.equal(4, #ran.stage.programs.commands)
    end
    local ran = rehearse({}, { programs = { verify = { { code = 7, seconds = 0 } } } })
    assert.matches("^Client.NotVerified", ran.ending)
    assert.matches("exit code 7", ran.last.err.message)
  end)

  it("lets a program take its time, which a step may not have", function()
    local ran = rehearse({}, { programs = { start = { { code = 0, seconds = 400 } } } })
    assert.matches("^Client.StepTimeout", ran.ending)
    assert.same({}, ran.violations)
  end)

  it("is missing nothing that a playbook starts undisturbed", function()
    assert.same({ "start", "verify" }, people.learn(plan).unnamed)
    local known = people.learn(tables.merged(plan, { programs = { verify = {
      { code = 9, seconds = 0 } } } }))
    assert.same({ "start" }, known.unnamed)
  end)
end)

describe("a program", function()
  it("that fails once or hangs stops a run that can be gone on with", function()
    for start = 1, 2 do
      for _, name in ipairs { "fails", "hangs" } do
        local ran = rehearse { { kind = "programs", name = name, start = start, seconds = 5 } }
        assert.same({}, ran.violations)
        assert.equal("completed", ran.ending)
        assert.equal(1, effects(ran, "FailoverDiskReplicaGroup"))
      end
    end
  end)
end)

describe("a typo", function()
  it("is offered for what only the steps behind the failover read", function()
    local names = {}
    for i, typo in ipairs(people.learn(plan).typos) do
      names[i] = typo.name
      assert.matches("%-typo", typo.wrong)
    end
    assert.same({ "attach", "start", "verify" }, names)
  end)

  it("is corrected by whoever resumes, and the end is what it would have been", function()
    local calm = statuses(rehearse {})
    for _, typo in ipairs(people.learn(plan).typos) do
      local ran = rehearse { tables.merged(typo, { kind = "typos" }) }
      assert.same({}, ran.violations)
      assert.equal("completed", ran.ending, typo.name)
      assert.equal(2, #ran.stage.processes)
      assert.same(calm, statuses(ran))
      assert.equal(1, effects(ran, "FailoverDiskReplicaGroup"))
      assert.matches('"type":"correction"', ran.stage.disk:text "run")
    end
  end)
end)

describe("a colleague who goes on elsewhere", function()
  it("and who comes back open the group once, at whichever write or request", function()
    local trace = require("alicloud.simulation.trace").new()
    simulation.judge({ seed = 1, world = discover.calm(plan.world), troubles = {},
      trace = trace }, plan)
    local taken = 0
    for _, point in ipairs(trace.points) do
      if point.op == "append" or point.kind == "request" then
        local ran = rehearse { { kind = "elsewhere", seconds = 100,
          call = point.kind == "disk" and point.n or nil,
          request = point.kind == "request" and point.n or nil } }
        assert.same({}, ran.violations)
        assert.equal(1, effects(ran, "FailoverDiskReplicaGroup"))
        if ran.stage.other_disk then taken = taken + 1 end
      end
    end
    assert.is_true(taken > 30)
  end)
end)
