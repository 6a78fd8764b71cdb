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

  local misuse = {
    { "a nonce with a line break", { nil, nil, 0, "a\nb" }, "nonce" },
    { "no nonce", { nil, nil, 0 }, "string expected" },
    { "a date that is none", { nil, nil, "today", "n" }, "number expected" },
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
    local ok, message = pcall(core.signer, { host = "h.example", nonce = "n" })
    assert.is_false(ok)
    assert.truthy(message:find("unknown option 'nonce'", 1, true), message)
  end)
end)
