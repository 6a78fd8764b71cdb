-- The commands around the evidence, at a desk: report, policy, explain with a journal, and the
-- reports that run and resume write.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"

local ORDERS = [[
local dr = require "alicloud.dr"
return dr.playbook("orders: move to Shanghai", function(run)
  local orders = run:group(run.params.group or "pg-orders", { region = "cn-shanghai" })
  run:step("check", function() return orders:precheck { max_rpo = "20m" } end)
  run:gate("go ahead", { need = 1, of = { dba = ("a"):rep(64) } })
  run:step("fence", { graceful_only = true, plan = false }, function() return true end)
  run:step("promote", { point_of_no_return = true }, function() return orders:failover() end)
  run:step("start", { undo = function()
    return run:service "ecs":StopInstance { InstanceId = "i-orders-sh" }
  end }, function() return run:service "ecs":StartInstance { InstanceId = "i-orders-sh" } end)
  run:verify("shop answers", { plan = false }, function() return true end)
end)
]]

local SIMPLE = [[
return require("alicloud.dr").playbook("simple", function(run)
  local orders = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("promote", function() return orders:failover { max_rpo = run.params.max_rpo } end)
end)
]]

local function room(script, given)
  return desks.room(script or SIMPLE, given)
end

local function run_simple(given)
  local desk, file, directory = room(nil, given)
  local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "max_rpo=20m", "--rto", "15m",
    "--json")
  return desk, ran.object.journal, directory, file
end

describe("alicloud-dr run", function()
  it("says where the journal is, and how to get a report", function()
    local desk, file = room()
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    local journal = ran.out:match("\n    journal (%S+%.jsonl), head %x+\n")
    assert.is_truthy(ran.out:find("report: alicloud-dr report " .. journal .. " -o report.html",
      1, true), ran.out)
  end)

  it("writes a report however it ends, in the form of its suffix", function()
    local desk, file, directory = room(nil, { group = { recover_point_age = 3000 } })
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "max_rpo=20m", "--report",
      directory .. "/r.md")
    assert.equal(1, ran.code)
    assert.matches("why:    alicloud%-dr explain %S+%.jsonl\n    report  %S+/r.md\n", ran.err)
    assert.matches("^# ! Stopped: simple", scratch.read(directory .. "/r.md"))
    ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "max_rpo=20m", "--accept-loss",
      "2h",
      "--why", "it is gone", "--report", directory .. "/r.html", "--json")
    assert.equal(0, ran.code, ran.out)
    assert.equal(directory .. "/r.html", ran.object.report)
    assert.matches("^<!doctype html>", scratch.read(directory .. "/r.html"))
  end)

  it("refuses a form that it does not know before it begins, and tells of a lost report", function()
    local desk, file, directory = room()
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--report", "x.pdf")
    assert.equal(2, ran.code)
    assert.matches("%-%-report: got \"x.pdf\"; allowed: a file that ends in .html", ran.err)
    assert.same({}, desk:requests())
    assert(os.execute(("cd %s && ln -s target link.html && mkfifo pipe.md && mkdir d.json"):format(
      directory)))
    for name, words in pairs { ["link.html"] = "symbolic link", ["pipe.md"] = "not a regular file",
      ["d.json"] = "not a regular file" } do
      ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--report",
        directory .. "/" .. name)
      assert.equal(2, ran.code)
      assert.matches("%-%-report: .*" .. words .. ".*; allowed: the name of a file", ran.err)
      assert.same({}, desk:requests())
    end
    ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--report",
      directory .. "/none/x.html")
    assert.equal(1, ran.code)
    assert.matches("the report was not written: .*no such file", ran.err)
    assert.matches("✔ completed", ran.out)
  end)
end)

