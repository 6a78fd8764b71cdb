-- The ready playbook for many groups: canaries, the brake, and who is killed on the way.

local alicloud = require "alicloud"
local fleets = require "spec.playbooks.fleet_lab"
local pasts = require "alicloud.dr.playbook.past"
local scene = require "spec.playbooks.scene"

local stage_of, run, moved, opened = fleets.stage, fleets.run, fleets.moved, fleets.opened

-- A client that may ask six times a second for each action and twelve times in all, and the moments
-- at which it asked.
local function slow_client(emu)
  local moments = {}
  local client = alicloud.client {
    region = "cn-shanghai", runtime = emu.runtime, rate = { action = 8, region = 16 },
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
    transport = { send = emu.transport.send, perform = function(request)
      moments[#moments + 1] = { at = emu.runtime.time(), action = request.action }
      return emu.transport.perform(request)
    end },
  }
  return client, moments
end

-- The most calls that one second saw, wherever it begins.
local function densest(moments, action)
  local most, first, list = 0, 1, {}
  for _, moment in ipairs(moments) do
    if not action or moment.action == action then list[#list + 1] = moment.at end
  end
  for last = 1, #list do
    while list[last] - list[first] > 1 - 1e-3 do first = first + 1 end
    most = math.max(most, last - first + 1)
  end
  return most, #list
end

describe("the playbook fleet", function()
  it("moves all groups of a region, the canary first", function()
    local stage, first = stage_of(12)
    local result = assert(run(stage, nil, { progress = function(event)
      if event.type == "intent" then
        first = first or event.at
      elseif event.type == "step_begin" and event.step == "pg-02/promote" then
        assert.is_true(event.at - first > 39)
      end
    end }))
    assert.equal("completed", result.status)
    assert.equal(12, moved(stage))
    assert.equal("done", scene.statuses(stage)["pg-12/promote"])
  end)

  it("moves those that are named", function()
    local stage = stage_of(5)
    assert(run(stage, { groups = "pg-02,pg-04,pg-02" }))
    assert.equal(2, moved(stage))
  end)

  it("stops at a canary that fails, and says how to go on", function()
    local stage = stage_of(10, nil, { faults = { fleets.forbidden "pg-01" } })
    local _, err = run(stage, { max_errors = 5 })
    assert.equal("Forbidden", err.code)
    assert.matches("1 of 10 failed %(pg%-01%), 9 were not begun", err.message)
    assert.matches("resumed, pg%-02 comes first instead of it", err.hint)
    assert.matches("canary=pg%-02", err.hint)
    assert.matches("canary=0", err.hint)
    assert.matches("%-%-skip pg%-01/promote=WHY", err.hint)
    assert.equal(0, moved(stage))
  end)

  it("takes another canary when it is resumed, and what failed comes last", function()
    local stage = stage_of(12, nil, { faults = { fleets.partial "pg-01" } })
    assert.is_nil((run(stage, { max_errors = "50%", parallel = 1 })))
    local first = {}
    local result = assert(run(stage, { max_errors = "50%", parallel = 1 }, {
      progress = function(event)
        if event.type == "intent" then first[#first + 1] = event.intent.group_id end
      end }))
    assert.equal("pg-02", first[1])
    assert.equal("pg-01", first[12])
    assert.equal("completed_with_exceptions", result.status)
    assert.matches("^pg%-01 failed: ", result.exceptions[1])
    assert.matches("pg%-01 failed; later: alicloud%-dr run failover group=pg%-01",
      scene.notes(stage))
    assert.equal(11, opened(stage))
  end)

  it("lets a person take another canary, or release the others", function()
    for answer, brought in pairs { again = "pg-02", skip = "pg-02", stop = false } do
      local stage = stage_of(4, nil, { faults = { fleets.partial "pg-01" } })
      local asked
      local result = run(stage, nil, { ask = function(question)
        asked = question
        return answer, "chief"
      end })
      assert.is_true(asked.canary)
      assert.equal(brought and 3 or 0, opened(stage), answer)
      assert.equal(brought ~= false, result ~= nil)
      assert.equal(answer, stage:events("asked")[1].answer)
    end
  end)

  it("resumes with another canary, another threshold, and what has moved is not touched", function()
    local function resumed(stage, values)
      return stage:run(scene.load "fleet", { corrections = { values = values, why = "seen" },
        progress = function(event)
          if event.type == "intent" then stage:did(event.intent.group_id) end
        end })
    end
    local stage = stage_of(6, nil, { faults = { fleets.partial "pg-01", fleets.partial "pg-04" } })
    assert.is_nil((run(stage, { parallel = 1 })))
    local _, err = resumed(stage, { canary = "pg-05" })
    assert.matches("^1 of 6 failed %(pg%-04%)", err.message)
    assert.matches("^pg%-05 pg%-02", stage:done())
    local before = #stage:events "intent"
    local result = assert(resumed(stage, { max_errors = "3", canary = 0, parallel = 2 }))
    assert.equal("completed_with_exceptions", result.status)
    assert.equal(4, opened(stage))
    local again = {}
    for i = before + 1, #stage:events "intent" do
      again[stage:events("intent")[i].intent.group_id] = true
    end
    assert.same({ ["pg-01"] = true, ["pg-04"] = true, ["pg-06"] = true }, again)
  end)

  it("takes another canary or threshold that is given anew, and nothing else", function()
    local stage = stage_of(6, nil, { faults = { fleets.partial "pg-01" } })
    assert.is_nil((run(stage, { parallel = 1 })))
    local _, err = run(stage, { max_errors = "50%", max_rpo = "3h" })
    assert.equal("Client.RunChanged", err.code)
    assert(run(stage, { max_errors = "50%", canary = "pg-06" }))
    assert.equal(5, opened(stage))
    local told = {}
    for i, event in ipairs(stage:events "correction") do
      told[i] = ("%s %s %s"):format(event.name, event.new, event.why)
    end
    assert.same({ "canary pg-06 given anew", "max_errors 50% given anew" }, told)
  end)

  it("leaves a step of the canary out, and proves it with another group", function()
    local stage = stage_of(6, nil, { faults = { fleets.partial "pg-01" } })
    assert.is_nil((run(stage)))
    local order = {}
    assert(run(stage, nil, { skip = { ["pg-01/promote"] = "broken" }, progress = function(event)
      if event.type == "intent" then order[#order + 1] = event.intent.group_id end
    end }))
    assert.equal("pg-02", order[1])
    assert.equal(5, opened(stage))
    assert.equal("skipped", stage:state().steps["what remains"].result.groups["pg-01"])
    local notes = scene.notes(stage)
    assert.matches("pg%-01 was skipped; later: alicloud%-dr run failover group=pg%-01 "
      .. "region=cn%-shanghai max_rpo=", notes)
    assert.matches("old side of pg%-02, .*, pg%-06 is not fenced, keep it from writing: "
      .. "alicloud%-dr fence GROUP %-%-region cn%-shanghai", notes)
    assert.matches("pg%-02, .*, pg%-06 are not protected: alicloud%-dr reprotect GROUP ", notes)
  end)

  it("stops nothing for a failover that is left out, nor does a later process", function()
    local rows = { groups = "pg-01,pg-02", canary = "0",
      table = "group,stop,fence\npg-01,halt shop,must\n" }
    local stage, stopped = stage_of(2, nil, { faults = { fleets.forbidden "pg-02" } }), 0
    local options = { skip = { ["pg-01/promote"] = "later" }, program = function()
      stopped = stopped + 1
      return true
    end }
    assert.is_nil((run(stage, rows, options)))
    assert.equal("skipped", scene.statuses(stage)["pg-01/promote"])
    options.skip = nil
    assert(run(stage, rows, options))
    assert.equal(0, stopped)
    assert.is_nil(scene.statuses(stage)["pg-01/fence"])
    assert.equal(1, opened(stage))
  end)

  it("names the one group that is left to fence and to protect, in the commands for it", function()
    local stage = stage_of(3)
    assert(run(stage, { groups = "pg-02" }))
    local notes = scene.notes(stage)
    assert.matches("pg%-02 is not fenced, .*: alicloud%-dr fence pg%-02 %-%-region", notes)
    assert.matches("pg%-02 is not protected: alicloud%-dr reprotect pg%-02 %-%-region", notes)
  end)

  it("is refused where a group or a step is to be skipped that is not known", function()
    for key, told in pairs {
      ["pg-1/promote"] = { 'group "pg-1"; did you mean "pg-01"?', "GROUP" },
      ["pg-02/promot"] = { 'step "pg-02/promot"; did you mean "pg-02/promote"?', "pg-02" },
      promote = { 'step "promote"; did you mean "GROUP/promote"?', "GROUP" },
      ["pg-02"] = { 'step "pg-02"', "pg-02" }, choose = { 'step "choose"', "GROUP" } } do
      local stage = stage_of(3)
      local _, err = run(stage, nil, { skip = { [key] = "broken" } })
      assert.equal("Client.BadParameter", err.code)
      assert.equal("skip: unknown " .. told[1], err.message)
      assert.matches(("resume it with --skip %s/promote=WHY"):format(told[2]), err.hint, 1, true)
      assert.equal(0, moved(stage))
    end
    local stage = stage_of(3)
    assert(run(stage, nil, { skip = { ["ready pg-01/check"] = "seen", ["gate:approve"] = "night",
      ["pg-02/check 2"] = "seen", ["pg-03/promote"] = "broken" } }))
    assert.equal(2, opened(stage))
  end)

  it("takes as many at a time, and as many canaries, as its parameters may say", function()
    for _, name in ipairs { "parallel", "canary", "max_groups" } do
      local stage = stage_of(3)
      assert.equal("completed", assert(run(stage, { [name] = 100000 })).status)
    end
  end)

  it("chooses a canary that is ready and has something to prove", function()
    local stage = stage_of(5, { fleets.BROKEN, { status = "failovered" },
      { status = "failover_failed" } })
    local first
    assert(run(stage, nil, { progress = function(event)
      first = first or event.type == "intent" and event.intent.group_id
    end }))
    assert.equal("pg-04", first)
    assert.equal(4, opened(stage))
  end)

  it("finds what it has opened open, however long ago that was", function()
    for _, later in ipairs { 10, 7200 } do
      local stage = stage_of(3)
      assert(run(stage))
      stage.bench.emu:advance(later)
      local again = stage:anew()
      local result = assert(run(again))
      assert.equal("already_failovered", result.outcome)
      assert.same({ ["pg-01"] = "already_failovered", ["pg-02"] = "already_failovered",
        ["pg-03"] = "already_failovered" }, again:state().steps["what remains"].result.groups)
      assert.equal(3, moved(again))
    end
  end)

  it("does not stop the services of a group that is open already", function()
    local stage, stopped = stage_of(3), 0
    local options = { program = function()
      stopped = stopped + 1
      return true
    end }
    local rows = { table = "group,stop\npg-02,halt shop\n" }
    assert(run(stage, rows, options))
    assert.equal(1, stopped)
    assert(run(stage:anew(), rows, options))
    assert.equal(1, stopped)
  end)

  it("leaves out a group that was open already, and of which it has stopped nothing", function()
    local stage = stage_of(3)
    assert(run(stage))
    local again, looked = stage:anew(), false
    local result = assert(run(again, { table = "group,stop\npg-02,halt shop\n", max_errors = 1 }, {
      program = function() error "it is open" end,
      progress = function(event)
        if looked or event.type ~= "step_end" or event.step ~= "order" then return end
        looked = true
        local group = again.bench.emu:group "pg-02"
        group.status = "created"
        for _, pair in ipairs(group.pairs) do pair.status = "created" end
      end }))
    assert.matches("^pg%-02 was left out: .*'stop=halt shop'$", result.exceptions[1])
  end)

  it("takes the canaries that are named", function()
    local stage, order = stage_of(5), {}
    assert(run(stage, { canary = "pg-03,pg-05" }, { progress = function(event)
      if event.type == "outcome" then order[#order + 1] = event.group_id end
      if event.type == "intent" and event.intent.group_id == "pg-01" then
        assert.equal(2, #order)
      end
    end }))
    assert.equal(5, moved(stage))
    stage = stage_of(5, { [3] = fleets.BROKEN })
    local _, err = run(stage, { canary = "pg-03" })
    assert.matches("the canary pg%-03 is not ready: ", err.message)
    assert.matches("canary=pg%-01", err.hint)
    stage = stage_of(3, { { source = "cn-shanghai/cn-shanghai-b",
      destination = "cn-hangzhou/cn-hangzhou-g" } })
    _, err = run(stage, { groups = "pg-01,pg-02,pg-03", canary = "pg-01" })
    assert.equal("the canary pg-01 stands there already and proves nothing", err.message)
    _, err = run(stage_of(5), { canary = "pg-30" })
    assert.equal("Client.BadParameter", err.code)
    assert.matches('canary: unknown group "pg%-30"; did you mean "pg%-0', err.message)
    assert.equal(0, moved(stage))
  end)

  it("counts failed changes, and not what was left out", function()
    local stage = stage_of(10, { [1] = fleets.BROKEN, [5] = fleets.BROKEN, [6] = fleets.BROKEN })
    local result = assert(run(stage, { max_errors = 1 }))
    assert.equal(7, moved(stage))
    assert.equal(3, #result.exceptions)
  end)

  it("begins nothing more once there are too many errors", function()
    local stage = stage_of(10, nil, { faults = { {
      match = { action = "FailoverDiskReplicaGroup", nth = 3 },
      effect = { error = { code = "Forbidden", status = 403 } } } } })
    local _, err = run(stage, { max_errors = 1, parallel = 1 })
    assert.matches("1 of 10 failed %(pg%-03%), 7 were not begun", err.message)
    assert.equal(2, moved(stage))
  end)

  it("asks a person before it moves more than he thought of", function()
    local stage = stage_of(4)
    local _, err = run(stage, { max_groups = 3 })
    assert.equal("Client.TooManyGroups", err.code)
    assert.equal(0, moved(stage))
    assert(run(stage, { max_groups = 3 }, { ask = function() return "again", "chief" end }))
    assert.equal(4, moved(stage))
  end)

  it("goes on wherever it was killed, and moves each group once", function()
    local params = { groups = "all", region = "cn-shanghai" }
    local function make() return stage_of(3) end
    local expected
    local kills = 0
    local whole = make()
    assert(whole:run(scene.load "fleet", { params = params }))
    expected = moved(whole)
    for n = 1, whole.disk.calls do
      local stage = make()
      if stage:run_until(scene.load "fleet", function(call) return call.n == n and "crash" end,
          { params = params }) then
        kills = kills + 1
        assert(stage:run(scene.load "fleet", { params = params }))
        assert.equal(expected, moved(stage), n)
        for _, entry in ipairs(stage:state().intents) do
          assert.is_false(pasts.is_open(entry), n)
        end
      end
    end
    assert.is_true(kills > 50, kills)
  end)

  it("uses what the rate of calls allows, and no more", function()
    local quick = {}
    for i = 1, 60 do quick[i] = { failover_seconds = 8 } end
    local stage = stage_of(60, quick, { wire = false })
    local client, moments = slow_client(stage.bench.emu)
    assert(run(stage, { parallel = 60, canary = 0, max_groups = 60 }, { client = client }))
    assert.equal(60, moved(stage))
    local took = stage:events("finished")[1].at - stage:events("run")[1].at
    local in_all, total = densest(moments)
    local of_one, looks = densest(moments, "DescribeDiskReplicaGroups")
    -- A change does not wait for looks at other groups; of them the account has 40 a second.
    assert.is_true(in_all <= 12 + 30, in_all)
    assert.equal(30, (densest(moments, "FailoverDiskReplicaGroup")))
    assert.is_true(of_one <= 6 and looks < 20)
    -- The end of the last one is told by a sweep, and those begin every three seconds.
    assert.is_true(took <= 60 / 30 + 8 + 3, took)
    assert.is_true(total < 2 * 60, total)
  end)
end)
