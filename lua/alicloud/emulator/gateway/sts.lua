--- The Security Token Service: sessions of roles, which the other products accept until they end.
-- Trust policies are not modelled: with any key, or any OIDC token, any role can be assumed.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"

local M = {}

local refuse = errors.refuse

local ACCOUNT = "1000000000000001"
local SHORTEST, LONGEST, USUAL = 900, 43200, 3600
-- Beyond this many, the oldest session is forgotten, and its key is unknown then.
local SESSION_LIMIT = 1000

---@class alicloud.emulator.Session
---@field id string  AccessKeyId
---@field secret string
---@field token string
---@field ends number  model time at which it expires
---@field role string  name of the role
---@field name string  RoleSessionName

---@class alicloud.emulator.Sessions
---@field by_id table<string, alicloud.emulator.Session>
---@field list alicloud.emulator.Session[]

---@return alicloud.emulator.Sessions
function M.new() return { by_id = {}, list = {} } end

local function forget(emu, session)
  emu.sessions.by_id[session.id] = nil
  emu.keys[session.id], emu.root.tenants[session.id] = nil, nil
end

--- Forgets every session, as a reset does.
---@param emu alicloud.emulator.Emulator
function M.clear(emu)
  for _, session in ipairs(emu.sessions and emu.sessions.list or {}) do forget(emu, session) end
  emu.sessions = M.new()
end

--- Makes a session. The emulator accepts its key from now on.
---@param emu alicloud.emulator.Emulator
---@param role string  name of the role
---@param name string  name of the session
---@param seconds number  duration of the session
---@param now number
---@return alicloud.emulator.Session
function M.issue(emu, role, name, seconds, now)
  local sessions = emu.sessions
  -- Tenants have the same seed, and a reset starts it again, so the id needs key and generation.
  local mark = ("%s %d %s"):format(emu.access_key_id, emu.generation, emu.ids:resource(""))
  local session = {
    id = "STS." .. core.sha256(mark):sub(1, 20):upper(), secret = emu.ids:random_hex(20),
    token = core.base64(emu.ids:random_hex(48)), ends = now + seconds, role = role, name = name,
  }
  sessions.list[#sessions.list + 1] = session
  sessions.by_id[session.id] = session
  emu.keys[session.id], emu.root.tenants[session.id] = session.secret, emu
  if #sessions.list > SESSION_LIMIT then forget(emu, table.remove(sessions.list, 1)) end
  return session
end

--- A session, in the form that answers have it.
---@param session alicloud.emulator.Session
---@return table
function M.object(session)
  return {
    AccessKeyId = session.id, AccessKeySecret = session.secret, SecurityToken = session.token,
    Expiration = core.iso8601(session.ends),
  }
end

--- Checks the SecurityToken of a call with a session's key, and that the session has not expired.
---@param emu alicloud.emulator.Emulator
---@param call alicloud.emulator.Call  whose signature is right
---@param now number
---@return alicloud.emulator.Refusal|nil
function M.check(emu, call, now)
  local session = emu.sessions.by_id[call.access_key_id]
  if not session then return nil end
  local ended = now >= session.ends and refuse("InvalidSecurityToken.Expired") or nil
  -- A plan has the key only, no token.
  if call.by_value then return ended end
  local token = call.headers["x-acs-security-token"] or call.params.SecurityToken
  if not token then return refuse("MissingSecurityToken") end
  if not core.equal(token, session.token) then
    return refuse("InvalidSecurityToken.MismatchWithAccessKey")
  end
  return ended
end

--- Whether a request needs no signature, because a token in it is the proof.
---@param call alicloud.emulator.Call
---@return boolean
function M.is_anonymous(call)
  return call.action == "AssumeRoleWithOIDC" and not call.by_value
    and not call.headers.authorization and call.params.Signature == nil
end

local function invalid(name)
  return errors.invalid(name)
end

local function wish_of(params)
  local role = params.RoleArn:match("^acs:ram::%d+:role/([%w.-]+)$")
  if not role then return nil, invalid "RoleArn" end
  local name = params.RoleSessionName
  if #name < 2 or #name > 64 or name:find("[^%w.@_-]") then
    return nil, invalid "RoleSessionName"
  end
  local seconds = math.tointeger(tonumber(params.DurationSeconds or USUAL))
  if not seconds or seconds < SHORTEST or seconds > LONGEST then
    return nil, invalid "DurationSeconds"
  end
  return { role = role, name = name, seconds = seconds }
end

local function assumed(session)
  return ("acs:ram::%s:assumed-role/%s/%s"):format(ACCOUNT, session.role, session.name)
end

local function assume(emu, params, context)
  local wish, refusal = wish_of(params)
  if not wish then return nil, refusal end
  local session = M.issue(emu, wish.role, wish.name, wish.seconds, context.now)
  return {
    Credentials = M.object(session),
    AssumedRoleUser = {
      Arn = assumed(session), AssumedRoleId = "3" .. ACCOUNT .. ":" .. wish.name,
    },
  }
end

local function assume_with_oidc(emu, params, context)
  if not params.OIDCProviderArn:find("^acs:ram::%d+:oidc%-provider/[%w._-]+$") then
    return nil, invalid "OIDCProviderArn"
  end
  local wanted = emu.options.oidc_token
  if wanted and params.OIDCToken:match("^%s*(.-)%s*$") ~= wanted then
    return nil, refuse("AuthenticationFail.OIDCToken.Invalid")
  end
  return assume(emu, params, context)
end

local function caller(emu, _, context)
  local session = emu.sessions.by_id[context.key_id]
  local user = "2" .. ACCOUNT
  return {
    AccountId = ACCOUNT, PrincipalId = session and "3" .. ACCOUNT .. ":" .. session.name or user,
    UserId = not session and user or nil, RoleId = session and "3" .. ACCOUNT or nil,
    IdentityType = session and "AssumedRoleUser" or "RAMUser",
    Arn = session and assumed(session) or ("acs:ram::%s:user/%s"):format(ACCOUNT,
      context.key_id or "nobody"),
  }
end

--- The operations of the service, in the form that `alicloud.emulator.operations` takes.
M.work = {
  assume = { run = assume }, assume_with_oidc = { run = assume_with_oidc },
  caller = { run = caller },
}

return M
