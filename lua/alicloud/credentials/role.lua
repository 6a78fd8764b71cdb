--- A RAM role, assumed with the credentials of another provider.

local cached = require "alicloud.credentials.cached"
local common = require "alicloud.credentials.support"
local options = require "alicloud.base.schema"
local sts = require "alicloud.credentials.sts"

local M = {}

local NAME = "ram_role_arn"

---@class alicloud.credentials.AssumeOptions: alicloud.credentials.RoleOptions
---@field source? table provider or spec whose identity assumes the role; the default chain else
---@field external_id? string

M.OPTIONS = sts.with_options {
  source = options.typed "table",
  external_id = options.text,
}

-- An answer that cannot be read may hold the session's secret, and an error shows what it read.
local function soften(err)
  local shows_answer = err.kind == "decode" or (err.status or 0) // 100 == 2
  if shows_answer then return common.fail "AssumeRole: STS answered without a usable session" end
  return common.fail(("AssumeRole: %s"):format(err.message), {
    code = err.code, hint = err.hint, retryable = err.retryable, request_id = err.request_id,
    status = err.status, endpoint = err.endpoint,
  })
end

local function params_of(runtime, given)
  return {
    RoleArn = given.role_arn, RoleSessionName = given.session_name or sts.session_name(runtime),
    DurationSeconds = given.duration or sts.DURATION,
    -- Line ends are but blanks to JSON.
    Policy = given.policy and given.policy:gsub("%c", " ") or nil,
    ExternalId = given.external_id,
  }
end

local function open(self)
  local endpoint, message = sts.endpoint(self.context, self.given)
  if not endpoint then return common.fail(message) end
  self.client = self.context.client { credentials = self.origin, product = "sts",
    endpoint = endpoint, connect_timeout = 5, timeout = 10, deadline = 30 }
  return true
end

local function fetch(self)
  if not self.client then
    local ok, err = open(self)
    if not ok then return nil, err end
  end
  local result, err = self.client:call("sts:AssumeRole",
    params_of(self.context.runtime, self.given))
  if not result and err.kind == "credentials" then return nil, err end
  if not result then return soften(err) end
  local keys = type(result.Credentials) == "table" and result.Credentials or {}
  local session, message = common.session(keys, NAME .. "/" .. self.origin_name(),
    self.context.meta(result).server_time)
  if not session then return common.fail("AssumeRole: " .. message) end
  return session
end

--- Makes the provider over an open one.
---@param context alicloud.credentials.Context
---@param given alicloud.credentials.AssumeOptions
---@param origin alicloud.credentials.Provider whose identity assumes the role
---@param borrowed? boolean somebody else closes the other one
---@return alicloud.credentials.Provider
function M.over(context, given, origin, borrowed)
  local self = { context = context, given = given, origin = origin }
  function self.origin_name()
    local about = origin.explain and origin:explain()
    return about and about.provider or "provider"
  end
  return cached.new({
    name = NAME,
    fetch = function() return fetch(self) end,
    hosts = function()
      local hosts = origin.hosts and origin:hosts() or {}
      return { (sts.endpoint(context, given)), table.unpack(hosts) }
    end,
    close = function()
      if self.client then self.client:close() end
      if origin.close and not borrowed then origin:close() end
    end,
  }, context)
end

--- Opens the provider that a file sets up; what is wrong with it closes the other one.
---@param what string the part of the file, begins the message
---@param named string what the file calls the role
---@param context alicloud.credentials.Context
---@param given table
---@param origin alicloud.credentials.Provider whose identity assumes the role
---@return alicloud.credentials.Provider|nil
---@return alicloud.Error? err
function M.from_file(what, named, context, given, origin)
  local settled, err = common.settled(what, M, given)
  if settled and not settled.role_arn then settled, err = common.fail(named .. " is missing") end
  if settled then return M.over(context, settled, origin) end
  origin:close()
  return nil, err
end

return M
