-- What `alicloud-dr run` asks before it changes anything, and where it need not be asked.

local after = require "spec.dr.after_lab"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"
local widths = require "alicloud.cli.width"
local worlds = require "spec.worlds"

local FAILOVER = { "run", "failover", "group=pg-orders", "region=cn-shanghai", "max_rpo=1d" }

local function room(given, script)
  given.world = given.world or after.world()
  local desk, file = desks.room(script or false, given)
  return desk, file
end

local function events_of(journal)
  local list = {}
  for kind in scratch.read(journal):gmatch '"type":"(%w+)"' do list[#list + 1] = kind end
  return table.concat(list, " ")
end

describe("alicloud-dr run, before it changes anything,", function()
  it("shows group, direction, pairs, recovery point, loss, and takes the typed id only", function()
    for _, typed in ipairs { "yes", "", "pg-order" } do
      local desk = room { input_tty = true, typed = { typed } }
      local ran = desk:run(table.unpack(FAILOVER))
      assert.equal(1, ran.code)
      assert.same({}, desk:ledger())
      assert.matches("failover moves 1 group", ran.err)
      assert.matches("pg%-orders  orders   cn%-hangzhou/g → cn%-shanghai/b   normal", ran.err)
      assert.matches("pair%-1   normal   recovery point", ran.err)
      assert.matches("what was written since %d%d%d%d%-%d%d%-%d%d .- will be lost\n", ran.err)
      assert.matches("Type the group id to go on: ", ran.err)
      assert.matches("the run was not confirmed, nothing was sent to pg%-orders", ran.err)
    end
    local desk = room { input_tty = true, typed = { "pg-orders" } }
    assert.equal(0, desk:run(table.unpack(FAILOVER)).code)
    assert.is_true(#desk:ledger() > 0)
  end)

  it("says of a group that is open already that nothing more is lost", function()
    local world = after.world { status = "failovered", old = false }
    local desk = room { world = world, input_tty = true, typed = { "no" } }
    local ran = desk:run(table.unpack(FAILOVER))
    assert.matches("it is open at this side already: nothing more will be lost\n", ran.err)
    assert.is_nil(ran.err:find("will be lost\n.-will be lost"))
    assert.is_nil(ran.err:find("what was written since", 1, true))
  end)

  it("keeps who agreed, and does not ask again when it goes on", function()
    local desk, file = room({ input_tty = true, typed = { "pg-orders", "pg-orders" } }, [[
      local dr = require "alicloud.dr"
      return dr.playbook("move", function(run)
        local orders = run:group("pg-orders", { region = "cn-shanghai" })
        run:step("once", function() assert(run.attempt > 1, "fails once") end)
        run:step("promote", { point_of_no_return = true }, function() return orders:failover() end)
      end)]])
    local ran = desk:run("run", file, "--region", "cn-shanghai")
    assert.equal(1, ran.code)
    local journal = ran.out:match "journal (%S+)"
    assert.matches("confirmed", events_of(journal))
    desk.given.input_tty = false
    assert.equal(0, desk:run("resume", journal).code)
    assert.equal(1, #desk.typed)
  end)

  it("needs --yes where nobody can be asked, and nothing is read before", function()
    local desk = room {}
    local ran = desk:run(table.unpack(FAILOVER))
    assert.equal(2, ran.code)
    assert.matches("%-%-yes: is missing and there is no terminal to type the group id on", ran.err)
    assert.same({}, desk:requests())
    for _, word in ipairs { "--yes", "--no-ask" } do
      desk = room {}
      assert.equal(0, desk:run("run", word, table.unpack(FAILOVER, 2)).code)
      assert.is_true(#desk:ledger() > 0)
    end
  end)

  it("holds to a no: where nobody can be asked, the same run needs --yes from then on", function()
    local desk, file = room({ input_tty = true, typed = { "no" } }, [[
      local dr = require "alicloud.dr"
      return dr.playbook("move", function(run)
        run:step("go", function()
          return run:group("pg-orders", { region = "cn-shanghai" }):failover()
        end)
      end)]])
    local words = { "run", file, "--region", "cn-shanghai" }
    assert.matches("the run was not confirmed", desk:run(table.unpack(words)).err)
    local journal = desk:run("runs", "--json").object.runs[1].journal
    desk.given.input_tty = false
    for _, again in ipairs { words, { "resume", journal } } do
      local ran = desk:run(table.unpack(again))
      assert.equal(2, ran.code, ran.out)
      assert.matches("--yes: is missing: this run was asked about at a terminal and not agreed to",
        ran.err, 1, true)
    end
    assert.same({}, desk:ledger())
    assert.equal(0, desk:run("resume", journal, "--yes").code)
    assert.equal(1, #desk:ledger())
  end)

  it("asks about each of the ready ones that move a group, and not about a drill", function()
    for _, name in ipairs { "planned", "failover", "failback", "fleet" } do
      local word = name == "fleet" and "groups=pg-orders" or "group=pg-orders"
      assert.equal(2, room({}):run("run", name, word, "region=cn-shanghai").code, name)
    end
    assert.equal(0, room({}):run("run", "drill", "group=pg-orders", "region=cn-shanghai").code)
    local desk, file = room({}, [[
      local dr = require "alicloud.dr"
      return dr.playbook("look", function(run)
        run:step("look", function()
          return assert(run:group("pg-orders", { region = "cn-shanghai" }):look()).status
        end)
      end)]])
    assert.equal(0, desk:run("run", file, "--region", "cn-shanghai").code)
  end)

  it("asks about all groups of a fleet at once, before the first of them moves", function()
    local world = after.world()
    world.groups[2] = after.world({ id = "pg-second", pairs = 1 }).groups[1]
    local desk = room { world = world, input_tty = true, typed = { "no" } }
    local words = { "run", "fleet", "groups=pg-orders,pg-second", "region=cn-shanghai" }
    local ran = desk:run(table.unpack(words))
    assert.equal(1, ran.code)
    assert.matches("Type the number of groups, 2, to go on: ", ran.err)
    assert.same({}, desk:ledger())
    desk.typed[1] = "2"
    assert.equal(0, desk:run(table.unpack(words)).code)
    assert.equal(2, #desk:sends())
  end)

  it("shows many groups in short, the worst loss, and who is not shown", function()
    local world = worlds.of_groups(22)
    world.groups[7].recover_point_age = 1000
    local desk = room { world = world, input_tty = true, tty = true, columns = 80,
      typed = { "21" } }
    local ran = desk:run("run", "fleet", "groups=all", "region=cn-shanghai")
    assert.equal(1, ran.code)
    assert.is_nil(ran.err:find("pair%-"))
    local told = ran.err:gsub("%s+", " ")
    assert.matches(" of the first 20 of 22 the worst is pg%-07: what was written since [^;]-, "
      .. "16m4%d?s ago will be lost and 2 that are not shown: pg%-21, pg%-22 Type the number", told)
    assert.is_nil(ran.err:find("will be lost.*will be lost"))
    for _, text in ipairs { ran.err, desk:run "runs".out } do
      assert.matches("pg%-11,?%s+pg%-12%s+and 10 more", text)
    end
  end)

  -- What is asked about a fleet with tiers, at a terminal of 80 columns.
  local function asked_by_tier(count, tier, changes)
    local desk = room { world = worlds.of_groups(count, changes), input_tty = true, tty = true,
      columns = 80, typed = { "no" } }
    local ran = desk:run("run", "fleet", "groups=all", "region=cn-shanghai", "tier=" .. tier)
    assert.equal(1, ran.code)
    local shown = ran.err:match "  fleet moves .- to go on: "
    local lines = desks.lines_of(shown)
    assert.is_true(#lines <= 24, shown)
    for _, line in ipairs(lines) do assert.is_true(widths.of(line) <= 80, line) end
    return shown
  end

  it("shows a fleet by tier, in the order in which it goes", function()
    local shown = asked_by_tier(22, "2:pg-*3,1:pg-*4", { [14] = { recover_point_age = 900 } })
    assert.matches("back:\n  tier 1, 2 groups: pg%-04, pg%-14\n  tier 2, 2 groups: pg%-03, "
      .. "pg%-13\n  no tier, last, 18 groups: pg%-01, pg%-02, [^\n]*…\n  pg%-04   cn%-hangzhou/g "
      .. "→ cn%-shanghai/b   normal   RPO 1m   1 pair\n  pg%-14 .*\n  pg%-16 .-\n  and 6 more\n",
      shown)
    local told = shown:gsub("%s+", " ")
    assert.matches("of the first 20 of 22 the worst is pg%-14: what was written since", told)
    assert.not_matches("not shown", told)
    assert.matches("back:\n  tier 1, 1 group: pg%-02\n  no tier, last, 1 group: pg%-01\n  pg%-02 "
      .. ".*\n  pg%-01 ", asked_by_tier(2, "1:pg-02"))
  end)

  it("shows every group of a few in a line, with or without tiers", function()
    local desk = room { world = worlds.of_groups(5), input_tty = true, tty = true, columns = 80,
      typed = { "no" } }
    local asked = desk:run("run", "fleet", "groups=all", "region=cn-shanghai").err
    for _, shown in ipairs { asked, asked_by_tier(5, "1:pg-02"), asked_by_tier(6, "1:pg-02",
      { [6] = { name = ("n"):rep(60), source = "cn-hongkong/cn-hongkong-g" } }) } do
      local _, count = shown:gsub("\n  pg%-%d%d  [^\n]*→ cn%-shanghai/b   normal   RPO [^\n]+", "")
      assert.is_true(count >= 5, shown)
    end
  end)

  it("shows as many tiers as a screen has room for, and counts the others", function()
    local tiers = {}
    for i = 1, 40 do tiers[i] = ("%d:pg-%02d"):format(i, i) end
    local shown = asked_by_tier(45, table.concat(tiers, ","))
    assert.matches("\n  tier 11, 1 group: pg%-11\n  then 30 more with 34 groups\n", shown)
  end)

  it("asks for the number of several groups, on standard error beside a JSON object", function()
    local world = after.world()
    local other = after.world { id = "pg-second", pairs = 1 }
    world.groups[2] = other.groups[1]
    local script = [[
      local dr = require "alicloud.dr"
      return dr.playbook("two", function(run)
        local one = run:group("pg-orders", { region = "cn-shanghai" })
        local two = run:group("pg-second", { region = "cn-shanghai" })
        run:step("promote", { point_of_no_return = true }, function() return one:stop() end)
      end)]]
    local desk, file = room({ world = world, input_tty = true, typed = { "2" } }, script)
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--json")
    assert.equal(0, ran.code, ran.err)
    assert.equal("completed", ran.object.status)
    assert.matches("Type the number of groups, 2, to go on: ", ran.err)
  end)
end)

describe("a group that a playbook is given by its name", function()
  it("is shown, agreed to and journaled by its id", function()
    local desk = room { input_tty = true, typed = { "pg-orders" } }
    local words = { "run", "failover", "group=name:orders", "region=cn-shanghai", "max_rpo=1d" }
    local ran = desk:run(table.unpack(words))
    assert.equal(0, ran.code, ran.err)
    assert.matches("name:orders is pg%-orders in cn%-shanghai", ran.err)
    local journal = ran.out:match "journal (%S+)"
    local text = scratch.read(journal)
    assert.matches('"group":"pg%-orders"', text)
    assert.is_nil(text:find("name:orders", 1, true))
    assert.equal(0, desk:run("plan", "drill", table.unpack(words, 3, 4)).code)
  end)

  it("is refused if there is none, or more than one", function()
    local ran = room({}):run("run", "drill", "group=name:nobody", "region=cn-shanghai")
    assert.equal(2, ran.code)
    assert.matches('no group of cn%-shanghai is called "nobody"', ran.err)
    local world = after.world()
    world.groups[2] = after.world({ id = "pg-second", pairs = 1 }).groups[1]
    ran = room({ world = world }):run("run", "fleet", "groups=name:orders,pg-orders", "-y",
      "region=cn-shanghai")
    assert.equal(2, ran.code)
    assert.matches('2 groups of cn%-shanghai are called "orders"; allowed: one of the ids '
      .. "pg%-orders, pg%-second", ran.err)
  end)
end)
