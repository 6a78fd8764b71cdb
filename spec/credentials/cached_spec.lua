-- The rules of renewal, on a clock that moves when told.
local cached = require "alicloud.credentials.cached"
local support = require "alicloud.credentials.support"
local core = require "alicloud.core"
local helper = require "spec.helper"

-- A source that plays its answers; life is counted from now.
local function source_of(lives, skew)
  local runtime, control = helper.runtime()
  local source = { name = "source", fetches = 0 }
  function source.fetch()
    source.fetches = source.fetches + 1
    local life = lives[source.fetches]
    if not life then return support.fail("refused " .. source.fetches) end
    return {
      access_key_id = "key-" .. source.fetches, access_key_secret = core.secret "s",
      security_token = core.secret "t", provider = "source",
      expiration = runtime.time() + life + (skew or 0),
      issued_at = skew and runtime.time() + skew,
    }
  end
  local loop = { now = runtime.monotonic, sleep = runtime.sleep }
  return cached.new(source, { runtime = runtime, loop = loop }), source, control, loop
end

local function id_of(provider)
  local keys, err = provider:get()
  return keys and keys.access_key_id, err
end

describe("a session", function()
  it("is kept until 15 minutes before its end", function()
    local provider, source, control = source_of { 7200, 7200 }
    assert.equal("key-1", id_of(provider))
    control.elapsed = 7200 - 901
    assert.equal("key-1", id_of(provider))
    control.elapsed = 7200 - 899
    assert.equal("key-2", id_of(provider))
    assert.equal(2, source.fetches)
  end)

  it("of short life is kept for four fifths of it", function()
    local provider, source, control = source_of { 900, 900 }
    assert.equal("key-1", id_of(provider))
    control.elapsed = 719
    assert.equal("key-1", id_of(provider))
    assert.equal(1, source.fetches)
    control.elapsed = 721
    assert.equal("key-2", id_of(provider))
  end)

  it("without an end is kept for good", function()
    local provider, source, control = source_of { math.huge }
    assert.equal("key-1", id_of(provider))
    control.elapsed = 1e9
    assert.equal("key-1", id_of(provider))
    assert.equal(1, source.fetches)
  end)

  it("is kept while it is usable and cannot be renewed, with a pause between attempts", function()
    local provider, source, control = source_of { 1000 }
    assert.equal("key-1", id_of(provider))
    control.elapsed = 801
    for _ = 1, 50 do assert.equal("key-1", id_of(provider)) end
    assert.equal(2, source.fetches)
    control.elapsed = 812
    assert.equal("key-1", id_of(provider))
    assert.equal(3, source.fetches)
    control.elapsed = 1000
    local id, err = id_of(provider)
    assert.is_nil(id)
    assert.equal("refused 4", err.message)
  end)

  it("that had ended already is not taken for one", function()
    local provider, _, control = source_of { 1000, -5, 1000 }
    assert.equal("key-1", id_of(provider))
    control.elapsed = 900
    assert.equal("key-1", id_of(provider))
    local spent = source_of { -5 }
    local id, err = id_of(spent)
    assert.is_nil(id)
    assert.matches("had ended already", err.message)
    assert.matches("clock", err.hint)
  end)

  it("lives by its issuer's clock where that is known", function()
    local provider, source, control = source_of({ 3600, 3600 }, -86400)
    assert.equal("key-1", id_of(provider))
    control.elapsed = 2600
    assert.equal("key-1", id_of(provider))
    assert.equal(1, source.fetches)
  end)
end)

describe("a session that the service refuses", function()
  it("is renewed at once", function()
    local provider, source = source_of { 3600, 3600 }
    local keys = provider:get()
    assert.is_true(provider:refuse(keys))
    assert.equal("key-2", id_of(provider))
    assert.equal(2, source.fetches)
  end)

  it("is not renewed again for somebody who came with the old one", function()
    local provider, source = source_of { 3600, 3600 }
    local keys = provider:get()
    assert.is_true(provider:refuse(keys))
    assert.is_true(provider:refuse(keys))
    assert.equal(2, source.fetches)
  end)

  it("is kept when there is no other", function()
    local provider = source_of { 3600 }
    local keys = provider:get()
    assert.is_false(provider:refuse(keys))
    assert.equal("key-1", id_of(provider))
  end)
end)

describe("coroutines that ask together", function()
  -- A source that yields in the middle, as one does that waits for the network.
  local function slow(outcomes)
    local provider, source, control, loop = source_of(outcomes)
    local fetch = source.fetch
    function source.fetch()
      coroutine.yield "at it"
      return fetch()
    end
    function loop.sleep(seconds)
      control.elapsed = control.elapsed + seconds
      coroutine.yield "waiting"
    end
    return provider, source, control
  end

  local function asking(provider)
    return coroutine.create(function() return id_of(provider) end)
  end

  local function resume(co) return select(2, assert(coroutine.resume(co))) end

  it("share one renewal", function()
    local provider, source = slow { 3600 }
    local one, other = asking(provider), asking(provider)
    assert.equal("at it", resume(one))
    assert.equal("waiting", resume(other))
    assert.equal("waiting", resume(other))
    assert.equal("key-1", resume(one))
    assert.equal("key-1", resume(other))
    assert.equal(1, source.fetches)
  end)

  it("share its failure", function()
    local provider, source = slow {}
    local one, other = asking(provider), asking(provider)
    resume(one)
    resume(other)
    assert.is_nil(resume(one))
    local _, id, err = coroutine.resume(other)
    assert.is_nil(id)
    assert.equal("refused 1", err.message)
    assert.equal(1, source.fetches)
  end)

  it("get the still usable session at once while one renews", function()
    local provider, source, control = slow { 1000, 1000 }
    local first = asking(provider)
    resume(first)
    resume(first)
    control.elapsed = 900
    local one, other = asking(provider), asking(provider)
    assert.equal("at it", resume(one))
    assert.equal("key-1", resume(other))
    assert.equal("key-2", resume(one))
    assert.equal(2, source.fetches)
  end)

  it("do not wait for one that was given up", function()
    local provider = slow { 3600 }
    local one, other = asking(provider), asking(provider)
    resume(one)
    assert.equal("waiting", resume(other))
    coroutine.close(one)
    assert.equal("at it", resume(other))
    assert.equal("key-1", resume(other))
  end)

  it("do not wait for ever for one that hangs", function()
    local provider, _, control = slow { 3600 }
    local one, other = asking(provider), asking(provider)
    resume(one)
    resume(other)
    control.elapsed = control.elapsed + 6
    assert.equal("at it", resume(other))
    assert.equal("key-1", resume(other))
  end)
end)

describe("a provider of sessions", function()
  it("tells what it holds without its secrets, and wipes it on close", function()
    local provider, _, control = source_of { 3600 }
    assert.equal("source (not asked yet)", provider:describe())
    assert.same({ provider = "source" }, provider:explain())
    local keys = provider:get()
    control.elapsed = 600
    assert.equal("source …ey-1", provider:describe())
    assert.same({ provider = "source", key_id = "…ey-1", temporary = true, expires_in = 3000 },
      provider:explain())
    provider:close()
    assert.equal(0, keys.access_key_secret:length())
    assert.equal(0, keys.security_token:length())
  end)
end)
