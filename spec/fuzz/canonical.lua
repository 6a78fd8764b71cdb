-- The canonical form of a request beside a reference written here, after the document alone
-- (help.aliyun.com/document_detail/2593177.html and 25490.htm). The input is lines of "field
-- value", where \n, \0 and \\ are escapes; `query`, `form` and `header` take "name=value".

local core = require "alicloud.core"
local support = require "spec.fuzz.support"

local check = support.check

local SECRET = "canary-secret-7f3a"
local DATE = 1767323045
local TEXTS = { algorithm = true, method = true, host = true, path = true, scheme = true,
  action = true, version = true, nonce = true, body = true, security_token = true,
  payload_hash = true, access_key_id = true }
local MAPS = { query = "query", form = "form", header = "headers" }
local ESCAPES = { n = "\n", ["0"] = "\0", ["\\"] = "\\" }

local function parse(input)
  local request = { access_key_secret = SECRET, access_key_id = "id", host = "h",
    date = core.iso8601(DATE), nonce = "n" }
  for field, value in input:gmatch "([%l_]+) ([^\n]*)" do
    value = value:gsub("\\(.)", ESCAPES)
    if TEXTS[field] then request[field] = value end
    local name, rest = value:match "^([^=]*)=(.*)$"
    local map = MAPS[field]
    if map and name then
      request[map] = request[map] or {}
      request[map][name] = rest
    end
  end
  return request
end

