--- Trees of tasks and scopes that a seed decides on: they sleep, spawn, join, cancel, fail, call,
--- run programs and playbooks with gates, wait where nobody can. Whatever comes of it, no rule of
--- scopes may be broken.

local alicloud = require "alicloud"
local approvals = require "alicloud.dr.playbook.approval"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local helper = require "spec.helper"
local memory = require "alicloud.dr.store.memory"
local programs = require "alicloud.base.program"

local M = {}

local PARAMETERS = {
  DescribeDiskReplicaGroups = {}, FailoverDiskReplicaGroup = { ReplicaGroupId = "pg-1" },
}

local Play = {}
Play.__index = Play

local function closing(action)
  return setmetatable({}, { __close = action })
end

function Play:broken(rule, ...)
  self.violations[#self.violations + 1] = rule:format(...)
end

-- What may be raised: errors of the play, and what waits are told.
function Play:judge(raised)
  if type(raised) == "string" and raised:find "^boom %d+$" then return end
  if guard.is_stop(raised) then
    if guard.is_interrupt(raised) and not self.was_interrupted then
      self:broken("an interrupt that nobody has made")
    end
    return
  end
  if errors.is_error(raised) and raised.code == "Client.CannotWait" then return end
  if tostring(raised):find "a task cannot wait for its own end$" then return end
  self:broken("it raised %s", tostring(raised))
end

function Play:random(n)
  return math.floor(self.dice() * n) + 1
end

function Play:pick(list)
  return list[self:random(#list)]
end

-- A wait that is told to stop belongs to something that is.
function Play:wait(seconds)
  local loop, before = self.loop, self.loop.now()
  local ok, raised = pcall(loop.sleep, seconds)
  local took = loop.now() - before
  if ok then
    if took < seconds - 1e-6 then self:broken("a sleep of %g s took %g", seconds, took) end
    if self.exact and took > seconds + 1e-6 then
      self:broken("a sleep of %g s took %g", seconds, took)
    end
    return
  end
  -- One that was raised, once, is told to nobody but who hears it.
  local heard = self.raises and guard.is_interrupt(raised)
  if heard or not guard.is_stop(raised) then error(raised, 0) end
  if loop.stopping() == nil then self:broken("a wait was told, and nothing is cancelled") end
  if pcall(loop.sleep, 0) then self:broken("a wait was told, and the next one was not") end
  error(raised, 0)
end

local ACTIONS = {}

function ACTIONS.sleep(play) play:wait(play:random(5) * play.unit) end
function ACTIONS.yield(play)
  if coroutine.running() ~= play.home then coroutine.yield() end
end

function ACTIONS.checkpoint(play) play.loop.checkpoint() end

function ACTIONS.boom(play)
  if play:random(4) > 1 then return end
  play.booms = play.booms + 1
  error("boom " .. play.booms, 0)
end

function ACTIONS.spawn(play, depth, around)
  play:spawn(depth, around)
end

function ACTIONS.join(play)
  local task = play:pick(play.tasks)
  if not task or play.loop.stopping() ~= nil then return end
  task:wait(play:random(4) * play.unit)
end

function ACTIONS.result(play)
  local task = play:pick(play.tasks)
  if not task or not task.finished then return end
  local ok, raised = pcall(task.result, task)
  if not ok then play:judge(raised) end
end

function ACTIONS.cancel(play)
  local task = play:pick(play.tasks)
  if task then task:cancel() end
end

function ACTIONS.cancel_scope(play)
  local scope = play:pick(play.scopes)
  if scope then scope:cancel() end
end

function ACTIONS.scope(play, depth)
  play:scope(depth, play:random(2) == 1 and { timeout = play:random(8) * play.unit } or nil)
end

function ACTIONS.shield(play, depth)
  play:scope(depth, { shield = true, timeout = play:random(8) * play.unit })
end

function ACTIONS.into_scope(play, depth)
  local scope = play:pick(play.scopes)
  if scope and not scope.closed then play:spawn(depth, scope, scope) end
end

function ACTIONS.cannot_wait(play)
  if coroutine.running() == play.home then return end
  string.gsub("x", ".", function()
    local ok, raised = pcall(play.loop.sleep, play.unit)
    if ok then return play:broken("a wait in gsub") end
    play:judge(raised)
  end)
end

-- In a task: under a host no other coroutine knows who resumes it.
function ACTIONS.generator(play)
  if coroutine.running() == play.home then return end
  local item = play.loop.coroutine.wrap(function()
    play:wait(play.unit)
    coroutine.yield "item"
    play:wait(play.unit)
    return "end"
  end)
  if item() ~= "item" then play:broken("a generator gave something else") end
  if item() ~= "end" then play:broken("a generator ended with something else") end
end

function ACTIONS.close_variable(play, depth, around)
  local _ <close> = play:spawn(depth, around)
  play:wait(play.unit)
end

function ACTIONS.program(play)
  if play.exact or play:random(3) > 1 then return end
  local line = ("sleep 0.00%d; exit 3"):format(play:random(9))
  local ended = programs.run(play.loop, { "sh", "-c", line }, { max = 100 })
  if ended.code ~= 3 then play:broken("a program ended with %s", tostring(ended.code)) end
end

-- What is cut short says what is known of it.
function ACTIONS.call(play)
  local action = play:pick { "DescribeDiskReplicaGroups", "FailoverDiskReplicaGroup" }
  local stopping = play.loop.stopping() ~= nil
  local ok, result, err = pcall(play.client.call, play.client, action, PARAMETERS[action])
  if ok then
    if not result then play:broken("a call failed: %s", tostring(err)) end
    return
  end
  if not guard.is_cancellation(result) then error(result, 0) end
  if result.action ~= action then play:broken("a call that was cut short does not name itself") end
  if stopping and result.outcome ~= "not_sent" then
    play:broken("a call of what had been cancelled ended %s", tostring(result.outcome))
  end
  error(result, 0)
end

local SEED = ("11"):rep(32)
local LEAD = core.ed25519_public(SEED)

-- Two branches behind a gate; a step of one may be out of time.
local function book(play)
  return dr.playbook("stress", function(run)
    run:gate("go", { need = 1, of = { lead = LEAD }, expires = "1h" })
    return run:each({ "a", "b" }, {}, function(_, branch)
      branch:step("waits", { timeout = play:random(4) * play.unit, on_error = "continue" },
        function() play:wait(play:random(4) * play.unit) end)
      branch:step("calls", function()
        return branch.client:call("DescribeDiskReplicaGroups", {})
      end)
      return "done"
    end)
  end)
end

function ACTIONS.run(play)
  if play:random(3) > 1 then return end
  local disk = memory.disk()
  local ok, result, err = pcall(dr.run, book(play), { client = play.client,
    requester = "operator", store = disk:open "run", progress = function(event)
      if event.type == "gate_open" then
        disk:open "run":post(core.encode(approvals.sign(event.decision, "lead",
          math.floor(play.client.runtime.time()), SEED)))
      end
    end })
  table.insert(play.journals, { disk = disk, bytes = #disk:text "run" })
  if ok and not result then
    local known = play.loop.stopping() ~= nil
      or play.was_interrupted and err.code == "Client.Interrupted"
    if not known then play:broken("a run failed: %s", tostring(err)) end
  elseif not ok then
    error(result, 0)
  end
end

local NAMES = {}
for name in pairs(ACTIONS) do NAMES[#NAMES + 1] = name end
table.sort(NAMES)
-- What makes the trees large.
for _ = 1, 4 do table.move({ "sleep", "spawn", "spawn", "scope" }, 1, 4, #NAMES + 1, NAMES) end

function Play:interrupt()
  self.was_interrupted = true
  if self.raises then error("interrupted!", 0) end
  self.interrupted = true
end

-- What a task or scope does, and that it is left exactly once.
function Play:body(depth, around)
  local left = false
  self.inside = self.inside + 1
  local _ <close> = closing(function()
    if left then self:broken("closed twice") end
    left = true
    self.inside = self.inside - 1
    if self:random(4) == 1 then
      -- On a clock of the machine, which may be slow, this is not the time that is played with.
      local _, err = self.loop.scope(function() self:wait(self.unit) end,
        { shield = true, timeout = math.max(100 * self.unit, 60) })
      if err then self:broken("cleanup was cut short: %s", tostring(err)) end
    end
  end)
  for _ = 1, self:random(7) do
    local name = depth > 0 and self:pick(NAMES) or self:pick { "sleep", "boom", "yield" }
    self.left = self.left - 1
    if self.left == 0 then self:interrupt() end
    ACTIONS[name](self, depth - 1, around)
  end
end

function Play:spawn(depth, around, scope)
  self.spawned = self.spawned + 1
  local counts = self.counts
  local function body() return self:body(depth, around) end
  local task
  if scope then task = scope:spawn(body) else task = self.loop.spawn(body) end
  self.tasks[#self.tasks + 1] = task
  if around then
    counts[around] = counts[around] or {}
    table.insert(counts[around], task)
  end
  return task
end

function Play:scope(depth, options)
  local own
  local results = table.pack(pcall(self.loop.scope, function(scope)
    own = scope
    self.scopes[#self.scopes + 1] = scope
    self:body(depth, scope)
    return "through"
  end, options))
  for _, task in ipairs(own and self.counts[own] or {}) do
    if not task.finished then self:broken("a scope has ended before its tasks") end
  end
  if own and not own.closed then self:broken("a scope is open behind its end") end
  if not results[1] then
    self:judge(results[2])
    error(results[2], 0)
  elseif results[2] ~= "through" and not errors.is_error(results[3]) then
    self:broken("a scope came to %s, %s", tostring(results[2]), tostring(results[3]))
  end
end

-- A transport that takes its time, over which every call succeeds.
local function client_of(play)
  return alicloud.client { region = "cn-shanghai", access_key_id = "id",
    access_key_secret = "secret", rate = false, loop = play.loop,
    transport = { send = function()
      play.loop.sleep(play:random(3) * play.unit)
      return { status = 200, headers = {}, body = '{"RequestId":"R"}' }
    end } }
end

--- Makes a play.
---@param loop table
---@param given { seed: integer, unit: number, exact: boolean?, interrupt: integer?,
---raises: boolean? } `unit`: seconds of the shortest sleep; `exact`: on a virtual clock;
---`interrupt`: before which action a signal comes, of which the field `interrupted` tells the loop;
---`raises`: it is raised there instead, once
function M.new(loop, given)
  local play = setmetatable({ loop = loop, dice = helper.generator(given.seed), unit = given.unit,
    exact = given.exact, violations = {}, tasks = {}, scopes = {}, counts = {}, inside = 0,
    spawned = 0, booms = 0, journals = {}, left = given.interrupt or 0,
    interrupted = false, raises = given.raises }, Play)
  play.client = client_of(play)
  return play
end

--- Plays it to its end. Within a scope, so that it has one.
---@return string[] violations
function Play:run()
  local loop = self.loop
  self.home = coroutine.running()
  local ok, raised = pcall(self.scope, self, 4)
  if not ok then self:judge(raised) end
  self.interrupted = false
  -- What was spawned by tasks that belong to no scope: there are none.
  for _, task in ipairs(self.tasks) do
    if not task.finished then self:broken("a task goes on behind everything") end
  end
  if self.inside ~= 0 then self:broken("%d bodies were never left", self.inside) end
  if loop.stopping() ~= nil then self:broken("the end is cancelled") end
  loop.sleep(self.unit)
  if #loop.pollables() > 0 then self:broken("something is still polled") end
  return self.violations
end

return M
