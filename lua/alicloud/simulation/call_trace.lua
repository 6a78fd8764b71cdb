--- Runs a playbook in a simulation to find the calls that it makes. Engine and clients are the real
--- ones, the cloud is the emulator in this process, time is virtual, and the journal is in memory.
--- A step that needs more than this process may do (see alicloud.dr.playbook.confined) gives a
--- replacement with its option `plan`, as for the command `plan`. A step with `plan = false` is
--- tried, since the emulator gives the answers that a plan lacks; it is left out if it needs
--- something that a rehearsal refuses.
---
--- Every gate passes, and after a failed step the run goes on, so that it reaches as much of the
--- playbook as it can. It runs in the worlds before and after a failover
--- (alicloud.simulation.policy_worlds), since some code may run in one of them only.

local alicloud = require "alicloud"
local bounded = require "alicloud.dr.playbook.bounded"
local core = require "alicloud.core"
local demo = require "alicloud.emulator.demo"
local discover = require "alicloud.simulation.discover"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local errors = require "alicloud.base.error"
local executor = require "alicloud.dr.playbook.executor"
local guard = require "alicloud.base.guard"
local memory = require "alicloud.dr.store.memory"
local requests = require "alicloud.emulator.gateway.request"
local sandbox = require "alicloud.dr.playbook.sandbox"
local services = require "alicloud.service"
local tables = require "alicloud.base.tables"
local worlds = require "alicloud.simulation.policy_worlds"

local M = {}

-- The real constructor, since the playbook gets another `alicloud.client`.
local real_client = alicloud.client

---@class alicloud.simulation.TracedCalls
---@field calls alicloud.simulation.MadeCall[] each once, without its token
---@field count integer number of calls
---@field imagined { id: string, region: string }[] groups that it asked for and no world has
---@field left_out string[] what could not be rehearsed, and why
---@field stopped string? why it ended early in all worlds; nil: it came to its end in one
---@field worlds integer number of worlds in which it was run

-- Most calls of a run: more are a loop that waits in vain. And calls between two signs of life.
local MOST_CALLS, ALIVE_EVERY = 20000, 50
-- Virtual machine instructions of one step, for the same reason.
local LONGEST_STEP = 100000000
-- Model seconds after which nothing is under way any more.
local SETTLED = 3600

-- Fields of a group that is asked for and that no world has.
local READY = { pairs = 2, status = "normal", recover_point_age = 60 }

local PRODUCTS = { "ebs", "ecs" }

local function product_of(version)
  for _, product in ipairs(PRODUCTS) do
    if services.data(product).version == version then return product end
  end
  return tostring(version)
end

local function region_of(call)
  return call.params.RegionId or call.host:match("%.(%l+%-[%w-]+)%.aliyuncs%.com")
    or call.host:match("^%l+%-(%l+%-[%w-]+)%.aliyuncs%.com")
end

-- A transport that notes every request before the emulator answers it.
local function noting(emu, trace)
  return { send = function(request)
    if #trace.calls >= MOST_CALLS then error("it makes more calls than a playbook needs", 0) end
    local path, query = request.url:match("^%a+://[^/?#]*([^?#]*)%??([^#]*)")
    local headers = {}
    for name, value in pairs(request.headers or {}) do headers[name:lower()] = value end
    headers.host = headers.host or request.host or request.url:match("^%a+://([^/:?#]*)")
    local call = requests.read({ method = request.method, path = path, query = query,
      headers = headers, body = request.body, mount = "in-process" }, emu.settings)
    if #trace.calls % ALIVE_EVERY == 0 then trace.alive() end
    trace.calls[#trace.calls + 1] = { product = product_of(call.version), action = call.action,
      params = call.params, region = region_of(call) }
    return emu.transport.send(request)
  end }
end

local function reason_of(raised)
  return errors.text_of(errors.is_error(raised) and raised.message or raised)
end

