--- Checks signatures. It shares no code with the signer of the client: what arrives is decoded and
-- encoded again, as the gateway does, and the digests come from the core's primitives.
-- V3: ACS3-HMAC-SHA256 and ACS3-HMAC-SM3. RPC: HMAC-SHA1, "signature version 1.0".

local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"

local M = {}

local concat = table.concat
local refuse = errors.refuse

local DIGEST = { ["ACS3-HMAC-SHA256"] = "SHA256", ["ACS3-HMAC-SM3"] = "SM3" }

-- Headers that must be signed, because the gateway relies on them.
local MUST_SIGN = {
  "host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce",
  "x-acs-version",
}

local ESCAPE = {}
for byte = 0, 255 do ESCAPE[string.char(byte)] = ("%%%02X"):format(byte) end

--- RFC 3986 §2.3: everything but the unreserved characters becomes %XX.
local function encode(text)
  if not text:find("[^A-Za-z0-9%-_.~]") then return text end
  return (text:gsub("[^A-Za-z0-9%-_.~]", ESCAPE))
end

local function by_name(a, b)
  if a[1] ~= b[1] then return a[1] < b[1] end
  return a[2] < b[2]
end

-- Whether decoding, sorting and encoding would leave a query as it is, which is true of most.
local function is_canonical(raw, list)
  if raw:find("[^a-zA-Z0-9%-_.~&=]") then return false end
  local length = #list - 1
  for index, pair in ipairs(list) do
    if index > 1 and by_name(pair, list[index - 1]) then return false end
    length = length + #pair[1] + 1 + #pair[2]
  end
  return length == #raw
end

local function canonical_pairs(list, raw)
  if raw and is_canonical(raw, list) then return raw end
  local sorted = {}
  for index, pair in ipairs(list) do sorted[index] = { encode(pair[1]), encode(pair[2]) } end
  table.sort(sorted, by_name)
  for index, pair in ipairs(sorted) do sorted[index] = pair[1] .. "=" .. pair[2] end
  return concat(sorted, "&")
end

local function canonical_path(path)
  if path == "" or path == "/" then return "/" end
  return (path:gsub("[^/]+", function(segment)
    return encode(core.percent_decode(segment) or segment)
  end))
end

