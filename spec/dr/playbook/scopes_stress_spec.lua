-- Playbooks drawn by a seed, whose steps start tasks, change things, time out, fail, and are
-- cancelled or interrupted. Whatever happens: what was given up sends nothing, each call has its
-- end within its step, and nobody goes on behind the run.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local helper = require "spec.helper"
local lab = require "spec.dr.lab"
local stages = require "spec.dr.playbook.stage"

local SEEDS = tonumber(os.getenv "SPEC_SEEDS") or 120

local function fleet()
  local groups = {}
  for i = 1, 4 do
    groups[i] = { id = "pg-" .. i, pairs = 1, status = "normal", recover_point_age = 60,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      failover_seconds = 20 }
  end
  return { world = { regions = { lab.PRIMARY, lab.SECONDARY }, groups = groups } }
end

-- A stage whose service takes its time for what changes something, and may be interrupted.
local function slow_stage(dice)
  local stage = stages.new(fleet())
  local emu, runtime = stage.bench.emu, {}
  for name, value in pairs(emu.runtime) do runtime[name] = value end
  runtime.interrupted = function() return stage.signalled end
  local client
  client = alicloud.client { region = lab.SECONDARY, runtime = runtime, rate = false,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
    transport = { send = function(request)
      local before = dice.chance(0.5)
      if before then client.loop.sleep(dice.pick { 0.1, 5, 40 }) end
      local answer, err = emu.transport.send(request)
      if not before and not request.action:find "^Describe" then
        client.loop.sleep(dice.pick { 0.1, 5, 40 })
      end
      return answer, err
    end } }
  stage.bench.client = client
  return stage
end

-- ---------------------------------------------------------------- what a body may do

local ACTS = {}

function ACTS.sleep(own, dice) own.loop.sleep(dice.pick { 0, 1, 20, 200 }) end

function ACTS.change(own, dice)
  own.client:call("StopDiskReplicaGroup", { ReplicaGroupId = "pg-" .. dice.pick { 1, 2, 3, 4 } })
end

function ACTS.future(own, dice)
  local future = own.client:start("FailoverDiskReplicaGroup",
    { ReplicaGroupId = "pg-" .. dice.pick { 1, 2, 3, 4 } })
  if dice.chance(0.3) then return future:result() end
  if dice.chance(0.3) then future:cancel() end
end

function ACTS.fail(_, dice)
  if dice.chance(0.5) then error "broken" end
  return nil, "broken"
end

local act

function ACTS.spawn(own, dice)
  local task = own.loop.spawn(function() act(own, dice, 2) end)
  if dice.chance(0.3) then
    own.loop.sleep(dice.pick { 0, 1, 10 })
    task:cancel()
  end
end

function ACTS.scope(own, dice)
  own.loop.scope(function() act(own, dice, 2) end, { timeout = dice.pick { 1, 10, 100 } })
end

-- Whether the step that a branch is in has a time, and so a task of its own that can be closed.
local timed = setmetatable({}, { __mode = "k" })

function ACTS.deaf(own, dice)
  local most = timed[own] and 1000 or 3
  for _ = 1, dice.pick { 1, 3, most } do pcall(own.loop.sleep, 5) end
end

function ACTS.clean(own, dice)
  local _ <close> = setmetatable({}, { __close = function()
    own.loop.scope(function() ACTS.change(own, dice) end, { shield = true, timeout = 30 })
  end })
  own.loop.sleep(dice.pick { 1, 50 })
end

function ACTS.drill(own, dice)
  return own:group("pg-" .. dice.pick { 1, 2, 3, 4 }):drill { check = function()
    act(own, dice, 1)
  end }
end

local NAMES = { "sleep", "change", "change", "future", "fail", "spawn", "scope", "deaf", "clean",
  "drill" }

function act(own, dice, most)
  local result, err
  for _ = 1, dice.pick { 1, most } do
    result, err = ACTS[dice.pick(NAMES)](own, dice)
    if err ~= nil then return result, err end
  end
  return true
end

local function options_of(stage, dice, name)
  return {
    timeout = dice.chance(0.5) and dice.pick { 3, 30, 300 } or nil,
    on_error = dice.pick { "continue", "continue", "stop", "ask" },
    critical = dice.chance(0.1) or nil,
    graceful_only = dice.chance(0.1) or nil,
    undo = dice.chance(0.5) and function(run)
      stage:did("-" .. name)
      act(run, dice, 1)
    end or nil,
  }
