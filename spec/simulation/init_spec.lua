-- Runs of whole playbooks under troubles that a seed stands for. Many more seeds: `make explore`.

local core = require "alicloud.core"
local descriptions = require "alicloud.simulation.describe"
local lab = require "spec.simulation.lab"
local shrink = require "alicloud.simulation.shrink"

local simulation, plan = lab.plan()

local function said(report)
  local lines = {}
  for _, harm in ipairs(report.violations) do
    lines[#lines + 1] = ("seed %d: %s [%s]"):format(harm.seed, harm.what,
      table.concat(harm.troubles, "; "))
  end
  return lines
end

local function case_of(troubles, changes)
  local case = { seed = 1, troubles = troubles }
  local calm = require "alicloud.simulation.discover".calm(plan.world)
  for name, value in pairs(changes or {}) do calm.groups[1][name] = value end
  case.world = calm
  return case
end

describe("a simulation", function()
  it("finds the groups that a playbook is about", function()
    assert.equal(1, #plan.world.groups)
    local group = plan.world.groups[1]
    assert.equal("pg-move", group.id)
    assert.equal("cn-shanghai", group.destination:match "^[^/]+")
    local _, two = lab.plan "spec/simulation/playbooks/two.lua"
    assert.equal(2, #two.world.groups)
  end)

  it("shows that it goes on, in the middle of a run too", function()
    local dr, signs = require "alicloud.dr", 0
    local planned = assert(simulation.plan(dr.playbook("looks", function(run)
      local group = run:group("pg-orders", { region = "cn-shanghai" })
      for n = 1, 100 do run:step("look " .. n, function() return group:look() and true end) end
      run:step("open", function() return group:failover() end)
    end), { region = "cn-shanghai", alive = function() signs = signs + 1 end }))
    signs = 0
    local stage = simulation.rehearse({ seed = 1, troubles = {}, world = planned.world },
      planned).stage
    assert.is_true(#stage.requests > 200)
    assert.equal((#stage.requests + 49) // 50, signs)
  end)

  it("refuses a playbook that fails without any trouble", function()
    local dr = require "alicloud.dr"
    local none, message, world_helps = simulation.plan(dr.playbook("bad", function(run)
      run:group("pg-move", { region = "cn-shanghai" }):look()
      run:step("no", function() error "never" end)
    end), { region = "cn-shanghai" })
    assert.is_nil(none)
    assert.matches("without any trouble the run does not end well: .*never", message)
    assert.is_false(world_helps)
    none, message, world_helps = simulation.plan(dr.playbook("none", function() end),
      { region = "cn-shanghai" })
    assert.is_nil(none)
    assert.matches("asks for no group", message)
    assert.is_true(world_helps)
  end)

  it("says which pair without a group it knows no troubles of", function()
    local dr = require "alicloud.dr"
    local function move(...)
      local ids = { ... }
      return dr.playbook("pairs", function(run)
        for _, id in ipairs(ids) do
          local unit = run:group(id, { region = "cn-shanghai" })
          run:step(id, { on_error = "continue" }, function() return unit:failover {} end)
        end
      end)
    end
    local places = { source = "cn-hangzhou/cn-hangzhou-g",
      destination = "cn-shanghai/cn-shanghai-b" }
    local function with(id)
      return { id = id, source = places.source, destination = places.destination,
        status = "normal", recover_point_age = 60 }
    end
    local world = { regions = { "cn-hangzhou", "cn-shanghai" }, groups = { with "pg-move" },
      pairs = { with "pair-9" } }
    for _, case in ipairs { { move "pair-9" }, { move("pg-move", "pair-9") },
      { move "pair-9", world }, { move("pg-move", "pair-9"), world } } do
      local none, message, world_helps = simulation.plan(case[1],
        { region = "cn-shanghai", world = case[2] })
      assert.is_nil(none)
      assert.matches("pair%-9 is a pair without a group, .* put the id of a group in its place",
        message)
      assert.is_false(world_helps)
    end
    -- One that lies in the world and is left alone is in nobody's way.
    assert(simulation.plan(move "pg-move", { region = "cn-shanghai", world = world }))
  end)

  it("begins a way back where a failover has ended", function()
    local dr = require "alicloud.dr"
    local back = dr.playbook("back", function(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("reverse", function() return orders:reprotect {} end)
    end)
    local found = assert(simulation.plan(back, { region = "cn-shanghai" }))
    assert.equal("failovered", found.world.groups[1].status)
    assert.same({}, said(simulation.explore(found, { seeds = 40 })))
  end)

  it("holds every invariant over its first seeds, and gets somewhere", function()
    local report = simulation.explore(plan, { seeds = 200 })
    assert.same({}, said(report))
    assert.equal(200, report.seeds)
    for ending, times in pairs { completed = 75, ["Client.OutcomeUnknown (unknown)"] = 1,
      ["Client.Superseded (unknown)"] = 2 } do
      assert.is_true((report.endings[ending] or 0) >= times, ending)
    end
    assert.is_true(report.crashes > 50)
    assert.is_true(report.effects > 50)
  end)

  it("holds them for two groups at a time", function()
    local _, two = lab.plan "spec/simulation/playbooks/two.lua"
    assert.same({}, said(simulation.explore(two, { seeds = 60 })))
  end)

  it("holds them for a fleet with tiers and a canary, whoever is not ready", function()
    local _, fleet = lab.plan(lab.FLEET)
    local report = simulation.explore(fleet, { seeds = 60 })
    assert.same({}, said(report))
    assert.is_true(report.endings.completed_with_exceptions > 20)
  end)

  it("holds them for a move that stops production first", function()
    local _, planned = lab.plan(lab.PLANNED)
    local report = simulation.explore(planned, { seeds = 25 })
    assert.same({}, said(report))
    assert.is_true(report.endings.completed > 9)
  end)

  it("holds them for the way back", function()
    local _, back = lab.plan(lab.FAILBACK)
    local report = simulation.explore(back, { seeds = 15 })
    assert.same({}, said(report))
    assert.is_true(report.endings.completed > 7)
    assert.is_true(report.effects > 75)
  end)

  it("holds them for a move that stops production, whatever does not answer for hours", function()
    local _, planned = lab.plan(lab.PLANNED)
    local function ending_of(action, code, request)
      local case = case_of { { kind = "outages", action = action, code = code, request = request,
        status = code == "InternalError" and 500 or 400, lasts = 20000 } }
      case.world = require "alicloud.simulation.discover".calm(planned.world)
      local rehearsal = simulation.judge(case, planned)
      assert.same({}, rehearsal.violations)
      return rehearsal.ending, rehearsal.stage
    end
    -- The sides have changed places, and the new one serves.
    local ending = ending_of("StartDiskReplicaGroup", "Throttling.User", 150)
    assert.equal("Throttling.User (rejected)", ending)
    -- A stop in doubt is settled by the undoing, and is another one for the next process.
    local tokens, stage = {}
    ending, stage = ending_of("StopDiskReplicaGroup", "InternalError", 1)
    assert.equal("Client.OutcomeUnknown (unknown)", ending)
    assert.matches('"type":"settled"', stage.disk:text "run")
    for _, request in ipairs(stage.requests) do
      if request.action == "StopDiskReplicaGroup" then tokens[request.token] = true end
    end
    assert.is_true(next(tokens, next(tokens)) ~= nil)
    -- The last synchronization has two hours, and the steps before it have their own time.
    ending, stage = ending_of("DescribeDiskReplicaGroups", "Throttling.User", 70)
    assert.matches("Throttling.User", ending)
    assert.is_true(stage.processes[1].ended - stage.processes[1].began > 7200)
  end)

  it("holds them over the wire as well", function()
    local wired = {}
    for name, value in pairs(plan) do wired[name] = value end
    wired.wire = true
    assert.same({}, said(simulation.explore(wired, { first = 900001, seeds = 40 })))
  end)

  it("does not send again what was refused before the machine slept", function()
    local wired = {}
    for name, value in pairs(plan) do wired[name] = value end
    wired.wire = true
    local case = case_of { { kind = "clock", name = "suspend", seconds = 3600, send = 1 } }
    local rehearsal = simulation.judge(case, wired)
    assert.same({}, rehearsal.violations)
    local first, sends = rehearsal.stage.processes[1], 0
    for n = first.first, first.last do
      if rehearsal.stage.requests[n].mutating then sends = sends + 1 end
    end
    assert.equal(1, sends)
    assert.equal("not_sent", first.err.outcome)
  end)

  it("goes the same way on a day on which the machine's clock agrees with one that has jumped",
    function()
      local wired = {}
      for name, value in pairs(plan) do wired[name] = value end
      wired.wire = true
      local case = case_of { { kind = "clock", name = "jump", seconds = 7200, send = 1 } }
      case.world.now = core.time() // 1 - 7200
      local requests, refused = simulation.judge(case, wired).stage.requests, 0
      for _, request in ipairs(requests) do
        if request.entry.code == "InvalidTimeStamp.Expired" then refused = refused + 1 end
      end
      assert.equal(1, refused)
    end)

  it("counts the window of a token from the first call that has left", function()
    local case = case_of({
      { kind = "regions", region = "destination", state = "down", send = 1, lasts = 60 },
      { kind = "answers", rule = { effect = { apply_late = 130 },
        match = { action = "FailoverDiskReplicaGroup", nth = 1 } } },
    }, { status = "failover_failed", failover_seconds = 0 })
    local rehearsal = simulation.judge(case, plan)
    assert.same({}, rehearsal.violations)
    local sends = {}
    for _, request in ipairs(rehearsal.stage.requests) do
      if request.mutating then sends[#sends + 1] = request end
    end
    assert.is_true(sends[1].unsent)
    assert.is_true(sends[#sends].time - sends[1].time > 120)
  end)

  it("does not look without end at what was refused before the machine slept", function()
    local rehearsal = simulation.judge(case_of {
      { kind = "answers", rule = { match = { action = "FailoverDiskReplicaGroup", nth = 1 },
        effect = { error = { code = "BLOCK.LimitedRequest", status = 429 } } } },
      { kind = "clock", name = "suspend", send = 1, after = true, seconds = 130 },
    }, plan)
    assert.same({}, rehearsal.violations)
    assert.is_true(#rehearsal.stage.requests < 60)
  end)

  it("does not take what the emulator raises for an outage", function()
    local gateway = require "alicloud.emulator.gateway"
    local perform = gateway.perform
    local _ <close> = setmetatable({}, { __close = function() gateway.perform = perform end })
    for _, action in ipairs { "DescribeDiskReplicaGroups", "FailoverDiskReplicaGroup" } do
      local raised = false
      gateway.perform = function(emu, request)
        if not raised and request.action == action then
          raised = true
          error "a slip in the model"
        end
        return perform(emu, request)
      end
      local rehearsal = simulation.judge(case_of {}, plan)
      assert.matches("^raised by the emulator: .*a slip in the model", rehearsal.violations[1])
      assert.equal(1, #rehearsal.violations)
    end
  end)

  it("holds an incident's token against the intent that it stands for", function()
    local case = case_of({
      { kind = "answers", rule = { effect = { partial = 1 },
        match = { action = "FailoverDiskReplicaGroup", nth = 1 } } },
      { kind = "disk", call = 35, how = "EIO" },
      { kind = "answers", rule = { effect = { error = { code = "Forbidden", status = 403 } },
        match = { action = "FailoverDiskReplicaGroup", nth = 2 } } },
    }, { status = "failover_failed", failover_seconds = 0, pairs = 5, recover_point_age = 60 })
    case.incident = "INC-1"
    local rehearsal = simulation.judge(case, plan)
    assert.same({}, rehearsal.violations)
    assert.equal("Forbidden (rejected)", rehearsal.ending)
    assert.equal(1, #rehearsal.stage.emu:ledger())
  end)

  it("lets a step begin again whose undoing was cut short", function()
    local _, two = lab.plan "spec/simulation/playbooks/two.lua"
    local world = require "alicloud.simulation.discover".calm(two.world)
    for _, group in ipairs(world.groups) do group.recover_point_age = 4000 end
    for n = 20, 45 do
      local case = { seed = 1, world = world,
        troubles = { { kind = "crashes", call = n, how = "crash_after", pause = 0, keep = 0 } } }
      assert.same({}, simulation.judge(case, two).violations, n)
    end
  end)

  it("is the same for the same seed, whatever is asked before", function()
    local first = simulation.rehearse(simulation.case(plan, 4711), plan)
    simulation.rehearse(simulation.case(plan, 4712), plan)
    local second = simulation.rehearse(simulation.case(plan, 4711), plan)
    assert.equal(first.stage.disk:text "run", second.stage.disk:text "run")
    assert.equal(first.ending, second.ending)
    assert.equal(#first.stage.requests, #second.stage.requests)
  end)

  it("ends as undisturbed when the machine stops at any call of the disk", function()
    local calls = simulation.rehearse(case_of {}, plan).stage.disk.calls
    assert.is_true(calls > 30)
    for n = 1, calls do
      for _, how in ipairs { "crash", "crash_after", "torn" } do
        local case = case_of { { kind = "crashes", call = n, how = how, pause = 0,
          keep = n % 3 * 40 } }
        assert.same({}, simulation.judge(case, plan).violations, n .. " " .. how)
      end
    end
  end)

  it("ends as undisturbed when the machine stops around any request", function()
    local asked = #simulation.rehearse(case_of {}, plan).stage.requests
    for n = 1, asked do
      for _, after in ipairs { false, true } do
        local case = case_of { { kind = "crashes", request = n, after = after, pause = 1,
          keep = 0 } }
        assert.same({}, simulation.judge(case, plan).violations, n)
      end
    end
  end)

  -- An interrupted drill is cleared; the machine stops before that is written down.
  it("goes on behind a drill that was cleared by whoever was given up", function()
    local _, drill = lab.plan(lab.DRILL)
    for call = 14, 34 do
      for _, name in ipairs { "host", "interrupt" } do
        local case = case_of({ { kind = "stops", name = name, request = 11, delay = 0 },
          { kind = "crashes", call = call, how = "crash", pause = 0, keep = 0 } })
        case.world = require "alicloud.simulation.discover".calm(drill.world)
        local rehearsal = simulation.judge(case, drill)
        assert.same({}, rehearsal.violations, name .. call)
        assert.equal("completed", rehearsal.ending, name .. call)
      end
    end
  end)

  it("says in one line what every kind of trouble is", function()
    local seen, _, planned = {}, lab.plan(lab.PLANNED)
    for seed = 1, 400 do
      for _, trouble in ipairs(simulation.case(planned, seed).troubles) do
        assert.is_falsy(descriptions.describe(trouble):find "[\n%%]")
        seen[trouble.kind] = true
      end
    end
    -- This playbook has no programs and no parameters.
    local others = { programs = true, typos = true }
    for _, kind in ipairs(simulation.KINDS) do assert.is_true(seen[kind] or others[kind], kind) end
  end)

  it("draws nobody who puts back what a service has forgotten", function()
    for _, seed in ipairs { 146573, 302550 } do
      assert.is_nil(simulation.broken_by(plan, seed))
    end
    local forgetful = 0
    for seed = 1, 2000 do
      local names = {}
      for _, trouble in ipairs(simulation.case(plan, seed).troubles) do
        names[trouble.name or ""] = true
      end
      if names.token_forget then forgetful = forgetful + 1 end
      assert.is_false(names.token_forget == true and names.stop == true, seed)
    end
    assert.is_true(forgetful > 50)
  end)

  it("can be asked for each hostile option that it draws or lists, by its name", function()
    local looks = require "alicloud.simulation.looks"
    local known, drawn = {}, {}
    for _, name in ipairs(looks.NAMES) do known[name] = true end
    for _, lie in ipairs(looks.LISTED) do assert.is_true(known[lie[1]], lie[1]) end
    for seed = 1, 1000 do
      for _, trouble in ipairs(simulation.case(plan, seed).troubles) do
        if trouble.kind == "hostile" then drawn[trouble.name] = true end
      end
    end
    for name in pairs(drawn) do assert.is_true(known[name], name) end
    for name in pairs(known) do assert.is_true(drawn[name], name) end
  end)

  it("leaves out the kinds that were not asked for", function()
    for seed = 1, 100 do
      for _, trouble in ipairs(simulation.case(plan, seed,
        { kinds = { crashes = true, stale_read = true } }).troubles) do
        assert.is_true(trouble.kind == "crashes" or trouble.name == "stale_read")
      end
    end
  end)
end)

describe("shrinking", function()
  local function needs(...)
    local wanted = { ... }
    return function(list)
      local there = {}
      for _, item in ipairs(list) do there[item] = true end
      for _, item in ipairs(wanted) do
        if not there[item] then return false end
      end
      return true
    end
  end

  it("keeps what is needed and nothing else", function()
    assert.same({ 3, 7 }, shrink.list({ 1, 2, 3, 4, 5, 6, 7, 8 }, needs(3, 7)))
    assert.same({ 1 }, shrink.list({ 1, 2, 3 }, needs(1)))
    assert.same({}, shrink.list({ 1, 2, 3 }, needs()))
    assert.same({ 1, 2, 3 }, shrink.list({ 1, 2, 3 }, needs(1, 2, 3)))
  end)
end)