local function read_names(text)
  local names, is_signed = {}, {}
  for name in text:gmatch("[^;]+") do
    names[#names + 1] = name
    is_signed[name] = true
  end
  for _, name in ipairs(MUST_SIGN) do
    if not is_signed[name] then
      names.missing = name
      break
    end
  end
  return names
end

local function read_prefix(text)
  local algorithm, key_id, signed_headers = text:match(
    "^(%S+)%s+Credential=([^,]+),%s*SignedHeaders=([^,]+),%s*$")
  if not DIGEST[algorithm] then return nil end
  return { algorithm = algorithm, key_id = key_id, signed_headers = signed_headers,
    names = read_names(signed_headers) }
end

-- Cache: a client sends the same text before each of its signatures, so it is parsed once.
local KNOWN_LIMIT, KNOWN, known_count = 64, {}, 0

local function known_prefix(text)
  local prefix = KNOWN[text]
  if prefix then return prefix end
  prefix = read_prefix(text)
  if prefix and known_count < KNOWN_LIMIT then
    KNOWN[text], known_count = prefix, known_count + 1
  end
  return prefix
end

local MARK = "Signature="

-- Parses the Authorization header, once for each call.
local function authorization_of(call)
  if call.signature then return call.authorization end
  local text = call.headers.authorization
  local at = text and text:find(MARK, 1, true)
  call.signature = at and text:match("^(%x+)%s*$", at + #MARK)
  if call.signature then call.authorization = known_prefix(text:sub(1, at - 1)) end
  return call.authorization
end

local SPACE = 0x20

local function trim(text)
  local first, last = text:byte(1), text:byte(-1)
  if not first or first > SPACE and last > SPACE then return text end
  return text:match("^%s*(.-)%s*$")
end

local function canonical_request(call, authorization, payload_hash)
  local lines, headers = {
    call.method:upper(), canonical_path(call.path), canonical_pairs(call.query_list, call.query),
  }, call.headers
  local names = authorization.names
  for index = 1, #names do
    local name = names[index]
    lines[index + 3] = name .. ":" .. trim(headers[name] or "")
  end
  local count = #lines
  lines[count + 1], lines[count + 2] = "", authorization.signed_headers
  lines[count + 3] = payload_hash
  return concat(lines, "\n")
end

local function mismatch(call, text)
  call.near_miss = text
  return refuse("SignatureDoesNotMatch",
    ("%s %s"):format(errors.MISMATCH[call.protocol], text))
end

-- Digests of the empty body, which most requests have.
local EMPTY = {}

local function payload_hash_of(body, digest)
  if body ~= "" then return core.hex(core.digest(digest, body)) end
  EMPTY[digest] = EMPTY[digest] or core.hex(core.digest(digest, ""))
  return EMPTY[digest]
end

local function check_payload(call, digest)
  local hash = payload_hash_of(call.body, digest)
  local claimed = call.headers["x-acs-content-sha256"]
  if claimed == hash then return hash end
  return nil, mismatch(call, ("server payload hash is:%s, x-acs-content-sha256 is:%s")
    :format(hash, tostring(claimed)))
end

local function check_v3(call, keys)
  local authorization = authorization_of(call)
  if not authorization then
    return refuse("IncompleteSignature",
      "The Authorization header must be "
        .. '"ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…".')
  end
  call.access_key_id = authorization.key_id
  local secret = keys[authorization.key_id]
  if not secret then return refuse("InvalidAccessKeyId.NotFound") end
  local missing = authorization.names.missing
  if missing then
    return refuse("IncompleteSignature", ("The header %s is not signed."):format(missing))
  end
  local digest = DIGEST[authorization.algorithm]
  local payload_hash, refusal = check_payload(call, digest)
  if not payload_hash then return refusal end
  local canonical = canonical_request(call, authorization, payload_hash)
  local string_to_sign = authorization.algorithm .. "\n" .. core.hex(core.digest(digest, canonical))
  local expected = core.hex(core.hmac(digest, secret, string_to_sign))
  if core.equal(expected, call.signature) then return nil end
  return mismatch(call, ("server StringToSign is [%s] server CanonicalRequest is [%s]")
    :format(string_to_sign, canonical))
end

local function rpc_list(call)
  local list, in_form = {}, {}
  for _, pair in ipairs(call.form_list) do in_form[pair[1]] = true end
  for _, pair in ipairs(call.query_list) do
    if not in_form[pair[1]] and pair[1] ~= "Signature" then list[#list + 1] = pair end
  end
  for _, pair in ipairs(call.form_list) do
    if pair[1] ~= "Signature" then list[#list + 1] = pair end
  end
  return list
end

local RPC_REQUIRED = {
  "AccessKeyId", "Signature", "SignatureMethod", "SignatureNonce", "Timestamp",
}

local function check_rpc(call, keys)
  local params = call.params
  for _, name in ipairs(RPC_REQUIRED) do
    if not params[name] then
      return errors.missing(name)
    end
  end
  if params.SignatureMethod ~= "HMAC-SHA1" then
    return refuse("IncompleteSignature", "SignatureMethod must be HMAC-SHA1.")
  end
  call.access_key_id = params.AccessKeyId
  local secret = keys[params.AccessKeyId]
  if not secret then return refuse("InvalidAccessKeyId.NotFound") end
  local string_to_sign = call.method:upper() .. "&%2F&" .. encode(canonical_pairs(rpc_list(call)))
  local expected = core.base64(core.hmac("SHA1", secret .. "&", string_to_sign))
  if core.equal(expected, params.Signature) then return nil end
  return mismatch(call, "server string to sign is:" .. string_to_sign)
end

--- Checks who signed a request and that nothing in it was changed.
-- Sets `call.access_key_id`, and `call.near_miss` where the signature does not match.
---@param call alicloud.emulator.Call
---@param keys table<string, string>  secret by AccessKeyId
---@param settings table<string, any>
---@return alicloud.emulator.Refusal|nil  nil: the signature is right
function M.check(call, keys, settings)
  local refusal
  if call.protocol == "V3" then
    refusal = check_v3(call, keys)
  else
    refusal = check_rpc(call, keys)
  end
  if not refusal then return nil end
  if refusal.code == "SignatureDoesNotMatch" then refusal.status = settings.signature_status end
  if refusal.code == "InvalidAccessKeyId.NotFound" then
    refusal.status = settings.access_key_status
  end
  return refusal
end

--- Checks only that a key is known, for a request that was never signed.
---@param call alicloud.emulator.Call
---@param keys table<string, string>  secret by AccessKeyId
---@param settings table<string, any>
---@return alicloud.emulator.Refusal|nil
function M.check_key(call, keys, settings)
  if keys[call.access_key_id] then return nil end
  return refuse("InvalidAccessKeyId.NotFound", nil, settings.access_key_status)
end

--- The AccessKeyId that a request names, before anything is verified.
---@param call alicloud.emulator.Call
---@return string|nil
function M.claimed_key(call)
  local text = call.headers.authorization
  if not text then return call.params.AccessKeyId end
  local authorization = authorization_of(call)
  return authorization and authorization.key_id or text:match("Credential=([^,]+)")
end

--- The time and the nonce that a request carries.
---@param call alicloud.emulator.Call
---@return string|nil date
---@return string|nil nonce
function M.freshness(call)
  if call.protocol == "V3" then
    return call.headers["x-acs-date"], call.headers["x-acs-signature-nonce"]
  end
  return call.params.Timestamp, call.params.SignatureNonce
end

return M
