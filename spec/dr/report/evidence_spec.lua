-- Evidence names what it is about, and a drill's has its figures and what its check said.

local dr = require "alicloud.dr"
local scene = require "spec.playbooks.scene"
local stages = require "spec.dr.playbook.stage"

local function step(report, name)
  for _, entry in ipairs(report.steps) do
    if entry.step == name then return entry end
  end
end

local MOVE = { group = "pg-orders", region = "cn-shanghai", attach = "i-new" }

describe("the evidence of a run", function()
  it("names groups, pairs, disks, instances and regions", function()
    local stage = scene.stage()
    assert(scene.run("failover", stage, MOVE))
    local report = dr.report(stage:events())
    local promote, fence, serve = step(report, "promote").subjects,
      step(report, "fence").subjects, step(report, "serve").subjects
    assert.same({ "pg-orders" }, promote.groups)
    assert.equal(2, #promote.pairs)
    assert.equal(4, #promote.disks)
    assert.same({ "cn-hangzhou", "cn-shanghai" }, promote.regions)
    assert.same({ "cn-hangzhou" }, fence.regions)
    assert.is_true(#fence.instances > 0 and #fence.disks == 2)
    assert.same({ "i-new" }, serve.instances)
    assert.equal(2, #serve.disks)
    local text = report:render "md"
    for _, list in pairs(promote) do
      for _, name in ipairs(list) do assert.is_truthy(text:find(name, 1, true), name) end
    end
    assert.matches("It was about: group pg%-orders; pairs ", text)
    assert.same({ "cn-hangzhou", "cn-shanghai" }, report.subjects.regions)
    assert.is_truthy(report:render("html"):find("i-new", 1, true))
  end)

  it("names them of what was begun and never ended", function()
    local stage = stages.new()
    stage.bench.emu:fault { match = { action = "FailoverDiskReplicaGroup" },
      effect = { stuck = true } }
    assert.is_nil((stage:run(function(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("promote", function() return orders:failover { timeout = 60 } end)
    end)))
    local subjects = step(dr.report(stage:events()), "promote").subjects
    assert.same({ "pg-orders" }, subjects.groups)
    assert.equal(3, #subjects.pairs)
  end)

  it("has so many names of a step as a reader can take in, and all of them as data", function()
    local pairs = {}
    for i = 1, 20 do pairs[i] = { id = ("pair-%02d"):format(i) } end
    local stage = stages.new { group = { pairs = pairs } }
    assert(stage:run(stage:move()))
    local report = dr.report(stage:events())
    assert.equal(20, #step(report, "promote").subjects.pairs)
    assert.matches("pairs pair%-01, .-pair%-12 and 8 more", report:render "md")
  end)

  it("takes nothing for a name that is none, whoever wrote the journal", function()
    local stage = stages.new()
    assert(stage:run(function(run)
      run:step("odd", function()
        return { outcome = "failovered", group_id = 5, pairs = "x", region = { "a" }, rpo = 3,
          rpo_to = "soon", rpo_basis = {}, recover_point = {}, rto = "long",
          disks = { { id = {} }, 7 }, deep = { { { { { { { group_id = "too deep" } } } } } } } }
      end)
    end))
    local report = dr.report(stage:events())
    assert.same({}, report.subjects.groups)
    assert.same({ "x" }, report.subjects.pairs)
    for _, form in ipairs { "md", "html", "junit", "json" } do
      assert.is_string(report:render(form))
    end
  end)
end)

describe("the evidence of a drill", function()
  local function drill(check, given)
    local stage = scene.stage(nil, given)
    local result, err = scene.run("drill", stage,
      { group = "pg-orders", region = "cn-shanghai", check = check })
    return dr.report(stage:events()), result, err
  end

  it("has its recovery point, its loss, its time and what its check said", function()
    local report, result = drill "echo 'tables: 41'; echo 'all readable' >&2"
    assert.is_number(result.rto)
    assert.is_number(result.rpo)
    assert.same({ "verified", "run" }, { report.rto.basis, report.rto.from })
    assert.is_number(report.rpo.recover_point)
    assert.equal("accepted", report.rpo.basis)
    local checked = step(report, "check the disks")
    assert.same({ text = "tables: 41\nall readable", ok = true },
      { text = checked.outputs[1].text, ok = checked.outputs[1].ok })
    local text = report:render "md"
    assert.matches("to the check that passed", text)
    assert.matches("recovery point 2%d+%-.- UTC, counted to the accepted call", text)
    assert.matches("it said: tables: 41\\+nall readable", text)
    assert.equal(1, #report.subjects.drills)
  end)

  it("has what a check said that failed, and no time to a check that passed", function()
    local report, result, err = drill "echo 'disk 2 is empty'; exit 3"
    assert.is_nil(result)
    assert.equal("Client.DrillCheckFailed", err.code)
    assert.equal("data_ready", report.rto.basis)
    assert.matches("to the disks of the drill", report:render "md")
    assert.equal("disk 2 is empty", step(report, "check the disks").outputs[1].text)
    assert.is_false(step(report, "check the disks").outputs[1].ok)
  end)

  it("keeps the last of a check that says much, and nothing that a terminal obeys", function()
    local report = drill [[seq 1 5000; printf '\033[31mred\n'; printf 'no line end']]
    local output = step(report, "check the disks").outputs[1]
    assert.is_true(#output.text <= 4096 and output.cut)
    assert.matches("5000\n\\x1b%[31mred\nno line end$", output.text)
  end)

  it("has none of it without a check, and its time ends with the disks", function()
    local report = drill(nil)
    assert.equal("data_ready", report.rto.basis)
    assert.same({}, step(report, "check the disks").outputs)
  end)
end)

describe("a drill inside of another run", function()
  it("is not what that run's figures are of", function()
    local stage = stages.new()
    local result = assert(stage:run(function(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      local made = run:step("try", function() return orders:start_drill {} end)
      run:step("clear", function() return orders:clear_drill(made.drill_id) end)
    end))
    assert.is_nil(result.rpo)
    assert.is_nil(result.rto)
  end)
end)
