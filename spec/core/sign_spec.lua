-- The rules of signing that no published vector shows.
local core = require "alicloud.core"

describe("RPC signing with HMAC-SHA1", function()
  it("signs query and form as one set and lets the form win", function()
    local function sign(query, form)
      return core.sign { algorithm = "HMAC-SHA1", method = "POST", host = "h.example",
        action = "A", version = "1", date = "2024-01-02T03:04:05Z", nonce = "n", query = query,
        form = form, access_key_id = "id", access_key_secret = "secret" }
    end
    local split = sign({ A = "1" }, { B = "2" })
    assert.equal(sign({ A = "1", B = "2" }).signature, split.signature)
    assert.equal("B=2", split.body)
    assert.equal("application/x-www-form-urlencoded", split.headers["content-type"])
    assert.equal(sign({ B = "2" }).signature, sign({ B = "1" }, { B = "2" }).signature)
  end)

  it("lets a form name what is common to all requests", function()
    local signed = core.sign { algorithm = "HMAC-SHA1", method = "POST", host = "h.example",
      action = "A", version = "1", date = "2024-01-02T03:04:05Z", nonce = "n",
      form = { Action = "B", Format = "XML", Version = "2", Timestamp = "t", SignatureNonce = "m",
        SignatureMethod = "HMAC-SHA1", SignatureVersion = "1.0", AccessKeyId = "id" },
      access_key_id = "id", access_key_secret = "secret" }
    assert.equal("https://h.example/?Signature=" .. core.percent_encode(signed.signature),
      signed.url)
    assert.truthy(signed.canonical_request:find("Action=B&Format=XML&", 1, true))
  end)

  it("leaves out everything about signatures without a key", function()
    local unsigned = core.sign { algorithm = "HMAC-SHA1", method = "POST", host = "h.example",
      action = "A", version = "1", date = "2024-01-02T03:04:05Z", nonce = "n" }
    assert.is_nil(unsigned.signature)
    assert.is_nil(unsigned.url:find "Signature=")
    assert.is_nil(unsigned.url:find "AccessKeyId")
  end)
end)

