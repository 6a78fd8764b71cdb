--- Signs an attempt: the plan, with credentials, nonce and date made anew for each.
--
-- The parts that all requests of a form to one target share are given to the core once.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local lazy = require "alicloud.base.lazy"
local server_clock = require "alicloud.call.server_clock"

---@module "alicloud.net.form"
local forms = lazy.module "alicloud.net.form"

local M = {}

local function new_signer(context, plan)
  local form, target = plan.form, plan.target
  local headers = { accept = "application/json", ["user-agent"] = context.user_agent }
  -- A recorder searches the answer for secrets to hide, so it must not be compressed.
  if context.recorder then headers["accept-encoding"] = "identity" end
  -- HMAC-SHA1 signs the parameters of a form; the other algorithms sign the body as it is.
  if form.in_body and context.algorithm ~= "HMAC-SHA1" then headers["content-type"] = forms.TYPE end
  local signer = core.signer {
    algorithm = context.algorithm, method = form.method, scheme = target.scheme,
    host = target.host, path = "/", action = form.action, version = form.version,
    headers = headers,
  }
  form.signers[target] = signer
  return signer
end

-- The headers that only some requests of a form have, or nil.
local function own_headers(plan, keys, retried)
  local name = plan.form.names_provider and keys.provider
  -- The name of a foreign provider may be unfit for a header.
  if type(name) ~= "string" or not name:find("^[\x21-\x7e]+$") then name = nil end
  if not (name or retried) then return nil end
  return {
    ["x-acs-credentials-provider"] = name,
    ["x-acs-retry-attempts"] = retried and ("%d"):format(retried.count),
    ["x-acs-retry-delay"] = retried and ("%d"):format(math.floor(retried.wait * 1000)),
  }
end

-- Two errors of the core are no mistake of the caller: a request over our limit of size, judged as
-- a transport judges one, and keys that were closed with their client while the call waited.
local function refusal(problem)
  local text = errors.text_of(problem)
  local detail = text:match "^sign: (the request's .* is larger than %d+ bytes)$"
  if detail then
    return select(2, core.read { failure = "request_too_large", sent = false, detail = detail })
  end
  if not text:find "the secret is closed$" then error(problem, 0) end
  return select(2, core.read { failure = "cancelled", sent = false,
    detail = "the client's credentials were closed" })
end

--- Signs an attempt. The core reads the secrets where they are.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param keys alicloud.Credentials
---@param retried? { count: integer, wait: number } attempts so far, and seconds of the last pause
---@return alicloud.SignedRequest|nil signed
---@return table? failure the request is too large, or the client was closed
function M.sign(context, plan, keys, retried)
  local form, runtime = plan.form, context.runtime
  local query, body, headers = plan.flat, nil, nil
  if form.in_body then
    query, body = nil, context.algorithm == "HMAC-SHA1" and query or forms.encode(query)
  end
  if retried or form.names_provider then headers = own_headers(plan, keys, retried) end
  local signer = form.signers[plan.target] or new_signer(context, plan)
  local ok, signed = pcall(signer, query, body, server_clock.server_time(context),
    runtime.random_hex(16), keys.access_key_id, keys.access_key_secret, keys.security_token,
    headers)
  if ok then return signed end
  return nil, refusal(signed)
end

local FIELDS = { "method", "url", "host", "headers", "body", "canonical_request", "string_to_sign",
  "signature", "authorization", "signed_headers" }

--- Signs a plan for show; nothing is sent.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param keys alicloud.Credentials
---@return alicloud.Signed|nil
---@return alicloud.Error? err
function M.show(context, plan, keys)
  local signed <close>, failure = M.sign(context, plan, keys)
  if not signed then return nil, errors.new(failure) end
  local shown = {}
  for _, field in ipairs(FIELDS) do shown[field] = signed[field] end
  return shown
end

return M
