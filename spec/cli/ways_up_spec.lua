-- Somebody else changes a group by hand while a run has its production stopped. The command that is
-- printed then is typed as it stands, and brings the service up at one side.

local after = require "spec.dr.after_lab"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local view_run = require "alicloud.cli.view_run"
local worlds = require "spec.worlds"
local zone_lab = require "spec.dr.zone_lab"

-- What the colleague does, with the parameters of each call. A zone group is in one region.
local FAILOVER, START = { "FailoverDiskReplicaGroup" }, { "StartDiskReplicaGroup" }
local REVERSE = { "ReprotectDiskReplicaGroup", { ReverseReplicate = true } }
local CANCEL = { "ReprotectDiskReplicaGroup", { ReverseReplicate = false } }

local LEFT = {
  ["failed over"] = { FAILOVER },
  ["turned, and stopped"] = { FAILOVER, REVERSE },
  ["turned, and replicating"] = { FAILOVER, REVERSE, START },
  ["failed over, and back"] = { FAILOVER, CANCEL },
  ["stopped"] = { { "StopDiskReplicaGroup" } },
}

local MOMENTS = { "DetachDisk", "StopDiskReplicaGroup", "StartDiskReplicaGroup",
  "FailoverDiskReplicaGroup", "AttachDisk" }

local function carry_out(desk, left, region)
  for i, each in ipairs(left) do
    local given = { RegionId = region, ReplicaGroupId = "pg-orders", ClientToken = "other" .. i }
    for name, value in pairs(each[2] or {}) do given[name] = value end
    -- What the service refuses a colleague does not happen.
    desk.bench.client:call("ebs:" .. each[1], given)
    desk.bench.emu:advance(100)
  end
end

-- A desk whose colleague is at work just before the first call of a kind.
local function room(world, left, moment, region)
  local desk, begun
  desk = desks.room(false, { world = world, transport = { send = function(request)
    local text = (request.url or "") .. (request.body or "") .. core.encode(request.headers)
    if text:find(moment, 1, true) and not begun then
      begun = true
      carry_out(desk, left, region)
    end
    return desk.bench.emu.transport.send(request)
  end } })
  return desk
end

