-- The command that rehearses a playbook.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"

local MOVE, RAW = "spec/simulation/playbooks/move.lua", "spec/simulation/playbooks/raw.lua"

describe("alicloud-dr explore", function()
  local desk

  before_each(function() desk = desks.new { env = {} } end)

  local function explore(...)
    return desk:run("explore", ...)
  end

  it("needs no account, and says what it has done", function()
    local ran = explore(MOVE, "--region", "cn-shanghai", "--seeds", "40")
    assert.equal(0, ran.code, ran.err)
    assert.matches("✔ 40 seeds, %d+ processes, %d+ crashes, %d+ requests, %d+ effects", ran.out)
    assert.matches("invariants .*S1 S2 .* S12 S13.* E: no violation", ran.out)
    assert.matches("met %d+ kinds of requests, writes, phases and codes; never:\n      ", ran.out)
    assert.same({}, desk:sends())
  end)

  it("is the same again", function()
    local words = { MOVE, "--region", "cn-shanghai", "--seed", "77", "--seeds", "20", "--json" }
    local first, second = explore(table.unpack(words)), explore(table.unpack(words))
    assert.equal(20, first.object.seeds)
    assert.same(first.object, second.object)
    assert.equal(0, first.object.exit)
    assert.is_string(first.object.invariants.S1)
    assert.is_true(first.object.coverage.met["request FailoverDiskReplicaGroup/done"] > 0)
    assert.is_true(#first.object.coverage.never > 0)
  end)

  it("tells of a violation, the few troubles it needs, and how to repeat it", function()
    local ran = explore(RAW, "--region", "cn-shanghai", "--seeds", "3", "--json")
    assert.equal(1, ran.code)
    local harm = ran.object.violations[1]
    assert.matches("^S4 FailoverDiskReplicaGroup left without a synced intent", harm.violation)
    assert.same({}, harm.only)
    assert.matches("^alicloud%-dr explore spec/simulation/playbooks/raw%.lua %-%-region "
      .. "cn%-shanghai %-%-seed 1 %-%-seeds 1$", harm.command)
    ran = explore(RAW, "--region", "cn-shanghai", "--seed", "1", "--seeds", "1")
    assert.equal(1, ran.code)
    assert.matches("✘ seed 1: S4 .*again:  alicloud%-dr explore", ran.out)
  end)

  it("takes a ready playbook by its name, and the region from its parameters", function()
    local ran = explore("failover", "group=pg-orders", "region=cn-shanghai", "--seeds", "5")
    assert.equal(0, ran.code, ran.err)
    assert.matches("✔ 5 seeds", ran.out)
  end)

  it("passes gates, those whose people have no keys too, and skips no step of that name", function()
    local book = scratch.file [[return require("alicloud.dr").playbook("x", function(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:gate("promote", { need = 1, of = { "dba" } })
      run:gate("again", { need = 1, of = { dba = ("a"):rep(64) } })
      run:step("promote", function() return orders:failover() end)
    end)]]
    local ran = explore(book, "--region", "cn-shanghai", "--seeds", "5", "--json")
    assert.equal(0, ran.code, ran.err)
    assert.is_true(ran.object.effects > 0)
  end)

  it("starts no program, nor does policy", function()
    local path = scratch.path()
    local words = { "failover", "group=pg-orders", "region=cn-shanghai", "stop=touch " .. path,
      "verify=touch " .. path }
    local ran = desk:run("policy", table.unpack(words))
    assert.equal(0, ran.code, ran.err)
    words[#words + 1] = "--seeds=3"
    ran = explore(table.unpack(words))
    assert.equal(0, ran.code, ran.err)
    assert.is_nil(io.open(path))
  end)

  it("tells of programs that no table names, and takes a table of them", function()
    local words = { "failover", "group=pg-shop", "region=cn-shanghai", "fence=no",
      "stop=./stop.sh", "verify=./check.sh", "--seeds", "3" }
    local ran = explore(table.unpack(words))
    assert.equal(0, ran.code, ran.err)
    assert.matches("no program is started, each ended well: stop, verify; others: --program",
      ran.out, 1, true)
    assert.not_matches("--program names what", ran.out, 1, true)
    table.move({ "--program", "verify=1,0", "--program", "stop=0@20", "--json" }, 1, 5,
      #words + 1, words)
    ran = explore(table.unpack(words))
    assert.equal(0, ran.code, ran.err)
    assert.same({}, ran.object.unnamed_programs)
    assert.same({}, ran.object.unused_programs)
    table.move({ "--program", "vreify=1" }, 1, 2, #words, words)
    ran = explore(table.unpack(words))
    assert.matches("--program names what an undisturbed run does not start: vreify\n", ran.out, 1,
      true)
    ran = explore("failover", "group=pg-shop", "--region", "cn-shanghai", "--program", "stop=x")
    assert.equal(2, ran.code)
    assert.matches("--program: got stop=x; allowed: NAME=CODE", ran.err, 1, true)
  end)

  it("lets a process that goes on stop the services once more", function()
    local ran = explore("failover", "group=pg-orders", "region=cn-shanghai", "stop=./stop.sh",
      "verify=./check.sh", "--program", "stop=0@120", "--program", "verify=1,0", "--seed", "14",
      "--only", "2")
    assert.equal(0, ran.code, ran.out .. ran.err)
  end)

  it("expects no more time of a step than its playbook allows, whatever an outage takes", function()
    for _, seed in ipairs { "12", "208" } do
      local ran = explore("failover", "group=pg-orders", "region=cn-shanghai", "fence=must",
        "--seed", seed, "--only", "1")
      assert.equal(0, ran.code, ran.out .. ran.err)
    end
  end)

  it("drafts the world that a playbook needs, which it and the emulator take", function()
    local path = scratch.path() .. ".json"
    local words = { "planned", "group=pg-shop", "region=cn-shanghai", "attach=i-shop-sh" }
    words[5], words[6] = "--draft-world", path
    local ran = explore(table.unpack(words))
    assert.equal(0, ran.code, ran.err)
    assert.matches("1 group, %d+ disks, %d+ instances", ran.out)
    local world = core.decode(scratch.read(path))
    assert.is_nil(require("alicloud.emulator").world_problem(world))
    ran = explore(table.unpack(words))
    assert.equal(2, ran.code)
    assert.matches("exists already", ran.err)
    words[5] = "--world"
    ran = explore(table.unpack(table.move({ "--seeds", "3" }, 1, 2, 7, words)))
    assert.equal(0, ran.code, ran.err)
    assert.not_matches("proves nothing", ran.out)
    -- A check that has checked nothing does not pass.
    words[2] = "group=pg-other"
    ran = explore(table.unpack(words))
    assert.equal(3, ran.code)
    assert.matches("? 3 seeds, ", ran.out, 1, true)
    assert.matches("no run came to its end, .* does the playbook fit this world%?", ran.out)
    ran = explore("--json", table.unpack(words))
    assert.same({ 3, "Client.NothingTold" }, { ran.object.exit, ran.object.error.code })
    -- One alone may repeat what a seed has shown, whose troubles end it.
    words[8] = "1"
    ran = explore(table.unpack(words))
    assert.equal(0, ran.code)
    assert.not_matches("proves nothing", ran.out)
    for _, more in ipairs { { "--seed", "1" }, { "--exhaustive", "1" }, { "--world", path } } do
      ran = explore("planned", "group=x", "--draft-world", path, table.unpack(more))
      assert.equal(2, ran.code)
      assert.matches("not with --draft-world", ran.err, 1, true)
    end
    ran = explore("planned", "group=x", "--draft-world", "my.lua")
    assert.matches("allowed: a name that ends in .json", ran.err, 1, true)
  end)

  it("drafts no world without a group, and says why a pair on its own makes none", function()
    local path = scratch.path() .. ".json"
    local ran = explore("failover", "group=pair-9", "region=cn-shanghai", "--draft-world", path)
    assert.equal(2, ran.code, ran.out)
    assert.matches("playbook: pair%-9 is a pair without a group, ", ran.err)
    assert.is_nil(core.look(path))
    assert.matches("playbook: pair%-9 is a pair without a group, ",
      explore("failover", "group=pair-9", "region=cn-shanghai", "--seeds", "1").err)
  end)

  it("takes kinds of trouble, parameters and a world", function()
    local world = scratch.file [[return { regions = { "cn-hangzhou", "cn-shanghai" }, groups = { {
      id = "pg-move", pairs = 2, status = "normal", recover_point_age = 60,
      source = "cn-hangzhou/a", destination = "cn-shanghai/b" } } }]]
    local ran = explore(MOVE, "a=b", "--region", "cn-shanghai", "--seeds", "10", "--world", world,
      "--faults", "crashes,stale_read", "--kind", "planned", "--wire")
    assert.equal(0, ran.code, ran.err)
    ran = explore(MOVE, "--region", "cn-shanghai", "--seed", "4", "--only", "1")
    assert.equal(0, ran.code, ran.err)
    assert.matches("✔ 1 seeds", ran.out)
  end)

  it("names a trouble by the number that it has in its seed, also when it repeats some", function()
    local simulation = require "alicloud.simulation"
    local judge = simulation.judge
    finally(function() simulation.judge = judge end)
    simulation.judge = function(case)
      return { violations = case.troubles[1] and { "S1 broken" } or {} }
    end
    local plan = assert(simulation.plan(assert(loadfile(MOVE))(), { region = "cn-shanghai" }))
    local seed = 1
    while #simulation.case(plan, seed).troubles < 3 do seed = seed + 1 end
    local case = simulation.case(plan, seed, { only = { 3 } })
    assert.same({ 3 }, simulation.shrink(case, plan, "S1 broken").only)
  end)

  it("refuses what it does not understand", function()
    for words, message in pairs {
      [{ MOVE }] = "--region: is missing",
      [{ MOVE, "--region", "cn-shanghai", "--seeds", "none" }] =
        '--seeds: got "none"; allowed: a whole number from 1 to 100000000',
      [{ MOVE, "--region", "cn-shanghai", "--faults", "crash" }] =
        '--faults: got "crash"; allowed: answers, reads',
      [{ MOVE, "--region", "cn-shanghai", "--only", "x", "--seed", "1" }] = "--only: got",
      [{ MOVE, "--region", "cn-shanghai", "--only", "1" }] = "--only: needs --seed",
      [{ MOVE, "--region", "cn-shanghai", "--world", "/nowhere" }] = "--world: ",
      [{ "/nowhere.lua", "--region", "cn-shanghai" }] = "playbook: ",
    } do
      local ran = explore(table.unpack(words))
      assert.equal(2, ran.code, message)
      assert.is_truthy(ran.err:find(message, 1, true), ran.err)
    end
  end)

  it("lets a playbook start nothing outside, and says so", function()
    local path = scratch.file [[return require "alicloud.dr".playbook("outside", function(run)
      run:group("pg-move", { region = "cn-shanghai" }):look()
      run:step("stop", function() os.execute "true" end)
    end)]]
    local ran = explore(path, "--region", "cn-shanghai")
    assert.equal(2, ran.code)
    assert.matches("without any trouble the run does not end well: .*os%.execute", ran.err)
    assert.is_nil(ran.err:find("--world", 1, true))
  end)
end)
