-- A run that somebody walks through.

local dr = require "alicloud.dr"
local helper = require "spec.helper"
local stages = require "spec.dr.playbook.stage"

local function playbook_of(stage)
  return dr.playbook("spec", function(run)
    local orders = run:group("pg-orders", { region = "cn-shanghai" })
    run:step("check", function() return orders:precheck {} end)
    run:parallel {
      left = function(branch) branch:step("l", function() stage:did "left" end) end,
      right = function(branch) branch:step("r", function() stage:did "right" end) end,
    }
    run:step("promote", function() return orders:failover {} end)
    run:step("tell", function() stage:did "told" return true end)
  end)
end

local function begin(stage, more)
  local options = { client = stage.bench.client, store = stage.disk:open "run",
    requester = "operator" }
  for name, value in pairs(more or {}) do options[name] = value end
  return dr.walk(playbook_of(stage), options)
end

describe("walking through a playbook", function()
  it("does one step at a time and names the next", function()
    local stage = stages.new()
    local walk = begin(stage)
    assert.equal("alicloud.dr.Walk(not begun)", tostring(walk))
    local pace = walk:next()
    assert.same({ "check", true, "promote" }, { pace.step:match "%a+$", pace.ok, pace.upcoming })
    assert.matches("left", stage:done())
    assert.same({}, stage.bench:ledger())
    assert.equal("alicloud.dr.Walk(promote)", tostring(walk))
    pace = walk:next()
    assert.equal("✔ promote\nnext: tell", tostring(pace))
    assert.equal(1, #stage.bench:ledger())
    pace = walk:next()
    assert.equal("completed", pace.result.status)
    assert.equal("✔ tell\nthe run is completed", tostring(pace))
    assert.error_matches(function() walk:next() end, "the run has ended")
  end)

  it("does the rest in one go, and says why a run stopped", function()
    local stage = stages.new()
    local walk = begin(stage)
    walk:next()
    assert.equal("completed", assert(walk:rest()).status)
    stage = stages.new { group = { status = "created" } }
    local pace = begin(stage):next()
    assert.is_false(pace.ok)
    assert.equal("precheck", pace.stopped.kind)
    assert.matches("^✘ check: .*\nthe run stopped: ", tostring(pace))
  end)

  it("leaves a run that anybody can resume", function()
    local stage = stages.new()
    do
      local walk <close> = begin(stage)
      walk:next()
    end
    local result = assert(stage:run(playbook_of(stage)))
    assert.equal("completed", result.status)
    assert.equal(1, #stage.bench:ledger())
    assert.equal(1, select(2, stage:done():gsub("left", "")))
  end)

  it("refuses what cannot be walked through", function()
    local stage = stages.new()
    assert.matches("allowed: what dr.playbook returns, or a path", helper.raised(dr.walk, 1, {}))
    assert.matches("dr.walk: nowhere.lua: ", helper.raised(dr.walk, "nowhere.lua", {}))
    assert.matches("options: got 1", helper.raised(dr.walk, playbook_of(stage), 1))
    assert.matches("option client is required", helper.raised(dr.walk, playbook_of(stage), {}))
    local walk = dr.walk(playbook_of(stage), { client = stage.bench.client })
    assert.matches("give either option journal", helper.raised(walk.next, walk))
  end)
end)
