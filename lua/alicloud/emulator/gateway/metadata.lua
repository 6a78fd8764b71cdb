--- The sources of credentials of an instance: the metadata service with the session of its RAM
-- role, and a credentials URI. Requests to them have no signature, and paths that no product has.

local answer = require "alicloud.emulator.gateway.answer"
local core = require "alicloud.core"
local sts = require "alicloud.emulator.gateway.sts"

local M = {}

local ROOT = "/latest/"
local ROLES = "/latest/meta-data/ram/security-credentials/"
local CREDENTIALS = "/credentials"
local LONGEST_TOKEN = 21600
local TOKEN_LIMIT = 100
-- Seconds: life of the role's session, and the rest of it at which a new session replaces it.
local ROLE_LIFE, ROLE_LEFT = 21600, 1800
local URI_LIFE = 3600

---@class alicloud.emulator.Metadata
---@field tokens table<string, number>  by token: model time at which it expires
---@field count integer  of tokens
---@field session alicloud.emulator.Session|nil  of the instance's role

---@return alicloud.emulator.Metadata
function M.new() return { tokens = {}, count = 0 } end

local function reply(emu, status, body, kind)
  return { answer = {
    status = status, body = body,
    headers = {
      ["date"] = emu.clock:date(emu:now()), ["server"] = answer.SERVER,
      ["x-emulator"] = "alicloud-dr", ["content-type"] = kind or "text/plain",
    },
  } }
end

local function give_token(emu, request)
  local text = request.headers["x-aliyun-ecs-metadata-token-ttl-seconds"]
  local ttl = math.tointeger(tonumber(text))
  if not ttl or ttl < 1 or ttl > LONGEST_TOKEN then return reply(emu, 400, "bad TTL\n") end
  local state = emu.metadata
  if state.count >= TOKEN_LIMIT then state.tokens, state.count = {}, 0 end
  local token = core.base64(emu.ids:random_hex(24))
  state.tokens[token], state.count = emu:now() + ttl, state.count + 1
  return reply(emu, 200, token)
end

local function may_read(emu, request)
  local token = request.headers["x-aliyun-ecs-metadata-token"]
  if not token then return emu.options.imdsv1 ~= false end
  local ends = emu.metadata.tokens[token]
  return ends ~= nil and emu:now() < ends
end

local function role_session(emu)
  local state, now = emu.metadata, emu:now()
  if not state.session or state.session.ends - now < ROLE_LEFT then
    state.session = sts.issue(emu, emu.options.ecs_role, "i-emulator", ROLE_LIFE, now)
  end
  return state.session
end

local function json(emu, session)
  local object = sts.object(session)
  object.Code, object.LastUpdated = "Success", core.iso8601(emu:now())
  return reply(emu, 200, core.encode(object), "application/json")
end

local function serve_instance(emu, request)
  local path, role = request.path, emu.options.ecs_role
  -- Without a role there is no metadata service.
  if not role then return { refused = true } end
  if path == "/latest/api/token" then
    if request.method ~= "PUT" then return reply(emu, 405, "") end
    return give_token(emu, request)
  end
  if request.method ~= "GET" then return reply(emu, 405, "") end
  if not may_read(emu, request) then return reply(emu, 403, "") end
  if path == ROLES then return reply(emu, 200, role .. "\n") end
  if path == ROLES .. role then return json(emu, role_session(emu)) end
  return reply(emu, 404, "")
end

--- Serves a request to the metadata service or the credentials URI.
---@param emu alicloud.emulator.Emulator
---@param request table  as the gateway takes it
---@return alicloud.emulator.Outcome|nil  nil: it is for a product
function M.serve(emu, request)
  local path = request.path
  if path:sub(1, #ROOT) == ROOT then return serve_instance(emu, request) end
  if path ~= CREDENTIALS then return nil end
  if request.method ~= "GET" then return reply(emu, 405, "") end
  return json(emu, sts.issue(emu, "from-uri", "emulator", URI_LIFE, emu:now()))
end

return M