describe("alicloud-dr report", function()
  it("prints every form, and writes it to a file", function()
    local desk, journal, directory = run_simple()
    assert.matches("^# ✔ Completed: simple", desk:run("report", journal).out)
    assert.matches("<testsuite ", desk:run("report", journal, "--format", "junit").out)
    local object = desk:run("report", journal, "--json").object
    assert.same({ 0, "completed", 900 }, { object.exit, object.status, object.rto.declared })
    assert.matches("who wrote it", object.vouching.limits[2])
    local ran = desk:run("report", journal, "-o", directory .. "/drill.html")
    assert.same({ 0, "" }, { ran.code, ran.out })
    assert.matches("</html>\n$", scratch.read(directory .. "/drill.html"))
    ran = desk:run("report", journal, "-o", directory .. "/drill.json")
    assert.equal(0, ran.code)
    assert.equal("promote", core.decode(scratch.read(directory .. "/drill.json")).steps[1].step)
  end)

  it("shows the report on a terminal to be read, and in a pipe as it is", function()
    local name = "to | a_b `c` *d* <br> \\ & #1"
    local desk, file, directory = room(SIMPLE:gsub('"simple"', function()
      return ("%q"):format(name)
    end), { columns = 80 })
    local journal = desk:run("run", "-y", file, "--region", "cn-shanghai", "max_rpo=20m",
      "--incident", name, "--skip", "promote=" .. name, "--json").object.journal
    local raw = desk:run("report", journal).out
    assert.matches("^# ! Completed with exceptions: to \\| a_b \\`c\\` \\%*d\\%*", raw)
    desk.given.tty = true
    local shown = desk:run("report", journal).out
    name = name:gsub("#1", "`#1`")
    assert.equal("! Completed with exceptions: " .. name, desks.lines_of(shown)[1])
    assert.truthy(shown:find("\n- Incident: " .. name .. "\n", 1, true), shown)
    assert.matches("\nOld side fenced +not reached +nothing says", shown)
    assert.matches("\nStep +From the start +Took +Result\n%-%-%-%-", shown)
    for _, line in ipairs(desks.lines_of(shown)) do
      assert.is_true(utf8.len(line) <= 80 or line:find(directory, 1, true) ~= nil, line)
    end
    assert.matches("^Two runs of ", desk:run("report", "--compare", journal, journal).out)
    assert.matches("^{", desk:run("report", journal, "--json").out)
    assert.equal(0, desk:run("report", journal, "-o", directory .. "/r.md").code)
    assert.equal(raw, scratch.read(directory .. "/r.md"))
  end)

  it("leaves the command that goes on in one piece on a terminal", function()
    local desk, file = room(nil, { group = { recover_point_age = 3000 }, tty = true, columns = 80 })
    local journal = desk:run("run", "-y", file, "--region", "cn-shanghai", "max_rpo=20m",
      "--json").object.journal
    assert.truthy(desk:run("report", journal).out:find(
      ("Resume it with:\n`alicloud-dr resume %s`\n"):format(journal), 1, true))
  end)

  it("never writes over a journal", function()
    local desk, journal = run_simple()
    local before = scratch.read(journal)
    local ran = desk:run("report", journal, "--format", "md", "-o", journal)
    assert.equal(1, ran.code)
    assert.matches("is a journal, and is not written over", ran.err)
    assert.equal(before, scratch.read(journal))
  end)

  it("reports a damaged journal, and fails", function()
    local desk, journal, directory = run_simple()
    local bad = directory .. "/bad.jsonl"
    scratch.write(bad, (scratch.read(journal):gsub('"promote"', '"demoted"', 1)))
    local ran = desk:run("report", bad)
    assert.equal(1, ran.code)
    assert.matches("line %d+ was changed after it was written", ran.err)
    assert.matches("Not to be overlooked\n\n%- the journal is damaged", ran.out)
    ran = desk:run("explain", bad)
    assert.equal(1, ran.code)
    assert.matches("next         alicloud%-dr verify", ran.out)
  end)

  it("compares two", function()
    local desk, journal, _, file = run_simple()
    local second = desk:run("run", "-y", file, "--region", "cn-shanghai", "max_rpo=20m",
      "--json").object.journal
    local ran = desk:run("report", "--compare", journal, second)
    assert.equal(0, ran.code, ran.err)
    assert.matches("| promote | %d+ s |", ran.out)
    assert.is_table(desk:run("report", "--compare", journal, second, "--json").object.steps)
  end)

  it("refuses what is wrong on the command line", function()
    local desk, journal = run_simple()
    for _, case in ipairs {
      { { journal, journal }, "allowed: one, or two with --compare" },
      { { journal, "--compare" }, "allowed: two with --compare" },
      { { journal, journal, "--compare", "--format", "html" }, "allowed with --compare: md, json" },
      { { journal, "-o", "x.doc" }, "--output: got \"x.doc\"; allowed" },
      { { journal, "--head", "xyz" }, "--head: got" },
    } do
      local ran = desk:run("report", table.unpack(case[1]))
      assert.equal(2, ran.code, case[2])
      assert.is_truthy(ran.err:find(case[2], 1, true), ran.err)
    end
    assert.equal(1, desk:run("report", "/nowhere.jsonl").code)
  end)
end)