---@class alicloud.simulation.CallTrace: alicloud.dr.Executor
---@field emu alicloud.emulator.Emulator
---@field alive fun()
---@field calls alicloud.simulation.MadeCall[]
---@field left_out { what: string, why: string }[]
---@field done table<string, true>
---@field undos fun(run: alicloud.dr.PlaybookRun)[] undo functions of the steps so far
---@field turns_back boolean? true: the run ends before its point of no return, and undoes its steps
---@field has_way_back boolean? true: there are steps to undo before the point of no return
---@field stopped string?
local CallTrace = setmetatable({}, { __index = executor })
CallTrace.__index = CallTrace

local function carry_out(trace, branch, what, body, may_refuse)
  local thread = coroutine.running()
  debug.sethook(thread, function() error("it computes for too long", 0) end, "", LONGEST_STEP)
  local ok, result, err = guard.call(body, branch)
  debug.sethook(thread)
  if ok and (result ~= nil or err == nil) then
    if type(result) ~= "table" or rawget(result, "ok") ~= false then
      trace.done[what] = true
      return result
    end
    err = "its result says that it is not ok"
  end
  if may_refuse and not ok and sandbox.is_refusal(result) then return true end
  table.insert(trace.left_out, { what = what, why = reason_of(ok and err or result) })
  return nil
end

-- Raised at the point of no return of a run that turns back, to end the playbook's function.
local BACK = "the way back"

-- After the point of no return nothing is undone. The undo functions of the steps before are
-- rehearsed in a run of their own, which ends here.
local function pass_no_return(trace)
  if trace.turns_back then error(BACK, 0) end
  if #trace.undos > 0 then trace.undos, trace.has_way_back = {}, true end
end

function CallTrace:step(branch, name, options, body)
  if options.point_of_no_return then pass_no_return(self) end
  if options.undo then table.insert(self.undos, options.undo) end
  local own = { marks = options.marks, point_of_no_return = options.point_of_no_return,
    graceful_only = options.graceful_only }
  return executor:step(branch, name, own, function(run)
    return carry_out(self, run, ("step %q"):format(name), options.plan or body,
      options.plan == false)
  end)
end

function CallTrace:verify(branch, name, options, body)
  return executor:step(branch, name, {}, function(run)
    return carry_out(self, run, ("verify %q"):format(name), options.plan or body,
      options.plan == false)
  end)
end

function CallTrace:gate() end

function CallTrace:each(branch, list, options, body)
  return executor:each(branch, list, { parallel = options.parallel }, body)
end

-- Runs the undo functions, whose calls are part of what a run may make. Changes that are under way
-- end before that.
local function undo_all(trace, run)
  trace.emu:advance(SETTLED)
  if trace.turns_back then trace.left_out = {} end
  for i = #trace.undos, 1, -1 do
    executor:step(run, "undo " .. i, {}, function(branch)
      return carry_out(trace, branch, "undo " .. i, trace.undos[i])
    end)
  end
end

local function client_of(trace, region)
  local emu = trace.emu
  return function(given)
    local own = tables.copy(given or {})
    own.region, own.endpoint, own.credentials = own.region or region, nil, nil
    own.transport, own.runtime = noting(emu, trace), emu.runtime
    own.access_key_id, own.access_key_secret = emu.access_key_id, emu.access_key_secret
    own.security_token = nil
    return real_client(own)
  end
end

-- The playbook, followed by its undo functions.
local function rehearsed(trace, playbook)
  local declared = { params = playbook.params, kind = playbook.kind }
  return dr.playbook(playbook.name, declared, function(run)
    local ok, raised = bounded.call(run.loop, {}, playbook.body, run)
    undo_all(trace, run)
    if not ok then error(raised, 0) end
  end)
end

