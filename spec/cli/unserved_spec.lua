-- A run that has opened disks, come to its end, and put them on no instance: whoever reads its end,
-- or the list of runs, learns what is left to do.

local after = require "spec.dr.after_lab"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"
local worlds = require "spec.worlds"

local OPENED = "opened in cn-shanghai, and the run has seen nothing serve there: pg-orders"
local SERVE = "alicloud-dr serve pg-orders --region cn-shanghai --attach "

local function room(script)
  return desks.room(script or false, { world = after.world() })
end

local function run(desk, ...)
  return desk:run("run", ...)
end

local function ready(desk, name, ...)
  return run(desk, name, "group=pg-orders", "region=cn-shanghai", "--region", "cn-shanghai",
    "--yes", ...)
end

-- Types what was printed, for the instance of the new side.
local function type_in(desk, text)
  local words = {}
  for word in text:gsub("INSTANCE", "i-new"):gmatch "%S+" do words[#words + 1] = word end
  return desk:run(table.unpack(words, 2))
end

local function has(text, part)
  assert.is_truthy(text:find(part, 1, true), text)
end

-- A fleet that has fenced pg-orders in vain, and opened pg-01 without serving it.
local function halves()
  local world = after.world()
  world.groups[2] = worlds.of_groups(1).groups[1]
  local desk = desks.room(false, { world = world, faults = { {
    match = { action = "FailoverDiskReplicaGroup", group = "pg-orders", count = 1 },
    effect = { error = { code = "Forbidden", status = 403 } } } } })
  local rows = scratch.file("group,attach,fence\npg-orders,i-new,must\n", ".csv")
  local function fleet(groups)
    return run(desk, "fleet", "groups=" .. groups, "region=cn-shanghai", "table=@" .. rows,
      "canary=0", "max_errors=2", "--yes")
  end
  local journal = fleet "pg-orders,pg-01".out:match "journal (%S+)"
  return desk, journal, fleet
end

describe("a fleet that has left one group down, and another one open", function()
  local DOWN = "production is down: pg-orders, stopped in cn-hangzhou (i-old)"
  local OPEN = "opened in cn-shanghai, and the run has seen nothing serve there: pg-01"

  local function line_of(desk, journal)
    for _, line in ipairs(desk:run("runs", "--json").object.runs) do
      if line.journal == journal then return line end
    end
  end

  it("brings back the one, though it is past the point of no return of the other", function()
    local desk, journal = halves()
    local line = line_of(desk, journal)
    local unfence = "alicloud-dr unfence " .. journal .. " "
    assert.same({ OPEN .. "; " .. DOWN, unfence .. "pg-orders" },
      { line.message, line.bring_up[1] })
    assert.is_nil(line.once_up)
    assert.equal(0, type_in(desk, line.bring_up[1] .. " --yes").code)
    assert.equal("Running", desk.bench.emu.world.instance_by_id["i-old"].status)
    line = line_of(desk, journal)
    assert.same({ OPEN, unfence .. "pg-01" }, { line.message, line.once_up })
  end)

  it("leaves it down no more once another fleet has served it", function()
    local desk, journal, fleet = halves()
    assert.equal(0, fleet "pg-orders".code)
    local ran = desk:run("unfence", journal, "pg-orders", "--yes")
    assert.equal(0, ran.code, ran.out)
    assert.matches("it runs in cn%-shanghai by now", ran.out)
    assert.equal(OPEN, line_of(desk, journal).message)
    ran = desk:run("unfence", journal, "pg-01", "--yes", "--json")
    assert.equal("Client.NotServed", ran.object.error.code)
  end)
end)

describe("a run that serves nothing of what it has opened", function()
  for name, words in pairs { failover = { "fence=must" }, planned = {} } do
    it("says so at its end, and how it is served: " .. name, function()
      local desk = room()
      local ran = ready(desk, name, table.unpack(words))
      assert.equal(0, ran.code, ran.err)
      has(ran.out, "    ! " .. OPENED .. "\n    to serve it in cn-shanghai: " .. SERVE
        .. "INSTANCE\n    once it runs there: alicloud-dr unfence ")
      local listed = desk:run "runs"
      has(listed.out, "  ! " .. name)
      has(listed.out, "      " .. OPENED .. "\n    up:     " .. SERVE .. "INSTANCE\n")
      local line = desk:run("runs", "--json").object.runs[1]
      assert.same({ OPENED, { SERVE .. "INSTANCE" } }, { line.message, line.bring_up })
      has(desk:run("explain", line.journal).out, "  ! " .. OPENED)
      has(desk:run("report", line.journal).out, OPENED)
      assert.equal(0, type_in(desk, line.bring_up[1] .. " --yes").code)
      assert.equal("i-new", desk.bench.emu.world.disk_by_id["d-new-1"].instance)
      assert.equal(0, type_in(desk, line.once_up .. " --yes").code)
      line = desk:run("runs", "--json").object.runs[1]
      assert.is_nil(line.message)
      assert.same({}, line.bring_up)
    end)
  end

  it("is not closed while nobody knows whether its disks are served", function()
    local desk = room()
    ready(desk, "failover", "fence=no")
    local send = desk.bench.emu.transport.send
    desk.given.transport = { send = function(request)
      if request.action ~= "DescribeDisks" then return send(request) end
      return nil, { kind = "network", code = "Dark", message = "dark" }
    end }
    local journal = desk:run("runs", "--json").object.runs[1].journal
    local err = desk:run("unfence", journal, "--yes", "--json").object.error
    assert.equal("Client.NotServed", err.code)
    assert.matches("cn%-shanghai could not be asked about the disks", err.message)
  end)

  it("has it in JSON", function()
    local object = ready(room(), "failover", "--json").object
    assert.same({ OPENED, { SERVE .. "INSTANCE" } }, { object.production_down, object.bring_up })
  end)

  it("is short of many groups", function()
    local desk = desks.room(false, { world = worlds.of_groups(8), tty = true, columns = 80 })
    local ran = desk:run("run", "fleet", "groups=all", "region=cn-shanghai", "--yes")
    has(ran.out, "\n    ! opened in cn-shanghai, and the run has seen nothing serve there: pg-01,\n"
      .. "      pg-02, pg-03, pg-04, pg-05 and 3 more\n    pg-01: to serve it in cn-shanghai:\n"
      .. "      alicloud-dr serve pg-01 --region cn-shanghai --attach INSTANCE\n    pg-02: ")
    has(ran.out, "\n    and so on for 6 more\n    journal ")
    local _, count = desk:run "runs".out:gsub("\n    up:  ", "")
    assert.equal(1, count)
    assert.equal(5, #desk:run("runs", "--json").object.runs[1].bring_up)
  end)

  it("names the instance whose step was left out", function()
    local ran = ready(room(), "failover", "attach=i-new", "--skip", "serve=by hand")
    has(ran.out, SERVE .. "i-new\n")
  end)

  it("does not say so where it has served it, or has seen it answer", function()
    for _, words in ipairs { { "attach=i-new" }, { "verify=true" } } do
      local desk = room()
      local ran = ready(desk, "failover", table.unpack(words))
      assert.equal(0, ran.code, ran.err)
      assert.not_matches("opened", ran.out)
      local line = desk:run("runs", "--json").object.runs[1]
      assert.same({}, line.bring_up)
      assert.is_nil(line.message)
    end
  end)

  it("does not say that production is down where others have begun what it saw answer", function()
    local desk = room()
    assert(desk.bench.client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" }))
    local ran = ready(desk, "failover", "fence=must", "verify=true")
    assert.equal(0, ran.code, ran.err)
    assert.not_matches("production", ran.out)
    local line = desk:run("runs", "--json").object.runs[1]
    assert.same({ "completed", {} }, { line.status, line.bring_up })
    assert.is_nil(line.message)
  end)

  it("does not say so of a playbook that attaches disks by its own calls", function()
    local desk, file = room [[
local dr = require "alicloud.dr"
return dr.playbook("own", function(run)
  local orders = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("promote", { point_of_no_return = true }, function() return orders:failover {} end)
  run:step("attach", function(own)
    return own.client:call("ecs:AttachDisk", { InstanceId = "i-new", DiskId = "d-new-1" },
      { region = "cn-shanghai" })
  end)
end)
]]
    local ran = run(desk, file, "--region", "cn-shanghai", "--yes")
    assert.equal(0, ran.code, ran.err)
    assert.not_matches("opened", ran.out)
  end)
end)
