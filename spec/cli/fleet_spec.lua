-- The playbook for many groups at a desk: its parameters from files and typed several times, its
-- plan, and what is said of what was left out.

local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"

local TABLE = "group,attach,fence\npg-01,i-new-1,must\n"

local function world(changes)
  local old, new = "cn-hangzhou/cn-hangzhou-g", "cn-shanghai/cn-shanghai-b"
  local groups, disks, instances = {}, {}, {}
  for i, name in ipairs { "db-1", "app-1", "app-2", "web" } do
    groups[i] = { id = "pg-0" .. i, name = name, status = "normal", recover_point_age = 60,
      failover_seconds = 20, source = old, destination = new, pairs = {
        { id = "pair-" .. i, source_disk = "d-old-" .. i, destination_disk = "d-new-" .. i } } }
    for field, value in pairs(changes and changes[i] or {}) do groups[i][field] = value end
    disks[i] = { id = "d-old-" .. i, place = old, instance = "i-old-" .. i }
    instances[2 * i - 1] = { id = "i-old-" .. i, place = old, status = "Running" }
    instances[2 * i] = { id = "i-new-" .. i, place = new, status = "Stopped" }
  end
  return { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups, disks = disks,
    instances = instances }
end

local function room(changes, given)
  local all = { world = world(changes) }
  for name, value in pairs(given or {}) do all[name] = value end
  local desk, _, directory = desks.room(false, all)
  return desk, directory
end

