-- Secrets stay in C: Lua can hand them on and nothing else.
local core = require "alicloud.core"

local CANARY = "canary-secret-7f3a"

describe("Secret", function()
  it("is masked in a text, wherever and however often it is there", function()
    local secret <close> = core.secret "s3cret"
    assert.equal("a***b******", secret:mask "as3cretbs3crets3cret")
    assert.equal("s3cre", secret:mask "s3cre")
    assert.equal("", secret:mask "")
    assert.equal("xxx", core.secret("x"):mask "xxx")
    assert.has_error(function() secret:mask() end)
    secret:close()
    assert.equal("s3cret", secret:mask "s3cret")
  end)

  it("shows nothing of itself", function()
    local secret = core.secret(CANARY)
    assert.is_nil(tostring(secret):find(CANARY, 1, true))
    assert.equal(#CANARY, secret:length())
    assert.equal("alicloud.Secret", getmetatable(secret))
    assert.is_nil(debug.getuservalue(secret))
    for _, value in pairs(debug.getmetatable(secret).__index) do
      assert.is_function(value)
    end
    assert.is_nil(debug.getmetatable(secret).__pairs)
    assert.is_false(pcall(core.encode, secret))
  end)

  it("signs while open and refuses once closed", function()
    local secret = core.secret(CANARY)
    local request = { host = "h.example", access_key_id = "id", access_key_secret = secret }
    assert.is_string(core.sign(request).signature)
    secret:close()
    secret:close()
    assert.equal(0, secret:length())
    local ok, message = pcall(core.sign, request)
    assert.is_false(ok)
    assert.truthy(message:find("closed", 1, true))
  end)

  it("closes with its scope", function()
    local kept
    do
      local secret <close> = core.secret(CANARY)
      kept = secret
    end
    assert.equal(0, kept:length())
  end)

  it("refuses nothing, control characters and other types without quoting them", function()
    for _, value in ipairs { "", CANARY .. "\n", CANARY .. "\0", ("x"):rep(70000) } do
      local ok, message = pcall(core.secret, value)
      assert.is_false(ok)
      assert.is_nil(message:find(CANARY, 1, true))
    end
    assert.is_false(pcall(core.secret, {}))
  end)

  it("comes from the environment without passing through Lua", function()
    assert.is_nil((core.secret_from_env "ALICLOUD_SPEC_NO_SUCH_VARIABLE"))
    local secret = core.secret_from_env "PATH"
    assert.equal(#os.getenv "PATH", secret:length())
  end)

  it("is looked at for what no key has in it, and nothing else of it is told", function()
    assert.is_nil(core.word_flaw "LTAI-x")
    assert.is_nil(core.word_flaw "")
    assert.is_nil(core.word_flaw(core.secret "s"))
    assert.equal("ends in a blank", core.word_flaw(core.secret "canary  "))
    assert.equal("holds a line end (\\n)", core.word_flaw "a\nb")
    assert.equal("begins with a character that is not ASCII", core.word_flaw "\xef\xbb\xbfa")
    assert.equal("stands in quotes", core.word_flaw '"a"')
    for _, text in ipairs { '"', '"a', "a'", "\"a'" } do assert.is_nil(core.word_flaw(text)) end
    assert.is_nil(core.environment_flaw "ALICLOUD_SPEC_NO_SUCH_VARIABLE")
    assert.is_nil(core.environment_flaw "HOME")
    assert.is_false(pcall(core.word_flaw, {}))
  end)

  it("never appears in what signing returns", function()
    for _, algorithm in ipairs { "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "HMAC-SHA1" } do
      local signed = core.sign { algorithm = algorithm, host = "h.example", action = "A",
        access_key_id = "id", access_key_secret = CANARY }
      assert.is_nil(core.encode(signed):find(CANARY, 1, true))
    end
  end)
end)

describe("the small functions of the core", function()
  it("hash and authenticate as the standards say", function()
    -- FIPS 180-4, RFC 4231 case 2, GB/T 32905 example 1.
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      core.sha256 "abc")
    assert.equal("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      core.hmac_sha256("Jefe", "what do ya want for nothing?"))
    assert.equal("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
      core.hex(core.digest("SM3", "abc")))
    assert.equal("a9993e364706816aba3e25717850c26c9cd0d89d", core.hex(core.digest("SHA1", "abc")))
    assert.equal(32, #core.hmac("SHA256", "", ""))
  end)

  it("encode as the standards say", function()
    -- RFC 4648 section 10.
    for text, expected in pairs { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v",
      foob = "Zm9vYg==", fooba = "Zm9vYmE=", foobar = "Zm9vYmFy" } do
      assert.equal(expected, core.base64(text))
      assert.equal(text, core.unbase64(expected))
    end
    local every = {}
    for i = 0, 255 do every[i + 1] = string.char(i) end
    assert.equal(table.concat(every), core.unbase64(core.base64(table.concat(every))))
    for _, wrong in ipairs { "Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zh==", "Zm9=",
      "Zm8=\n", "Zm 8", "Z=g=", "Zg==Zg==", "Zm9\0", "Zm9-", "Zm9\xff" } do
      assert.is_nil(core.unbase64(wrong), wrong)
    end
    assert.equal("a%20%2B%2A~%2F%00", core.percent_encode "a +*~/\0")
    assert.equal("a +*~/\0", core.percent_decode "a%20%2B%2a~%2F%00")
    assert.is_nil(core.percent_decode "%2")
    assert.is_nil(core.percent_decode "%zz")
  end)

  it("give hex of the asked length that does not repeat", function()
    local seen = {}
    for _ = 1, 1000 do
      local nonce = core.random_hex(16)
      assert.truthy(nonce:match "^%x+$")
      assert.equal(32, #nonce)
      assert.is_nil(seen[nonce])
      seen[nonce] = true
    end
    assert.is_false(pcall(core.random_hex, 0))
  end)

  it("turn dates into seconds and back, leap years included", function()
    assert.equal("1970-01-01T00:00:00Z", core.iso8601(0))
    assert.equal("2024-02-29T23:59:59Z", core.iso8601(1709251199.999))
    assert.equal(1709251199, core.parse_iso8601 "2024-02-29T23:59:59Z")
    assert.equal(784111777, core.http_date "Sun, 06 Nov 1994 08:49:37 GMT")
    for _, wrong in ipairs { "", "2023-02-29T00:00:00Z", "2024-01-02 03:04:05", "x" } do
      assert.is_nil(core.parse_iso8601(wrong))
      assert.is_nil(core.http_date(wrong))
    end
    for day = -800, 40000, 37 do
      local when = day * 86400 + 4711
      -- On a machine of 32 bits Lua's own clock ends in 2038.
      local known, text = pcall(os.date, "!%Y-%m-%dT%H:%M:%SZ", when)
      if known and when >= 0 then assert.equal(text, core.iso8601(when)) end
      assert.equal(when, core.parse_iso8601(core.iso8601(when)))
    end
  end)

  it("suggest the nearest word and nothing far away", function()
    local actions = { "DescribeDiskReplicaGroups", "FailoverDiskReplicaGroup" }
    assert.equal("FailoverDiskReplicaGroup", core.suggest("failoverdiskreplicagroups", actions))
    assert.is_nil(core.suggest("StopInstance", actions))
    assert.is_nil(core.suggest("x", {}))
  end)
end)
