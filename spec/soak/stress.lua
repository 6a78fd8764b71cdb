-- Seeded runs in which everything happens at once: `stress.lua RUNS LOOP [SEED]`. Calls whose
-- answers are late, broken or never come, programs, gates, scopes in scopes with timeouts, tasks
-- that share and that fail; one thing in ten is given up. Whatever is answered is answered with its
-- own, and after each run nothing is left: no task, wait, timer, descriptor or child; Lua's memory
-- is flat. Reports "stress LOOP: N passed, N failed".

local alicloud = require "alicloud"
local core = require "alicloud.core"
local echo = require "spec.soak.echo"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local programs = require "alicloud.base.program"
local random = require "alicloud.simulation.random"

local RUNS, LOOP = math.tointeger(tonumber(arg[1])), arg[2]
local FIRST = math.tointeger(tonumber(arg[3] or "1"))
local host = require("spec.hosts.loops." .. LOOP)
local SHARE, GROWTH = 0.1, 256 << 10

local at = echo.start()
local failed, faults, calls, given_up = 0, {}, 0, 0

local function check(holds, what, ...)
  if holds then return end
  failed = failed + 1
  if #faults < 20 then faults[#faults + 1] = what:format(...) end
end

-- Raised on purpose, for whoever joins.
local function mischief(n)
  return errors.new { kind = "state", code = "Client.Mischief", message = tostring(n) }
end

local Run = {}
Run.__index = Run

function Run:number()
  self.counter = self.counter + 1
  return self.counter
end

-- What nobody gave up ends with its own answer, or with an error of the network.
function Run:judge(n, id, result, err)
  calls = calls + 1
  if result then
    local group = result.ReplicaGroups and result.ReplicaGroups[1]
    check(group and group.ReplicaGroupId == id, "seed %d: call %d got the answer of %s", self.seed,
      n, group and group.ReplicaGroupId)
  elseif err and err.kind == "cancelled" then
    given_up = given_up + 1
  else
    check(err and err.outcome ~= nil, "seed %d: call %d: %s", self.seed, n, tostring(err))
  end
end

local ACT = {}

function ACT.call(run)
  local n = run:number()
  local id = ("pg-%d"):format(run.seed * 100000 + n)
  local action = run.d:chance(0.2) and "FailoverDiskReplicaGroup" or "DescribeDiskReplicaGroups"
  local params = action == "FailoverDiskReplicaGroup" and { ReplicaGroupId = id }
    or { GroupIds = id }
  local options = { deadline = run.d:pick { 0.05, 0.3, 0.3, 1 } }
  if run.d:chance(0.5) then
    return run:judge(n, id, run.client:call(action, params, options))
  end
  local operation = run.client:start(action, params, options)
  if run.d:chance(SHARE) then
    if run.d:chance(0.5) then operation:wait(run.d:pick { 0, 0.001, 0.01 }) end
    operation:cancel()
  end
  run:judge(n, id, operation:result())
end

function ACT.program(run)
  if run.d:chance(0.6) then return end
  local n = run:number()
  local line = ("sleep 0.0%d; exit %d"):format(n % 4, n % 100)
  local done = programs.run(run.loop, { "sh", "-c", line }, { max = 100, timeout = 20 })
  check(done and done.code == n % 100, "seed %d: program %d ended with %s", run.seed, n,
    done and done.code)
end

function ACT.gate(run)
  local gate, passed = run.loop.gate(), false
  local opener = run.loop.spawn(function()
    run.loop.sleep(run.d:pick { 0, 0.001, 0.005 })
    passed = true
    gate.open()
  end)
  gate.wait(run.loop.now() + 20)
  check(passed, "seed %d: a gate was not opened", run.seed)
  opener:result()
end

function ACT.sleep(run)
  local before, seconds = run.loop.now(), run.d:pick { 0, 0.001, 0.004 }
  run.loop.sleep(seconds)
  check(run.loop.now() - before >= seconds - 1e-6, "seed %d: a short sleep", run.seed)
end

local some

function ACT.scope(run, depth)
  local given = run.d:chance(0.3) and { timeout = run.d:pick { 0, 0.002, 0.02, 0.2 } } or nil
  local inside
  local result, err = run.loop.scope(function(scope)
    inside = scope
    for _ = 1, run.d:between(1, 3) do run.loop.spawn(some, run, depth + 1) end
    if run.d:chance(SHARE) then scope:cancel(mischief(run:number())) end
    some(run, depth + 1)
    return true
  end, given)
  check(inside.closed and inside.live == 0, "seed %d: a scope left its tasks", run.seed)
  check(result or inside.cancelled == err, "seed %d: a scope gave %s", run.seed, tostring(err))
