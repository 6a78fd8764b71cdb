--- A session from an address that somebody else serves, such as a helper beside this program.

local cached = require "alicloud.credentials.cached"
local common = require "alicloud.credentials.common"
local http = require "alicloud.credentials.http"
local options = require "alicloud.options"

local M = {}

local NAME = "credential_uri"
local VARIABLE = "ALIBABA_CLOUD_CREDENTIALS_URI"
local TIMEOUT = 10

---@class alicloud.credentials.UriOptions
---@field uri? string else ALIBABA_CLOUD_CREDENTIALS_URI

M.OPTIONS = {
  uri = options.rule("http://host… or https://host…, without user information", function(value)
    return http.parse_url(value) ~= nil
  end),
}

-- A neighbour may be asked in the clear; whoever else is asked so can be overheard.
local function is_near(host)
  return host == "localhost" or host == "[::1]" or host:find("^127%.") ~= nil
    or host:find("^169%.254%.") ~= nil or host == "100.100.100.200"
end

local function take(answer)
  if answer.status ~= 200 then
    return common.fail(("the credentials URI answered HTTP %d"):format(answer.status))
  end
  local object = common.read_answer(answer.body)
  if not object then return common.fail "the credentials URI answered with unusable JSON" end
  -- Some servers say so, some leave it out; what is said must be true.
  if object.Code ~= nil and object.Code ~= "Success" then
    return common.fail "the credentials URI's answer is no success"
  end
  local session, message = common.session(object, NAME, answer.date)
  if not session then return common.fail("the credentials URI: " .. message) end
  return session
end

local function fetch(context, given)
  local uri = given.uri or common.variable(context.runtime, VARIABLE)
  if not uri then return common.absent(VARIABLE .. " is not set") end
  local target, reason = http.parse_url(uri)
  if not target then return common.fail(VARIABLE .. ": " .. reason) end
  if target.scheme == "http" and not is_near(target.host) then
    context.warn(("credentials come from %s without encryption"):format(target.authority))
  end
  local answer, detail = http.fetch(context, {
    method = "GET", url = uri, timeout = TIMEOUT, way = "usual",
  })
  if not answer then return common.fail("the credentials URI: " .. detail) end
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
      local target = http.parse_url(given.uri or common.variable(context.runtime, VARIABLE))
      return { target and target.authority }
    end,
  }, context)
end

return M
