--- A simulated run of a playbook, to see what it calls: engine and clients are the real ones, the
--- cloud is the emulator in this process, time is its own, and the journal is kept in memory.
--- A step whose work lies elsewhere (the process has no rights, see alicloud.dr.playbook.confined)
--- says with its option `plan` what is to be used instead, as for `plan`. One
--- that has nothing in its place (`plan = false`) is tried, since the answers that a plan lacks are
--- here, and is left out where it asks for what a rehearsal refuses.
---
--- People let every gate pass, and what fails is noted and gone on from, so that the run comes to
--- everything that it can come to.

local alicloud = require "alicloud"
local clients = require "alicloud.client"
local demo = require "alicloud.emulator.demo"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local memory = require "alicloud.dr.store.memory"
local sandbox = require "alicloud.dr.playbook.sandbox"
local services = require "alicloud.service"
local wire = require "alicloud.emulator.gateway.request"

local M = {}

---@class alicloud.cli.Rehearsed
---@field calls alicloud.dr.MadeCall[]
---@field imagined { id: string, region: string }[] groups that no world knew
---@field left_out string[] what could not be rehearsed, and why
---@field stopped string? why it did not come to its end

-- More calls than these are a loop that waits for something that never comes.
local MOST_CALLS, ALIVE_EVERY = 20000, 200
-- Virtual machine instructions of one step, for the same reason.
local LONGEST_STEP = 100000000
local MOST_PASSES = 20
-- Model seconds after which nothing is under way any more.
local SETTLED = 3600

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
local function noting(emu, seen)
  return { send = function(request)
    if #seen.calls >= MOST_CALLS then error("it makes more calls than a playbook needs", 0) end
    local path, query = request.url:match("^%a+://[^/?#]*([^?#]*)%??([^#]*)")
    local headers = {}
    for name, value in pairs(request.headers or {}) do headers[name:lower()] = value end
    headers.host = headers.host or request.host or request.url:match("^%a+://([^/:?#]*)")
    local call = wire.read({ method = request.method, path = path, query = query,
      headers = headers, body = request.body, mount = "in-process" }, emu.settings)
    if #seen.calls % ALIVE_EVERY == 0 then seen.alive() end
    seen.calls[#seen.calls + 1] = { product = product_of(call.version), action = call.action,
      params = call.params, region = region_of(call) }
    return emu.transport.send(request)
  end }
end

local function reason_of(raised)
  return errors.clean(tostring(type(raised) == "table" and raised.message or raised))
end

local Proxy = {}

-- Whatever comes to a playbook is a run of the engine behind this, which goes on from everything.
local function wrap(run, seen)
  return setmetatable({ run = run, seen = seen }, Proxy)
end

local function carry_out(proxy, what, body, may_refuse)
  local thread = coroutine.running()
  debug.sethook(thread, function() error("it computes for too long", 0) end, "", LONGEST_STEP)
  local ok, result, err = guard.call(body, proxy)
  debug.sethook(thread)
  if ok and (result ~= nil or err == nil) then
    if type(result) ~= "table" or result.ok ~= false then return result end
    err = "its result says that it is not ok"
  end
  if may_refuse and not ok and sandbox.is_refusal(result) then return true end
  table.insert(proxy.seen.left_out, ("%s: %s"):format(what, reason_of(ok and err or result)))
  return nil
end

-- Raised where a run turns back, to end the playbook's function.
local BACK = "the way back"

-- Nothing is undone once this is passed. What was done before is undone in a rehearsal of its own.
local function pass_no_return(seen)
  if seen.turns_back then error(BACK, 0) end
  if #seen.undos > 0 then seen.undos, seen.has_way_back = {}, true end
end

