--- The endpoints under /_emulator/: look into the model and change it, JSON in and out.
-- They are for people and tests on this machine, so web pages are kept out: the Host header must
-- name this machine (DNS rebinding), and a request with an Origin header is refused.

local core = require "alicloud.core"
local answer = require "alicloud.emulator.gateway.answer"
local switches = require "alicloud.emulator.switches"

local M = {}

M.PREFIX = "/_emulator/"

local function array(list)
  return core.array { table.unpack(list) }
end

local routes = {}

routes.health = {
  GET = function(emu)
    return {
      emulator = "alicloud-dr", generation = emu.generation, now = emu:now(),
      clock = emu.clock.mode, speed = emu.clock.speed, groups = #emu.world.groups,
      requests = emu.request_log.total, effects = #emu:ledger(),
    }
  end,
}

routes.ledger = {
  GET = function(emu) return { effects = array(emu:ledger()) } end,
}

routes.requests = {
  GET = function(emu) return { requests = core.array(emu:requests()) } end,
}

routes["near-misses"] = {
  GET = function(emu) return { near_misses = array(emu:near_misses()) } end,
}

routes.reset = {
  POST = function(emu, body)
    local generation, problem = emu:reset(body and body.world)
    if not generation then return nil, problem end
    return { generation = generation }
  end,
}

local function conditions(emu, server)
  local list = core.array {}
  for index, region in ipairs(emu.world.regions) do
    list[index] = { region = region.id, state = region.state,
      endpoint = server.endpoints and server.endpoints[region.id] }
  end
  return { regions = list }
end

routes.regions = {
  GET = function(emu, _, server) return conditions(emu, server) end,
  POST = function(emu, body, server)
    local ok, problem = pcall(emu.region, emu, body and body.region, body and body.state)
    if not ok then return nil, (tostring(problem):gsub("^.-emulator: ", "")) end
    return conditions(emu, server)
  end,
}

routes.world = {
  GET = function(emu) return emu:snapshot() end,
  POST = function(emu, body)
    local generation, problem = emu:reset(body or {})
    if not generation then return nil, problem end
    return { generation = generation }
  end,
}

routes.snapshot = routes.world

local function rules(emu)
  local list = core.array {}
  for index, rule in ipairs(emu.faults.rules) do list[index] = rule end
  return { rules = list }
end

routes.faults = {
  GET = rules,
  POST = function(emu, body)
    local _, problem = emu.faults:add(body and (body[1] and body or { body }) or {})
    if problem then return nil, problem end
    return rules(emu)
  end,
  DELETE = function(emu)
    emu.faults:clear()
    return rules(emu)
  end,
}

local function clock_reading(emu)
  return { now = emu:now(), clock = emu.clock.mode, speed = emu.clock.speed }
end

routes.clock = {
  GET = clock_reading,
  POST = function(emu, body)
    local seconds = body and body.advance
    if not emu.clock:can_advance(seconds) then
      return nil, 'advance: must be a number of at least 0 that stays before the year 10000, '
        .. 'as { "advance": 60 }'
    end
    emu:advance(seconds)
    return clock_reading(emu)
  end,
}

routes.switches = {
  GET = function(emu) return emu.settings end,
  POST = function(emu, body)
    body = body or {}
    local settings, problem = switches.apply(emu.settings, body.assume, "assumed")
    if settings then settings, problem = switches.apply(settings, body.hostile, "hostile") end
    if not settings then return nil, problem end
    emu.settings = settings
    return settings
  end,
}

local function names()
  local list = core.array {}
  for name in pairs(routes) do list[#list + 1] = M.PREFIX .. name end
  table.sort(list)
  return list
end

local function respond(emu, status, object)
  return { status = status, body = core.encode(object) .. "\n", headers = {
    ["content-type"] = "application/json;charset=utf-8",
    ["cache-control"] = "no-store",
    ["date"] = emu.clock:date(emu:now()),
    ["server"] = answer.SERVER,
    ["x-emulator"] = "alicloud-dr",
  } }
end

local function is_loopback(name)
  return name == "localhost" or name:find("%.localhost$") ~= nil or name == "[::1]"
    or name:find("^127%.%d+%.%d+%.%d+$") ~= nil
end

local function host_problem(headers, listening_on)
  local name = (headers.host or ""):lower():gsub(":%d+$", "")
  if name ~= listening_on and not is_loopback(name) then
    return ("Host %q does not name this machine"):format(name)
  end
  if headers.origin then return "requests of web pages are refused" end
  return nil
end

local function read_body(text)
  if text == "" then return nil end
  local body, problem = core.decode(text)
  if body == nil then return nil, "body: " .. problem end
  if type(body) ~= "table" then return nil, "body: must be a JSON object" end
  return body
end

-- Every AccessKeyId has a world of its own; `?key=` chooses one.
local function chosen(emu, request)
  local key_id = (request.query or ""):match("key=([%w._-]+)")
  return key_id and emu:of_key(key_id) or emu
end

--- Answers a request under `PREFIX`.
---@param emu alicloud.emulator.Emulator
---@param request table  { method, path, query, headers, body }
---@param server { host: string, endpoints: table<string, string>|nil }
---@return alicloud.emulator.Answer
function M.handle(emu, request, server)
  local problem = host_problem(request.headers, server.host)
  if problem then return respond(emu, 403, { error = problem }) end
  local route = routes[request.path:sub(#M.PREFIX + 1)]
  if not route then
    return respond(emu, 404, { error = "no such endpoint", endpoints = names() })
  end
  local method = route[request.method]
  if not method then return respond(emu, 405, { error = "method not allowed" }) end
  local body
  body, problem = read_body(request.body)
  if problem then return respond(emu, 400, { error = problem }) end
  local result
  result, problem = method(chosen(emu, request), body, server)
  if not result then return respond(emu, 400, { error = problem }) end
  return respond(emu, 200, result)
end

return M
