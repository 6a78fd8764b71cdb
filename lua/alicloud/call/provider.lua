--- Asks a credentials provider for keys, and tells it when the service refuses them. A provider may
--- be foreign code: whatever it does, a call ends with keys or with an error object.

local core = require "alicloud.core"
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
---@field get fun(self: table, patience?: number): alicloud.Credentials|nil, alicloud.Error?
---patience: seconds that are left of the call
---@field describe? fun(self: table): string at most the last four characters of the key id
---@field explain? fun(self: table): alicloud.credentials.Explanation
---@field hosts? fun(self: table): string[] host[:port] of the servers it asks; sends nothing
---@field holds? fun(self: table): boolean whether it has credentials without a request
---@field refuse? fun(self: table, keys: alicloud.Credentials, patience?: number): boolean the
---service no longer accepts these keys; returns whether the provider has others now
---@field close? fun(self: table)

--- Providers that always give the same credentials: these are taken without asking.
---@type table<alicloud.credentials.Provider, alicloud.Credentials>
M.fixed = setmetatable({}, { __mode = "k" })

--- Providers that keep to `patience` by themselves; all others get a timeout.
---@type table<alicloud.credentials.Provider, true>
M.punctual = setmetatable({}, { __mode = "k" })

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

local length_of = core.secret("-").length

-- A secret that was wiped meanwhile does not count.
local function is_secret(value)
  if type(value) ~= "userdata" then return is_text(value) end
  local ok, length = pcall(length_of, value)
  return ok and length > 0
end

-- Which of the keys have a flaw in their text, and what it is.
local function flaws_of(keys)
  local flaws = {}
  for _, name in ipairs { "access_key_id", "access_key_secret", "security_token" } do
    local value = type(keys) == "table" and keys[name]
    local flaw = type(value) == "string" and core.word_flaw(value)
    if flaw then flaws[#flaws + 1] = ("; its %s %s"):format(name, flaw) end
  end
  return table.concat(flaws)
end

-- Reads each field once, so that the value that is checked is the value that is used.
local function read(keys)
  return { access_key_id = keys.access_key_id, access_key_secret = keys.access_key_secret,
    security_token = keys.security_token, provider = keys.provider }
end

-- A plain copy of keys that have a metatable, whose fields may be computed.
local function plain(keys)
  if type(keys) ~= "table" or debug.getmetatable(keys) == nil then return keys end
  local ok, copy = guard.call(read, keys)
  return ok and copy or nil
end

local function ask(provider, name, ...)
  return provider[name](provider, ...)
end

-- A foreign provider may never come back, so its time is limited.
local function ask_in_time(provider, patience, loop)
  if patience <= 0 then return broken "no time was left to ask the credentials provider" end
  return loop.scope(function() return ask(provider, "get", patience) end, { timeout = patience })
end

-- If the provider has failed, our request was not sent, whatever became of the provider's own.
local function own_error(err)
  if err.outcome == nil then err.outcome = "not_sent" end
  if err.outcome == "not_sent" then return nil, err end
  return broken("the credentials provider failed: " .. errors.text_of(err), err)
end

--- Asks a provider; whatever it does, the answer is credentials or an error object.
---@param provider alicloud.credentials.Provider
---@param patience? number seconds that the caller can wait
---@param loop? alicloud.loop.Loop needed with `patience`, to limit the time
---@return alicloud.Credentials|nil
---@return alicloud.Error? err
function M.get(provider, patience, loop)
  local always = M.fixed[provider]
  if always then return always end
  local ok, keys, err
  if loop and not M.punctual[provider] then
    ok, keys, err = guard.call(ask_in_time, provider, patience, loop)
  else
    ok, keys, err = guard.call(ask, provider, "get", patience)
  end
  if not ok and errors.is_error(keys) then return own_error(keys) end
  if not ok then return broken("the credentials provider raised an error") end
  if not keys then
    if errors.is_error(err) then return own_error(err) end
    return broken("the credentials provider gave nothing: " .. schema.show(err))
  end
  keys = plain(keys)
  if type(keys) ~= "table" or not is_text(keys.access_key_id)
    or not is_secret(keys.access_key_secret)
    or keys.security_token ~= nil and not is_secret(keys.security_token) then
    return broken("the credentials provider gave something else than access_key_id, "
      .. "access_key_secret and an optional security_token, without control characters"
      .. flaws_of(keys))
  end
  return keys
end

local function asked(provider, name, ...)
  local ok, answer = guard.call(ask, provider, name, ...)
  return ok and answer or nil
end

--- Tells a provider that the service no longer accepts its credentials.
---@param provider alicloud.credentials.Provider
---@param keys alicloud.Credentials those that were refused
---@param patience? number seconds that the caller can wait
---@return boolean renewed whether it has others now
function M.refuse(provider, keys, patience)
  return asked(provider, "refuse", keys, patience) == true
end

--- Whether a provider has credentials without a request.
---@param provider alicloud.credentials.Provider
---@return boolean
function M.holds(provider)
  return asked(provider, "holds") == true
end

--- How a provider describes itself.
---@param provider alicloud.credentials.Provider
---@return string
function M.describe(provider)
  local words = asked(provider, "describe")
  return type(words) == "string" and errors.text_of(words) or "provider"
end

local MOST_HOSTS = 100

local function hosts_of(provider)
  local list = {}
  for i, host in ipairs(provider:hosts()) do
    if i > MOST_HOSTS then break end
    if type(host) == "string" then list[#list + 1] = host end
  end
  return list
end

--- The hosts that a provider asks, as far as it lists them.
---@param provider alicloud.credentials.Provider
---@return string[]
function M.hosts(provider)
  local ok, list = guard.call(hosts_of, provider)
  return ok and list or {}
end

local function explanation_of(provider)
  local about = provider:explain()
  return { provider = errors.text_of(about.provider), key_id = about.key_id,
    temporary = about.temporary, expires_in = about.expires_in, tried = about.tried }
end

--- What a provider tells of the credentials that it gave.
---@param provider alicloud.credentials.Provider
---@return alicloud.credentials.Explanation|nil
function M.explain(provider)
  local ok, about = guard.call(explanation_of, provider)
  return ok and about or nil
end

return M