end

function ACT.task(run, depth)
  local n = run:number()
  local task <close> = run.loop.spawn(function()
    some(run, depth + 1)
    return n
  end)
  local cancelled = run.d:chance(SHARE)
  if cancelled then
    if run.d:chance(0.5) then run.loop.sleep(run.d:pick { 0, 0.002 }) end
    task:cancel()
  end
  local result, err = task:result()
  check(result == n or cancelled and err.kind == "cancelled", "seed %d: task %d gave %s", run.seed,
    n, tostring(result))
end

function ACT.failure(run, depth)
  local n = run:number()
  local ok, raised = guard.call(run.loop.scope, function()
    run.loop.spawn(some, run, depth + 1)
    some(run, depth + 1)
    error(mischief(n), 0)
  end)
  check(not ok and raised.message == tostring(n), "seed %d: failure %d became %s", run.seed, n,
    tostring(raised))
end

function ACT.cleaning(run)
  local cleaned
  local task <close> = run.loop.spawn(function()
    local _ <close> = setmetatable({}, { __close = function()
      run.loop.scope(function()
        ACT.call(run)
        cleaned = true
      end, { shield = true, timeout = 20 })
    end })
    run.loop.sleep(run.d:pick { 0, 0.003, 20 })
  end)
  run.loop.sleep(0.001)
  task:cancel()
  task:wait()
  check(cleaned or not task.begun, "seed %d: cleaning was cut off", run.seed)
end

local WAYS = { "call", "call", "call", "call", "program", "gate", "sleep", "scope", "task",
  "failure", "cleaning" }

some = function(run, depth)
  for _ = 1, run.d:between(1, 3) do
    local way = run.d:pick(WAYS)
    if depth > 3 then way = "call" end
    ACT[way](run, depth)
  end
end

local function descriptors()
  local pipe <close> = assert(io.popen
    "ls -l /proc/$PPID/fd | grep -c -v 'pipe:\\|TCP\\|socket:'")
  return pipe:read "n"
end

local function children()
  local pipe <close> = assert(io.popen "ps -o comm= --ppid $PPID | grep -c sleep")
  return pipe:read "n"
end

local function check_left(run)
  local probe = run.loop.spawn(function() end)
  local scheduler = probe.scheduler
  check(scheduler.alive <= run.own + 1, "seed %d: %d tasks are left", run.seed, scheduler.alive)
  check(#scheduler.open == 0, "seed %d: %d scopes are left", run.seed, #scheduler.open)
  probe:result()
  check(#run.loop.pollables() == 0, "seed %d: waits are left", run.seed)
end

local function play(seed)
  local client <close> = alicloud.client { region = "cn-shanghai", endpoint = at.url, retries = 1,
    rate = { action = 5000, region = 10000, reserve = 0 }, access_key_id = "id",
    access_key_secret = "secret", loop = host.loop() }
  host.run(client, function()
    local run = setmetatable({ seed = seed, d = random.new(seed), client = client,
      loop = client.loop, counter = 0 }, Run)
    -- The program of some hosts is a task of its own.
    local probe = run.loop.spawn(function() end)
    probe:result()
    run.own = probe.scheduler.alive
    run.loop.scope(function()
      for _ = 1, 60 do run.loop.spawn(some, run, 1) end
    end)
    check_left(run)
  end)
end

local warm, before, began = nil, nil, core.monotonic()
for i = 1, RUNS do
  play(FIRST + i - 1)
  collectgarbage()
  collectgarbage()
  if i == math.max(1, RUNS // 4) then
    warm, before = collectgarbage "count" * 1024, descriptors()
  end
end
local grown, opened = collectgarbage "count" * 1024 - warm, descriptors() - before
check(grown < GROWTH, "%d bytes more of Lua", grown // 1)
check(opened <= 4, "%d descriptors more", opened)
check(children() == 0, "programs are left")
at.stop()
for _, fault in ipairs(faults) do print(fault) end
local seconds = core.monotonic() - began
print(("%d runs, %d calls, %d given up, %.0f s, %.0f/s; grown by %d bytes of Lua, %d descriptors")
  :format(RUNS, calls, given_up, seconds, calls / seconds, grown // 1, opened))
print(("stress %s: %d passed, %d failed"):format(LOOP, RUNS, failed))
os.exit(failed == 0, true)