end

local function steps(stage, dice, branch, count)
  for i = 1, count do
    local name = "step " .. i
    local options = options_of(stage, dice, branch.prefix .. name)
    timed[branch] = options.timeout ~= nil
    branch:step(name, options, function(own)
      return act(own, dice, 3)
    end)
  end
end

local function book(stage, dice)
  return dr.playbook("drawn", function(run)
    if dice.chance(0.3) then
      run:on("step", function()
        run.loop.sleep(dice.pick { 0, 1, 100 })
        if dice.chance(0.2) then error "a hook" end
      end)
    end
    if dice.chance(0.3) then run.loop.spawn(run.loop.sleep, dice.pick { 1, 100 }) end
    steps(stage, dice, run, 2)
    run:each({ "a", "b", "c" }, { max_errors = dice.pick { 1, 3 } }, function(_, branch)
      steps(stage, dice, branch, 2)
    end)
    if dice.chance(0.5) then
      run.loop.scope(function() run:step("within", function(own) return act(own, dice, 3) end) end,
        { timeout = 10 })
    end
    run:step("last", function(own) return act(own, dice, 3) end)
  end)
end

-- ---------------------------------------------------------------- what must hold

-- Each call has an end, and lies with it between the beginning of its step and the end.
local function check_journal(stage, ended_by_itself)
  local begun, open = {}, {}
  for _, event in ipairs(stage:events()) do
    if event.type == "step_begin" or event.type == "undo_begin" then begun[event.step] = true end
    if event.type == "step_end" or event.type == "undo_end" then
      for number, step in pairs(open) do
        assert(step ~= event.step, ("call %d has no end within %s"):format(number, step))
      end
      begun[event.step] = nil
    end
    if event.type == "call" then
      assert(begun[event.step], "a call of a step that is not under way: " .. event.step)
      open[event.call] = event.step
    end
    if event.type == "answer" then
      assert(open[event.call] == event.step, "an answer to no call of " .. event.step)
      open[event.call] = nil
    end
  end
  assert(next(open) == nil, "a call without an end")
  local last = stage:state().ending
  if ended_by_itself and last and last.type ~= "interrupted" then
    for step in pairs(begun) do error("a step without an end: " .. step) end
  end
end

local function count_events(stage)
  return #stage:events(), #stage.bench:requests()
end

local function run(stage, dice)
  local loop = stage.bench.client.loop
  return stage:run(book(stage, dice), { ask = function()
    loop.sleep(dice.pick { 0, 30 })
    return dice.pick { "again", "skip", "stop" }
  end })
end

-- How a run may be ended from outside. Each tells whether the run has ended by itself.
local WAYS = {}

function WAYS.none(stage, dice)
  run(stage, dice)
  return true
end

function WAYS.cancel(stage, dice)
  local loop = stage.bench.client.loop
  local task = loop.spawn(run, stage, dice)
  local ended = task:wait(dice.pick { 1, 30, 100, 300 })
  task:cancel()
  assert(task:wait(1e6), "the run did not end")
  return ended
end

function WAYS.signal(stage, dice)
  local loop = stage.bench.client.loop
  local timer = loop.spawn(function()
    loop.sleep(dice.pick { 1, 30, 100, 300 })
    stage.signalled = true
  end)
  local _, err = run(stage, dice)
  local was_met = stage.signalled
  stage.signalled = false
  timer:close()
  assert(not err or was_met or err.code ~= "Client.Interrupted")
  return not was_met
end

describe("a run that is drawn", function()
  it("ends with all that it has started, and tells how", function()
    for seed = 1, SEEDS do
      local dice = helper.dice(seed)
      local stage = slow_stage(dice)
      local loop = stage.bench.client.loop
      local ok, problem = pcall(function()
        check_journal(stage, WAYS[dice.pick { "none", "none", "cancel", "signal" }](stage, dice))
        assert(#assert(dr.drills(stage.bench.client)) == 0, "a drill was left")
        local events, requests = count_events(stage)
        loop.sleep(5000)
        local later, asked = count_events(stage)
        assert(later == events and asked == requests, "something went on behind the run")
      end)
      assert(ok, ("seed %d: %s"):format(seed, tostring(problem)))
    end
  end)
end)
