--- Signs requests that a client would not make: old dates, made-up keys, no format. It shares no
--- code with the client's signer, except for the real key, which never leaves C.
--- Source: help.aliyun.com/document_detail/2593177.html (V3), 25490.htm (RPC).

local core = require "alicloud.core"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.conformance.Signing
---@field protocol "V3"|"RPC"
---@field scheme string
---@field host string
---@field action string
---@field version string
---@field params table<string, string>
---@field key_id string
---@field secret string|userdata a string is a made-up secret
---@field token? string|userdata
---@field at number unix seconds
---@field nonce string
---@field format? string RPC: the parameter Format; nil: left out if the secret is made up

local function encode(text)
  return (tostring(text):gsub("[^A-Za-z0-9%-_.~]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

local function joined(params)
  local parts = {}
  for i, name in ipairs(tables.keys(params)) do
    parts[i] = encode(name) .. "=" .. encode(params[name])
  end
  return table.concat(parts, "&")
end

local function rpc(ask)
  local all = tables.copy(ask.params)
  all.Action, all.Version, all.Format = ask.action, ask.version, ask.format
  all.AccessKeyId, all.SignatureMethod, all.SignatureVersion = ask.key_id, "HMAC-SHA1", "1.0"
  all.SignatureNonce, all.Timestamp = ask.nonce, core.iso8601(ask.at)
  local text = "POST&%2F&" .. encode(joined(all))
  all.Signature = core.base64(core.hmac("SHA1", ask.secret .. "&", text))
  return { method = "POST", host = ask.host, headers = { host = ask.host },
    url = ("%s://%s/?%s"):format(ask.scheme, ask.host, joined(all)) }
end

local function v3(ask)
  local headers = {
    host = ask.host, ["x-acs-action"] = ask.action, ["x-acs-version"] = ask.version,
    ["x-acs-date"] = core.iso8601(ask.at), ["x-acs-signature-nonce"] = ask.nonce,
    ["x-acs-content-sha256"] = core.sha256 "",
  }
  local names, lines = tables.keys(headers), {}
  for i, name in ipairs(names) do lines[i] = ("%s:%s\n"):format(name, headers[name]) end
  local signed, query = table.concat(names, ";"), joined(ask.params)
  local canonical = table.concat({ "POST", "/", query, table.concat(lines), signed,
    headers["x-acs-content-sha256"] }, "\n")
  local signature = core.hmac_sha256(ask.secret, "ACS3-HMAC-SHA256\n" .. core.sha256(canonical))
  headers.authorization = ("ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s")
    :format(ask.key_id, signed, signature)
  return { method = "POST", host = ask.host, headers = headers,
    url = ("%s://%s/?%s"):format(ask.scheme, ask.host, query) }
end

local function in_c(ask)
  local query = tables.copy(ask.params)
  if ask.protocol == "RPC" then query.Format = ask.format end
  return core.sign {
    algorithm = ask.protocol == "RPC" and "HMAC-SHA1" or "ACS3-HMAC-SHA256", method = "POST",
    scheme = ask.scheme, host = ask.host, action = ask.action, version = ask.version,
    query = query, access_key_id = ask.key_id, access_key_secret = ask.secret,
    security_token = ask.token, date = core.iso8601(ask.at), nonce = ask.nonce,
  }
end

--- Signs a request; its parameters are in the query and its body is empty.
---@param ask alicloud.conformance.Signing
---@return { method: string, url: string, host: string, headers: table<string, string> }
function M.sign(ask)
  if type(ask.secret) ~= "string" then return in_c(ask) end
  return ask.protocol == "RPC" and rpc(ask) or v3(ask)
end

return M
