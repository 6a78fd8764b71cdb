-- What a signer does alike, sign_spec.lua shows.

local core = require "alicloud.core"

describe("a signer", function()
  local kind = { host = "h.example", action = "A", version = "1",
    headers = { accept = "application/json" } }

  it("does not see what its maker changes later", function()
    local changing = { host = "h.example", action = "A", headers = { ["x-acs-a"] = "1" } }
    local signer = core.signer(changing)
    changing.host, changing.headers["x-acs-a"] = "other.example", "2"
    local signed <close> = signer(nil, nil, 0, "n")
    assert.equal("h.example", signed.host)
    assert.equal("1", signed.headers["x-acs-a"])
  end)

  it("takes more parameters and headers than have room at first", function()
    local query, headers = {}, {}
    for i = 1, 300 do query["P" .. i], headers["x-acs-" .. i] = i, "v" end
    local signed <close> = core.signer(kind)(query, nil, 0, "n", "id", "secret", nil, headers)
    headers.accept = "application/json"
    local same = core.sign { host = "h.example", action = "A", version = "1", query = query,
      date = "1970-01-01T00:00:00Z", nonce = "n", access_key_id = "id",
      access_key_secret = "secret",
      headers = headers }
    assert.equal(same.authorization, signed.authorization)
  end)

  it("keeps numbers and names in upper case of its maker", function()
    local signer = core.signer { host = " h.example ", method = "post", action = "A\t",
      version = "1", headers = { ["X-Acs-Number"] = 12.5, ["X-Acs-Text"] = " a " } }
    collectgarbage()
    for _, own in ipairs { false, { ["X-Acs-Own"] = 7 } } do
      local signed <close> = signer({ N = 1 << 62, M = 0.5 }, nil, 0, " n ", " id", "secret", "t\n",
        own or nil)
      local same = core.sign { host = "h.example", action = "A", version = "1", nonce = "n",
        date = "1970-01-01T00:00:00Z", access_key_id = "id", access_key_secret = "secret",
        security_token = "t", query = { N = 1 << 62, M = 0.5 },
        headers = { ["x-acs-number"] = "12.5", ["x-acs-text"] = "a",
          ["x-acs-own"] = own and "7" or nil } }
      assert.equal(same.canonical_request, signed.canonical_request)
      assert.equal(same.authorization, signed.authorization)
      assert.same(same.headers, signed.headers)
    end
  end)

  it("is not fooled by a table whose finalizers change what it was made of", function()
    local changing = { host = "h.example", action = "A", headers = {} }
    for i = 1, 50 do changing.headers["x-acs-" .. i] = ("v"):rep(i) end
    for i = 1, 200 do
      setmetatable({}, { __gc = function() changing.headers["x-acs-new-" .. i % 5] = "w" end })
    end
    for _ = 1, 50 do
      local ok, signer = pcall(core.signer, changing)
      if ok then
        local signed <close> = signer(nil, nil, 0, "n")
        assert.equal(("v"):rep(50), signed.headers["x-acs-50"])
      end
    end
  end)

  it("gives what has no more fields once it is closed, and none that it never had", function()
    local signed = core.signer(kind)(nil, nil, 0, "n")
    assert.is_nil(signed.something)
    assert.is_nil(signed.signature)
    assert.is_nil(signed.body)
    do local _ <close> = signed end
    for _, name in ipairs { "url", "headers" } do
      local ok, message = pcall(function() return signed[name] end)
      assert.is_false(ok)
      assert.truthy(message:find("on its way", 1, true), message)
    end
  end)

  it("signs nothing any more for the finalizer of something older than it", function()
    local ok, message = true, nil
    do
      local older = {}
      setmetatable(older, { __gc = function()
        ok, message = pcall(older.sign, nil, nil, 0, "n")
      end })
      older.sign = core.signer(kind)
    end
    collectgarbage()
    assert.is_false(ok)
    assert.truthy(message:find("the signer has been collected", 1, true))
  end)

  it("names what is too large", function()
    local ok, message = pcall(core.signer(kind), { A = ("x"):rep(5 << 20) }, nil, 0, "n")
    assert.is_false(ok)
    assert.equal("sign: the request's url is larger than 4194304 bytes", message)
  end)

  local misuse = {
    { "a nonce with a line break", { nil, nil, 0, "a\nb" }, "nonce" },
    { "no nonce", { nil, nil, 0 }, "string expected" },
    { "a date that is none", { nil, nil, "today", "n" }, "number expected" },
    { "a date before the calendar", { nil, nil, -1e12, "n" }, "years 0 to 9999" },
    { "a date beyond the calendar", { nil, nil, 1e12, "n" }, "years 0 to 9999" },
    { "a header with a line break", { nil, nil, 0, "n", nil, nil, nil, { a = "b\r\nc: d" } },
      "headers" },
    { "a key id with a line break", { nil, nil, 0, "n", "i\r\nd", "secret" }, "access_key_id" },
    { "a session with a line break", { nil, nil, 0, "n", "id", "secret", "t\nX: y" },
      "security_token" },
    { "a nonce that is a number", { nil, nil, 0, 1 }, "string expected" },
    { "a key id that is a number", { nil, nil, 0, "n", 1, "secret" }, "string expected" },
    { "a key without its secret", { nil, nil, 0, "n", "id" }, "access_key_secret" },
    { "a form with ACS3", { nil, { A = "1" }, 0, "n" }, "form" },
    { "a query that is no table", { "A=1", nil, 0, "n" }, "query" },
  }
  for _, row in ipairs(misuse) do
    it("refuses " .. row[1] .. " and names it", function()
      local ok, message = pcall(core.signer(kind), table.unpack(row[2], 1, 8))
      assert.is_false(ok)
      assert.truthy(message:find(row[3], 1, true), message)
    end)
  end

  it("is not made of what only one request can say", function()
    for _, name in ipairs { "nonce", "date", "query", "access_key_id", "security_token" } do
      local ok, message = pcall(core.signer, { host = "h.example", [name] = "n" })
      assert.is_false(ok)
      assert.truthy(message:find("signer: unknown option '" .. name .. "'", 1, true), message)
    end
    local ok, message = pcall(core.signer, { host = "h/x" })
    assert.is_false(ok)
    assert.truthy(message:find("host", 1, true), message)
  end)
end)