local function running(desk)
  local list = {}
  for _, instance in ipairs(desk.bench.emu.world.instances) do
    if instance.status == "Running" and instance.id ~= "i-elsewhere" then
      list[#list + 1] = instance.id
    end
  end
  return table.concat(list, " ")
end

local function type_in(desk, command)
  local words = {}
  for word in command:gsub("^alicloud%-dr ", ""):gmatch "%S+" do
    words[#words + 1] = word:match "^'(.*)'$" or word
  end
  words[#words + 1] = words[1] == "resume" and "--no-ask" or "--yes"
  return desk:run(table.unpack(words))
end

local WAYS = { "to bring it back: (alicloud%-dr unfence [^\n]+)", "there: (alicloud%-dr [^\n]+)",
  "go on:  (alicloud%-dr [^\n]+)" }

local function way_of(text)
  for _, pattern in ipairs(WAYS) do
    local command = text:match(pattern)
    if command then return command end
  end
end

-- Types what is printed, until the service is up or nothing more helps.
local function follow(desk, ran)
  local typed = {}
  for _ = 1, 3 do
    if ran.code == 0 then break end
    local command = way_of(ran.err)
    typed[#typed + 1] = command
    ran = type_in(desk, command)
  end
  return ran, table.concat(typed, "\n")
end

local function check(desk, ran)
  local said = ran.err
  local last, typed = follow(desk, ran)
  -- What comes behind the service, such as replication back, may be in nobody's hands any more.
  assert.not_matches("production [%a ]+ down", last.err, said .. "\n" .. typed .. "\n" .. last.out)
  local up = running(desk)
  assert.is_true(up == "i-old" or up == "i-new", up .. "\n" .. typed)
end

describe("a group that somebody else changes while production is stopped", function()
  for name, left in pairs(LEFT) do
    for _, moment in ipairs(MOMENTS) do
      it(("is served after %s, before %s"):format(name, moment), function()
        local desk = room(after.world(), left, moment, "cn-shanghai")
        check(desk, desk:run("run", "planned", "group=pg-orders", "region=cn-shanghai",
          "attach=i-new", "max_rpo=2h", "--no-ask"))
      end)

      it(("is served between zones after %s, before %s"):format(name, moment), function()
        local desk = room(zone_lab.world(), left, moment, zone_lab.REGION)
        check(desk, desk:run("run", "planned", "group=pg-orders", "region=cn-hangzhou",
          "to=cn-hangzhou-h", "attach=i-new", "max_rpo=2h", "--no-ask"))
      end)
    end
  end
end)

describe("a group that somebody protects again while production is stopped", function()
  local function reprotecting(status)
    local desk = room(after.world(), { FAILOVER }, "StopDiskReplicaGroup", "cn-shanghai")
    local ran = desk:run("run", "planned", "group=pg-orders", "region=cn-shanghai",
      "attach=i-new", "max_rpo=2h", "--no-ask")
    local journal = ran.err:match "resume (%S+)"
    local group = desk.bench.emu:group "pg-orders"
    local function set(word)
      group.status = word
      for _, pair in ipairs(group.pairs) do pair.status = word end
    end
    set(status)
    return desk, journal, set
  end

  it("is looked at until that has ended, and then served", function()
    local desk, journal, set = reprotecting "reprotecting"
    local ran = desk:run("unfence", journal, "--yes")
    assert.matches("it is open in cn%-shanghai and being protected again", ran.out)
    ran = desk:run("resume", journal, "--no-ask")
    local look = ran.err:match "then resume: alicloud%-dr (status [^\n]+)"
    assert.equal("status pg-orders --region cn-shanghai", look)
    set "failovered"
    ran = desk:run("resume", journal, "--no-ask")
    check(desk, ran)
  end)

  it("is protected again where that has failed", function()
    local desk, journal = reprotecting "reprotect_failed"
    local ran = desk:run("resume", journal, "--no-ask")
    local command = ran.err:match "then resume: (alicloud%-dr reprotect [^\n]+)"
    assert.equal(0, type_in(desk, command).code)
    desk.bench.emu:advance(600)
    check(desk, desk:run("resume", journal, "--no-ask"))
  end)
end)

describe("a run whose production somebody has brought up elsewhere", function()
  for name, left in pairs { open = { FAILOVER }, turned = { FAILOVER, REVERSE } } do
    it("is told so by unfence, and leaves nothing down: " .. name, function()
      local desk = room(after.world(), left, "StopDiskReplicaGroup", "cn-shanghai")
      local ran = desk:run("run", "planned", "group=pg-orders", "region=cn-shanghai",
        "attach=i-new", "max_rpo=2h", "--no-ask")
      local journal = ran.err:match "resume (%S+)"
      local word = name == "turned" and "may be" or "is"
      assert.matches("production " .. word .. " down", desk:run("explain", journal).out)
      assert.equal(0, type_in(desk, way_of(ran.err)).code)
      local sent = #desk:ledger()
      ran = desk:run("unfence", journal, "--yes")
      assert.equal(0, ran.code, ran.out .. ran.err)
      assert.matches("it runs in cn%-shanghai by now", ran.out)
      assert.equal(sent, #desk:ledger())
      assert.not_matches("production [%a ]+ down", desk:run("explain", journal).out)
      assert.equal(2, desk:run("unfence", journal, "--yes").code)
      assert.matches("Client%.GroupMoved", desk:run("resume", journal, "--no-ask").err)
      assert.equal(0, desk:run("unfence", journal, "--yes").code)
      assert.equal(0, desk:run("resume", journal, "--no-ask").code)
    end)
  end
end)

describe("a run whose group somebody has moved while nothing was down", function()
  local ONCE = { match = { action = "StopDiskReplicaGroup", nth = 1 },
    effect = { error = { code = "Forbidden", status = 403 } } }
  local WORLDS = {
    { "between regions", after.world, "cn-shanghai" },
    { "between zones", zone_lab.world, zone_lab.REGION, "to=cn-hangzhou-h" },
  }
  local OPEN, TURNED = { FAILOVER }, { FAILOVER, REVERSE }
  local COMMANDS = { [OPEN] = "run failover ", [TURNED] = "serve " }

  for _, world in ipairs(WORLDS) do
    for left, command in pairs(COMMANDS) do
      it(("prints %sand no resume, %s"):format(command, world[1]), function()
        local desk = desks.room(false, { world = world[2] { old = false }, faults = { ONCE } })
        local ran = desk:run("run", "planned", "group=pg-orders", "region=" .. world[3],
          "attach=i-new", "max_rpo=2h", "--no-ask", world[4])
        local journal = ran.err:match "resume (%S+)"
        carry_out(desk, left, world[3])
        ran = desk:run("resume", journal, "--no-ask", "--json")
        assert.equal("Client.GroupMoved", ran.object.error.code)
        local printed = ran.object.resume
        assert.equal("alicloud-dr " .. command, printed:sub(1, #command + 12))
        ran = desk:run("resume", journal, "--no-ask")
        assert.matches("go on:  " .. printed:gsub("%p", "%%%0") .. "\n", ran.err)
        assert.equal(printed, desk:run("explain", journal, "--json").object.next[1])
        assert.not_matches("alicloud%-dr resume", desk:run("explain", journal).out)
        local line = desk:run("runs", "--json").object.runs[1]
        assert.same({ printed }, line.bring_up)
        assert.is_nil(line.resume)
        assert.matches("\n    then:   " .. line.once_up:gsub("%p", "%%%0") .. "\n", ran.err)
        desk.bench.emu:advance(600)
        ran = type_in(desk, printed)
        assert.equal(0, ran.code, ran.err)
        assert.matches("i%-new", running(desk))
        assert.equal(0, type_in(desk, line.once_up).code)
        for _, each in ipairs(desk:run("runs", "--open", "--json").object.runs) do
          assert.not_equal(journal, each.journal)
        end
      end)
    end
  end
end)

describe("a playbook of one's own that says that somebody has moved a group", function()
  local function stopped(steps)
    local world = after.world()
    world.groups[2] = worlds.of_groups(1).groups[1]
    local desk, file = desks.room(([[
local alicloud, dr = require "alicloud", require "alicloud.dr"
return dr.playbook("own", function(run)
  local orders = run:group("pg-orders", { region = "cn-shanghai" })
  local other = run:group("pg-01", { region = "cn-shanghai" })
  %s
  run:step("stop", function()
    return nil, alicloud.error.new { kind = "state", code = "Client.GroupMoved",
      outcome = "not_sent", group_id = "pg-01", message = "moved" }
  end)
end)
]]):format(steps), { world = world })
    assert.equal(1, desk:run("run", file, "--region", "cn-shanghai", "--yes").code)
    return desk, desk:run("runs", "--json").object.runs[1]
  end

  it("names no way up for one that it has not looked at", function()
    local desk, line = stopped ""
    assert.same({}, line.bring_up)
    assert.equal(2, desk:run("unfence", line.journal, "--yes").code)
  end)

  it("is not at its end once another group was seen to run elsewhere", function()
    local desk, line = stopped [[run:step("look", function() return other:standing() end)
  run:step("fence", function() return orders:fence() end)]]
    for _, words in ipairs { { "failover" }, { "serve", "--attach", "i-new" } } do
      assert.equal(0, desk:run(words[1], "pg-orders", "--region", "cn-shanghai", "--yes",
        table.unpack(words, 2)).code)
    end
    local object = desk:run("unfence", line.journal, "--yes", "--json").object
    assert.same({ "served_elsewhere", "pg-orders" }, { object.outcome, object.group_id })
    line = desk:run("runs", "--json").object.runs[1]
    assert.equal("stopped", line.status)
    assert.equal("alicloud-dr unfence " .. line.journal .. " pg-01", line.once_up)
  end)
end)

describe("a run whose services a step has stopped before somebody moved the group", function()
  local SERVE = "alicloud-dr run failover group=pg-orders region=cn-shanghai attach=i-new"

  -- The command fails, and may have stopped something all the same.
  local function stopped(left)
    local desk = desks.room(false, { world = after.world() })
    local ran = desk:run("run", "planned", "group=pg-orders", "region=cn-shanghai",
      "attach=i-new", "max_rpo=2h", "stop=false", "--no-ask")
    local journal = ran.err:match "resume (%S+)"
    carry_out(desk, left, "cn-shanghai")
    ran = desk:run("resume", journal, "--no-ask")
    assert.matches("Client%.GroupMoved", ran.err)
    return desk, journal, ran
  end

  local function line_of(desk, journal)
    for _, line in ipairs(desk:run("runs", "--json").object.runs) do
      if line.journal == journal then return line end
    end
  end

  it("has come to its end once the service was seen to run there", function()
    local desk, journal, ran = stopped { FAILOVER }
    local close = "alicloud-dr unfence " .. journal .. " pg-orders"
    assert.matches("so serve it there: " .. SERVE:gsub("%p", "%%%0") .. "\n    once it runs there: "
      .. close:gsub("%p", "%%%0") .. "\n", ran.err)
    local line = line_of(desk, journal)
    assert.same({ { SERVE }, close }, { line.bring_up, line.once_up })
    local explained = desk:run("explain", journal, "--json").object.next
    assert.same({ SERVE, close }, { explained[1], explained[2] })

    ran = desk:run("unfence", journal, "--yes", "--json")
    assert.equal("Client.NotServed", ran.object.error.code)
    assert.matches("may be down", line_of(desk, journal).message)

    assert.equal(0, type_in(desk, SERVE).code)
    local sent = #desk:ledger()
    assert.equal("served_elsewhere", desk:run("unfence", journal, "--yes", "--json").object.outcome)
    assert.equal(sent, #desk:ledger())
    line = line_of(desk, journal)
    assert.same({ "completed_with_exceptions", {} }, { line.status, line.bring_up })
    assert.is_nil(line.message)
    assert.is_nil(line.once_up)
    assert.equal(0, desk:run("resume", journal, "--no-ask").code)
    assert.equal(2, desk:run("unfence", journal, "--yes").code)
  end)

  it("has come to its end so after a failback, too", function()
    local desk = desks.room(false, { world = after.world { status = "failovered", old = false } })
    local ran = desk:run("run", "failback", "group=pg-orders", "region=cn-shanghai",
      "attach=i-old", "stop=false", "--no-ask")
    local journal = ran.err:match "resume (%S+)"
    assert.equal("production may be down: it was stopped by step stop services",
      line_of(desk, journal).message)
    carry_out(desk, { FAILOVER }, "cn-hangzhou")
    ran = desk:run("resume", journal, "--no-ask")
    local command = ran.err:match "so serve it there: (alicloud%-dr [^\n]+)"
    assert.equal(0, type_in(desk, command).code)
    assert.equal(0, type_in(desk, line_of(desk, journal).once_up).code)
    assert.matches("i%-old", running(desk))
    assert.equal("completed_with_exceptions", line_of(desk, journal).status)
  end)

  it("stays down where the group was moved back, since its instances run without services",
    function()
      local desk, journal = stopped { FAILOVER }
      carry_out(desk, LEFT["failed over, and back"], "cn-shanghai")
      local ran = desk:run("unfence", journal, "--yes", "--json")
      assert.equal("Client.WorldChanged", ran.object.error.code)
      assert.equal("go on with the run: alicloud-dr resume " .. journal, ran.object.error.hint)
      assert.matches("may be down", line_of(desk, journal).message)
    end)
end)

describe("explain and runs", function()
  local FORBIDDEN = { error = { code = "Forbidden", status = 403 } }

  local function named(desk, ran, command)
    local journal = ran.object.journal
    assert.same({ (command:gsub("JOURNAL", journal)) }, ran.object.bring_up)
    assert.equal(command:gsub("JOURNAL", journal), desk:run("explain", journal, "--json")
      .object.next[1])
    local runs = desk:run("runs", "--json").object.runs
    assert.same({ (command:gsub("JOURNAL", journal)) }, runs[1].bring_up)
    assert.matches("\n    up:     alicloud%-dr ", desk:run("runs").out)
  end

  it("name the command that brings production up where it was", function()
    local desk = desks.room(false, { world = after.world(), faults = {
      after.fault("FailoverDiskReplicaGroup", FORBIDDEN),
      { match = { action = "AttachDisk", before = 7200 }, effect = FORBIDDEN } } })
    local ran = desk:run("run", "planned", "group=pg-orders", "region=cn-shanghai",
      "attach=i-new", "max_rpo=2h", "--no-ask", "--json")
    named(desk, ran, "alicloud-dr unfence JOURNAL")
    desk.bench.emu:advance(7200)
    assert.equal(0, type_in(desk, "alicloud-dr unfence " .. ran.object.journal).code)
    assert.same({}, desk:run("runs", "--json").object.runs[1].bring_up)
  end)

  it("name the one that brings it up elsewhere", function()
    local desk = room(after.world(), LEFT["turned, and stopped"], "StopDiskReplicaGroup",
      "cn-shanghai")
    local ran = desk:run("run", "planned", "group=pg-orders", "region=cn-shanghai",
      "attach=i-new", "max_rpo=2h", "--no-ask", "--json")
    named(desk, ran, "alicloud-dr serve pg-orders --region cn-shanghai --attach i-new")
  end)
end)

describe("several groups that a run has left down", function()
  it("have a command each, as far as they are few", function()
    local ways = {}
    for i = 1, 7 do
      ways[i] = { group_id = "pg-" .. i, way = i == 2 and "turned" or "back", attach = "i-2",
        region = i == 2 and "cn-shanghai" or "cn-hangzhou" }
    end
    local said = view_run.standing({ production_down = "production is down", ways_up = ways },
      "run.jsonl", { "--endpoint h:1" })
    assert.matches("\n    pg%-1: to bring it back: alicloud%-dr unfence run%.jsonl pg%-1 "
      .. "%-%-endpoint h:1\n", said)
    assert.matches("\n    pg%-2: [^\n]+ serve pg%-2 %-%-region cn%-shanghai "
      .. "%-%-endpoint h:1 %-%-attach i%-2\n", said)
    assert.matches("\n    and so on for 2 more\n$", said)
  end)
end)