local function enter(proxy, what, name, options, body)
  if body == nil then options, body = {}, options end
  local seen, instead = proxy.seen, options.plan
  if options.point_of_no_return then pass_no_return(seen) end
  if instead then body = instead end
  if options.undo then seen.undos[#seen.undos + 1] = options.undo end
  local own = { marks = options.marks, point_of_no_return = options.point_of_no_return,
    graceful_only = options.graceful_only }
  return proxy.run:step(name, own, function(run)
    return carry_out(wrap(run, seen), ("%s %q"):format(what, name), body, instead == false)
  end)
end

local METHODS = {}

function METHODS.step(proxy, ...)
  return enter(proxy, "step", ...)
end

function METHODS.verify(proxy, name, options, body)
  if body == nil then options, body = {}, options end
  return enter(proxy, "verify", name, { plan = options.plan }, body)
end

function METHODS.gate() end

function METHODS.each(proxy, list, options, body)
  if body == nil then options, body = {}, options end
  local seen = proxy.seen
  return proxy.run:each(list, { parallel = options.parallel }, function(item, run)
    return body(item, wrap(run, seen))
  end)
end

function METHODS.parallel(proxy, bodies)
  local own, seen = {}, proxy.seen
  for name, body in pairs(bodies) do
    own[name] = function(run) return body(wrap(run, seen)) end
  end
  return proxy.run:parallel(own)
end

Proxy.__index = function(proxy, name)
  if METHODS[name] then return METHODS[name] end
  local value = rawget(proxy, "run")[name]
  if type(value) ~= "function" then return value end
  return function(_, ...) return value(rawget(proxy, "run"), ...) end
end

-- The way back is part of what a run may do. What is under way comes to its end before it.
local function undo_all(proxy)
  local seen = proxy.seen
  seen.emu:advance(SETTLED)
  if seen.turns_back then seen.left_out = {} end
  for i = #seen.undos, 1, -1 do
    proxy.run:step("undo " .. i, nil, function(run)
      return carry_out(wrap(run, seen), "undo " .. i, seen.undos[i])
    end)
  end
end

local function client_of(emu, seen, region)
  return function(given)
    local own = {}
    for name, value in pairs(given or {}) do own[name] = value end
    own.region, own.endpoint, own.credentials = own.region or region, nil, nil
    own.transport, own.runtime = noting(emu, seen), emu.runtime
    own.access_key_id, own.access_key_secret = emu.access_key_id, emu.access_key_secret
    own.security_token = nil
    return clients.new(own)
  end
end

local function once(load_playbook, given, world, turns_back)
  local emu = emulator.new { world = world, seed = 1 }
  local seen = { calls = {}, left_out = {}, undos = {}, emu = emu, turns_back = turns_back,
    alive = given.alive }
  local make_client = client_of(emu, seen, given.region)
  alicloud.client = make_client
  local playbook = load_playbook()
  local declared = { params = playbook.params, kind = playbook.kind }
  local rehearsed = dr.playbook(playbook.name, declared, function(run)
    local proxy = wrap(run, seen)
    local ok, raised = guard.call(playbook.body, proxy)
    undo_all(proxy)
    if not ok then error(raised, 0) end
  end)
  local client <close> = make_client()
  local _, err = dr.run(rehearsed, { client = client, store = memory.disk():open "rehearsal",
    params = given.params, kind = given.kind, mode = given.mode, requester = "rehearsal",
    program = function() return true end })
  seen.stopped = err and reason_of(err) or nil
  return seen
end

local function ids_in(params)
  return { params.ReplicaGroupId, params.GroupId or false, params.GroupIds or false }
end

-- Groups that a call has named and that the world does not have.
local function strangers(seen)
  local list, known = {}, {}
  for _, call in ipairs(seen.calls) do
    for _, id in pairs(ids_in(call.params)) do
      local plain = id and id:find("^[%w_-]+$") and not known[id]
      if plain and call.region and not seen.emu:group(id) then
        known[id], list[#list + 1] = true, { id = id, region = call.region }
      end
    end
  end
  return list
end

local function region_id(region)
  return type(region) == "table" and region.id or region
end

local function place(world, id)
  for _, region in ipairs(world.regions) do
    if region_id(region) == id then
      local zone = type(region) == "table" and region.zones and region.zones[1] or id .. "-a"
      return id .. "/" .. zone
    end
  end
  world.regions[#world.regions + 1] = { id = id, zones = { id .. "-a" } }
  return id .. "/" .. id .. "-a"
end

local function another(world, id)
  for _, region in ipairs(world.regions) do
    if region_id(region) ~= id then return region_id(region) end
  end
  return id == "cn-hangzhou" and "cn-shanghai" or "cn-hangzhou"
end

-- A world with the groups that the playbook spoke of: ready, and with their data in the region
-- that was asked for them.
local function with_groups(world, groups)
  local own = {}
  for name, value in pairs(world) do own[name] = value end
  own.regions = table.move(world.regions or {}, 1, #(world.regions or {}), 1, {})
  own.groups = table.move(world.groups or {}, 1, #(world.groups or {}), 1, {})
  for _, group in ipairs(groups) do
    own.groups[#own.groups + 1] = { id = group.id, name = group.id, pairs = 2, status = "normal",
      source = place(own, another(own, group.region)), destination = place(own, group.region),
      recover_point_age = 60 }
  end
  return own
end

local function append(list, more)
  table.move(more, 1, #more, #list + 1, list)
end

--- Rehearses a playbook.
---@param load_playbook fun(): alicloud.dr.Playbook
---@param given { region: string, params: table?, kind: string?, mode: string?, world: table?,
---alive: fun() } alive: called now and then, to show that it goes on
---@return alicloud.cli.Rehearsed
function M.run(load_playbook, given)
  local world, imagined = given.world or demo, {}
  local seen
  for _ = 1, MOST_PASSES do
    seen = once(load_playbook, given, world)
    local found = strangers(seen)
    if #found == 0 then break end
    world = with_groups(world, found)
    append(imagined, found)
  end
  if seen.has_way_back then
    local back = once(load_playbook, given, world, true)
    append(seen.calls, back.calls)
    append(seen.left_out, back.left_out)
  end
  return { calls = seen.calls, imagined = imagined, left_out = seen.left_out,
    stopped = seen.stopped }
end

return M
