-- Every deliberate mistake about tasks, scopes and what waits in them breaks the rule that it is
-- about, and that rule holds without it. More of them: spec.simulation.mutants.

local core = require "alicloud.core"
local helper = require "spec.helper"
local make = require "spec.simulation.mutants.make"
local mutated = require "spec.simulation.mutated"

local SCHEDULER, SCOPE = "alicloud.loop.scheduler", "alicloud.loop.scope"
local DEADLINE = "alicloud.loop.deadline"
local SLOTS, CACHED = "alicloud.call.slots", "alicloud.credentials.cached"

-- A loop on a clock that moves only when something is waited for, by the modules that are loaded.
local function world()
  local runtime, control = helper.runtime()
  local loop = require(SCHEDULER).new(require "alicloud.loop.blocking".new(runtime))
  return loop, control, runtime
end

local RULES = {}

RULES["a scope ends when its tasks have"] = function()
  local loop, ended = world(), false
  loop.scope(function()
    loop.spawn(function()
      loop.sleep(10)
      ended = true
    end)
  end)
  return ended
end

RULES["who is cancelled is told at once, however deep"] = function()
  local loop, control = world()
  loop.scope(function()
    loop.spawn(function()
      loop.scope(function()
        loop.spawn(function() loop.scope(function() loop.sleep(100) end) end)
      end)
    end)
    loop.sleep(100)
  end, { timeout = 5 })
  return control.elapsed == 5
end

RULES["a shielded scope is not told"] = function()
  local loop, control = world()
  local cleaned
  loop.scope(function()
    loop.scope(function()
      loop.sleep(6)
      loop.sleep(2)
      cleaned = true
    end, { shield = true, timeout = 20 })
  end, { timeout = 5 })
  return cleaned and control.elapsed == 8
end

RULES["each wait is told again"] = function()
  local loop, told = world(), 0
  loop.scope(function(scope)
    scope:cancel()
    for _ = 1, 3 do
      if not pcall(loop.sleep, 1) then told = told + 1 end
    end
  end)
  return told == 3
end

RULES["the error of a task is raised where nobody takes it"] = function()
  local loop = world()
  return not pcall(loop.scope, function() loop.spawn(error, "lost", 0) end)
end

RULES["the nearest timeout wins"] = function()
  local loop, control = world()
  loop.scope(function()
    loop.scope(function() loop.sleep(100) end, { timeout = 5 })
    loop.scope(function()
      for _, seconds in ipairs { 1, 100 } do
        loop.scope(function() loop.sleep(seconds) end, { timeout = 50 })
      end
    end, { timeout = 6 })
  end, { timeout = 30 })
  return control.elapsed == 11
end

RULES["whoever is told of a cancellation is not cancelled"] = function()
  local loop = world()
  local guard = require "alicloud.base.guard"
  local task = loop.spawn(loop.sleep, 10)
  loop.sleep(1)
  task:cancel()
  return pcall(guard.call, error, select(2, task:result()))
end

RULES["who swallows it for ever is closed"] = function()
  local loop, rounds = world(), 0
  local task = loop.spawn(function()
    while rounds < 1000 do
      pcall(loop.sleep, 1)
      rounds = rounds + 1
    end
  end)
  loop.sleep(0.5)
  task:cancel()
  task:wait()
  return rounds < 1000
end

-- A client whose readings take a hundred seconds. Changes are answered at once.
local function slow_client(rate)
  local loop, control, runtime = world()
  local client = require "alicloud".client { region = "cn-shanghai", runtime = runtime, loop = loop,
    rate = rate, retries = 0, access_key_id = "id", access_key_secret = "secret",
    transport = { send = function(request)
      if not request.mutating then loop.sleep(100) end
      return helper.ok()
    end } }
  return client, loop, control
end

RULES["a cancelled call gives its slot back"] = function()
  local client, loop, control = slow_client { action = 1, region = 1, reserve = 0 }
  local first = client:start("DescribeRegions", {}, { deadline = 600 })
  local second = client:start("DescribeRegions", {}, { deadline = 600 })
  loop.sleep(1)
  first:cancel()
  return second:result() ~= nil and control.elapsed < 110
end

