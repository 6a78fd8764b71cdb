local desks = require "spec.cli.desk"
local lab = require "spec.dr.lab"
local scratch = require "spec.scratch"

local REGION = { "--region", "cn-shanghai" }

local function run(given, ...)
  local desk = desks.new(given)
  local words = { ... }
  for _, word in ipairs(REGION) do words[#words + 1] = word end
  return desk:run(table.unpack(words)), desk
end

local function lines_of(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do list[#list + 1] = line end
  return list
end

describe("alicloud-dr failover", function()
  it("shows direction, recovery point, pre-check, progress, RPO, RTO and request id", function()
    local ran, desk = run(nil, "failover", "pg-orders", "--max-rpo", "20m", "--yes")
    assert.equal(0, ran.code)
    assert.matches("pg%-orders   cn%-hangzhou/g → cn%-shanghai/b   normal   3 pairs   "
      .. "last recovery point 7m12s ago", ran.out)
    for _, rule in ipairs { "✔ group", "✔ direction", "✔ status", "✔ first full sync",
      "✔ pairs 3/3 agree", "✔ zones", "✔ RPO 7m12s ≤ 20m", "? permission" } do
      assert.is_truthy(ran.out:find(rule, 1, true), rule)
    end
    assert.matches("failovering 1/3 pairs  00:%d%d", ran.out)
    assert.matches("✔ failovered, RTO 5%d s, RPO 7m12s", ran.out)
    assert.is_truthy(ran.out:find(desk:ledger()[1].request_id, 1, true))
    assert.equal(1, #desk:ledger())
  end)

  it("wraps the pre-check to the width of the terminal", function()
    local ran = run({ columns = 72 }, "failover", "pg-orders", "--yes")
    for _, line in ipairs(lines_of(ran.out)) do
      if line:find("✔", 1, true) and not line:find("failovered", 1, true) then
        assert.is_true(utf8.len(line) <= 72, line)
      end
    end
  end)

  it("is refused with code, fact and cure, exit code 1, nothing sent", function()
    local ran, desk = run({ group = { pairs = { {}, { id = "pair-odd", status = "stopped" } } } },
      "failover", "pg-orders", "--yes")
    assert.equal(1, ran.code)
    assert.matches("✘ OperationDenied%.PairGroupStatusConflict\n +group normal, but pair%-odd is "
      .. "stopped\n +what to do: ", ran.out)
    assert.equal(1, #lines_of(ran.err))
    assert.same({}, desk:sends())
  end)

  it("asks for the group id, and takes nothing else for a yes", function()
    local given = { input_tty = true, typed = { "pg-orders" } }
    local ran, desk = run(given, "failover", "pg-orders")
    assert.equal(0, ran.code)
    assert.matches("Fail over 1 group, 3 disks%? Data since %d%d%d%d%-.- UTC will be lost", ran.err)
    assert.is_nil(ran.out:find("Type the group id", 1, true))
    assert.equal(1, #desk:ledger())
    for _, typed in ipairs { "yes", "", "pg-order", "PG-ORDERS" } do
      ran, desk = run({ input_tty = true, typed = { typed } }, "failover", "pg-orders")
      assert.equal(1, ran.code, typed)
      assert.matches("was not confirmed, nothing was sent", ran.err)
      assert.same({}, desk:sends())
    end
    ran, desk = run({ input_tty = true, typed = {} }, "failover", "pg-orders")
    assert.equal(1, ran.code)
    assert.matches("to go on: \nalicloud%-dr: ", ran.err)
    assert.same({}, desk:sends())
  end)

  it("refuses without a terminal and without --yes, before anything is read", function()
    local ran, desk = run(nil, "failover", "pg-orders")
    assert.equal(2, ran.code)
    assert.matches("%-%-yes: is missing and there is no terminal", ran.err)
    assert.same({}, desk:requests())
  end)

  it("ends with exit code 3 and the command that goes on, when the outcome is unknown", function()
    local ran, desk = run({ faults = { lab.fault({ stuck = true }) } },
      "failover", "pg-orders", "--yes", "--timeout", "2m", "--client-token", "it's mine")
    assert.equal(3, ran.code)
    assert.matches("%? outcome unknown Client%.FailoverTimeout", ran.out)
    assert.matches("last seen: failovering, 0/3 pairs failovered", ran.out)
    assert.is_truthy(ran.out:find("go on:  alicloud-dr failover pg-orders --region cn-shanghai "
      .. "--client-token 'it'\\''s mine'", 1, true))
    assert.equal(1, #desk:ledger())
  end)

  it("goes on as the same account", function()
    local path = scratch.file [[{"current":"other","profiles":[{"name":"dr","mode":"AK",
      "access_key_id":"emulator","access_key_secret":"emulator-secret"}]}]]
    local ran = run({ faults = { lab.fault({ stuck = true }) },
      env = { ALIBABA_CLOUD_CONFIG_FILE = path } },
      "failover", "pg-orders", "--yes", "--timeout", "2m", "--profile", "dr")
    assert.equal(3, ran.code, ran.err)
    assert.matches("go on:  alicloud%-dr failover pg%-orders %-%-region cn%-shanghai "
      .. "%-%-client%-token %x+ %-%-profile dr ", ran.out)
    assert.matches("look:   alicloud%-dr status pg%-orders %-%-region cn%-shanghai "
      .. "%-%-profile dr\n", ran.out)
  end)

  it("calls the outcome of a defect unknown in its exit code too", function()
    local desk = desks.new()
    local runner = require "alicloud.cli.failover"
    local before = runner.run
    finally(function() runner.run = before end)
    runner.run = function() error "a defect" end
    local ran = desk:run("failover", "pg-orders", "--region", "cn-shanghai", "--yes", "--json")
    assert.equal(3, ran.code)
    assert.equal("unknown", ran.object.error.outcome)
    assert.equal(3, ran.object.exit)
  end)

  it("asks on the terminal, and says only once there why it failed", function()
    local ran = run({ tty = true, input_tty = true, typed = { "no" } }, "failover", "pg-orders")
    assert.equal("", ran.err)
    assert.matches("Type the group id to go on: ", ran.out)
    local _, times = ran.out:gsub("was not confirmed", "")
    assert.equal(1, times)
    ran = run({ tty = true, group = { pairs = 0 } }, "failover", "pg-orders", "--yes")
    assert.equal("", ran.err)
    assert.matches("refused by the pre%-check, nothing was sent\n$", ran.out)
  end)

  it("gives the token and the command that goes on away before the call leaves", function()
    for _, words in ipairs { {}, { "--json" } } do
      local desk, told = desks.new(), {}
      local send = desk.bench.emu.transport.send
      desk.given.transport = { send = function(request)
        if request.action == "FailoverDiskReplicaGroup" then told[#told + 1] = desk.told() end
        return send(request)
      end }
      local ran = desk:run("failover", "pg-orders", "--yes", "--region", "cn-shanghai",
        "--endpoint", "http://127.0.0.1:9", "--max-rpo", "20m", "--timeout", "30m", "--poll", "2s",
        table.unpack(words))
      assert.equal(0, ran.code)
      local token = desk:ledger()[1].client_token
      local line = ("alicloud-dr: client token %s (continue with: alicloud-dr failover pg-orders "
        .. "--region cn-shanghai --client-token %s --endpoint http://127.0.0.1:9 --max-rpo 20m "
        .. "--timeout 30m --poll 2s)\n"):format(token, token)
      assert.same({ line }, told)
      assert.equal(line, ran.err)
    end
  end)

  it("shows a lost answer, and that it was looked after", function()
    local ran, desk = run({ faults = { lab.fault(lab.answer("RequestTimeout", 504), "after") } },
      "failover", "pg-orders", "--yes")
    assert.equal(0, ran.code)
    assert.matches("RequestTimeout %(HTTP 504%): it may have been done; looking", ran.out)
    assert.equal(1, #desk:sends())
    assert.equal(1, #desk:ledger())
    ran, desk = run({ faults = { lab.fault({ drop = true }, "before") } },
      "failover", "pg-orders", "--yes")
    assert.equal(0, ran.code)
    assert.matches("sending again with the same token", ran.out)
    assert.equal(1, #desk:ledger())
  end)

  it("ends with exit code 1 and the pairs by name when the service gives up", function()
    local ran = run({ faults = { lab.fault({ partial = 1 }) } }, "failover", "pg-orders", "--yes")
    assert.equal(1, ran.code)
    assert.matches("pair%-orders%-1", ran.out)
  end)

  it("says already failovered, and sends nothing", function()
    local ran, desk = run({ group = { status = "failovered" } }, "failover", "pg-orders", "--yes")
    assert.equal(0, ran.code)
    assert.matches("already failovered", ran.out)
    assert.same({}, desk:sends())
  end)

  it("gives one JSON object on success and on failure", function()
    local ran, desk = run(nil, "failover", "pg-orders", "--yes", "--json", "--incident", "INC-1")
    assert.equal(1, #lines_of(ran.out))
    assert.equal("failovered", ran.object.outcome)
    assert.equal(432, ran.object.rpo)
    assert.equal(desk:ledger()[1].client_token, ran.object.client_token)
    assert.equal(64, #ran.object.client_token)
    ran = run({ group = { pairs = 0 } }, "failover", "pg-orders", "--yes", "--json")
    assert.equal(1, ran.code)
    assert.equal(1, ran.object.exit)
    assert.equal("OperationDenied.NoPairInGroup", ran.object.error.code)
    assert.equal("not_sent", ran.object.error.outcome)
    assert.is_table(ran.object.error.findings[1])
    ran = run({ faults = { lab.fault({ stuck = true }) } }, "failover", "pg-orders", "--yes",
      "--json", "--timeout", "60")
    assert.equal(3, ran.code)
    assert.equal("unknown", ran.object.error.outcome)
    assert.equal("failovering", ran.object.error.last_seen.status)
  end)

  it("keeps the question off the JSON object's stream", function()
    local given = { input_tty = true, typed = { "pg-orders" } }
    local ran = run(given, "failover", "pg-orders", "--json")
    assert.equal(0, ran.code)
    assert.equal("failovered", ran.object.outcome)
    assert.matches("Type the group id", ran.err)
  end)

  it("prints what is known when it is interrupted, with exit code 130", function()
    local desk = desks.new()
    local sleep, calls = desk.bench.emu.runtime.sleep, 0
    desk.bench.emu.runtime.sleep = function(seconds)
      calls = calls + 1
      if calls == 3 then error("main.lua:1: interrupted!", 0) end
      return sleep(seconds)
    end
    local ran = desk:run("failover", "pg-orders", "--yes", table.unpack(REGION))
    assert.equal(130, ran.code)
    assert.matches("interrupted; last seen: failovering", ran.out)
    local token = desk:ledger()[1].client_token
    assert.is_truthy(ran.out:find("--client-token " .. token, 1, true))
  end)

  it("says that nothing was sent when it is interrupted before", function()
    for _, words in ipairs { {}, { "--json" } } do
      local desk = desks.new { transport = { send = function() error("x:1: interrupted!", 0) end } }
      local ran = desk:run("failover", "pg-orders", "--yes", "--region", "cn-shanghai",
        table.unpack(words))
      assert.equal(130, ran.code)
      if ran.object then
        assert.equal("not_sent", ran.object.error.outcome)
      else
        assert.matches("nothing was sent", ran.out)
      end
    end
  end)
end)

describe("alicloud-dr precheck", function()
  it("shows every rule with code and fact, and sends nothing", function()
    local ran, desk = run(nil, "precheck", "pg-orders", "--max-rpo", "20m")
    assert.equal(0, ran.code)
    for _, code in ipairs { "NoSuchResource", "OperationDenied.InvalidStatus", "Forbidden.Action",
      "OperationDenied.PairGroupAZoneConflict", "RequestTimeout" } do
      assert.is_truthy(ran.out:find(code, 1, true), code)
    end
    assert.same({}, desk:sends())
    assert.equal(1, run(nil, "precheck", "pg-orders", "--max-rpo", "5m").code)
  end)

  it("gives the report as one JSON object", function()
    local ran = run({ group = { recover_point_age = 3000 } }, "precheck", "pg-orders", "--json",
      "--max-rpo", "20m")
    assert.equal(1, ran.code)
    assert.is_false(ran.object.ok)
    assert.equal("block", ran.object.verdict)
    assert.equal("pg-orders", ran.object.group.group_id)
  end)
end)

describe("alicloud-dr status", function()
  it("lists the groups of a region, or one with its pairs", function()
    local ran = run(nil, "status")
    assert.equal(0, ran.code)
    assert.matches("GROUP +DIRECTION", ran.out)
    assert.matches("pg%-orders", ran.out)
    ran = run(nil, "status", "pg-orders")
    assert.matches("pair%-orders%-3   normal", ran.out)
    ran = run(nil, "status", "--json")
    assert.equal("secondary", ran.object.groups[1].role)
    assert.equal(432, ran.object.groups[1].recover_point_age)
  end)

  it("gives an empty JSON array for a region without groups", function()
    local world = lab.world()
    world.regions[3] = "cn-beijing"
    local desk = desks.new { world = world }
    local ran = desk:run("status", "--region", "cn-beijing", "--json")
    assert.equal(0, ran.code)
    assert.matches('"groups":%[%]', ran.out)
    assert.matches("no replication pair%-consistent group", desk:run("status", "--region",
      "cn-beijing").out)
  end)

  it("ends with exit code 2 for a group that the region does not list", function()
    local ran = run(nil, "status", "pg-nope")
    assert.equal(2, ran.code)
    assert.matches("group: pg%-nope is not listed in cn%-shanghai", ran.err)
  end)
end)

describe("alicloud-dr call", function()
  it("prints the answer as JSON", function()
    local ran = run(nil, "call", "DescribeDiskReplicaGroups", "Site=backup", "GroupIds=pg-orders")
    assert.equal(0, ran.code)
    assert.equal("pg-orders", ran.object.ReplicaGroups[1].ReplicaGroupId)
    assert.is_true(#lines_of(ran.out) > 5)
    ran = run(nil, "call", "DescribeDiskReplicaGroups", "Site=backup", "--json")
    assert.equal(1, #lines_of(ran.out))
  end)

  it("reads dots in keys as lists and maps", function()
    local call = require "alicloud.cli.call"
    assert.same({ RegionId = "r", Tag = { { Key = "a", Value = "b=c" }, { Key = "" } } },
      call.read_parameters { "RegionId=r", "Tag.1.Key=a", "Tag.1.Value=b=c", "Tag.2.Key=" })
  end)

  it("tells an unknown outcome of a change from a failure to read", function()
    local faults = { { match = {}, effect = { drop = true } } }
    assert.equal(3, run({ faults = faults }, "call", "FailoverDiskReplicaGroup",
      "ReplicaGroupId=pg-orders").code)
    assert.equal(1, run({ faults = faults }, "call", "DescribeDiskReplicaGroups").code)
  end)
end)

describe("--json", function()
  it("gives one object with the exit code, whatever the command and its end", function()
    local cases = {
      { 0, "status" }, { 0, "status", "pg-orders" }, { 2, "status", "pg-nope" },
      { 0, "precheck", "pg-orders" }, { 1, "precheck", "pg-orders", "--max-rpo", "1s" },
      { 2, "precheck", "pg-nope" }, { 0, "failover", "pg-orders", "--yes" },
      { 2, "failover", "pg-nope", "--yes" }, { 0, "call", "DescribeRegions" },
      { 1, "call", "FailoverDiskReplicaGroup", "ReplicaGroupId=pg-nope" },
      { 2, "call", "FailoverDiskReplicaGrup", "ReplicaGroupId=pg-orders" },
    }
    for _, case in ipairs(cases) do
      local words = { table.unpack(case, 2) }
      words[#words + 1] = "--json"
      local ran = run(nil, table.unpack(words))
      local name = table.concat(words, " ")
      assert.equal(case[1], ran.code, name)
      assert.equal(case[1], ran.object.exit, name)
      assert.equal(case[1] ~= 0, type(ran.object.error) == "table", name)
      if ran.object.error then assert.is_string(ran.object.error.code, name) end
    end
    for _, words in ipairs { { "version", "--json" }, { "--version", "--json" },
      { "--json", "version" }, { "emulator", "--list-assumptions", "--json" } } do
      assert.equal(0, desks.new():run(table.unpack(words)).object.exit)
    end
    assert.equal(2, desks.new():run("--json").object.exit)
    assert.equal(2, desks.new():run("emulator", "--host", "999.1.1.1", "--json").object.exit)
  end)
end)

describe("the command line", function()
  local wrong = {
    { { "failover", "", "--yes" }, "group: got" },
    { { "failover", "pg orders", "--yes" }, "group: got" },
    { { "failover", "pg-1", "--yes", "--max-rpo", "soon" }, "%-%-max%-rpo: got \"soon\"; allowed" },
    { { "failover", "pg-1", "--yes", "--max-rpo", "367d" }, "allowed: .*, at most 366d" },
    { { "failover", "pg-1", "--yes", "--max-rpo", "nan" }, "%-%-max%-rpo: got" },
    { { "failover", "pg-1", "--yes", "--timeout", "0" }, "%-%-timeout: got .* at least 1 s" },
    { { "failover", "pg-1", "--yes", "--client-token", "" }, "%-%-client%-token: got" },
    { { "failover", "pg-1", "--yes", "--client-token", "tö" }, "%-%-client%-token: got" },
    { { "failover", "pg-1", "--yes", "--incident", "a\1" }, "%-%-incident: got" },
    { { "failover", "pg-1", "--yes", "--incident", "a", "--client-token", "b" }, "one of the two" },
    { { "failover", "--yes" }, "missing argument 'group'" },
    { { "failover", "pg-1", "--yes", "--retry" }, "unknown option" },
    { { "status", "--endpoint", "http://x/path" }, "%-%-endpoint: got .*path" },
    { { "status", "--endpoint", "http://example.com" }, "%-%-endpoint: got .*plain HTTP" },
    { { "status", "--endpoint", "a\27[31m" }, "%-%-endpoint: got" },
    { { "call", "describeDisks" }, "PascalCase" },
    { { "call", "DescribeDiskReplicaGroups", "Sit=backup" }, "did you mean \"Site\"" },
    { { "call", "DescribeDiskReplicaGroups", "Site" }, "parameter: got \"Site\"; allowed" },
    { { "call", "DescribeDiskReplicaGroups", "Site=a", "Site=b" }, "given twice" },
    { { "call", "DescribeDiskReplicaGroups", "MaxResults=many" }, "MaxResults" },
    { { "call", "Foo", "--product", "nosuch" }, "version" },
    { { "statu" }, "did you mean 'status'" },
  }

  it("that is wrong is answered with one line, exit code 2, nothing sent", function()
    for _, case in ipairs(wrong) do
      for _, json in ipairs { false, true } do
        local words = { table.unpack(case[1]) }
        if json then words[#words + 1] = "--json" end
        local ran, desk = run(nil, table.unpack(words))
        local name = table.concat(words, " ")
        assert.equal(2, ran.code, name)
        assert.same({}, desk:requests(), name)
        local message = json and ran.object.error.message or ran.err
        assert.matches(case[2], message, name)
        assert.is_nil(message:find("[%z\1-\9\11-\31]"), name)
        assert.equal(json and 0 or 1, #lines_of(ran.err), name)
      end
    end
  end)

  it("names the region's field and where its value came from", function()
    local desk = desks.new()
    assert.matches("%-%-region: is missing", desk:run("status").err)
    assert.matches("%-%-region: got \"CN\"; allowed", desk:run("status", "--region", "CN").err)
    desk.env.ALIBABA_CLOUD_REGION_ID = "cn shanghai"
    assert.matches("ALIBABA_CLOUD_REGION_ID: got", desk:run("status").err)
    desk.env.ALIBABA_CLOUD_REGION_ID = "cn-shanghai"
    assert.equal(0, desk:run("status").code)
    desk.env.ALIBABA_CLOUD_ENDPOINT_EBS = "http://x/y"
    local ran = desk:run("status")
    assert.equal(2, ran.code)
    assert.matches("ALIBABA_CLOUD_ENDPOINT_EBS", ran.err)
  end)

  it("without credentials ends with exit code 2, nothing sent", function()
    local ran, desk = run({ env = { ALIBABA_CLOUD_ECS_METADATA_DISABLED = "true" } }, "failover",
      "pg-orders", "--yes")
    assert.equal(2, ran.code)
    assert.matches("ALIBABA_CLOUD_ACCESS_KEY_ID", ran.err)
    assert.same({}, desk:requests())
  end)

  it("for a group of another region says where to go, exit code 2, nothing sent", function()
    local desk = desks.new()
    for _, command in ipairs { "failover", "precheck" } do
      local words = { command, "pg-orders", "--region", "cn-hangzhou" }
      if command == "failover" then words[#words + 1] = "--yes" end
      local ran = desk:run(table.unpack(words))
      assert.equal(2, ran.code)
      assert.matches("cn%-hangzhou is the primary site of pg%-orders; fail over in cn%-shanghai",
        ran.err)
      words[4] = "cn-beijing"
      ran = desk:run(table.unpack(words))
      assert.equal(2, ran.code)
      assert.matches("pg%-orders is on neither site of cn%-beijing", ran.err)
    end
    assert.same({}, desk:sends())
  end)

  it("has help worth reading for every command, exit code 0", function()
    local desk = desks.new()
    for _, command in ipairs { "status", "precheck", "failover", "call", "explain", "emulator",
      "version" } do
      local ran = desk:run(command, "--help")
      assert.equal(0, ran.code)
      assert.matches("^Usage: alicloud%-dr " .. command, ran.out)
    end
    local help = desk:run("--help").out
    for _, word in ipairs { "ALIBABA_CLOUD_ACCESS_KEY_ID", "Exit codes", "NO_COLOR", "status" } do
      assert.is_truthy(help:find(word, 1, true), word)
    end
    for _, command in ipairs { "status", "precheck", "failover", "call", "emulator" } do
      assert.matches("Exit codes", desk:run(command, "-h").out)
      assert.matches("Example", desk:run(command, "-h").out)
    end
    local bare = desk:run()
    assert.equal(2, bare.code)
    assert.matches("^Usage", bare.err)
  end)

  it("prints its version", function()
    local desk = desks.new()
    assert.matches("^alicloud%-dr %d", desk:run("version").out)
    assert.equal(desk:run("version").out, desk:run("--version").out)
    assert.is_string(desk:run("version", "--json").object.version)
  end)

  it("ends a defect in one line and exit code 1, never in a stack trace", function()
    local desk = desks.new { transport = { send = function() error "boom" end } }
    local ran = desk:run("status", "--region", "cn-shanghai")
    assert.equal(1, ran.code)
    assert.equal(1, #lines_of(ran.err))
  end)
end)