local function fleet(desk, command, ...)
  local words = { ... }
  if command == "run" then words[#words + 1] = "--yes" end
  return desk:run(command, "fleet", "groups=all", "region=cn-shanghai", table.unpack(words))
end

describe("alicloud-dr run fleet", function()
  it("takes tiers and a table from files, or what is typed several times", function()
    for _, from_file in ipairs { true, false } do
      local desk, directory = room()
      scratch.write(directory .. "/tiers", "# databases first\n1 db-*\n2 app-*\n")
      scratch.write(directory .. "/fleet.csv", TABLE)
      local words = from_file and { "tier=@" .. directory .. "/tiers" }
        or { "tier=1:db-*", "tier=2:app-*" }
      words[#words + 1] = "table=@" .. directory .. "/fleet.csv"
      local ran = fleet(desk, "run", table.unpack(words))
      assert.equal(0, ran.code, ran.err)
      assert.matches("tier 1: 1: pg%-01\n", ran.out)
      assert.matches("tier 2: 2: pg%-02, pg%-03\n", ran.out)
      assert.matches("✔ pg%-01/serve", ran.out)
      assert.equal("Running", desk.bench.emu.world.instance_by_id["i-new-1"].status)
    end
  end)

  it("refuses what a file has wrong, and a value that is there twice", function()
    local desk, directory = room()
    scratch.write(directory .. "/bad", "group,atach\npg-01,i-1\n")
    scratch.write(directory .. "/open", TABLE)
    for _, case in ipairs {
      { "table=@" .. directory .. "/bad", 'unknown column "atach"; did you mean "attach"' },
      { "table=@" .. directory .. "/none", "parameter table: .*none: [Nn]o such file" },
      { "tier=db-*", 'parameter tier: got "db%-%*"; allowed: a number' },
      { "region=cn-beijing", "parameter region is there 2 times; it is given once" },
      { "tiers=1:db-*", 'unknown parameter "tiers"; did you mean "tier"' },
    } do
      for _, command in ipairs { "run", "plan" } do
        local ran = fleet(desk, command, case[1])
        assert.equal(2, ran.code, case[1])
        assert.matches(case[2], ran.err)
      end
    end
    assert.same({}, desk:ledger())
  end)

  it("names at its end what was left out, and the command for later", function()
    local desk = room { [3] = { status = "initial_syncing" } }
    local ran = fleet(desk, "run", "max_rpo=20m")
    assert.equal(0, ran.code, ran.err)
    assert.matches("completed with exceptions", ran.out)
    local command = ran.out:match "! pg%-03 was left out: .-; later: alicloud%-dr ([^\n]+)"
    assert.equal("run failover group=pg-03 region=cn-shanghai max_rpo=1200s", command)
    local group = desk.bench.emu.world.group_by_id["pg-03"]
    group.status, group.pairs[1].status = "normal", "normal"
    local words = {}
    for word in command:gmatch "%S+" do words[#words + 1] = word end
    words[#words + 1] = "--yes"
    assert.equal(0, desk:run(table.unpack(words)).code)
    assert.equal("failovered", desk.bench.emu:group "pg-03".status)
  end)

  it("goes on with another canary, threshold or table, as they are typed", function()
    local desk, directory = room(nil, { faults = { {
      match = { action = "FailoverDiskReplicaGroup", group = "pg-01", count = 9 },
      effect = { partial = 1 } } } })
    scratch.write(directory .. "/a.csv", TABLE)
    scratch.write(directory .. "/b.csv", "group,attach\npg-02,i-new-2\n")
    local words = { "tier=1:db-*", "tier=2:app-*" }
    local ran = fleet(desk, "run", "table=@" .. directory .. "/a.csv", table.unpack(words))
    assert.equal(1, ran.code)
    local journal = ran.err:match "resume (%S+)"
    local typed = "table=@" .. directory .. "/b.csv"
    ran = fleet(desk, "run", typed, "tier=1:app-*", "tier=2:web", "max_rpo=3h")
    assert.equal(1, ran.code)
    assert.is_truthy(ran.err:find("'tier=1:app-*' tier=2:web", 1, true), ran.err)
    assert.is_truthy(ran.err:find(typed, 1, true), ran.err)
    ran = desk:run("resume", journal, typed, "canary=pg-02", "max_errors=2")
    assert.equal(0, ran.code, ran.err)
    assert.equal("Running", desk.bench.emu.world.instance_by_id["i-new-2"].status)
    assert.equal("failovered", desk.bench.emu:group "pg-04".status)
  end)

  it("asks for as many groups as will move", function()
    local desk = room({ [3] = { status = "created" } }, { input_tty = true, typed = { "3" } })
    local ran = desk:run("run", "fleet", "groups=all", "region=cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    assert.matches("fleet moves 3 groups", ran.err)
    assert.is_nil(ran.err:find("pg-03", 1, true))
  end)

  it("asks a person at the terminal about a canary that failed", function()
    for typed, count in pairs { a = 3, s = 3, p = 0 } do
      local desk = room(nil, { input_tty = true, typed = { typed }, faults = { {
        match = { action = "FailoverDiskReplicaGroup", group = "pg-01" },
        effect = { partial = 1 } } } })
      local ran = fleet(desk, "run")
      assert.matches("%? canary: .*%(a%)gain with another canary, %(s%)kip: go on without one",
        ran.err)
      local open = 0
      for i = 1, 4 do
        if desk.bench.emu:group("pg-0" .. i).status == "failovered" then open = open + 1 end
      end
      assert.equal(count, open, typed)
    end
  end)
end)

describe("alicloud-dr plan fleet", function()
  it("shows tiers, counts and the calls in the order in which they are sent", function()
    local desk = room { [4] = { status = "created" } }
    local ran = fleet(desk, "plan", "tier=1:app-*,2:db-*,3:mail-*", "canary=pg-03")
    assert.equal(1, ran.code)
    assert.same({}, desk:ledger())
    assert.matches("✘ step ready pg%-04/check", ran.out)
    assert.matches("step order\n      3 of 4 groups are ready\n      canary, first in its tier: "
      .. "pg%-03\n      tier 1: 2: pg%-02, pg%-03\n      tier 2: 1: pg%-01\n"
      .. "      tier 3: mail%-%* takes no group that is ready\n", ran.out)
    local order = {}
    for id in ran.out:gmatch "! step (pg%-%d+)/promote" do order[#order + 1] = id end
    assert.equal("pg-03 pg-02 pg-01", table.concat(order, " "))
    assert.matches("3 that change", ran.out)
    local object = fleet(desk, "plan", "--json").object
    for _, step in ipairs(object.steps) do
      if step.step == "order" then assert.equal("3 of 4 groups are ready", step.says[1]) end
    end
    assert.equal(0, fleet(room(), "plan").code)
  end)
end)
