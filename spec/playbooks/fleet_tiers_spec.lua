-- The ready playbook for many groups: who moves before whom, and what a table says of each group.

local journals = require "alicloud.dr.journal"
local scene = require "spec.playbooks.scene"
local stages = require "spec.dr.playbook.stage"

local OLD, NEW = "cn-hangzhou/cn-hangzhou-g", "cn-shanghai/cn-shanghai-b"
local NAMES = { "db-orders", "app-orders", "web", "db-users", "app-users", "web-2" }

-- Six groups of one pair, each with a machine at both sides.
local function world(changes)
  local groups, disks, instances = {}, {}, {}
  for i, name in ipairs(NAMES) do
    groups[i] = { id = ("pg-%02d"):format(i), name = name, status = "normal", failover_seconds = 40,
      recover_point_age = 60, source = OLD, destination = NEW, pairs = {
        { id = ("pair-%02d"):format(i), source_disk = ("d-old-%d"):format(i),
          destination_disk = ("d-new-%d"):format(i) } } }
    for field, value in pairs(changes and changes[i] or {}) do groups[i][field] = value end
    disks[i] = { id = ("d-old-%d"):format(i), place = OLD, instance = ("i-old-%d"):format(i) }
    instances[2 * i - 1] = { id = ("i-old-%d"):format(i), place = OLD, status = "Running" }
    instances[2 * i] = { id = ("i-new-%d"):format(i), place = NEW, status = "Stopped" }
  end
  return { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups, disks = disks,
    instances = instances }
end

local function stage_of(changes, given)
  local all = { world = world(changes) }
  for name, value in pairs(given or {}) do all[name] = value end
  return stages.new(all)
end

local function run(stage, more, options)
  return scene.run("fleet", stage, { groups = "all", region = "cn-shanghai" }, more, options)
end

-- When each group was decided on and when it was over, seconds after the first.
local function times(stage)
  local began, ended, first = {}, {}, nil
  for _, event in ipairs(stage:events "intent") do
    first = first or event.at
    began[event.intent.group_id] = event.at - first
  end
  for _, event in ipairs(stage:events "outcome") do ended[event.group_id] = event.at - first end
  return began, ended
end

local function partial(id)
  return { match = { action = "FailoverDiskReplicaGroup", group = id }, effect = { partial = 1 } }
end