describe("alicloud-dr explain", function()
  it("says where a run stands, and what to type", function()
    local desk, journal = run_simple()
    local ran = desk:run("explain", journal)
    assert.equal(0, ran.code, ran.err)
    assert.matches("stands       Completed; 1 of 1 step came to a good end", ran.out)
    assert.matches("send again   there is nothing to send", ran.out)
  end)

  it("names every open intent, and whether it may be sent again", function()
    local desk, file = room(nil, { faults = { { match = { action = "FailoverDiskReplicaGroup" },
      effect = { drop = true } } } })
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "max_rpo=20m", "--json")
    assert.not_equal(0, ran.code)
    local journal = ran.object.journal
    ran = desk:run("explain", journal)
    assert.equal(0, ran.code, ran.err)
    assert.matches("known        failover of pg%-orders in cn%-shanghai, token %x+…: sent", ran.out)
    assert.matches("send again   pg%-orders: ", ran.out)
    assert.matches("next         alicloud%-dr status pg%-orders %-%-region cn%-shanghai\n"
      .. "               alicloud%-dr resume " .. journal:gsub("%p", "%%%0"), ran.out)
    local object = desk:run("explain", journal, "--json").object
    assert.equal("stopped", object.status)
    assert.equal(2, #object.next)
  end)

  it("still explains codes", function()
    local desk = desks.new()
    assert.matches("^Throttling", desk:run("explain", "Throttling").out)
    assert.equal(2, desk:run("explain", "Throtling").code)
    assert.equal(2, desk:run("explain", "").code)
    assert.equal(1, desk:run("explain", "none.jsonl").code)
  end)
end)

