-- Commands at a desk: what they print, and how the command line is read.

local desks = require "spec.cli.desk"
local lab = require "spec.dr.lab"

local lines_of, run = desks.lines_of, desks.once

describe("alicloud-dr precheck", function()
  it("shows every rule with code and fact, and sends nothing", function()
    local ran, desk = run(nil, "precheck", "pg-orders", "--max-rpo", "20m")
    assert.equal(0, ran.code)
    for _, rule in ipairs { "✔ group ", "✔ status ", "✔ zones ", "✔ RPO " } do
      assert.is_truthy(ran.out:find(rule, 1, true), rule)
    end
    -- A code is for what is not fine, and what no read can tell is one line.
    assert.is_nil(ran.out:find("OperationDenied", 1, true), ran.out)
    assert.matches("\n  %? only the call can tell +permission, permission for the action, "
      .. "operation, service, answer in time\n$", ran.out)
    assert.same({}, desk:sends())
  end)

  it("begins with what stands against it, and tells it once", function()
    for _, tty in ipairs { true, false } do
      local ran = run({ tty = tty, columns = 80 }, "precheck", "pg-orders", "--max-rpo", "5m")
      assert.equal(1, ran.code)
      local lines = lines_of(ran.out)
      local first = tty and 3 or 2
      assert.matches("^  ✘ RPO +RPO 7m1%d s? ?> 5m   Client.RecoveryPointTooOld$",
        (lines[first]:gsub("7m1(%d)s", "7m1%1 s")))
      local _, times = (ran.out .. ran.err):gsub("✘", "")
      assert.equal(1, times)
      assert.equal(tty and "" or nil, tty and ran.err or nil)
    end
  end)

  it("says on a terminal what it waits for, while something may pass", function()
    local given = { tty = true, columns = 80, group = { pairs = { {}, { status = "stopped" } } } }
    local ran = run(given, "precheck", "pg-orders")
    assert.equal(1, ran.code)
    assert.matches("looking again for 0%d:%d%d: group normal", ran.out)
  end)

  it("gives the report as one JSON object", function()
    local ran = run({ group = { recover_point_age = 3000 } }, "precheck", "pg-orders", "--json",
      "--max-rpo", "20m")
    assert.equal(1, ran.code)
    assert.is_false(ran.object.ok)
    assert.equal("block", ran.object.verdict)
    assert.equal("pg-orders", ran.object.group.group_id)
  end)

  it("gives no cure for what a group that was not found might have shown", function()
    local ran = run(nil, "precheck", "pg-nope", "--json")
    local cures = {}
    for _, entry in ipairs(ran.object.findings) do
      if entry.fact == "the group could not be read" then cures[#cures + 1] = entry.cure end
    end
    assert.same({}, cures)
    assert.is_string(ran.object.error.hint)
  end)
end)

describe("a group that is not there", function()
  it("is one line with the nearest that are", function()
    local words = { { "precheck" }, { "failover", "--yes" }, { "fence", "--yes" }, { "status" },
      { "reprotect", "--yes" }, { "start", "--yes" }, { "serve", "--yes", "--attach", "i-1" } }
    for _, each in ipairs(words) do
      local ran, desk = run(nil, each[1], "pg-ordesr", table.unpack(each, 2))
      assert.equal(2, ran.code, each[1])
      assert.equal("alicloud-dr: group: pg-ordesr is not listed in cn-shanghai; did you mean "
        .. "pg-orders (orders)?\n", ran.err)
      assert.is_nil(ran.out:find("could not be read", 1, true))
      assert.same({}, desk:ledger())
    end
    local ran = run(nil, "failover", "ordres", "--yes", "--json")
    assert.equal("NoSuchResource", ran.object.error.code)
    assert.matches("did you mean pg%-orders %(orders%)%?", ran.object.error.message)
    ran = run(nil, "status", "dg-x")
    assert.matches("cn%-shanghai lists pg%-orders %(orders%)\n", ran.err)
  end)

  it("may be called by its name", function()
    local given = { input_tty = true, typed = { "pg-orders" } }
    local ran, desk = run(given, "failover", "name:orders")
    assert.equal(0, ran.code, ran.err)
    assert.matches("name:orders is pg%-orders in cn%-shanghai", ran.err)
    assert.equal(1, #desk:sends())
    ran = run(nil, "status", "name:order")
    assert.equal(2, ran.code)
    assert.matches('no group of cn%-shanghai is called "order"; did you mean pg%-orders', ran.err)
  end)

  it("is not looked for in a region that is a slip of the hand", function()
    local desk = desks.new()
    local ran = desk:run("status", "--region", "cn-shanghia")
    assert.equal(2, ran.code)
    assert.matches("^alicloud%-dr: %-%-region: got cn%-shanghia; did you mean cn%-shanghai%?",
      ran.err)
    assert.same({}, desk:requests())
    ran = desk:run("status", "--region", "ap-southeast-9", "--endpoint", "http://127.0.0.1:9")
    assert.is_nil(ran.err:find("did you mean", 1, true))
  end)
end)

describe("alicloud-dr status", function()
  it("lists the groups of a region, or one with its pairs", function()
    local ran = run(nil, "status")
    assert.equal(0, ran.code)
    assert.matches("GROUP +NAME +DIRECTION", ran.out)
    assert.matches("pg%-orders", ran.out)
    ran = run(nil, "status", "pg-orders")
    assert.matches("pair%-orders%-3   normal", ran.out)
    ran = run(nil, "status", "--json")
    assert.equal("secondary", ran.object.groups[1].role)
    assert.equal(432, ran.object.groups[1].recover_point_age)
  end)

  it("gives a group two lines on a terminal that is too narrow for the table", function()
    local wide = run({ columns = 120, tty = true }, "status").out
    assert.matches("^  GROUP +NAME +DIRECTION", wide)
    assert.equal(wide, run({ columns = 80 }, "status").out)
    assert.equal("  pg-orders   orders   normal\n      cn-hangzhou/g → cn-shanghai/b   3 pairs   "
      .. "last recovery point 7m12s ago\n      secondary site\n",
      run({ columns = 80, tty = true }, "status").out)
  end)

  it("folds a pre-check for a narrow terminal, and leaves it one rule a line in a pipe", function()
    local words = { "precheck", "pg-orders", "--max-rpo", "1m" }
    local piped = run({ columns = 80 }, table.unpack(words)).out
    local shown = run({ columns = 80, tty = true }, table.unpack(words)).out:gsub("^.*\27%[K", "")
    assert.equal((piped:gsub("%s+", " ")), (shown:gsub("%s+", " ")))
    assert.matches("\n  ✔ direction +cn%-hangzhou/g[^\n]+\n", piped)
    for n, line in ipairs(lines_of(shown)) do
      assert.is_true(n == 1 or utf8.len(line) <= 80, line)
    end
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

  it("asks for the name of an operation that may change something, or takes --yes", function()
    local words = { "call", "StopDiskReplicaGroup", "ReplicaGroupId=pg-orders" }
    local ran, desk = run({ input_tty = true, typed = { "yes" } }, table.unpack(words))
    assert.equal(1, ran.code)
    assert.matches('StopDiskReplicaGroup in cn%-shanghai may change something, with:\n.*'
      .. '"ReplicaGroupId": "pg%-orders"', ran.err)
    assert.matches("the call was not confirmed, nothing was sent", ran.err)
    assert.same({}, desk:requests())
    ran, desk = run({ input_tty = true, typed = { "StopDiskReplicaGroup" } }, table.unpack(words))
    assert.equal(0, ran.code)
    assert.equal(1, #desk:ledger())
    ran, desk = run(nil, table.unpack(words))
    assert.equal(2, ran.code)
    assert.matches("no terminal to type the name of the operation on", ran.err)
    assert.same({}, desk:requests())
    words[#words + 1] = "-y"
    ran, desk = run(nil, table.unpack(words))
    assert.equal(0, ran.code)
    assert.equal(1, #desk:ledger())
  end)

  it("reads dots in keys as lists and maps", function()
    local call = require "alicloud.cli.commands.call"
    assert.same({ RegionId = "r", Tag = { { Key = "a", Value = "b=c" }, { Key = "" } } },
      call.read_parameters { "RegionId=r", "Tag.1.Key=a", "Tag.1.Value=b=c", "Tag.2.Key=" })
  end)

  it("tells an unknown outcome of a change from a failure to read", function()
    local faults = { { match = {}, effect = { drop = true } } }
    assert.equal(3, run({ faults = faults }, "call", "--yes", "FailoverDiskReplicaGroup",
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
      { 1, "call", "FailoverDiskReplicaGroup", "ReplicaGroupId=pg-nope", "--yes" },
      { 2, "call", "FailoverDiskReplicaGrup", "ReplicaGroupId=pg-orders", "--yes" },
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
    { { "failover", "--yes" },
      "missing argument 'group' %(see `alicloud%-dr failover %-%-help`%)" },
    { { "failover", "pg-1", "--yes", "--retry" }, "unknown option .*failover %-%-help" },
    { { "status", "--endpoint", "u:canary@h" }, "%-%-endpoint: got \"%*%*%*@h\": .*; allowed" },
    { { "status", "--no-proxy", "http://h:80" }, "%-%-no%-proxy: got .*; allowed: hosts" },
    { { "status", "--endpoint", "http://x/path" }, "%-%-endpoint: got .*path" },
    { { "status", "--endpoint", "http://example.com" }, "%-%-endpoint: got .*plain HTTP" },
    { { "status", "--endpoint", "a\27[31m" }, "%-%-endpoint: got" },
    { { "call", "describeDisks" }, "PascalCase" },
    { { "call", "DescribeDiskReplicaGroups", "Sit=backup" }, "did you mean \"Site\"" },
    { { "call", "DescribeDiskReplicaGroups", "Site" }, "parameter: got \"Site\"; allowed" },
    { { "call", "DescribeDiskReplicaGroups", "Site=a", "Site=b" }, "given twice" },
    { { "call", "DescribeDiskReplicaGroups", "MaxResults=many" }, "MaxResults" },
    { { "call", "Foo", "--product", "nosuch" }, "version" },
    { { "drill", "halt", "pg-1" }, 'verb: got "halt"; allowed: start, clear, list %(' },
    { { "plan", "x.lua", "--kind", "drll" },
      '%-%-kind: got "drll"; allowed: drill, planned, unplanned %(' },
    { { "explore", "x.lua", "--exhaustive=3" }, '%-%-exhaustive: got "3"; allowed: 1, 2 %(' },
    { { "whoami", "--no-proxy", "h", "me" }, 'too many arguments: got "me" %(' },
    { { "statu" }, "did you mean .*'status'.* %(see `alicloud%-dr %-%-help`%)" },
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
      assert.matches("pg%-orders is not listed in cn%-beijing", ran.err)
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

  it("ends what a host's transport raises in one line and exit code 1", function()
    local ran = run({ transport = { send = function() error "boom" end } }, "status")
    assert.equal(1, ran.code)
    assert.matches("boom", ran.err)
    assert.equal(1, #lines_of(ran.err))
  end)

  it("ends a defect in one line and exit code 3, for nobody knows what was sent", function()
    local command = require "alicloud.cli.commands.status"
    local before = command.run
    finally(function() command.run = before end)
    command.run = function() error "a defect" end
    local ran = run(nil, "status")
    assert.equal(3, ran.code)
    assert.equal("", ran.out)
    assert.matches("internal error: .*a defect", ran.err)
    assert.equal(1, #lines_of(ran.err))
    ran = run(nil, "status", "--json")
    assert.equal(3, ran.code)
    assert.equal("", ran.err)
    assert.equal("Client.Internal", ran.object.error.code)
    assert.equal("unknown", ran.object.error.outcome)
  end)
end)
