--- A RAM role for the holder of an OIDC token, such as a pod. The request is not signed: the token
--- is the proof. Its file is read for each request, because it is replaced now and then.

local cached = require "alicloud.credentials.cached"
local core = require "alicloud.core"
local endpoint = require "alicloud.net.endpoint"
local fields = require "alicloud.base.fields"
local forms = require "alicloud.net.form"
local http = require "alicloud.net.http"
local runtimes = require "alicloud.base.runtime"
local schema = require "alicloud.base.schema"
local shell = require "alicloud.base.shell"
local sts = require "alicloud.credentials.sts"
local support = require "alicloud.credentials.support"

local M = {}

local NAME = "oidc_role_arn"
local VARIABLES = {
  role_arn = "ALIBABA_CLOUD_ROLE_ARN", oidc_provider_arn = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
  oidc_token_file = "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
}
local TIMEOUT = 10

---@class alicloud.credentials.OidcOptions: alicloud.credentials.RoleOptions
---@field oidc_provider_arn? string else ALIBABA_CLOUD_OIDC_PROVIDER_ARN
---@field oidc_token_file? string else ALIBABA_CLOUD_OIDC_TOKEN_FILE

M.OPTIONS = sts.with_options {
  oidc_provider_arn = sts.ARN,
  oidc_token_file = schema.text,
}

-- The first fault of the variables that no option replaces.
local function variable_fault(runtime, given)
  for _, name in ipairs { "role_arn", "oidc_provider_arn", "oidc_token_file" } do
    local read = name == "oidc_token_file" and support.line or support.word
    local _, err = read(runtime, VARIABLES[name], given[name])
    if err then return err end
  end
end

local function complete_options(runtime, given)
  local complete, missing = {}, {}
  for name, value in pairs(given) do complete[name] = value end
  for name, variable in pairs(VARIABLES) do
    complete[name] = complete[name] or support.variable(runtime, variable)
    if not complete[name] then missing[#missing + 1] = variable end
  end
  if #missing == 0 then return complete, variable_fault(runtime, given) end
  table.sort(missing)
  local message = table.concat(missing, ", ") .. (#missing == 1 and " is" or " are") .. " not set"
  if #missing == 3 then return support.absent(message) end
  return support.fail(message, { absent = true })
end

local function url_of(context, given)
  local text, message = sts.endpoint(context, given)
  if not text then return nil, message end
  local target = endpoint.parse(text, false)
  return ("%s://%s/?%s"):format(target.scheme, target.host, forms.encode {
    Action = "AssumeRoleWithOIDC", Version = "2015-04-01", Format = "JSON",
    Timestamp = core.iso8601(context.runtime.time()),
  })
end

-- Masks the token, which the service may have repeated, in its words.
local function without(words, token)
  local secret = token:match("^%s*(.-)%s*$")
  local from, to = words:find(secret, 1, true)
  while from and secret ~= "" do
    words = words:sub(1, from - 1) .. "***" .. words:sub(to + 1)
    from, to = words:find(secret, from + 3, true)
  end
  return words
end

local function refused(answer, token)
  local object = support.read_answer(answer.body) or {}
  local code = fields.text(object.Code)
  -- Without a code, the message may come from somewhere else than the service: it is not shown.
  local words = code and fields.text(object.Message)
  words = ("AssumeRoleWithOIDC: HTTP %d%s"):format(answer.status,
    words and ": " .. without(words, token) or "")
  return support.fail(words, {
    code = code, status = answer.status,
    request_id = fields.text(object.RequestId),
  })
end

local function take(answer, token)
  if answer.status ~= 200 then return refused(answer, token) end
  local object = support.read_answer(answer.body)
  local keys = object and type(object.Credentials) == "table" and object.Credentials
  if not keys then
    return support.fail "AssumeRoleWithOIDC: STS answered without a usable session"
  end
  local session, message = support.session(keys, NAME, answer.date)
  if not session then return support.fail("AssumeRoleWithOIDC: " .. message) end
  return session
end

-- Blanks around the token are cut: editors and secret stores put a line end behind it. The file may
-- be empty for a moment while it is written anew.
local function read_token(runtime, path)
  local text, reason = runtimes.read_regular(runtime, path)
  local token = text and text:gsub("%s+$", ""):gsub("^%s+", "")
  if token and token ~= "" then return token end
  return support.fail(("the OIDC token file %s"):format(text and path .. " is empty" or reason), {
    hint = ("see `ls -lL %s`; in a pod the kubelet writes it, from the volume with the "
      .. "serviceAccountToken, elsewhere whatever renews the token has to"):format(
      shell.quote(path)) })
end

local function fetch(context, given)
  local complete, err = complete_options(context.runtime, given)
  if err then return nil, err end
  local token
  token, err = read_token(context.runtime, complete.oidc_token_file)
  if not token then return nil, err end
  local name
  name, err = sts.session_name(context.runtime, complete)
  if not name then return nil, err end
  local url, message = url_of(context, complete)
  if not url then return support.fail(message) end
  local answer, detail = http.fetch(context, {
    method = "POST", url = url, timeout = TIMEOUT, way = "usual",
    headers = { ["content-type"] = forms.TYPE },
    body = forms.encode {
      OIDCProviderArn = complete.oidc_provider_arn, OIDCToken = token, RoleArn = complete.role_arn,
      RoleSessionName = name,
      DurationSeconds = complete.duration or sts.DURATION, Policy = complete.policy,
    },
  })
  if not answer then return support.fail("AssumeRoleWithOIDC: " .. detail) end
  return take(answer, token)
end

---@param context alicloud.credentials.Context
---@param given? alicloud.credentials.OidcOptions
---@return alicloud.credentials.Provider
function M.new(context, given)
  given = given or {}
  return cached.new({
    name = NAME,
    fetch = function() return fetch(context, given) end,
    hosts = function()
      return complete_options(context.runtime, given) and { (sts.endpoint(context, given)) } or {}
    end,
  }, context)
end

return M
