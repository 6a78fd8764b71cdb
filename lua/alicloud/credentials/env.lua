--- A provider over the environment. Where the environment is the process's own, the secrets go from
--- there into C buffers without becoming Lua strings.

local core = require "alicloud.core"
local runtimes = require "alicloud.base.runtime"
local static = require "alicloud.credentials.static"
local support = require "alicloud.credentials.support"

local M = {}

local ID = "ALIBABA_CLOUD_ACCESS_KEY_ID"
local SECRET = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
local TOKEN = "ALIBABA_CLOUD_SECURITY_TOKEN"

local HINT = ("set %s and %s (and %s for a temporary session), or give the client "
  .. "access_key_id and access_key_secret"):format(ID, SECRET, TOKEN)

local function missing(message)
  return support.fail(message, { code = "Client.MissingCredentials", hint = HINT })
end

local function secret_reader(runtime)
  if runtimes.has_real_environment(runtime) then
    return function(name)
      local secret = core.secret_from_env(name)
      return secret and secret:length() > 0 and secret or nil
    end
  end
  return function(name)
    local text = runtime.getenv(name)
    return text and text ~= "" and core.secret(text) or nil
  end
end

local function read(runtime, read_secret)
  for _, name in ipairs { ID, SECRET } do
    local _, err = support.variable_fault(runtime, name)
    if err then return nil, err end
  end
  local id = support.variable(runtime, ID)
  local secret = read_secret(SECRET)
  if not id and not secret then
    return support.absent(ID .. " is not set", HINT)
  end
  if not secret then return missing(ID .. " is set, but " .. SECRET .. " is not") end
  if not id then return missing(SECRET .. " is set, but " .. ID .. " is not") end
  local _, err = support.variable_fault(runtime, TOKEN)
  if err then return nil, err end
  return static.new {
    access_key_id = id,
    access_key_secret = secret,
    security_token = read_secret(TOKEN),
    provider = "env",
  }
end

-- Ends of names: first the one that is read, then others that people use for the same thing.
local OTHER_ENDS = {
  { "ACCESS_KEY_ID", "ACCESS_KEY", "ACCESSKEY_ID", "ACCESS_KEYID" },
  { "ACCESS_KEY_SECRET", "SECRET_KEY", "ACCESSKEY_SECRET", "SECRET_ACCESS_KEY" },
  { "SECURITY_TOKEN", "STS_TOKEN", "SESSION_TOKEN" },
  { "PROFILE" }, { "ROLE_ARN" }, { "OIDC_PROVIDER_ARN" }, { "OIDC_TOKEN_FILE" },
  { "CREDENTIALS_FILE" }, { "CREDENTIALS_URI" },
}
local PREFIXES = { "ALIBABA_CLOUD_", "ALIBABACLOUD_", "ALICLOUD_", "ALIYUN_" }
-- Ends that mean the same without a prefix.
local BARE = { ACCESS_KEY_ID = true, ACCESS_KEY_SECRET = true, SECURITY_TOKEN = true }

-- Whether a variable is set, also if its secret was sealed, which takes it out of the environment.
local function is_set(runtime, name)
  if runtimes.has_real_environment(runtime) and core.environment_flaw(name) then return true end
  return support.variable(runtime, name) ~= nil or secret_reader(runtime)(name) ~= nil
end

---@class alicloud.credentials.NearMiss
---@field set string a variable that is set and is not read
---@field counts string the one that is read and is not set

--- Variables that seem to be set by a wrong name.
---@param runtime alicloud.Runtime
---@return alicloud.credentials.NearMiss[]
function M.near_misses(runtime)
  local list = {}
  local function look(name, counts)
    if name ~= counts and support.variable(runtime, name) then
      list[#list + 1] = { set = name, counts = counts }
    end
  end
  for _, ends in ipairs(OTHER_ENDS) do
    local counts = PREFIXES[1] .. ends[1]
    if not is_set(runtime, counts) then
      for _, prefix in ipairs(PREFIXES) do
        for _, name in ipairs(ends) do look(prefix .. name, counts) end
      end
      if BARE[ends[1]] then look(ends[1], counts) end
    end
  end
  return list
end

--- A sentence for each near miss.
---@param list alicloud.credentials.NearMiss[]
---@return string[]
function M.near_miss_words(list)
  local words = {}
  for i, miss in ipairs(list) do
    words[i] = ("%s is set, but the name that counts is %s"):format(miss.set, miss.counts)
  end
  return words
end

--- Makes the provider. It keeps the first whole pair of keys that it finds in the environment, so
--- that one client never speaks with two identities.
---@param context { runtime: alicloud.Runtime }
---@return alicloud.credentials.Provider
function M.new(context)
  local runtime = context.runtime
  local read_secret = secret_reader(runtime)
  local found
  local provider = {}

  function provider.get()
    if not found then
      local err
      found, err = read(runtime, read_secret)
      if not found then return nil, err end
    end
    return found:get()
  end

  function provider.describe()
    local id = runtime.getenv(ID)
    return id and id ~= "" and "env " .. static.tail(id) or "env (not set)"
  end

  function provider.explain()
    return found and found.explain() or { provider = "env" }
  end

  function provider.holds()
    return provider.get() ~= nil
  end

  function provider.close()
    if found then found:close() end
  end

  return provider
end

return M
