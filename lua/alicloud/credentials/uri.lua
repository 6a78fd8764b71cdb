--- A session from an HTTP address, such as that of a helper beside this program.

local address = require "alicloud.net.address"
local cached = require "alicloud.credentials.cached"
local endpoint = require "alicloud.net.endpoint"
local http = require "alicloud.net.http"
local schema = require "alicloud.base.schema"
local support = require "alicloud.credentials.support"

local M = {}

local NAME = "credential_uri"
local VARIABLE = "ALIBABA_CLOUD_CREDENTIALS_URI"
local TIMEOUT = 10

---@class alicloud.credentials.UriOptions
---@field uri? string else ALIBABA_CLOUD_CREDENTIALS_URI

M.OPTIONS = {
  uri = schema.rule("http://host… or https://host…, without user information", function(value)
    return http.parse_url(value) ~= nil
  end),
}

-- Whether a host may be asked over http://: not if others on the way could read the keys.
local function is_near(host)
  local bytes = address.parse(host)
  return endpoint.is_loopback(host) or host == "100.100.100.200"
    or bytes ~= nil and address.within(bytes, "169.254.0.0/16")
end

local function take(answer)
  if answer.status ~= 200 then
    return support.fail(("the credentials URI answered HTTP %d"):format(answer.status))
  end
  local object = support.read_answer(answer.body)
  if not object then return support.fail "the credentials URI answered with unusable JSON" end
  -- Some servers leave Code out; if it is there, it must say success.
  if object.Code ~= nil and object.Code ~= "Success" then
    return support.fail "the credentials URI's answer is no success"
  end
  local session, message = support.session(object, NAME, answer.date)
  if not session then return support.fail("the credentials URI: " .. message) end
  return session
end

local function fetch(context, given)
  local uri, err = support.word(context.runtime, VARIABLE, given.uri)
  if err then return nil, err end
  if not uri then return support.absent(VARIABLE .. " is not set") end
  local target, reason = http.parse_url(uri)
  if not target then return support.fail(VARIABLE .. ": " .. reason) end
  if target.scheme == "http" and not is_near(target.host) then
    return support.fail(("%s: got http:// and the host %s; allowed: https://, or http:// on this "
      .. "machine (localhost, 127.0.0.1, [::1]) and for link-local metadata (169.254.…, "
      .. "100.100.100.200), since keys would come unencrypted"):format(
      given.uri and "credential_uri" or VARIABLE, target.authority), {
      hint = "have it served over https, or by a helper on this machine that asks it" })
  end
  local answer, detail = http.fetch(context, {
    method = "GET", url = uri, timeout = TIMEOUT,
    -- Over http:// nothing may be in between, not even a proxy.
    way = target.scheme == "http" and "metadata" or "usual",
  })
  if not answer then return support.fail("the credentials URI: " .. detail) end
  return take(answer)
end

---@param context alicloud.credentials.Context
---@param given? alicloud.credentials.UriOptions
---@return alicloud.credentials.Provider
function M.new(context, given)
  given = given or {}
  return cached.new({
    name = NAME,
    fetch = function() return fetch(context, given) end,
    hosts = function()
      local target = http.parse_url(given.uri or support.variable(context.runtime, VARIABLE))
      return { target and target.authority }
    end,
  }, context)
end

return M
