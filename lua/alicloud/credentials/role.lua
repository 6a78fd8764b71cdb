--- A RAM role, assumed with the credentials of another provider.

local cached = require "alicloud.credentials.cached"
local calls = require "alicloud.call"
local contexts = require "alicloud.call.context"
local metas = require "alicloud.base.meta"
local plans = require "alicloud.call.plan"
local schema = require "alicloud.base.schema"
local sts = require "alicloud.credentials.sts"
local support = require "alicloud.credentials.support"

local M = {}

local NAME = "ram_role_arn"

---@class alicloud.credentials.AssumeOptions: alicloud.credentials.RoleOptions
---@field source? table provider or spec whose identity assumes the role; the default chain else
---@field external_id? string

M.OPTIONS = sts.with_options {
  source = schema.typed "table",
  external_id = schema.text,
}

-- An answer that cannot be parsed may hold the session's secret: its error is not passed on.
local function soften(err)
  local shows_answer = err.kind == "decode" or (err.status or 0) // 100 == 2
  if shows_answer then return support.fail "AssumeRole: STS answered without a usable session" end
  return support.fail(("AssumeRole: %s"):format(err.message), {
    code = err.code, hint = err.hint, retryable = err.retryable, request_id = err.request_id,
    status = err.status, endpoint = err.endpoint,
  })
end

local function params_of(given, session_name)
  return {
    RoleArn = given.role_arn, RoleSessionName = session_name,
    DurationSeconds = given.duration or sts.DURATION,
    -- To JSON, line ends are blanks.
    Policy = given.policy and given.policy:gsub("%c", " ") or nil,
    ExternalId = given.external_id,
  }
end

-- The context of the AssumeRole call: the other provider signs it, and it is sent as the client's
-- calls are, also if the client only observes.
local function new_call_context(self, endpoint)
  local client, config = self.context, {}
  for _, name in ipairs(contexts.ADAPTER_OPTIONS) do config[name] = client.config[name] end
  config.mode, config.runtime, config.loop = nil, client.runtime, client.loop
  config.endpoint, config.connect_timeout, config.timeout, config.deadline = endpoint, 5, 10, 30
  local context = assert(contexts.build(config))
  context.provider, context.shared = self.origin, contexts.new_shared(context)
  context.adapter = contexts.new_adapter(context)
  return context
end

local function open(self)
  local endpoint, message = sts.endpoint(self.context, self.given)
  if not endpoint then return support.fail(message) end
  self.call_context = new_call_context(self, endpoint)
  return true
end

local function fetch(self)
  assert(not self.closed, "the provider is closed")
  if not self.call_context then
    local ok, err = open(self)
    if not ok then return nil, err end
  end
  local name, err = sts.session_name(self.context.runtime, self.given)
  if not name then return nil, err end
  local context = self.call_context
  local plan = assert(plans.new(context, "sts:AssumeRole", params_of(self.given, name)))
  local result
  result, err = calls.run(context, plan, calls.begin(context, plan))
  if not result and err.kind == "credentials" then return nil, err end
  if not result then return soften(err) end
  local keys = type(result.Credentials) == "table" and result.Credentials or {}
  local session, message = support.session(keys, NAME .. "/" .. self.origin_name(),
    metas.of(result).server_time)
  if not session then return support.fail("AssumeRole: " .. message) end
  return session
end

--- Makes the provider of a role over the provider whose identity assumes it.
---@param context alicloud.credentials.Context
---@param given alicloud.credentials.AssumeOptions
---@param origin alicloud.credentials.Provider whose identity assumes the role
---@param borrowed? boolean the maker of `origin` closes it
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
      self.closed = true
      if self.call_context then self.call_context.adapter.close() end
      if origin.close and not borrowed then origin:close() end
    end,
  }, context)
end

--- Opens the provider of a role that a file configures. If that fails, `origin` is closed.
---@param what string the part of the file, begins the message
---@param named string what the file calls the role
---@param context alicloud.credentials.Context
---@param given table
---@param origin alicloud.credentials.Provider whose identity assumes the role
---@return alicloud.credentials.Provider|nil
---@return alicloud.Error? err
function M.from_file(what, named, context, given, origin)
  local checked, err = support.check_options(what, M, given)
  if checked and not checked.role_arn then checked, err = support.fail(named .. " is missing") end
  if checked then return M.over(context, checked, origin) end
  origin:close()
  return nil, err
end

return M
