-- What commands print with --json is what is declared of it. The desk holds every object against
-- the declarations, so each spec of a command proves them as well; here is one of each kind.

local after = require "spec.dr.after_lab"
local commands = require "alicloud.cli.commands"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local emulator_command = require "alicloud.cli.commands.emulator"
local output = require "alicloud.cli.output"
local reference = require "spec.json_reference"
local scratch = require "spec.scratch"
local shapes = require "alicloud.cli.json_shapes"
local tables = require "alicloud.base.tables"

local function takes_json(name)
  local command = require "argparse"(name)
  commands.load(name).configure(command)
  return command:get_usage():find("--json", 1, true) ~= nil
end

local PLACE = { "--region", "cn-shanghai" }

local function run(desk, ...)
  local words = { ... }
  words[#words + 1] = "--json"
  local ran = desk:run(table.unpack(words))
  assert.equal(output.SCHEMA, ran.object.schema, ran.out)
  assert.equal(ran.code, ran.object.exit)
  return ran.object, ran
end

local function at_place(desk, ...)
  local words = { ... }
  table.move(PLACE, 1, #PLACE, #words + 1, words)
  return run(desk, table.unpack(words))
end

describe("the declarations of JSON", function()
  it("are of every command that takes --json, and of no other", function()
    for _, entry in ipairs(commands.LIST) do
      local is_declared = shapes.COMMANDS[entry.name] ~= nil
      assert.equal(entry.name ~= "repl" and takes_json(entry.name), is_declared, entry.name)
    end
  end)

  it("are what the manual tells (else: make types)", function()
    assert.equal(reference.text(), scratch.read(reference.PATH))
  end)

  it("are printed as JSON Schema, in which every reference leads somewhere", function()
    local ran = desks.new():run("manual", "json", "--schema")
    local defined = ran.object["$defs"]
    local references = 0
    local function visit(value)
      if type(value) ~= "table" then return end
      local name = value["$ref"]
      if name then
        references = references + 1
        assert.is_table(defined[name:match "^#/%$defs/(.*)$"], name)
      end
      for _, inner in pairs(value) do visit(inner) end
    end
    visit(ran.object)
    assert.is_true(references > 50)
    for _, name in ipairs(shapes.names()) do assert.is_table(defined["command_" .. name].anyOf) end
    ran = desks.new():run("manual", "repl", "--schema")
    assert.matches("%-%-schema: got the topic \"repl\"; allowed: json", ran.err)
  end)

  it("tell what is undeclared, missing, or of another type, with its place", function()
    local base = { region = "cn-shanghai", schema = 1, exit = 0 }
    local function fault(groups, more)
      local object = { groups = groups }
      for name, value in pairs(base) do object[name] = value end
      for name, value in pairs(more or {}) do object[name] = value end
      return shapes.fault("status", object)
    end
    assert.is_nil(fault {})
    assert.equal('unknown field "regoin"; did you mean "region"?', fault({}, { regoin = 1 }))
    assert.equal("field groups: got string x; allowed: table", (fault "x":gsub('"', "")))
    assert.equal("field groups[1].group_id is required", fault { { region = "r", role = "both",
      reversed = false, pairs = {} } })
    assert.matches("^field groups%[1%]%.role: got .*half.*; allowed: one of \"secondary\"",
      fault { { group_id = "g", region = "r", role = "half", reversed = false, pairs = {} } })
    assert.equal("field exit: got string 0; allowed: integer",
      (fault({}, { exit = "0" }):gsub('"', "")))
    assert.equal("field schema is required", shapes.fault("version",
      { version = "1", build = "1-1", libraries = {}, exit = 0 }))
    assert.matches("nothing is declared", shapes.fault("repl", {}))
  end)

  it("name no field twice, and each shared object once", function()
    local named = {}
    local function visit(order)
      local seen = {}
      for _, field in ipairs(order) do
        local name, rule = field[1]:gsub("%?", ""), field[2]
        assert.is_nil(seen[name], name)
        seen[name] = true
        while rule.each or rule.map do rule = rule.each or rule.map end
        if rule.order and rule.named then
          assert.is_true(named[rule.named] == nil or named[rule.named] == rule.order, rule.named)
        end
        if rule.order and named[rule.named or ""] == nil then
          named[rule.named or {}] = rule.order
          visit(rule.order)
        end
      end
    end
    for _, name in ipairs(shapes.names()) do
      for _, one in ipairs(shapes.COMMANDS[name]) do visit(one[1]) end
    end
  end)
end)

describe("with --json", function()
  it("every command tells a slip of the hand, with schema, exit and error alone", function()
    local desk = desks.new()
    for _, name in ipairs(shapes.names()) do
      local object, ran = run(desk, name, "--no-such-option")
      assert.equal(2, ran.code, name)
      assert.equal("Client.Usage", object.error.code, name)
      assert.same({ "error", "exit", "schema" }, tables.keys(object))
    end
  end)

  it("commands that look print what there is, what is not there, and nothing", function()
    local desk = desks.new()
    assert.equal(1, #at_place(desk, "status", "--verbose").groups)
    assert.equal("absent", at_place(desk, "status", "pg-nope").groups[1].role)
    assert.equal("pg-orders", at_place(desk, "readiness", "pg-orders").groups[1].group_id)
    assert.is_true(at_place(desk, "precheck", "pg-orders").ok)
    assert.equal("Client.RecoveryPointTooOld",
      at_place(desk, "precheck", "pg-orders", "--max-rpo", "1m").error.code)
    assert.equal("ebs", at_place(desk, "dependencies").dependencies[1].product)
    assert.is_true(#at_place(desk, "call", "ebs:DescribeRegions").Regions > 0)
    assert.same({}, at_place(desk, "drill", "list").drills)
    local empty = desks.new { world = { groups = {}, regions = { "cn-shanghai" } } }
    assert.same({}, at_place(empty, "status").groups)
    assert.same({}, at_place(empty, "readiness").groups)
    local dark = desks.new { faults = { { effect = { error = { code = "Forbidden.RAM",
      status = 403 } } } } }
    for _, name in ipairs { "status", "readiness" } do at_place(dark, name) end
    assert.equal("api", at_place(dark, "precheck", "pg-orders").error.kind)
  end)

  it("commands that need no cloud print theirs", function()
    local desk, file, directory = desks.room()
    assert.is_true(run(desk, "version").libraries.lua ~= nil)
    assert.is_true(#run(desk, "manual").topics > 20)
    assert.equal("json", run(desk, "manual", "json").topic)
    assert.equal("Throttling", run(desk, "explain", "Throttling").code)
    assert.is_true(#run(desk, "playbooks").playbooks >= 4)
    assert.equal(64, #run(desk, "playbooks", file).playbooks[1].digest)
    assert.equal("orders: move to Shanghai", at_place(desk, "plan", file).playbook)
    assert.is_true(#at_place(desk, "policy", file).policy.Statement > 0)
    assert.equal(2, at_place(desk, "explore", file, "--seeds", "2").seeds)
    assert.equal("operator", run(desk, "approve", "--new-key", directory .. "/key").name)
    assert.is_true(run(desk, "whoami", "--offline").key_id ~= nil)
    desk.env = {}
    assert.equal("credentials", run(desk, "whoami", "--offline").error.kind)
    assert.is_true(#run(desk, "emulator", "--list-assumptions").assumptions > 0)
    assert.is_true(#run(desk, "emulator", "--list-scenarios").scenarios > 0)
  end)

  it("commands that change print what was done, what was done before, and a refusal", function()
    local function twice(world, ...)
      local desk, words = desks.new { world = world and after.world(world) }, { ... }
      words[#words + 1] = "--yes"
      local first = at_place(desk, table.unpack(words))
      return first.outcome or first.error.code, at_place(desk, table.unpack(words)).outcome
    end
    local OPEN = { status = "failovered", old = false }
    assert.same({ "failovered", "already_failovered" }, { twice(nil, "failover", "pg-orders") })
    assert.same({ "fenced", "already_fenced" }, { twice({}, "fence", "pg-orders") })
    assert.same({ "reprotected", "already_reprotected" }, { twice(OPEN, "reprotect",
      "pg-orders") })
    assert.same({ "serving", "already_serving" }, { twice(OPEN, "serve", "pg-orders",
      "--attach", "i-new") })
    assert.same({ "stopped", "already_stopped" }, { twice(nil, "stop", "pg-orders") })
    assert.equal("Client.OldSideInUse", (twice({ status = "failovered" }, "reprotect",
      "pg-orders")))
    local desk = desks.new()
    assert.equal("precheck", at_place(desk, "failover", "pg-orders", "--yes", "--max-rpo",
      "1m").error.kind)
    local drill = at_place(desk, "drill", "start", "pg-orders", "--yes")
    assert.equal("drill_ready", drill.outcome)
    assert.equal(drill.drill_id, at_place(desk, "drill", "list").drills[1].drill_id)
    assert.equal("cleared", at_place(desk, "drill", "clear", "pg-orders", drill.drill_id,
      "--yes").outcome)
  end)

  it("a run that is rolled back, and says so", function()
    local desk, file = desks.room [[
      return require("alicloud.dr").playbook("back", function(run)
        run:step("there", { undo = function() end }, function() return true end)
        run:step("bad", { on_error = "rollback" }, function() return nil, "no" end)
      end)]]
    assert.equal("rolled_back", at_place(desk, "run", file, "-y").status)
  end)

  it("runs, and what is told of them", function()
    local desk, file, directory = desks.room()
    assert.same({}, run(desk, "runs").runs)
    local stopped = at_place(desk, "run", file, "-y", "--journal", directory .. "/first.jsonl",
      "max_rpo=1s")
    assert.equal("not_sent", stopped.error.outcome)
    local journal = directory .. "/first.jsonl"
    assert.equal("stopped", run(desk, "explain", journal).status)
    assert.is_true(run(desk, "ungraceful", journal, "--why", "it burns").left)
    assert(core.make_directory(directory .. "/shared"))
    journal = run(desk, "handover", journal, "--to", directory .. "/shared").journal
    assert.equal("completed", at_place(desk, "resume", journal, "-y", "max_rpo=1h", "--why",
      "slip").status)
    assert.equal(0, #run(desk, "verify", journal).doubts)
    local report = run(desk, "report", journal)
    assert.equal("unplanned", report.run.kind)
    assert.equal(report.run.id, run(desk, "report", "--compare", journal, journal).a.run_id)
    local path = directory .. "/report.json"
    assert.equal(path, run(desk, "report", journal, "-o", path).report)
    local written = core.decode(scratch.read(path))
    written.exit = 0
    assert.is_nil(shapes.fault("report", written))
  end)

  it("an emulator says where it listens, and goes on", function()
    local printed = {}
    emulator_command.run({ json = true, host = "127.0.0.1", port = "0", until_eof = true,
      speed = "1", seed = "1" }, { out = function(text) printed[#printed + 1] = text end,
      err = function() end, runtime = {} })
    assert.is_nil(shapes.fault("emulator", core.decode(table.concat(printed))))
  end)
end)
