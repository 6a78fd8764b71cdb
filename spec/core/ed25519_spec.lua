-- Ed25519 by the vectors of RFC 8032, section 7.1.

local core = require "alicloud.core"

local function bytes(hex)
  return (hex:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
end

local VECTORS = {
  { seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", text = "",
    signature = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
      .. "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
  { seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", text = "72",
    signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
      .. "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
  { seed = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    public = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", text = "af82",
    signature = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
      .. "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
}

describe("Ed25519", function()
  it("is that of the RFC", function()
    for _, vector in ipairs(VECTORS) do
      local text = bytes(vector.text)
      assert.equal(vector.public, core.ed25519_public(vector.seed))
      assert.equal(vector.signature, core.ed25519_sign(vector.seed, text))
      assert.equal(vector.signature, core.ed25519_sign(core.secret(vector.seed), text))
      assert.is_true(core.ed25519_verify(vector.public, vector.signature, text))
    end
  end)

  it("believes no other text, key or signature", function()
    local one, two = VECTORS[2], VECTORS[3]
    assert.is_false(core.ed25519_verify(one.public, one.signature, "other"))
    assert.is_false(core.ed25519_verify(two.public, one.signature, bytes(one.text)))
    for position = 1, 128, 7 do
      local digit = one.signature:sub(position, position) == "0" and "1" or "0"
      local forged = one.signature:sub(1, position - 1) .. digit .. one.signature:sub(position + 1)
      assert.is_false(core.ed25519_verify(one.public, forged, bytes(one.text)))
    end
  end)

  it("refuses what is no key", function()
    for _, seed in ipairs { "", "9d", ("x"):rep(64), ("9"):rep(65), {} } do
      assert.has_error(function() core.ed25519_sign(seed, "text") end)
    end
    assert.has_error(function() core.ed25519_verify("00", ("0"):rep(128), "text") end)
  end)
end)