local function percent(text)
  return (text:gsub("[^A-Za-z0-9%-_.~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function trim(text)
  return text:match "^[ \t\r\n]*(.-)[ \t\r\n]*$"
end

local function sorted_pairs(map)
  local list = {}
  for name, value in pairs(map or {}) do list[#list + 1] = { name, value } end
  table.sort(list, function(a, b)
    if a[1] ~= b[1] then return a[1] < b[1] end
    return a[2] < b[2]
  end)
  return list
end

local function encode(map)
  local parts = {}
  for i, pair in ipairs(sorted_pairs(map)) do
    parts[i] = percent(pair[1]) .. "=" .. percent(pair[2])
  end
  return table.concat(parts, "&")
end

-- An escape that is there stays one, in its shortest form.
local function encode_path(path)
  local out, i = {}, 1
  if path:sub(1, 1) ~= "/" then path = "/" .. path end
  while i <= #path do
    local hex = path:match("^%%(%x%x)", i)
    local c = hex and string.char(tonumber(hex, 16)) or path:sub(i, i)
    out[#out + 1] = c == "/" and not hex and c or percent(c)
    i = i + (hex and 3 or 1)
  end
  return table.concat(out)
end

-- By lower-case name; the values of a name in several spellings are joined in their order.
local function headers_of(request, generated)
  local all, headers = {}, {}
  for given, value in pairs(request.headers or {}) do
    local name = given:lower()
    all[name] = all[name] or {}
    table.insert(all[name], trim(value))
  end
  for name, value in pairs(generated) do
    if value ~= "" and not all[name] then all[name] = { trim(value) } end
  end
  all.authorization = nil
  for name, values in pairs(all) do
    table.sort(values)
    headers[name] = table.concat(values, ",")
  end
  return headers
end

local function acs3(request, algorithm)
  local hash = algorithm:match "SM3" and "SM3" or "SHA256"
  local given = request.payload_hash or ""
  local payload = given ~= "" and given or core.hex(core.digest(hash, request.body or ""))
  local bare = (request.action or "") == "" and (request.version or "") == "" and
    request.nonce == "" and request.date == ""
  local token = request.security_token or ""
  local headers = headers_of(request, {
    host = request.host, ["x-acs-action"] = request.action, ["x-acs-version"] = request.version,
    ["x-acs-date"] = request.date, ["x-acs-signature-nonce"] = request.nonce,
    ["x-acs-content-sha256"] = (given == "" or not bare) and payload or nil,
    ["x-acs-accesskey-id"] = token ~= "" and request.access_key_id or nil,
    ["x-acs-security-token"] = token,
  })
  local lines, names = {}, {}
  for _, pair in ipairs(sorted_pairs(headers)) do
    local name = pair[1]
    if name:find "^x%-acs%-" or name == "host" or name == "content-type" then
      lines[#lines + 1] = name .. ":" .. pair[2] .. "\n"
      names[#names + 1] = name
    end
  end
  local canonical = table.concat({ request.method, encode_path(request.path or ""),
    encode(request.query), table.concat(lines), table.concat(names, ";"), payload }, "\n")
  local text = algorithm .. "\n" .. core.hex(core.digest(hash, canonical))
  return canonical, text, core.hex(core.hmac(hash, SECRET, text))
end

local function rpc(request)
  local params = { Action = request.action, Version = request.version, Format = "JSON",
    Timestamp = request.date, SignatureNonce = request.nonce, SignatureMethod = "HMAC-SHA1",
    SignatureVersion = "1.0", AccessKeyId = request.access_key_id,
    SecurityToken = request.security_token }
  for name, value in pairs(params) do
    if value == "" then params[name] = nil end
  end
  for _, map in ipairs { request.query or {}, request.form or {} } do
    for name, value in pairs(map) do params[name] = value end
  end
  local canonical = encode(params)
  local text = request.method .. "&%2F&" .. percent(canonical)
  return canonical, text, core.base64(core.hmac("SHA1", SECRET .. "&", text))
end

local FRAMING = { connection = true, ["content-length"] = true, expect = true, te = true,
  ["keep-alive"] = true, trailer = true, upgrade = true, ["transfer-encoding"] = true }

-- Whether nobody could have anything against the request.
local function is_plain(request)
  for name, value in pairs(request) do
    if type(value) == "string" and name ~= "body" and value:find "[^ -~]" then return false end
  end
  for name, value in pairs(request.headers or {}) do
    if not name:find "^[%a-]+$" or value:find "[^ -~]" or FRAMING[name:lower()] or
      name:lower() == "host" then
      return false
    end
  end
  local rpc_kind = request.algorithm == "HMAC-SHA1"
  return request.method:find "^%u+$" and #request.method < 10 and request.host:find "^[%w-]+$" and
    (request.scheme or "http") == "http" and request.access_key_id ~= "" and
    not (rpc_kind and (request.body or "") ~= "") and not (not rpc_kind and request.form)
end

-- A signer gives the same, whichever half of the headers it was made with.
local function by_signer(request, signed)
  local kind, keys = {}, { "algorithm", "method", "scheme", "host", "path", "action", "version",
    "headers" }
  for _, name in ipairs(keys) do kind[name] = request[name] end
  local made <close> = core.signer(kind)(request.query, request.form or request.body, DATE,
    request.nonce, request.access_key_id, SECRET, request.security_token)
  check(made.signature == signed.signature, "a signer signs otherwise", request)
end

local FIELDS = { "host", "action", "version", "date", "nonce", "access_key_id", "security_token",
  "payload_hash" }
local KNOWN = { ["ACS3-HMAC-SHA256"] = true, ["ACS3-HMAC-SM3"] = true, ["HMAC-SHA1"] = true }

return function(input)
  local request = parse(input)
  request.algorithm = KNOWN[request.algorithm] and request.algorithm or "ACS3-HMAC-SHA256"
  request.method = (request.method or "POST"):upper()
  local ok, signed = pcall(core.sign, request)
  if not ok then
    check(not is_plain(request), "refused", request, signed)
    return check(not signed:find(SECRET, 1, true), "the secret is quoted", signed)
  end
  -- What travels in a field reaches the server without white space around it.
  for _, name in ipairs(FIELDS) do request[name] = request[name] and trim(request[name]) end
  local canonical, text, signature
  if request.algorithm == "HMAC-SHA1" then
    canonical, text, signature = rpc(request)
  else
    canonical, text, signature = acs3(request, request.algorithm)
  end
  check(signed.canonical_request == canonical, "canonical", signed.canonical_request, canonical)
  check(signed.string_to_sign == text, "string to sign", signed.string_to_sign, text)
  check(signed.signature == signature, "signature", signed.signature, signature)
  check(not signed.url:find "[^!-~]", "url", signed.url)
  for name, value in pairs(signed.headers) do
    check(not (name .. value):find "[%z\r\n]", "a header with a line end", name, value)
    check(name == name:lower() and value == trim(value), "header", name, value)
  end
  if not request.payload_hash then by_signer(request, signed) end
  check(core.percent_encode(input) == percent(input), "percent", input)
  check(core.percent_decode(percent(input)) == input, "percent", input)
end
