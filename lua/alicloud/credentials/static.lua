--- A provider over keys that the caller handed in. The secrets move into cleansed C buffers at
--- once; no Lua table keeps their text.

local core = require "alicloud.core"
local providers = require "alicloud.call.provider"

local M = {}

local function sealed(secret)
  if secret == nil or type(secret) == "userdata" then return secret end
  return core.secret(secret)
end

--- The last four characters of a key id; none of an id that has no more than four.
---@param id string
---@return string
function M.tail(id)
  return #id > 4 and "…" .. id:sub(-4) or "…"
end

--- Wipes the secrets of credentials.
---@param credentials alicloud.Credentials
function M.wipe(credentials)
  credentials.access_key_secret:close()
  if credentials.security_token then credentials.security_token:close() end
end

---@param keys alicloud.Credentials without `provider` it is named after what it holds
---@return alicloud.credentials.Provider
function M.new(keys)
  local credentials = {
    access_key_id = keys.access_key_id,
    access_key_secret = sealed(keys.access_key_secret),
    security_token = sealed(keys.security_token),
    provider = keys.provider or (keys.security_token and "static_sts" or "static_ak"),
  }
  local provider = {}

  function provider.get()
    return credentials
  end

  function provider.describe()
    return credentials.provider .. " " .. M.tail(credentials.access_key_id)
  end

  function provider.explain()
    return { provider = credentials.provider, key_id = M.tail(credentials.access_key_id),
      temporary = credentials.security_token ~= nil }
  end

  function provider.holds()
    return true
  end

  function provider.close()
    M.wipe(credentials)
  end

  providers.fixed[provider] = credentials
  return provider
end

return M
