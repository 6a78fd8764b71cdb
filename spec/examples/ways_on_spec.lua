-- The table of the manual's page about ways on: each state is made, its command is typed, and it
-- has to end as the page says, with one failover and the service up on one side.

local after = require "spec.dr.after_lab"
local desks = require "spec.cli.desk"
local journals = require "alicloud.dr.journal"
local scratch = require "spec.scratch"

local PAGE = scratch.read "lua/alicloud/manual/ways-on.md"

local function rows()
  local list = {}
  for state, command, ends in PAGE:gmatch "\n| ([^|\n]+) | `([^|\n]+)` | ([^|\n]+) |" do
    list[#list + 1] = { state = state, command = command, ends = ends }
  end
  return list
end

local function words_of(command, values)
  local words, rest = {}, command
  while rest:find "%S" do
    local quoted, behind = rest:match "^%s*'([^']*)'(.*)$"
    local plain, tail = rest:match "^%s*(%S+)(.*)$"
    words[#words + 1], rest = quoted or values[plain] or plain, quoted and behind or tail
  end
  table.remove(words, 1)
  return words
end

local function room(changes, given, script)
  given = given or {}
  given.world = after.world(changes)
  for _, instance in ipairs(given.world.instances) do
    if instance.id == "i-new" then instance.id = "i-orders-sh" end
  end
  local desk, file = desks.room(script or false, given)
  return desk, file
end

-- Runs a ready playbook to where it stops.
local function run(desk, name, ...)
  local ran = desk:run("run", name, "group=pg-orders", "region=cn-shanghai", "--no-ask", "--json",
    ...)
  assert.is_true(ran.code ~= 0, ran.out)
  return ran.object.journal, ran
end

local function failover(desk, ...)
  return run(desk, "failover", "attach=i-orders-sh", "fence=no", ...)
end

local CASES = {}

CASES["refused: more would be lost than `max_rpo` allows"] = function()
  local desk = room { recover_point_age = 7200 }
  return desk, failover(desk)
end

CASES["refused: the recovery point has aged since the primary died"] = function()
  local desk = room { recover_point_age = 60 }
  desk.bench.emu:region("cn-hangzhou", "blackhole")
  desk.bench.emu:advance(7200)
  return desk, failover(desk)
end

CASES["refused by the service, for want of a permission that is there now"] = function()
  local desk = room(nil, { faults = { after.fault("FailoverDiskReplicaGroup",
    { error = { code = "Forbidden", status = 403 } }) } })
  return desk, failover(desk)
end

CASES["the failover took longer than it was waited for"] = function()
  local desk = room { failover_seconds = 1500 }
  return desk, failover(desk)
end

CASES["no answer ever came, and the time to send again is over"] = function()
  local desk = room(nil, { faults = { { match = { action = "FailoverDiskReplicaGroup",
    before = 600 }, effect = { drop = true } } } })
  local journal = failover(desk)
  desk.bench.emu:advance(600)
  return desk, journal
end

CASES["the service reports `failover_failed`"] = function()
  local desk = room(nil, { faults = { after.fault("FailoverDiskReplicaGroup",
    { partial = 1 }) } })
  return desk, failover(desk)
end

-- The journal as it was when the machine stopped: up to a record.
local function cut(journal, kind, step)
  local lines = {}
  for line in scratch.read(journal):gmatch "[^\n]*\n" do
    lines[#lines + 1] = line
    local event = require "alicloud.core".decode(line).event
    if event.type == kind and (not step or event.step == step) then break end
  end
  scratch.write(journal, table.concat(lines))
  assert(journals.read(table.concat(lines)))
end

CASES["the process was killed after the call had left"] = function()
  local desk = room()
  local ran = desk:run("run", "failover", "group=pg-orders", "region=cn-shanghai",
    "attach=i-orders-sh", "fence=no", "--no-ask", "--json")
  assert.equal(0, ran.code)
  cut(ran.object.journal, "call", "promote")
  return desk, ran.object.journal
end

CASES["interrupted with Ctrl-C while the failover was under way"] = function()
  local desk
  local sent = 0
  desk = room({ failover_seconds = 60 }, { transport = { send = function(request)
    local text = (request.url or "") .. (request.body or "")
      .. (request.headers["x-acs-action"] or "")
    if text:find("FailoverDiskReplicaGroup", 1, true) then sent = 1 end
    if sent > 0 then sent = sent + 1 end
    if sent == 5 then error("interrupted!", 0) end
    return desk.bench.emu.transport.send(request)
  end } })
  return desk, failover(desk)
end

CASES["the machine in `attach` does not start, behind the point of no return"] = function()
  local desk = room()
  return desk, run(desk, "failover", "attach=i-sold-out", "fence=no")
end

CASES["a planned move failed and was rolled back"] = function()
  local desk = room(nil, { faults = { after.fault("FailoverDiskReplicaGroup",
    { error = { code = "Forbidden", status = 403 } }) } })
  local journal, ran = run(desk, "planned", "attach=i-orders-sh")
  assert.equal("rolled_back", ran.object.status)
  return desk, journal
end

CASES["a planned move failed, and production could not be brought back"] = function()
  local forbidden = { error = { code = "Forbidden", status = 403 } }
  local desk = room(nil, { faults = { after.fault("FailoverDiskReplicaGroup", forbidden),
    { match = { action = "AttachDisk", before = 7200 }, effect = forbidden } } })
  local journal, ran = run(desk, "planned", "attach=i-orders-sh")
  assert.is_string(ran.object.production_down)
  desk.bench.emu:advance(7200)
  return desk, journal
end

CASES["a gate waits for somebody who cannot be reached"] = function()
  local desk, _, directory = desks.room(false, { world = room().given.world })
  local made = desk:run("approve", "--new-key", directory .. "/key", "--as", "dba")
  scratch.write(directory .. "/keys", made.out)
  return desk, failover(desk, "approvers=dba", "--approvers", directory .. "/keys"),
    { "--approvers", directory .. "/keys" }
end

CASES["the old side must be fenced, and its region is dark"] = function()
  local desk = room()
  desk.bench.emu:region("cn-hangzhou", "blackhole")
  return desk, run(desk, "failover", "attach=i-orders-sh", "fence=must")
end

local NAMED = [[
  local dr = require "alicloud.dr"
  return dr.playbook("orders", function(run)
    local orders = run:group("pg-orders", { region = "cn-shanghai" })
    run:step("promote", { point_of_no_return = true }, function() return orders:failover {} end)
    run:step("serve", function() return orders:serve { attach = "i-orders-sh" } end)
    run:step("move the name", function()
      run.client:call("ecs:StartInstance", { InstanceId = "i-orders-sh" })
      return true
    end)
  end)]]

CASES["a step is in doubt: it was begun, and its process was killed"] = function()
  local desk, file = room(nil, nil, NAMED)
  local ran = desk:run("run", file, "--region", "cn-shanghai", "--no-ask", "--json")
  assert.equal(0, ran.code, ran.out)
  cut(ran.object.journal, "call", "move the name")
  local stopped = desk:run("resume", ran.object.journal, "--no-ask", "--json")
  assert.equal("Client.StepInDoubt", stopped.object.error.code)
  return desk, ran.object.journal
end

CASES["the playbook was edited since"] = function()
  local desk, file = room({ failover_seconds = 1500 }, nil, NAMED)
  local ran = desk:run("run", file, "--region", "cn-shanghai", "--no-ask", "--json")
  assert.equal(3, ran.code, ran.out)
  scratch.write(file, NAMED .. "\n-- another machine was meant\n")
  return desk, ran.object.journal
end

CASES["a drill could not be cleared away"] = function()
  local desk = room(nil, { faults = { { match = { action = "ClearReplicaGroupDrill",
    before = 3600 }, effect = { error = { code = "Forbidden", status = 403 } } } } })
  local journal = run(desk, "drill")
  desk.bench.emu:advance(3600)
  return desk, journal
end

-- A colleague at work just before the first call of a kind.
local function room_of_two(moment, ...)
  local calls, desk = { ... }, nil
  local function carry_out()
    for i, each in ipairs(calls) do
      assert(desk.bench.client:call("ebs:" .. each[1], { RegionId = "cn-shanghai",
        ReplicaGroupId = "pg-orders", ClientToken = "other" .. i, ReverseReplicate = each[2] }))
      desk.bench.emu:advance(100)
    end
  end
  desk = room(nil, { transport = { send = function(request)
    local text = (request.url or "") .. (request.body or "")
      .. (request.headers["x-acs-action"] or "")
    if carry_out and text:find(moment, 1, true) then
      local once = carry_out
      carry_out = nil
      once()
    end
    return desk.bench.emu.transport.send(request)
  end } })
  return desk, run(desk, "planned", "attach=i-orders-sh")
end

local FAILED_OVER = { "FailoverDiskReplicaGroup" }

CASES["stopped for a planned move, and somebody has failed the group over"] = function()
  return (room_of_two("StopDiskReplicaGroup", FAILED_OVER))
end

CASES["stopped for a planned move, and somebody has turned the group"] = function()
  return (room_of_two("StopDiskReplicaGroup", FAILED_OVER, { "ReprotectDiskReplicaGroup", true }))
end

CASES["failed over by a planned move, and somebody has taken the failover back"] = function()
  local desk = room(nil, { faults = { { match = { action = "AttachDisk", before = 7200 },
    effect = { error = { code = "Forbidden", status = 403 } } } } })
  local journal = run(desk, "planned", "attach=i-orders-sh")
  assert(desk.bench.client:call("ebs:ReprotectDiskReplicaGroup", { RegionId = "cn-shanghai",
    ReplicaGroupId = "pg-orders", ClientToken = "other", ReverseReplicate = false }))
  desk.bench.emu:advance(7200)
  local ran = desk:run("resume", journal, "--no-ask")
  assert.matches("to bring it back: alicloud%-dr unfence", ran.err)
  return desk, journal
end

CASES["`failover` does not know the outcome"] = function()
  local desk = room { failover_seconds = 600 }
  local ran = desk:run("failover", "pg-orders", "--region", "cn-shanghai", "--yes", "--timeout",
    "2m", "--json")
  assert.equal(3, ran.code)
  return desk, nil, nil, ran.object.error.client_token
end

-- There the service runs again, and with that run there is nothing more to be done.
local GIVEN_UP = {
  ["failed over by a planned move, and somebody has taken the failover back"] = true,
}

local function is_up(desk)
  local emu = desk.bench.emu
  local group = emu:group "pg-orders"
  local moved = group.status == "failovered" or tostring(group.source.region):find "shanghai"
  return emu.world.instance_by_id[moved and "i-orders-sh" or "i-old"].status == "Running"
end

describe("the manual's table of ways on", function()
  for _, row in ipairs(rows()) do
    it("holds where " .. row.state, function()
      local desk, journal, more, token = assert(CASES[row.state], row.state)()
      local words = words_of(row.command, { JOURNAL = journal, TOKEN = token })
      for _, word in ipairs(more or {}) do words[#words + 1] = word end
      if words[1] == "resume" then words[#words + 1] = "--no-ask" end
      local ran = desk:run(table.unpack(words))
      assert.equal(0, ran.code, ran.out .. ran.err)
      assert.is_truthy(ran.out:find(row.ends, 1, true), ran.out)
      local failovers = after.effects(desk.bench, "FailoverDiskReplicaGroup")
      assert.is_true(failovers <= 1 or row.state:find "failover_failed" ~= nil, failovers)
      assert.is_true(row.command:find " failover " ~= nil or is_up(desk))
      if journal and not GIVEN_UP[row.state] then
        local again = desk:run("resume", journal, "--no-ask")
        assert.equal(0, again.code, again.err)
      end
    end)
  end

  it("has a case for each of its rows", function()
    local count = 0
    for _ in pairs(CASES) do count = count + 1 end
    assert.equal(#rows(), count)
  end)
end)