local function once(load_playbook, given, about, turns_back)
  local trace = setmetatable({ calls = {}, left_out = {}, done = {}, undos = {},
    turns_back = turns_back, alive = given.alive,
    emu = emulator.new { world = about.world, events = about.events, seed = 1 } }, CallTrace)
  local make_client = client_of(trace, given.region)
  alicloud.client = make_client
  local playbook = load_playbook()
  local client <close> = make_client()
  local _, err = dr.run(rehearsed(trace, playbook), { client = client, executor = trace,
    store = memory.disk():open "rehearsal", params = given.params, kind = given.kind,
    mode = given.mode, requester = "rehearsal", program = function() return true end })
  trace.stopped = err and reason_of(err) or nil
  return trace
end

-- The groups that calls have named.
local function asked_of(trace)
  local asked = {}
  for _, call in ipairs(trace.calls) do
    for _, name in ipairs { "ReplicaGroupId", "GroupId", "GroupIds" } do
      asked[#asked + 1] = { group = call.params[name], region = call.region }
    end
  end
  return asked
end

local function copy_of(world)
  local own = tables.copy(world)
  for _, name in ipairs { "regions", "groups" } do
    own[name] = table.move(world[name] or {}, 1, #(world[name] or {}), 1, {})
  end
  return own
end

local function append(list, more)
  table.move(more, 1, #more, #list + 1, list)
end

-- Most runs in one world. Instances that a run names and the world lacks are added before the next.
local MOST_ROUNDS = 3

local function walk(load_playbook, given, about, asked)
  local trace
  for _ = 1, MOST_ROUNDS do
    trace = once(load_playbook, given, about)
    if worlds.learn_machines(about.world, asked, trace.calls) == 0 then break end
  end
  if trace.has_way_back then
    local back = once(load_playbook, given, about, true)
    append(trace.calls, back.calls)
    append(trace.left_out, back.left_out)
    for what in pairs(back.done) do trace.done[what] = true end
  end
  return trace
end

-- What was left out in some world and done in none.
local function left_in_all(traces)
  local done, told, list = {}, {}, {}
  for _, trace in ipairs(traces) do
    for what in pairs(trace.done) do done[what] = true end
  end
  for _, trace in ipairs(traces) do
    for _, entry in ipairs(trace.left_out) do
      if not done[entry.what] and not told[entry.what] then
        told[entry.what], list[#list + 1] = true, ("%s: %s"):format(entry.what, entry.why)
      end
    end
  end
  return list
end

local function stopped_in_all(traces)
  for _, trace in ipairs(traces) do
    if not trace.stopped then return nil end
  end
  return traces[1].stopped
end

-- Each call once, whatever its token.
local function distinct(calls)
  local list, known = {}, {}
  for _, call in ipairs(calls) do
    call.params.ClientToken = nil
    local key = core.encode(call)
    if not known[key] then list[#list + 1], known[key] = call, true end
  end
  return list
end

--- Rehearses a playbook in every world in which it may be run.
---@param load_playbook fun(): alicloud.dr.Playbook
---@param given { region: string, params: table?, kind: string?, mode: string?, world: table?,
---alive: fun() } alive: called now and then, to show that it goes on
---@return alicloud.simulation.TracedCalls
function M.run(load_playbook, given)
  local world = copy_of(given.world or demo)
  local ids = {}
  local found = discover.complete(world, function()
    local trace = once(load_playbook, given, { world = world })
    local asked = asked_of(trace)
    for _, request in ipairs(asked) do
      for id in (request.group or ""):gmatch "[%w_.-]+" do ids[id] = true end
    end
    return trace.emu, asked
  end, READY, (given.params or {}).to)
  local imagined, traces, calls = {}, {}, {}
  for i, group in ipairs(found) do
    imagined[i] = { id = group.id, region = group.destination:match "^[^/]+" }
  end
  local all = worlds.of(world, ids)
  for i, each in ipairs(all) do
    traces[i] = walk(load_playbook, given, each, ids)
    append(calls, traces[i].calls)
  end
  worlds.forget_imagined(calls, world, imagined)
  return { calls = distinct(calls), count = #calls, imagined = imagined,
    left_out = left_in_all(traces), stopped = stopped_in_all(traces), worlds = #all }
end

return M