describe("sign", function()
  local function with(fields)
    local request = { host = "h.example", action = "A", version = "1", nonce = "n",
      date = "2024-01-02T03:04:05Z", access_key_id = "id", access_key_secret = "secret" }
    for name, value in pairs(fields) do
      request[name] = value
    end
    return request
  end

  it("is pure: the same input gives the same output", function()
    assert.same(core.sign(with {}), core.sign(with {}))
  end)

  it("takes a Secret where it takes a string", function()
    assert.equal(core.sign(with {}).authorization,
      core.sign(with { access_key_secret = core.secret "secret" }).authorization)
  end)

  it("lets the caller's headers win over generated ones", function()
    local signed = core.sign(with { headers = { ["X-Acs-Date"] = "2020-02-29T23:59:59Z" } })
    assert.equal("2020-02-29T23:59:59Z", signed.headers["x-acs-date"])
  end)

  it("takes many headers", function()
    local headers = {}
    for i = 1, 300 do
      headers["x-acs-" .. i] = ("v"):rep(200)
    end
    assert.is_string(core.sign(with { headers = headers }).signature)
  end)

  it("joins the values of one header in two spellings", function()
    local signed = core.sign(with { headers = { ["x-acs-a"] = "2", ["X-Acs-A"] = "1" } })
    assert.equal("1,2", signed.headers["x-acs-a"])
  end)

  it("joins what differs in case only, in what is sent and in what is signed", function()
    local signed = core.sign(with { body = "{}", headers = {
      ["Content-Type"] = " text/plain ", ["content-type"] = "application/json",
      ["X-ACS-Date"] = "2020-02-29T23:59:59Z", Accept = "b\t", accept = " a",
    } })
    assert.equal("application/json,text/plain", signed.headers["content-type"])
    assert.equal("a,b", signed.headers.accept)
    assert.equal("content-type;host;x-acs-action;x-acs-content-sha256;x-acs-date;"
      .. "x-acs-signature-nonce;x-acs-version", signed.signed_headers)
    assert.truthy(signed.canonical_request:find(
      "\ncontent-type:application/json,text/plain\nhost:h.example\n", 1, true))
    assert.truthy(signed.canonical_request:find("\nx-acs-date:2020-02-29T23:59:59Z\n", 1, true))
  end)

  -- What travels in a header field, with the white space that a server does not see.
  local function padded(with_what, extra)
    local fields = { host = "h.example", action = "A", version = "1", nonce = "n",
      date = "2024-01-02T03:04:05Z", access_key_id = "id", security_token = "token" }
    if extra then fields[extra] = extra end
    for name, value in pairs(fields) do fields[name] = with_what:gsub("x", value) end
    fields.headers = { ["user-agent"] = with_what:gsub("x", "agent"),
      ["X-Acs-Own"] = with_what:gsub("x", "a b") }
    return fields
  end

  it("signs and sends every field as a server sees it, whoever made it", function()
    for _, algorithm in ipairs { "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "HMAC-SHA1" } do
      local function sign(with_what)
        local fields = padded(with_what)
        fields.algorithm = algorithm
        return core.sign(with(fields))
      end
      local plain = sign "x"
      for _, with_what in ipairs { " x", "x ", "\t x \t", "x\n", "x\r\n" } do
        assert.same(plain, sign(with_what))
      end
      for name, value in pairs(plain.headers) do
        assert.equal(value:match "^%s*(.-)%s*$", value, name)
      end
    end
  end)

  it("adds a given payload hash to the headers unless all of them are the caller's", function()
    for _, name in ipairs { "action", "version", "date", "nonce" } do
      local request = { host = "h.example", payload_hash = "abc", [name] = "x" }
      assert.equal("abc", core.sign(request).headers["x-acs-content-sha256"])
    end
    local signed = core.sign { host = "h.example", payload_hash = "abc" }
    assert.is_nil(signed.headers["x-acs-content-sha256"])
  end)

  it("signs the path that is sent, whether it begins with a slash or not", function()
    local signed = core.sign(with { path = "a b/c" })
    assert.equal("https://h.example/a%20b/c", signed.url)
    assert.equal("/a%20b/c", signed.canonical_request:match "^POST\n([^\n]+)")
  end)

  it("takes a payload hash as a server sees it", function()
    local hash = core.sha256 "body"
    assert.same(core.sign(with { body = "body" }),
      core.sign(with { body = "body", payload_hash = " " .. hash .. "\n" }))
  end)

  it("takes a session token of nothing but blanks for none", function()
    for _, algorithm in ipairs { "ACS3-HMAC-SHA256", "HMAC-SHA1" } do
      local plain = core.sign(with { algorithm = algorithm })
      for _, token in ipairs { "", " ", "\t\n" } do
        assert.same(plain, core.sign(with { algorithm = algorithm, security_token = token }))
      end
    end
  end)

  it("signs a token that is a Secret as it signs text", function()
    local text = core.sign(with { security_token = "t" })
    assert.same(text, core.sign(with { security_token = core.secret "t" }))
    assert.same(text, core.sign(with { security_token = core.secret " t " }))
  end)

  for _, byte in ipairs { "\0", "\1", "\n", "\r", "\r\nX-Own: 1", "\27", "\127" } do
    it(("refuses %q inside of every field that travels in a header"):format(byte), function()
      for name in pairs(padded("x", "payload_hash")) do
        for _, algorithm in ipairs { "ACS3-HMAC-SHA256", "HMAC-SHA1" } do
          local field = name == "headers" and { ["x-acs-own"] = "a" .. byte .. "b" }
            or "a" .. byte .. "b"
          local ok, message = pcall(core.sign, with { [name] = field, algorithm = algorithm })
          assert.is_false(ok)
          assert.truthy(message:find("option '" .. name .. "'", 1, true), message)
        end
      end
    end)
  end

  it("takes an empty body and none for what they are", function()
    assert.is_nil(core.sign(with {}).body)
    local signed = core.sign(with { body = "", headers = { ["content-type"] = "text/plain" } })
    assert.equal("", signed.body)
    assert.equal("content-type", signed.signed_headers:match "^[^;]+")
  end)

  it("writes a method in upper case, and takes one of fifteen letters", function()
    local signed = core.sign(with { method = "versioncontroLx" })
    assert.equal("VERSIONCONTROLX", signed.method)
    assert.equal("VERSIONCONTROLX", signed.canonical_request:match "^[^\n]+")
  end)

  it("signs for an address, with its port", function()
    for _, host in ipairs { "[::1]", "[fe80::1%eth0]:8080", "127.0.0.1:1", "h.example:65535" } do
      assert.equal(host, core.sign(with { host = host }).headers.host)
    end
    assert.equal("other.example:81",
      core.sign(with { headers = { Host = " other.example:81 " } }).host)
  end)

  it("replaces an authorization that the caller left behind", function()
    local signed = core.sign(with { headers = { Authorization = "old" } })
    assert.equal(signed.authorization, signed.headers.authorization)
  end)

  it("writes integral numbers as integers, the way of the SDKs", function()
    local signed = core.sign(with { query = { A = 100.0, B = -1.5, C = true, D = 1 << 62,
      E = 2.0 ^ 53, F = 1e15, G = 123456789.123456, H = false, I = 1e19 } })
    assert.truthy(signed.url:find("A=100&B=-1.5&C=true&D=4611686018427387904&E=9007199254740992"
      .. "&F=1000000000000000&G=123456789.123456&H=false&I=1e%2B19", 1, true), signed.url)
  end)

  it("never signs a part of a request that is too large to be built, and names the part", function()
    local text = ("x"):rep(5 * 1024 * 1024)
    local many = {}
    for i = 1, 140000 do many["P" .. i] = "" end
    local too_large = {
      { "ACS3-HMAC-SHA256", "url", { query = { A = text } } },
      { "ACS3-HMAC-SHA256", "url", { path = "/" .. text } },
      { "ACS3-HMAC-SHA256", "body", { body = text } },
      { "ACS3-HMAC-SHA256", "headers", { headers = { accept = text } } },
      { "ACS3-HMAC-SHA256", "headers", { security_token = text } },
      { "ACS3-HMAC-SHA256", "parameters", { query = many } },
      { "HMAC-SHA1", "url", { query = { A = text } } },
      { "HMAC-SHA1", "url", { security_token = text } },
      { "HMAC-SHA1", "body", { form = { A = text } } },
      { "HMAC-SHA1", "string to sign", { form = { A = ("%"):rep(1 << 20) } } },
    }
    for _, row in ipairs(too_large) do
      row[3].algorithm = row[1]
      local ok, message = pcall(core.sign, with(row[3]))
      assert.is_false(ok)
      assert.equal(("sign: the request's %s is larger than 4194304 bytes"):format(row[2]), message)
    end
  end)

  it("sorts many parameters as it sorts few", function()
    local query, names = {}, {}
    for i = 1, 500 do
      names[i] = ("P%d"):format(i * 7919 % 1000)
      query[names[i]] = ""
    end
    table.sort(names)
    assert.truthy(core.sign(with { query = query }).url
      :find("?" .. table.concat(names, "=&") .. "=", 1, true))
  end)

  local refused = {
    { "a header with a line break", { headers = { ["x-acs-a"] = "a\r\nx: y" } }, "headers" },
    { "a header name with a space", { headers = { ["x acs"] = "a" } }, "headers" },
    { "two hosts", { headers = { Host = "a.example", host = "b.example" } }, "one host" },
    { "a host with a path", { host = "h.example/x" }, "host" },
    { "a host with a user", { host = "u@h.example" }, "host" },
    { "an empty host", { host = "" }, "host" },
    { "a port that is none", { host = "h.example:" }, "host" },
    { "a port over 65535", { host = "h.example:99999" }, "host" },
    { "a host of nothing but a port", { host = ":80" }, "host" },
    { "two ports", { host = "h:1:2" }, "host" },
    { "a bracket without its end", { host = "[::1" }, "host" },
    { "a percent sign in a host", { host = "h%2fx" }, "host" },
    { "a length of the caller's", { headers = { ["Content-Length"] = "3" } }, "headers" },
    { "a framing of the caller's", { headers = { ["transfer-encoding"] = "chunked" } },
      "headers" },
    { "a bracket with something behind it", { host = "[::1]x" }, "host" },
    { "an empty bracket", { host = "[]" }, "host" },
    { "a slash in a bracket", { host = "[::/1]" }, "host" },
    { "a port with a letter", { host = "h.example:8a" }, "host" },
    { "a port with a sign", { host = "h.example:+8" }, "host" },
    { "a port of six digits", { host = "h.example:000080" }, "host" },
    { "port 0", { host = "h.example:0" }, "host" },
    { "a method with a space", { method = "GET /" }, "method" },
    { "an empty method", { method = "" }, "method" },
    { "a method of sixteen letters", { method = "VERSIONCONTROLXY" }, "method" },
    { "a header without a name", { headers = { [""] = "a" } }, "headers" },
    { "a key id of blanks", { access_key_id = " " }, "access_key_id" },
    { "a body with HMAC-SHA1", { body = "x", algorithm = "HMAC-SHA1" }, "body" },
    { "a path with a line break", { path = "/\n" }, "path" },
    { "a nonce with a line break", { nonce = "a\nb" }, "nonce" },
    { "another scheme", { scheme = "ftp" }, "scheme" },
    { "an unknown algorithm", { algorithm = "HMAC-MD5" }, "algorithm" },
    { "a key without its secret", { access_key_secret = false }, "access_key_secret" },
    { "a table as a value", { query = { A = {} } }, "query.A" },
    { "a NaN", { query = { A = 0 / 0 } }, "query.A" },
    { "an infinite number", { query = { A = math.huge } }, "query.A" },
    { "a list as a map", { query = { "x" } }, "query" },
    { "a form with ACS3", { form = { A = "1" } }, "form" },
    { "a misspelt option with a NUL", { ["host\0x"] = "x" }, "unknown option" },
    { "a misspelt option", { acess_key_id = "x" }, "did you mean 'access_key_id'" },
  }
  for _, row in ipairs(refused) do
    it("refuses " .. row[1] .. " and names it", function()
      local ok, message = pcall(core.sign, with(row[2]))
      assert.is_false(ok)
      assert.truthy(message:find(row[3], 1, true), message)
    end)
  end

  it("suggests nothing for a word that is nothing like an option", function()
    local _, message = pcall(core.sign, with { [("x"):rep(200)] = 1 })
    assert.is_nil(message:find("did you mean", 1, true))
  end)
end)
