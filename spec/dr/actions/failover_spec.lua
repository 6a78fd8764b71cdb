-- The way of a failover from the first look to the open disks, and what it refuses to begin.

local lab = require "spec.dr.lab"

local answer, fault, run, assert_sound = lab.answer, lab.fault, lab.run, lab.assert_sound

describe("a failover", function()
  it("ends when the group and every pair are open, with achieved RPO and RTO", function()
    local bench, result = run()
    assert_sound(bench, 1)
    assert.equal("failovered", result.outcome)
    assert.equal(432, result.rpo)
    assert.equal("accepted", result.rpo_basis)
    assert.is_true(result.rto >= 52 and result.rto <= 57)
    assert.equal("start", result.rto_basis)
    assert.equal(bench:ledger()[1].time, result.rpo_to)
    assert.equal(3, #result.pairs)
    for _, pair in ipairs(result.pairs) do assert.equal("failovered", pair.status) end
    assert.equal(bench:ledger()[1].request_id, result.request_id)
    assert.equal(bench:ledger()[1].client_token, result.client_token)
    assert.same({ region = "cn-hangzhou", zone = "cn-hangzhou-g" }, result.from)
    assert.same({ region = "cn-shanghai", zone = "cn-shanghai-b" }, result.to)
    assert.equal(1, result.attempts)
    assert.is_false(result.joined)
  end)

  it("states the loss of the oldest pair", function()
    local bench, result = run { group = { pairs = { {},
      { id = "pair-late", recover_point_age = 900 } } } }
    assert.equal(900, result.rpo)
    assert.equal("pair-late", result.oldest_pair)
    assert.equal(bench:ledger()[1].time - 900, result.recover_point)
  end)

  it("sends nothing when the pre-check stands against it, and says with which code", function()
    local cases = {
      { { status = "created" }, "OperationDenied.InvalidStatus" },
      { { pairs = 0 }, "OperationDenied.NoPairInGroup" },
      { { pairs = { {}, { status = "stopped" } } }, "OperationDenied.PairGroupStatusConflict" },
      { { status = "stopped", recover_point_age = false }, "Client.FirstSyncUnfinished" },
      { { recover_point_age = 3000 }, "Client.RecoveryPointTooOld" },
    }
    for _, case in ipairs(cases) do
      local bench, result, err = run({ group = case[1] }, { max_rpo = 1200 })
      assert.is_nil(result)
      assert.equal("precheck", err.kind)
      assert.equal(case[2], err.code)
      assert.equal("not_sent", err.outcome)
      assert.is_table(err.findings)
      assert.is_string(err.hint)
      assert.same({}, bench:sends())
    end
  end)

  it("is never asked at the primary site, though the service would take it there", function()
    local bench, result, err = run({ hostile = { permissive = true } }, { at = lab.PRIMARY })
    assert.is_nil(result)
    assert.equal("OperationDenied.OperateNotAllowedForPrimary", err.code)
    assert.matches("cn%-hangzhou is the primary site of pg%-orders; fail over in cn%-shanghai",
      err.message)
    assert.same({}, bench:ledger())
    assert.same({}, bench:sends())
  end)

  it("is never asked where the group is not listed", function()
    local bench, _, err = run({ hostile = { permissive = true } }, { at = "cn-beijing" })
    assert.equal("NoSuchResource", err.code)
    assert.same({}, bench:sends())
  end)

  it("is not sent twice when the first look finds it done", function()
    local bench, result = run { group = { status = "failovered" } }
    assert.equal("already_failovered", result.outcome)
    assert.equal(0, result.attempts)
    assert.same({}, bench:sends())
    assert.same({}, bench:ledger())
  end)

  it("joins a failover that is under way, and sends nothing", function()
    local bench = lab.new()
    assert(bench.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID }))
    local result = assert(bench:failover())
    assert.equal("failovered", result.outcome)
    assert.is_true(result.joined)
    assert.equal("observed", result.rpo_basis)
    assert.is_nil(result.rto)
    assert.equal(1, #bench:sends())
    assert_sound(bench, 1)
  end)

  it("opens every pair of a group that goes on counting fewer than name it", function()
    local bench, result = run { hostile = { pair_count_off = -1, pair_ids = "empty" } }
    assert.equal("failovered", result.outcome)
    assert.equal(3, #result.pairs)
    assert.equal(1, #bench:sends())
    -- A list that may be cut is another matter.
    local err
    bench, result, err = run { hostile = { pair_count_off = 1, pair_ids = "empty" } }
    assert.is_nil(result)
    assert.equal("Client.PairSetIncomplete", err.code)
    assert.equal(0, #bench:sends())
  end)

  it("is not called done because the group runs ahead of its pairs, at the first look", function()
    local bench = lab.new { hostile = { group_ahead = true } }
    assert(bench.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID }))
    bench.emu:advance(20)
    assert.equal("failovered", bench.emu:group(lab.ID).status)
    local result = assert(bench:failover())
    assert.equal("failovered", result.outcome)
    assert.is_nil(result.rto)
    assert_sound(bench, 1)
  end)

  it("asks before it sends, and sends nothing without a yes", function()
    local asked
    local bench, result, err = run(nil, { confirm = function(snapshot, report)
      asked = { snapshot.group_id, report.ok }
      return nil
    end })
    assert.same({ lab.ID, true }, asked)
    assert.is_nil(result)
    assert.equal("cancelled", err.kind)
    assert.equal("not_sent", err.outcome)
    assert.same({}, bench:sends())
  end)

  it("looks again after the question, since the answer may have taken minutes", function()
    local changes = {
      reversed = { function(bench) bench:reverse "normal" end, "Client.WorldChanged" },
      shrunk = { function(bench) bench:remove_pair() end, "Client.WorldChanged" },
      stopped = { function(bench) bench:put "created" end, "OperationDenied.InvalidStatus" },
      aged = { function(bench)
        bench:put "stopped"
        bench.emu:advance(3600)
      end, "Client.RecoveryPointTooOld" },
    }
    for name, change in pairs(changes) do
      local bench = lab.new()
      local result, err = bench:failover { max_rpo = "20m", confirm = function()
        change[1](bench)
        return true
      end }
      assert.is_nil(result, name)
      assert.equal(change[2], err.code, name)
      assert.equal("not_sent", err.outcome, name)
      assert.same({}, bench:sends(), name)
    end
  end)

  it("joins when somebody else was faster with the answer", function()
    local bench = lab.new()
    local result = assert(bench:failover { confirm = function()
      return bench.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = lab.ID }) ~= nil
    end })
    assert.is_true(result.joined)
    assert.equal(1, #bench:sends())
  end)

  it("cannot be broken by whoever listens to its progress", function()
    local bench = lab.new()
    local result = assert(bench:group():failover { progress = function() error "listener" end })
    assert.equal("failovered", result.outcome)
  end)

  it("lets an interrupt through", function()
    local bench = lab.new()
    assert.error_matches(function()
      bench:group():failover { progress = function(event)
        if event.event == "state" then error("stdin:1: interrupted!", 0) end
      end }
    end, "interrupted!$")
  end)
end)