describe("the tiers of a fleet", function()
  it("wait for the one before; groups without a tier are last", function()
    local stage = stage_of()
    assert(run(stage, { tier = "1:db-*,2:app-*", canary = 0 }))
    local began, ended = times(stage)
    for _, pair in ipairs { { "01", "02" }, { "04", "02" }, { "01", "05" }, { "04", "05" },
      { "02", "03" }, { "05", "03" }, { "02", "06" }, { "05", "06" } } do
      assert.is_true(ended["pg-" .. pair[1]] <= began["pg-" .. pair[2]], table.concat(pair, " "))
    end
    assert.is_true(began["pg-04"] < ended["pg-01"])
    assert.matches("tier 1: 2: pg%-01, pg%-04\ntier 2: 2: pg%-02, pg%-05\nno tier, last: 2: "
      .. "pg%-03, pg%-06", scene.notes(stage))
  end)

  it("go on behind one that failed under the threshold, and one that is left out", function()
    local stage = stage_of({ [4] = { status = "created" } }, { faults = { partial "pg-01" } })
    local result = assert(run(stage, { tier = "1:db-*,2:app-*", canary = 0, max_errors = 2 }))
    assert.equal("completed_with_exceptions", result.status)
    assert.equal(5, #stage.bench:ledger())
    local began, ended = times(stage)
    assert.is_true(ended["pg-01"] <= began["pg-02"])
    assert.equal(2, #result.exceptions)
  end)

  it("begin nothing of the next at the threshold", function()
    local stage = stage_of(nil, { faults = { partial "pg-01" } })
    local _, err = run(stage, { tier = "1:db-*,2:app-*", canary = 0 })
    assert.matches("1 of 6 failed %(pg%-01%), 4 were not begun", err.message)
    assert.matches("resumed with max_errors=2", err.hint)
    assert.equal(2, #stage.bench:ledger())
  end)

  it("have the canary in the first, or where it was named", function()
    local stage = stage_of()
    assert(run(stage, { tier = "1:app-*" }))
    local began, ended = times(stage)
    assert.is_true(ended["pg-02"] <= began["pg-05"])
    stage = stage_of()
    assert(run(stage, { tier = "1:app-*", canary = "pg-06" }))
    began, ended = times(stage)
    assert.is_true(math.abs(began["pg-02"] - began["pg-05"]) < 0.1)
    assert.is_true(ended["pg-06"] <= began["pg-01"])
  end)

  it("say how to go on where the canary was alone in its own", function()
    local stage = stage_of(nil, { faults = { {
      match = { action = "FailoverDiskReplicaGroup", group = "pg-01", count = 9 },
      effect = { partial = 1 } } } })
    local _, err = run(stage, { tier = "1:pg-01", max_errors = 2 })
    assert.matches("^resumed with canary=pg%-02, .*canary=0", err.hint)
    local order = {}
    local result = assert(run(stage, { tier = "1:pg-01", max_errors = 2 }, {
      progress = function(event)
        if event.type == "intent" then order[#order + 1] = event.intent.group_id end
      end }))
    assert.equal("completed_with_exceptions", result.status)
    assert.equal("pg-01 pg-02", table.concat(order, " ", 1, 2))
    local began, ended = times(stage)
    assert.is_true(ended["pg-02"] <= began["pg-03"])
    assert.matches("of 6 groups: 1 failed, 5 opened\n", scene.notes(stage))
  end)

  it("have another canary of the same one suggested", function()
    local params = { tier = "1:app-*,2:db-*", canary = "pg-02" }
    local _, err = run(stage_of(nil, { faults = { partial "pg-02" } }), params)
    assert.matches("^resumed with canary=pg%-05, ", err.hint)
    _, err = run(stage_of { [2] = { status = "created" } }, params)
    assert.matches("the canary pg%-02 is not ready: ", err.message)
    assert.matches("^resumed with canary=pg%-05, ", err.hint)
    _, err = run(stage_of(nil, { faults = { partial "pg-03" } }),
      { tier = "1:pg-03,2:app-*", canary = "pg-03" })
    assert.matches("^resumed with canary=pg%-02, ", err.hint)
  end)

  it("that take no group are told", function()
    local stage = stage_of()
    assert(run(stage, { tier = "1:db-*,2:ap-*,3:pg-01" }))
    assert.matches("tier 2: ap%-%* takes no group that is ready", scene.notes(stage))
    assert.matches("tier 3: pg%-01 takes no group that is ready", scene.notes(stage))
  end)

  it("hold wherever the run was killed", function()
    local params = { groups = "all", region = "cn-shanghai", tier = "1:db-*,2:app-*" }
    local kills = scene.kill_everywhere("fleet", params, stage_of, function(_, stage)
      local began, ended = times(stage)
      for _, id in ipairs { "pg-02", "pg-05" } do
        assert.is_true(ended["pg-01"] <= began[id] and ended["pg-04"] <= began[id])
      end
    end, 4)
    assert.is_true(kills > 60, kills)
  end)
end)

describe("tiers that are corrected", function()
  it("are told like the first ones, a pattern that takes nobody too", function()
    local stage = stage_of(nil, { faults = { { match = { action = "FailoverDiskReplicaGroup",
      nth = 1 }, effect = { error = { code = "Forbidden", status = 403 } } } } })
    assert.is_nil((run(stage, { tier = "1:db-*" })))
    assert(stage:run(scene.load "fleet", { corrections = { why = "typo",
      values = { tier = "1:bd-*,2:app-*" } } }))
    local notes = scene.notes(stage)
    assert.matches("tier 1: bd%-%* takes no group that is ready", notes)
    assert.matches("tier 2: 2: pg%-02, pg%-05", notes)
    assert.equal("done", scene.statuses(stage)["order 2"])
  end)
end)

-- The journal as a version would have written it that kept other results.
local function rewrite(stage, change)
  local lines, head = {}, journals.FIRST
  for seq, event in ipairs(stage:events()) do
    change(event)
    lines[seq], head = journals.line(seq, head, event)
  end
  stage.disk:put("run", table.concat(lines))
end

describe("the table of a fleet", function()
  local TABLE = "group,attach,fence,stop\npg-01,i-new-1,must,true\npg-02,d-new-2:i-new-2,try\n"

  it("says of each group who gets its disks, what is fenced and what is stopped", function()
    local stage = stage_of()
    local programs = {}
    local result = assert(run(stage, { table = TABLE }, { program = function(command, variables)
      programs[#programs + 1] = command .. " " .. variables.group
      return true
    end }))
    assert.equal("completed", result.status)
    assert.same({ "true pg-01" }, programs)
    local emu = stage.bench.emu
    for i = 1, 2 do
      assert.equal("Running", emu.world.instance_by_id["i-new-" .. i].status)
      assert.equal("Stopped", emu.world.instance_by_id["i-old-" .. i].status)
    end
    assert.equal("Stopped", emu.world.instance_by_id["i-new-3"].status)
    assert.equal("Running", emu.world.instance_by_id["i-old-3"].status)
    assert.equal("done", scene.statuses(stage)["pg-01/fence"])
    assert.is_nil(scene.statuses(stage)["pg-03/fence"])
    assert.matches("the old side of pg%-03, pg%-04, pg%-05, pg%-06 is not fenced, keep it from",
      scene.notes(stage))
  end)

  it("goes on where the version before has held it against the groups", function()
    local stage = stage_of()
    assert.is_nil((run(stage, { table = TABLE, canary = "pg-99" })))
    rewrite(stage, function(event)
      if event.type == "step_end" and event.step == "table" then event.result = true end
    end)
    local result = assert(stage:run(scene.load "fleet", { corrections = { why = "typo",
      values = { canary = "pg-01" } }, program = function() return true end }))
    assert.equal("completed", result.status)
  end)

  it("is refused with a group that is nowhere, before anything is looked at", function()
    local stage = stage_of()
    local _, err = run(stage, { table = "group,attach\npg-1,i-new-1\n" })
    assert.equal("Client.BadParameter", err.code)
    assert.matches('table: unknown group "pg%-1"; did you mean "pg%-01"?', err.message)
    assert.equal("not_sent", err.outcome)
    assert.equal(0, #stage.bench:ledger())
    assert.is_nil(scene.statuses(stage)["ready pg-01/check"])
    assert.error_matches(function() run(stage_of(), { table = "group,atach\npg-01,i-1\n" }) end,
      'unknown column "atach"; did you mean "attach"')
  end)

  it("may have rows of groups that stay", function()
    local stage = stage_of()
    assert(run(stage, { groups = "pg-02", table = TABLE }))
    assert.matches("rows of groups that stay: pg%-01", scene.notes(stage))
    assert.equal("Running", stage.bench.emu.world.instance_by_id["i-new-2"].status)
    assert.equal("Running", stage.bench.emu.world.instance_by_id["i-old-1"].status)
  end)

  it("is part of the command that moves a group later", function()
    local stage = stage_of { { status = "created" }, { status = "created" } }
    local rows = TABLE:gsub(",true", ",ssh a stop")
    local result = assert(run(stage, { table = rows, max_rpo = "20m" }))
    assert.matches("later: alicloud%-dr run failover group=pg%-01 region=cn%-shanghai "
      .. "max_rpo=1200s attach=i%-new%-1 'stop=ssh a stop' fence=must$", result.exceptions[1])
    assert.matches("attach=d%-new%-2:i%-new%-2 fence=try$", result.exceptions[2])
  end)

  it("may be another one for what is left to do", function()
    local sold_out = world()
    table.insert(sold_out.instances, { id = "i-sold-out", place = NEW, status = "Stopped",
      no_stock = true })
    local stage = stages.new { world = sold_out }
    local _, err = run(stage, { table = "group,attach\npg-01,i-sold-out\n" })
    assert.matches("^1 of 6 failed %(pg%-01%)", err.message)
    assert(stage:run(scene.load "fleet", { corrections = { why = "typo",
      values = { table = "group,attach\npg-01,i-new-1\n" } } }))
    assert.equal("Running", stage.bench.emu.world.instance_by_id["i-new-1"].status)
  end)

  it("is held against the groups and their instances again when it is another one", function()
    local stage = stage_of(nil, { faults = { { match = { action = "FailoverDiskReplicaGroup",
      nth = 1 }, effect = { error = { code = "Forbidden", status = 403 } } } } })
    local function correct(text)
      return stage:run(scene.load "fleet", { corrections = { why = "typo",
        values = { table = "group,attach\n" .. text } } })
    end
    assert.is_nil((run(stage, { table = "group,attach\npg-01,i-new-1\n" })))
    for _, wrong in ipairs { "pg-1", "pg-7" } do
      local _, err = correct(wrong .. ",i-new-1\n")
      assert.matches('table: unknown group "' .. wrong:gsub("%-", "%%-") .. '"', err.message)
      assert.equal(0, #stage.bench:ledger())
    end
    local result = assert(correct "pg-01,i-new-1\npg-02,i-new-9\n")
    assert.matches("^pg%-02 was left out: InvalidInstanceId.NotFound: ", result.exceptions[1])
    assert.equal(1, #result.exceptions)
    local emu = stage.bench.emu
    assert.equal("normal", emu:group("pg-02").status)
    assert.equal("Running", emu.world.instance_by_id["i-new-1"].status)
  end)

  it("counts a group as failed that was stopped for nothing", function()
    local stage = stage_of(nil, { events = nil })
    local _, err = run(stage, { table = TABLE, canary = 0, max_errors = 1 }, {
      program = function()
        local group = stage.bench.emu.world.group_by_id["pg-01"]
        group.status = "created"
        for _, pair in ipairs(group.pairs) do pair.status = "created" end
        return true
      end })
    assert.matches("1 of 6 failed %(pg%-01%)", err.message)
  end)
end)
