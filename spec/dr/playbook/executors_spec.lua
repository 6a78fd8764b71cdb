-- One run object with three executors: whatever a playbook may use of a run, it may use in a real
-- run, in a dry run and in a trace of its calls.

local call_trace = require "alicloud.simulation.call_trace"
local dr = require "alicloud.dr"
local dry_run = require "alicloud.dr.playbook.dry_run"
local executor = require "alicloud.dr.playbook.executor"
local groups = require "alicloud.dr.group"
local lab = require "spec.dr.lab"
local runs = require "alicloud.dr.playbook.run"
local stages = require "spec.dr.playbook.stage"

local function name_group(run)
  return run:group(lab.ID, { region = lab.SECONDARY })
end

local function look(run)
  local group = name_group(run)
  run:step("look", function() return group:precheck {} end)
end

local function same(a, b)
  assert(a == b, ("%s is not %s"):format(tostring(a), tostring(b)))
end

-- What a playbook does with each part of a run; each must be here.
local USES = {
  kind = function(run) same(run.kind, "unplanned") end,
  params = function(run) same(run.params.size, "7") end,
  mode = function(run) same(run.mode, "graceful") end,
  attempt = function(run) same(run.attempt, 1) end,
  incident = function(run) same(run.incident, nil) end,
  way = function(run) same(run.way, nil) end,
  id = function(run) same(type(run.id .. ""), "string") end,
  loop = function(run)
    local before = run.loop.now()
    run.loop.sleep(1)
    same(run.loop.spawn(function() return 5 end):result(), 5)
    same(run.loop.now() >= before, true)
  end,
  direction = function(run)
    same(run.direction, nil)
    look(run)
    same(run.direction.from .. ">" .. run.direction.to, lab.PRIMARY .. ">" .. lab.SECONDARY)
  end,
  recovery_point = function(run)
    same(run.recovery_point, nil)
    look(run)
    same(math.type(run.recovery_point), "integer")
  end,
  client = function(run)
    same(run.client.region, lab.SECONDARY)
    same(tostring(run.client):match "^alicloud.Client", "alicloud.Client")
    do
      local own <close> = run.client:with { timeout = 5 }
      assert(own:call("DescribeDiskReplicaGroups", { RegionId = lab.SECONDARY }))
    end
    assert(run.client:must("DescribeDiskReplicaGroups", { RegionId = lab.SECONDARY }))
    same(type(run.client:stats()), "table")
  end,
  group = function(run)
    local group = name_group(run)
    same(group.id .. group.region, lab.ID .. lab.SECONDARY)
    same(type(tostring(group)), "string")
    run:step("promote", function() return group:failover() end)
    same(run.direction.to, lab.SECONDARY)
  end,
  step = function(run)
    same(run:step("plain", function() return 1 end), 1)
    same(run:step("with options", { timeout = "1m", undo = function() return true end,
      check = function() return nil end, plan = function() return 1 end },
      function() return 1 end), 1)
    run:step("fails", { on_error = "continue", plan = false }, function() return true end)
  end,
  verify = function(run)
    run:verify("plain", function() return true end)
    run:verify("with options", { timeout = "1m", every = 1, plan = function() return true end },
      function() return true end)
  end,
  gate = function(run) run:gate("go", { need = 1, of = { "dba" } }) end,
  each = function(run)
    local all = run:each({ "a", { id = "b" } }, { parallel = 2 }, function(item, own)
      return own:step("one", function() return type(item) end)
    end)
    same(all.ok.a .. all.ok.b, "stringtable")
    same(next(all.failed), nil)
    same(run:each({ 7 }, function() end).ok["7"], true)
  end,
  parallel = function(run)
    local both = run:parallel { left = function(own)
      return own:step("one", function() return "l" end)
    end, right = function() return "r" end }
    same(both.left .. both.right, "lr")
  end,
  note = function(run) run:note("noted", { size = 7 }) end,
  program = function(run)
    run:step("line", function(own) return own:program("true", { group = 1 }, {}) end)
    same(run:step("function", function(own)
      return own:program(function(_, variables) return variables.a end, { a = 3 })
    end), 3)
    same(run:step("bare", function(own)
      return own:program(function(_, variables) return next(variables) == nil end)
    end), true)
  end,
  peek = function(run)
    same(run:peek "size", "7")
    same(run:peek "none", nil)
  end,
  skip = function(run)
    run:skip("one", "not wanted")
    same(run:step("one", function() return 1 end), nil)
  end,
  skips = function(run)
    same(next(run:skips()), nil)
    run:skip("one", "not wanted")
    same(run:skips()[1], "one")
  end,
  on = function(run) run:on("step", function() end) end,
  switch = function(run)
    run:switch("ungraceful", "the old side is gone")
    same(run.mode, "ungraceful")
    same(run:step("old side", { graceful_only = true }, function() return 1 end), nil)
  end,
  token = function(run)
    run:step("one", function(own)
      local token = own:token(("long label "):rep(50))
      same(token:match "^%x+$" and #token, 64)
      same(own:token "x" == own:token "x", true)
      return token
    end)
  end,
  service = function(run)
    assert(run:service("ebs"):DescribeDiskReplicaGroups { RegionId = lab.SECONDARY })
  end,
}

local PARAMS = { size = "7" }

local function playbook_of(body) return dr.playbook("spec", body) end

local function in_real(body)
  local stage = stages.new()
  return stage:run(playbook_of(body), { params = PARAMS, open_gates = "nobody is asked here",
    program = function() return true end })
end

local function in_dry(body)
  local bench = lab.new()
  local plan = dry_run.run(playbook_of(body), { client = bench.client, params = PARAMS })
  assert.same({}, bench:ledger())
  return plan
end

local function in_trace(body)
  return call_trace.run(function() return playbook_of(body) end, { region = lab.SECONDARY,
    params = PARAMS, world = lab.world(), alive = function() end })
end

describe("a playbook", function()
  local alicloud = require "alicloud"
  local make_client = alicloud.client

  after_each(function() alicloud.client = make_client end)

  local surface = { "client" }
  for _, part in ipairs { runs.FIELDS, runs.METHODS } do
    for name in pairs(part) do surface[#surface + 1] = name end
  end
  table.sort(surface)

  for _, name in ipairs(surface) do
    it("may use `" .. name .. "` of a run, whichever executor it has", function()
      local use = assert(USES[name], "say above how a playbook uses it")
      local result, err = in_real(use)
      assert.is_table(result, tostring(err))
      local plan = in_dry(use)
      assert.is_nil(plan.stopped)
      for _, step in ipairs(plan.steps) do assert.is_nil(step.failed, step.note) end
      local trace = in_trace(use)
      assert.is_nil(trace.stopped)
      assert.same({}, trace.left_out)
    end)
  end

  it("finds nothing else that it might use", function()
    for name in pairs(USES) do
      assert.is_true(name == "client" or runs.FIELDS[name] ~= nil or runs.METHODS[name] ~= nil,
        name)
    end
  end)

  it("may call every method of a group, whichever executor its run has", function()
    local names = {}
    for name, value in pairs(getmetatable(groups.new(lab.new().client, lab.ID)).__index) do
      if type(value) == "function" then names[#names + 1] = name end
    end
    assert.is_true(#names > 10)
    local function body(run)
      local group = name_group(run)
      for _, name in ipairs(names) do
        assert(type(group[name]) == "function", name)
      end
    end
    assert(in_real(body))
    assert.is_nil(in_dry(body).stopped)
    assert.is_nil(in_trace(body).stopped)
  end)

  it("meets the same refusals whichever executor its run has", function()
    for _, wrong in ipairs {
      function(run) run:step("a/b", function() end) end,
      function(run) run:step("x", { timeout = -1 }, function() end) end,
      function(run) run:verify("x", { every = "soon" }, function() end) end,
      function(run) run:gate("x", { need = 2, of = { "dba" } }) end,
      function(run) run:each(7, function() end) end,
      function(run) run:each({}, { parallel = 0 }, function() end) end,
      function(run) run:parallel "x" end,
      function(run) run:program "true" end,
      function(run) run:skip("x", "") end,
      function(run) run:on("ende", function() end) end,
      function(run) run:switch("gone", "x") end,
      function(run) run:token "x" end,
      function(run) run.step({}, "x", function() end) end,
    } do
      local _, err = in_real(wrong)
      local message = err.message:match "playbook: .*"
      assert.is_string(message)
      assert.equal(message, in_dry(wrong).stopped:match "playbook: .*")
      assert.equal(message, in_trace(wrong).stopped:match "playbook: .*")
    end
  end)
end)

describe("an executor", function()
  it("has every method that a run hands on", function()
    local handed_on = {}
    for call in require "spec.scratch".read "lua/alicloud/dr/playbook/run.lua"
      :gmatch "engine%.executor:([%l_]+)%(" do handed_on[call] = true end
    handed_on.verb = true
    for name in pairs(handed_on) do assert.is_function(executor[name], name) end
    for name in pairs(executor) do assert.is_true(handed_on[name], name) end
  end)
end)