describe("the token", function()
  it("is the caller's when one is given, and is told in result and error", function()
    local bench, result = run(nil, { client_token = "INC 4711/a" })
    assert.equal("INC 4711/a", bench:sends()[1].client_token)
    assert.equal("INC 4711/a", result.client_token)
    local _, _, err = run({ faults = { fault(answer("Forbidden", 403)) } },
      { client_token = "mine" })
    assert.equal("mine", err.client_token)
  end)

  it("continues a run that ended as unknown, with one effect", function()
    local bench = lab.new { faults = { fault({ apply_late = 200 }) } }
    local _, err = bench:failover { resend_window = 0 }
    assert.equal("unknown", err.outcome)
    bench.emu:advance(300)
    local result = assert(bench:failover { client_token = err.client_token })
    assert.equal("already_failovered", result.outcome)
    assert_sound(bench, 1)
  end)
end)

describe("options of a failover", function()
  local wrong = {
    { { timeout = "soon" }, "option timeout" }, { { timeout = 0 }, "option timeout" },
    { { stall = -1 }, "option stall" }, { { poll = 0 / 0 }, "option poll" },
    { { resend_window = "2d" }, "option resend_window" },
    { { client_token = "" }, "option client_token" },
    { { client_token = ("x"):rep(65) }, "option client_token" },
    { { client_token = "töken" }, "option client_token" },
    { { client_token = "a\nb" }, "option client_token" },
    { { incident = "" }, "option incident" }, { { incident = "a\0b" }, "option incident" },
    { { confirm = "yes" }, "option confirm" }, { { progress = 1 }, "option progress" },
    { { max_rpoo = 5 }, 'did you mean "max_rpo"' },
    { { incident = "a", client_token = "b" }, "one of the two" },
  }

  it("are refused at the caller's level, before anything is read", function()
    for _, case in ipairs(wrong) do
      local bench = lab.new()
      local group = bench:group()
      local ok, message = pcall(function() group:failover(case[1]) end)
      assert.is_false(ok)
      assert.matches(case[2], message, 1, true)
      assert.matches("^spec/dr/actions/failover_spec%.lua:%d+: ", message)
      assert.same({}, bench:requests())
    end
  end)

  it("name groups and regions that can exist", function()
    local dr, bench = require "alicloud.dr", lab.new()
    for _, id in ipairs { "", "a b", "a,b", "../x", "a\0", ("x"):rep(65), 5, {} } do
      assert.error_matches(function() dr.group(bench.client, id) end, "group id: got")
    end
    assert.error_matches(function() dr.group(bench.client, nil) end, "group id: got nothing")
    for _, region in ipairs { "", "CN", "cn shanghai", "cn-shanghai/", "x.y", "a\n" } do
      assert.error_matches(function() dr.group(bench.client, "pg-1", { region = region }) end,
        "region: got")
    end
    -- An instance's id, which has a letter behind its dash as zones have.
    for _, options in ipairs { { to = "i-h" }, { region = "cn-shanghai", to = "i-h" } } do
      assert.error_matches(function() dr.group(bench.client, "pg-1", options) end,
        'to: got "i%-h"; allowed: a zone')
    end
    assert.error_matches(function() dr.group(bench.client, "pg-1"):at "i-h" end, 'got "i%-h"')
    assert.error_matches(function() dr.group(nil, "pg-1") end, "client: got nothing")
    local group = dr.group(bench.client, "pg-1")
    for _, name in ipairs { "observe", "look", "precheck", "failover" } do
      assert.error_matches(function() group[name]() end, "with a colon")
      assert.error_matches(function() group[name] { poll = 1 } end, "with a colon")
    end
    assert.error_matches(function() group:precheck { max_rpo = "400d" } end, "from 0 s to 366d$")
    assert.error_matches(function() group:failover { poll = 0 } end, "from 0%.05 s to 5m$")
    assert.error_matches(function() group:at "CN" end, "place: got")
    assert.error_matches(function() group.at "cn-hangzhou" end, "with a colon")
    assert.equal("alicloud.dr.Group(pg-1 in cn-shanghai)", tostring(group))
    assert.equal("alicloud.dr.Group(pg-1 in cn-hangzhou)", tostring(group:at "cn-hangzhou"))
    assert.equal("alicloud.dr.Group(pg-1 in cn-hangzhou-h)", tostring(group:at "cn-hangzhou-h"))
    assert.error_matches(function() dr.group(bench.client, "pg-1", { to = "H" }) end, "to: got")
    assert.error_matches(function() dr.group(bench.client, "pg-1", { zone = "x" }) end, "zone")
  end)
end)