describe("alicloud-dr policy", function()
  local function statements(document)
    local map = {}
    for _, statement in ipairs(document.Statement) do
      assert.equal("Allow", statement.Effect)
      for _, action in ipairs(statement.Action) do map[action] = statement.Resource end
    end
    return map
  end

  it("holds what was called and on what, the way back included, and nothing is sent", function()
    local desk, file = room(ORDERS)
    local ran = desk:run("policy", file, "--region", "cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    local document = assert(core.decode(ran.out))
    assert.equal("1", document.Version)
    assert.same({
      ["ebs:DescribeDiskReplicaGroups"] = { "acs:ebs:cn-shanghai:*:diskreplicagroup/*",
        "acs:ebs:cn-shanghai:*:diskreplicagroup/pg-orders" },
      ["ebs:DescribeDiskReplicaPairs"] = { "acs:ebs:cn-shanghai:*:diskreplicapair/*" },
      ["ebs:FailoverDiskReplicaGroup"] = { "acs:ebs:cn-shanghai:*:diskreplicagroup/pg-orders" },
      ["ecs:StartInstance"] = { "acs:ecs:cn-shanghai:*:instance/i-orders-sh" },
      ["ecs:StopInstance"] = { "acs:ecs:cn-shanghai:*:instance/i-orders-sh" },
    }, statements(document))
    assert.matches("only the real call can tell", ran.err)
    assert.same({}, desk:requests())
  end)

  it("imagines a group that no world knows", function()
    local desk, file = room(ORDERS)
    local ran = desk:run("policy", file, "--region", "cn-shanghai", "group=pg-mine", "--json")
    assert.equal(0, ran.code, ran.out)
    assert.same({ "acs:ebs:cn-shanghai:*:diskreplicagroup/pg-mine" },
      statements(ran.object.policy)["ebs:FailoverDiskReplicaGroup"])
    assert.matches("pg%-mine is imagined", table.concat(ran.object.notes, "\n"))
  end)

  it("reads parameters as a run does: by name, as declared, and the region from them", function()
    local desk = room()
    local ran = desk:run("policy", "planned", "group=pg-orders", "region=cn-shanghai",
      "protect=no", "--json")
    assert.equal(0, ran.code, ran.out .. ran.err)
    local actions = statements(ran.object.policy)
    assert.is_table(actions["ebs:FailoverDiskReplicaGroup"])
    assert.is_nil(actions["ebs:ReprotectDiskReplicaGroup"])
    assert.matches("simulated planned run", ran.object.notes[1])
    assert.same({ "acs:ecs:cn-hangzhou:*:instance/i-orders-hz" }, actions["ecs:StopInstance"])
    ran = desk:run("policy", "planned", "group=pg-orders", "region=cn-shanghai", "--json")
    assert.is_table(statements(ran.object.policy)["ebs:ReprotectDiskReplicaGroup"])
    for words, message in pairs {
      [{ "grup=pg-orders" }] = 'unknown parameter "grup"',
      [{ "group=pg-orders", "protect=perhaps" }] = 'parameter protect: got "perhaps"',
      [{ "region=cn-shanghai" }] = "parameter group is missing",
      [{ "group=pg-orders" }] = "--region: is missing",
      [{ "group=pg-orders", "Password=1" }] = "give a secret through the environment",
    } do
      for _, command in ipairs { "policy", "explore" } do
        ran = desk:run(command, "planned", table.unpack(words))
        assert.equal(2, ran.code)
        assert.is_truthy(ran.err:find(message, 1, true), ran.err)
      end
    end
  end)

  it("covers a failback on the quiet day, and each machine of one that nobody knows", function()
    local desk = room()
    local ran = desk:run("policy", "failback", "group=pg-mine", "region=cn-beijing",
      "attach=i-home", "--json")
    assert.equal(0, ran.code, ran.out .. ran.err)
    local actions = statements(ran.object.policy)
    for action, resource in pairs {
      ["ebs:ReprotectDiskReplicaGroup"] = "acs:ebs:cn-beijing:*:diskreplicagroup/pg-mine",
      ["ebs:FailoverDiskReplicaGroup"] = "acs:ebs:cn-hangzhou:*:diskreplicagroup/pg-mine",
      ["ecs:StopInstance"] = "acs:ecs:cn-beijing:*:instance/*",
      ["ecs:DetachDisk"] = "acs:ecs:cn-beijing:*:disk/*",
      ["ecs:AttachDisk"] = "acs:ecs:cn-hangzhou:*:disk/*",
      ["ecs:StartInstance"] = "acs:ecs:cn-hangzhou:*:instance/i-home",
    } do
      assert.is_truthy(table.concat(actions[action] or {}, " "):find(resource, 1, true), action)
    end
    assert.matches("in 7 worlds: before and after the move", ran.object.notes[1])
  end)

  it("covers what is done only if the old side is dark, or the service runs elsewhere", function()
    local desk, file = room [[return require("alicloud.dr").playbook("x", function(run)
      local group = run:group("pg-orders", { region = "cn-shanghai" })
      local seen = run:step("look", function() return { status = group:look().status } end)
      local fenced = run:step("fence", { on_error = "continue", timeout = "1m" }, function()
        return group:fence()
      end)
      if not fenced then
        run:step("tag", function() return run.client:call("ebs:StopDiskReplicaGroup",
          { RegionId = "cn-shanghai", ReplicaGroupId = "pg-orders" }) end)
      end
      if seen and seen.status == "failovered" then
        run:step("back", function() return group:reprotect {} end)
      end
    end)]]
    local ran = desk:run("policy", file, "--region", "cn-shanghai", "--json")
    local actions = statements(ran.object.policy)
    assert.is_table(actions["ebs:StopDiskReplicaGroup"], ran.out)
    assert.is_table(actions["ebs:ReprotectDiskReplicaGroup"])
    assert.is_table(actions["ecs:StopInstance"])
  end)

  it("says what it could not rehearse, and does not do it", function()
    local desk, file, directory = room [[
      return require("alicloud.dr").playbook("x", function(run)
        run:step("shell", function() os.execute("touch " .. run.params.dir .. "/touched") end)
        run:each({ "pg-orders" }, function(id, own)
          own:step("promote", function()
            return own:group(id, { region = "cn-shanghai" }):failover()
          end)
        end)
      end)]]
    local ran = desk:run("policy", file, "--region", "cn-shanghai", "dir=" .. directory)
    assert.equal(1, ran.code)
    assert.matches('not rehearsed: step "shell": .*os.execute is not done', ran.err)
    assert.is_truthy(ran.out:find("ebs:FailoverDiskReplicaGroup", 1, true))
    assert.is_nil(io.open(directory .. "/touched"))
  end)

  it("names what no data describes, of another product too", function()
    local desk, file = room [[return require("alicloud.dr").playbook("x", function(run)
      run:step("look", function()
        return run.client:call("vpc:DescribeVpcs", {}, { version = "2016-04-28" })
      end)
      run:step("list", function() return run.client:call "ebs:DescribeDiskReplicaGroups" end)
    end)]]
    local ran = desk:run("policy", file, "--region", "cn-shanghai", "--json")
    assert.equal(1, ran.code, ran.out .. ran.err)
    local notes = table.concat(ran.object.notes, "\n")
    assert.matches('not rehearsed: step "look"', notes)
    assert.matches("not described here, so not in it: 2016%-04%-28:DescribeVpcs", notes)
    assert.is_table(statements(ran.object.policy)["ebs:DescribeDiskReplicaGroups"])
  end)

  it("refuses a world that is none", function()
    local desk, file = room(ORDERS)
    local ran = desk:run("policy", file, "--region", "cn-shanghai", "--world", "/nowhere.lua")
    assert.equal(2, ran.code)
    assert.matches("%-%-world: ", ran.err)
  end)
end)
