--- Asks a provider for keys, and tells it when the service refuses them. A provider may be
--- anybody's: whatever it does, a call ends with keys or with an error object.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local schema = require "alicloud.base.schema"

local M = {}

---@class alicloud.Credentials
---@field access_key_id string
---@field access_key_secret userdata|string a core.secret, or text that is not kept
---@field security_token? userdata|string
---@field provider string which provider they came from

---@class alicloud.credentials.Provider
---@field get fun(self: table): alicloud.Credentials|nil, alicloud.Error?
---@field describe? fun(self: table): string at most the last four characters of the key id
---@field explain? fun(self: table): alicloud.credentials.Explanation
---@field hosts? fun(self: table): string[] host[:port] of whom it asks; asks nobody
---@field holds? fun(self: table): boolean whether it has credentials without asking anybody
---@field refuse? fun(self: table, keys: alicloud.Credentials): boolean told that the service takes
---them no longer; whether there are others now
---@field close? fun(self: table)

--- Providers with what they always give: these are not asked.
---@type table<alicloud.credentials.Provider, alicloud.Credentials>
M.fixed = setmetatable({}, { __mode = "k" })

local function broken(message, cause)
  return nil, errors.new {
    kind = "credentials",
    code = "Client.CredentialsProvider",
    message = message,
    outcome = "not_sent",
    cause = cause,
  }
end

local function is_text(value)
  return type(value) == "string" and value ~= "" and not value:find("%c")
end

local function is_secret(value)
  return type(value) == "userdata" or is_text(value)
end

--- Asks a provider; whatever it does, the answer is credentials or an error object.
---@param provider alicloud.credentials.Provider
---@return alicloud.Credentials|nil
---@return alicloud.Error? err
function M.get(provider)
  local always = M.fixed[provider]
  if always then return always end
  local ok, keys, err = guard.call(provider.get, provider)
  if not ok then return broken("the credentials provider raised an error") end
  if not keys then
    if errors.is_error(err) then return nil, err end
    return broken("the credentials provider gave nothing: " .. schema.show(err))
  end
  if type(keys) ~= "table" or not is_text(keys.access_key_id)
    or not is_secret(keys.access_key_secret)
    or keys.security_token ~= nil and not is_secret(keys.security_token) then
    return broken("the credentials provider gave something else than access_key_id, "
      .. "access_key_secret and an optional security_token, without control characters")
  end
  return keys
end

--- Tells a provider that the service takes its credentials no longer.
---@param provider alicloud.credentials.Provider
---@param keys alicloud.Credentials those that were refused
---@return boolean renewed whether there are others now
function M.refuse(provider, keys)
  if not schema.callable.test(provider.refuse) then return false end
  local ok, renewed = guard.call(provider.refuse, provider, keys)
  return ok and renewed == true
end

return M