describe("looking at a region", function()
  it("lists groups of either side once, with the role the region has", function()
    local world = lab.world()
    world.groups[2] = { id = "pg-back", pairs = 1, status = "normal", recover_point_age = 5,
      source = "cn-shanghai/cn-shanghai-b", destination = "cn-hangzhou/cn-hangzhou-g" }
    world.groups[3] = { id = "pg-zones", pairs = 1, status = "normal", recover_point_age = 5,
      source = "cn-shanghai/cn-shanghai-b", destination = "cn-shanghai/cn-shanghai-e" }
    local bench = lab.new { world = world }
    local roles = {}
    for _, snapshot in ipairs(assert(require("alicloud.dr").groups(bench.client))) do
      roles[#roles + 1] = snapshot.group_id .. " " .. snapshot.role
    end
    assert.same({ "pg-back primary", "pg-orders secondary", "pg-zones both" }, roles)
    assert.same({}, bench:sends())
  end)

  it("tells from the wrong side which region to ask, as an error", function()
    local bench = lab.new()
    assert.equal("normal", assert(bench:group():look()).status)
    local snapshot, err = bench:group(nil, lab.PRIMARY):look()
    assert.is_nil(snapshot)
    assert.matches("fail over in cn%-shanghai", err.message)
    assert.equal("not_sent", err.outcome)
  end)
end)
