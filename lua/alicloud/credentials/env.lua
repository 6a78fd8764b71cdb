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
  local id = runtime.getenv(ID)
  local secret = read_secret(SECRET)
  id = id ~= "" and id or nil
  if not id and not secret then
    return support.absent(ID .. " is not set", HINT)
  end
  if not secret then return missing(ID .. " is set, but " .. SECRET .. " is not") end
  if not id then return missing(SECRET .. " is set, but " .. ID .. " is not") end
  if id:find("[%s%c]") then return missing(ID .. " contains spaces or control characters") end
  return static.new {
    access_key_id = id,
    access_key_secret = secret,
    security_token = read_secret(TOKEN),
    provider = "env",
  }
end

--- Makes the provider. The environment is read at the first use that finds a whole pair and then
--- remembered, so that one client never speaks with two identities.
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
