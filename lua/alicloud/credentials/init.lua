--- Where a client's credentials come from, and what a provider must give.

local env = require "alicloud.credentials.env"
local errors = require "alicloud.error"
local guard = require "alicloud.guard"
local options = require "alicloud.options"
local static = require "alicloud.credentials.static"

local M = {}

local KEYS = {
  access_key_id = options.secret,
  access_key_secret = options.secret,
  security_token = options.secret,
}

local function pair_fault(keys)
  if keys.access_key_id and not keys.access_key_secret then
    return "access_key_id was given without access_key_secret"
  end
  if not keys.access_key_id then
    return "access_key_secret or security_token was given without access_key_id"
  end
  if type(keys.access_key_id) ~= "string" then return "access_key_id: allowed: text" end
end

--- The provider that a client's options ask for.
---@param given alicloud.ClientOptions
---@param runtime alicloud.Runtime
---@return alicloud.credentials.Provider|nil
---@return boolean|string owned whether the client must close it; without a provider the complaint
function M.choose(given, runtime)
  local keys = {
    access_key_id = given.access_key_id,
    access_key_secret = given.access_key_secret,
    security_token = given.security_token,
  }
  local named = given.credentials
  if named and next(keys) then
    return nil, "credentials and access_key_id exclude each other"
  end
  if named and options.callable.test(named.get) then return named, false end
  if named then
    local message
    keys, message = options.examine("credentials", named, KEYS)
    if not keys then return nil, message end
    if not next(keys) then
      return nil, "option credentials: got an empty table; allowed: a provider with a function "
        .. "get, or access_key_id and access_key_secret"
    end
  end
  if not next(keys) then return env.new(runtime), true end
  local fault = pair_fault(keys)
  if fault then return nil, fault end
  return static.new(keys), true
end

local function broken(message, cause)
  return nil, errors.new {
    kind = "credentials",
    code = "Client.CredentialsProvider",
    message = message,
    outcome = "not_sent",
    cause = cause,
  }
end

local function is_secret(value)
  return type(value) == "userdata" or type(value) == "string" and value ~= ""
end

--- Asks a provider; whatever it does, the answer is credentials or an error object.
---@param provider alicloud.credentials.Provider
---@return alicloud.Credentials|nil
---@return alicloud.Error? err
function M.get(provider)
  local ok, keys, err = guard.call(provider.get, provider)
  if not ok then return broken("the credentials provider raised an error") end
  if not keys then
    if errors.is_error(err) then return nil, err end
    return broken("the credentials provider gave nothing: " .. options.show(err))
  end
  if type(keys) ~= "table" or type(keys.access_key_id) ~= "string" or keys.access_key_id == ""
    or not is_secret(keys.access_key_secret)
    or keys.security_token ~= nil and not is_secret(keys.security_token) then
    return broken("the credentials provider gave something else than access_key_id, "
      .. "access_key_secret and an optional security_token")
  end
  return keys
end

return M
