local static = require "alicloud.credentials.static"

local function provider(extra)
  local keys = { access_key_id = "LTAIabcd1234", access_key_secret = "canary-secret" }
  for name, value in pairs(extra or {}) do keys[name] = value end
  return static.new(keys)
end

-- Every string that can be reached from a value through tables, metatables and upvalues.
local function reachable(value, found, seen)
  found, seen = found or {}, seen or {}
  if type(value) == "string" then found[value] = true end
  if seen[value] or type(value) ~= "table" and type(value) ~= "function" then return found end
  seen[value] = true
  if type(value) == "table" then
    for key, inner in pairs(value) do
      reachable(key, found, seen)
      reachable(inner, found, seen)
    end
    return reachable(debug.getmetatable(value), found, seen)
  end
  for i = 1, 255 do
    local name, inner = debug.getupvalue(value, i)
    if not name then break end
    if name ~= "_ENV" then reachable(inner, found, seen) end
  end
  return found
end

describe("a static provider", function()
  it("gives the key id and sealed secrets", function()
    local keys = provider { security_token = "canary-token" }:get()
    assert.equal("LTAIabcd1234", keys.access_key_id)
    assert.equal("userdata", type(keys.access_key_secret))
    assert.equal(#"canary-secret", keys.access_key_secret:length())
    assert.equal(#"canary-token", keys.security_token:length())
    assert.equal("static_sts", keys.provider)
    assert.equal("static_ak", provider():get().provider)
  end)

  it("keeps no secret as Lua text", function()
    local made = provider { security_token = "canary-token" }
    for text in pairs(reachable(made)) do assert.is_nil(text:find("canary", 1, true)) end
  end)

  it("shows at most the last four characters of the key id", function()
    assert.equal("static_ak …1234", provider():describe())
    assert.equal("static_ak …", provider({ access_key_id = "1234" }):describe())
  end)

  it("takes a secret that is sealed already", function()
    local secret = require "alicloud.core".secret("s")
    assert.equal(secret, provider({ access_key_secret = secret }):get().access_key_secret)
  end)

  it("can be closed more than once", function()
    local made = provider { security_token = "t" }
    made:close()
    made:close()
  end)
end)
