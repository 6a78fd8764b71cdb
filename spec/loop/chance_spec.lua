-- Whatever tasks, scopes, shields, generators and interrupts do to each other, by a seed and on a
-- clock that moves when it is waited for: when the outermost scope has ended all have, what was
-- to be cleaned up is, and nothing is left to wait for.

local blocking = require "alicloud.loop.blocking"
local guard = require "alicloud.base.guard"
local helper = require "spec.helper"
local random = require "alicloud.simulation.random"
local schedulers = require "alicloud.loop.scheduler"

local SEEDS, DEEPEST = 1000, 5

local Play = {}
Play.__index = Play

local function new_play(seed)
  local runtime = helper.runtime()
  local play = setmetatable({ d = random.new(seed), tasks = {}, scopes = {}, running = 0 }, Play)
  runtime.interrupted = function() return play.signal end
  play.loop = schedulers.new(blocking.new(runtime))
  return play
end

-- Most who are told to stop hand it on; some do not.
function Play:try(callee, ...)
  local ok, raised = pcall(callee, ...)
  if not ok and guard.is_stop(raised) and self.d:chance(0.8) then error(raised, 0) end
end

local ACT = {}

function Play:clean_up()
  local seconds = self.d:pick { 0, 0, 0, 0, 1, 3 }
  local ok, raised = true, nil
  if seconds > 0 then
    ok, raised = pcall(self.loop.scope, function() self.loop.sleep(seconds) end,
      { shield = true, timeout = 10 })
  end
  self.running = self.running - 1
  if not ok then error(raised, 0) end
end

function Play:body(depth)
  self.running = self.running + 1
  local _ <close> = setmetatable({}, { __close = function() self:clean_up() end })
  for _ = 1, self.d:between(1, 4) do
    ACT[depth > DEEPEST and 1 or self.d:between(1, #ACT)](self, depth)
  end
end

function Play:within(depth, scope)
  self.scopes[#self.scopes + 1] = scope
  self:body(depth + 1)
  if self.d:chance(0.1) then error("own", 0) end
end

function Play:spawn(depth, spawn, ...)
  local arguments = table.pack(...)
  arguments[#arguments + 1] = function() self:body(depth + 1) end
  self.tasks[#self.tasks + 1] = spawn(table.unpack(arguments))
end

ACT[1] = function(play) play.loop.sleep(play.d:pick { 0, 0.5, 1, 5 }) end

ACT[2] = function(play, depth) play:spawn(depth, play.loop.spawn) end

ACT[3] = function(play, depth)
  play:try(play.loop.scope, function(scope) play:within(depth, scope) end,
    play.d:chance(0.5) and { timeout = play.d:pick { 0, 1, 4, 20 } } or nil)
end

ACT[4] = function(play, depth)
  play:try(play.loop.scope, function(scope) play:within(depth, scope) end,
    { timeout = play.d:pick { 1, 4, 20 }, shield = true })
end

ACT[5] = function(play)
  if play.tasks[1] then play.d:pick(play.tasks):cancel() end
end

ACT[6] = function(play)
  if play.scopes[1] then play.d:pick(play.scopes):cancel() end
end

ACT[7] = function(play)
  local task = play.tasks[1] and play.d:pick(play.tasks)
  if task then play:try(task.wait, task, play.d:pick { 0, 1, 3 }) end
end

ACT[8] = function(play, depth)
  local scope = play.scopes[1] and play.d:pick(play.scopes)
  if scope and not scope.closed then play:spawn(depth, scope.spawn, scope) end
end

-- Left in the middle more often than not.
ACT[9] = function(play, depth)
  local generator = play.loop.coroutine.wrap(function()
    play.loop.scope(function(scope)
      play.scopes[#play.scopes + 1] = scope
      if play.d:chance(0.5) then play:spawn(depth, play.loop.spawn) end
      coroutine.yield "on"
      play.loop.sleep(1)
      coroutine.yield "on"
    end, play.d:chance(0.5) and { timeout = play.d:pick { 1, 4 } } or nil)
  end)
  for _ = 1, play.d:between(1, 3) do
    if generator() ~= "on" then break end
  end
end

ACT[10] = function(play, depth)
  local _ <close> = play.loop.spawn(function() play:body(depth + 1) end)
  play.loop.sleep(play.d:pick { 0, 1 })
end

ACT[11] = function(play)
  string.gsub("x", ".", function() pcall(ACT[play.d:between(1, 4)], play, DEEPEST + 1) end)
end

ACT[12] = function(play)
  play.signal = play.signal or play.d:chance(0.03) or nil
  play.loop.checkpoint()
end

local function carry_out(play)
  local d = play.d
  return pcall(play.loop.scope, function(scope)
    play.scopes[1] = scope
    for _ = 1, d:between(1, 5) do play:spawn(0, play.loop.spawn) end
    if d:chance(0.3) then play.loop.sleep(d:pick { 0, 2, 7 }) end
    if d:chance(0.2) then scope:cancel() end
  end, d:chance(0.5) and { timeout = d:pick { 3, 30 } } or nil)
end

describe("tasks and scopes by chance", function()
  it("leave nothing behind, and raise nothing that nobody has raised", function()
    for seed = 1, SEEDS do
      local play = new_play(seed)
      local ok, raised = carry_out(play)
      local known = ok or raised == "own" or play.signal and guard.is_interrupt(raised)
      assert.is_truthy(known, ("seed %d raised %s"):format(seed, tostring(raised)))
      assert.equal(0, play.running, seed)
      for _, task in ipairs(play.tasks) do assert.is_true(task.finished, seed) end
      for _, scope in ipairs(play.scopes) do assert.is_true(scope.closed, seed) end
      play.signal = nil
      play.loop.step()
      assert.is_nil(play.loop.timeout(), seed)
    end
  end)
end)