RULES["a change does not wait for those that look"] = function()
  local client, loop, control = slow_client { action = 10, region = 1, reserve = 0 }
  loop.scope(function(scope)
    for _ = 1, 4 do client:start("DescribeRegions", {}, { deadline = 1000 }) end
    loop.sleep(1)
    assert(client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-1" }))
    scope:cancel()
  end)
  return control.elapsed < 5
end

RULES["credentials are fetched for all who wait"] = function()
  local loop, _, runtime = world()
  local provider = require(CACHED).new({ name = "slow", fetch = function()
    loop.sleep(10)
    return { access_key_id = "key", access_key_secret = core.secret "s", provider = "slow",
      expiration = math.huge }
  end }, { runtime = runtime, loop = loop })
  local other
  loop.scope(function()
    loop.spawn(function()
      loop.sleep(1)
      other = provider:get()
    end)
    loop.scope(function() provider:get() end, { timeout = 2 })
  end)
  return other ~= nil and other.access_key_id == "key"
end

RULES["a program ends with whoever waits for it"] = function()
  local loop = require(SCHEDULER).new(require "alicloud.loop.blocking".new(
    require "alicloud.base.runtime".new()))
  local ended
  loop.scope(function()
    ended = require "alicloud.base.program".run(loop, { "sleep", "4" }, { max = 10 })
  end, { timeout = 0.05 })
  return ended == nil
end

local function mistake(rule, ...)
  return { rule = rule, mutant = make.mutant(...) }
end

local MISTAKES = {
  mistake("a scope ends when its tasks have", "a scope does not wait", 1,
    make.edit(SCOPE, "join", "function() end")),
  mistake("who is cancelled is told at once, however deep", "grandchildren are not told", 1,
    make.edit(SCOPE, "tell", [[function(node)
      for _, one in ipairs { node, table.unpack(node.children or {}) } do
        if one.waiter then node.scheduler:break_off(one.waiter) end
      end
    end]])),
  mistake("a shielded scope is not told", "the waits behind a shield are ended", 1,
    make.edit(SCOPE, "tell", [[function(node)
      original(node)
      for _, one in ipairs(node.children or {}) do
        if one.shield then tell(one) end
      end
    end]])),
  mistake("a shielded scope is not told", "a shield hides nothing", 1,
    make.edit(SCOPE, "M.stop_of", [[function(node)
      while node do
        if node.raised ~= nil then return node.raised, false end
        node = node.parent
      end
      return nil, false
    end]])),
  mistake("each wait is told again", "a cancellation is told once", 1,
    make.edit(SCHEDULER, "Scheduler:stop_of", [[function(self, node)
      local raised = original(self, node)
      if raised == nil or node.heard then return nil end
      node.heard = true
      return raised
    end]])),
  mistake("the error of a task is raised where nobody takes it", "an error is dropped", 1,
    make.edit(SCOPE, "forgotten", make.NIL)),
  mistake("the nearest timeout wins", "an inner timeout is that of the outer one", 1,
    make.edit(DEADLINE, "M.set", [[function(scope, seconds)
      if not (scope.parent and scope.parent.timer) then return original(scope, seconds) end
    end]])),
  mistake("the nearest timeout wins", "an outer timeout ends with the inner one", 1,
    make.edit(DEADLINE, "M.clear", [[function(scope)
      original(scope)
      if scope.parent and scope.parent.timer then original(scope.parent) end
    end]])),
  mistake("whoever is told of a cancellation is not cancelled", "a cancellation goes on", 1,
    make.edit(SCOPE, "M.told", "function(raised) return raised end")),
  mistake("who swallows it for ever is closed", "patience has no end", 1,
    make.edit(SCHEDULER, "PATIENCE", "math.huge")),
  mistake("a cancelled call gives its slot back", "a slot is kept", 1,
    make.edit(SLOTS, "give_back", "function() end")),
  mistake("a change does not wait for those that look", "a change stands in line", 1,
    make.edit(SLOTS, "M.turn", "function(pair, _, loop) return original(pair, false, loop) end")),
  mistake("credentials are fetched for all who wait", "a renewal is that of the first", 1,
    make.edit(CACHED, "flight_of", [[function(self)
      self.flight = self.flight or self.loop.spawn(fly, self)
      return self.flight
    end]])),
  mistake("a program ends with whoever waits for it", "a program is left", 1,
    make.edit("alicloud.base.program", "M.run", [[function(loop, ...)
      local given = table.pack(...)
      return loop.scope(function() return original(loop, table.unpack(given, 1, given.n)) end,
        { shield = true, timeout = 60 })
    end]])),
}

describe("a mistake about tasks is noticed:", function()
  for _, entry in ipairs(MISTAKES) do
    it(entry.mutant.name, function()
      local function holds()
        local ok, kept = pcall(RULES[entry.rule])
        return ok and kept and true or false
      end
      assert.is_true(mutated.with({}, holds), entry.rule)
      assert.is_false(mutated.with(entry.mutant.edits, holds))
    end)
  end

  it("there is one for each rule", function()
    local broken = {}
    for _, entry in ipairs(MISTAKES) do broken[entry.rule] = true end
    for rule in pairs(RULES) do assert.is_true(broken[rule], rule) end
  end)
end)
