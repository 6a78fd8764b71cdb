-- The rules of renewal, on a clock that moves when told.
local cached = require "alicloud.credentials.cached"
local child = require "spec.child"
local support = require "alicloud.credentials.support"
local core = require "alicloud.core"
local helper = require "spec.helper"
local hostile = require "spec.hostile"
local schedulers = require "alicloud.loop.scheduler"

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
  local loop = schedulers.new { now = runtime.monotonic, sleep = runtime.sleep }
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

describe("tasks that ask together", function()
  -- A source that takes its time, as one does that waits for a vault or a person.
  local function slow(lives, seconds)
    local provider, source, control, loop = source_of(lives)
    local fetch = source.fetch
    function source.fetch()
      source.begun = (source.begun or 0) + 1
      loop.sleep(seconds)
      return fetch()
    end
    return provider, source, loop, control
  end

  local function ask(loop, provider, count, patience)
    local tasks = {}
    for i = 1, count do
      tasks[i] = loop.spawn(function()
        local keys, err = provider:get(patience)
        return keys and keys.access_key_id, err
      end)
    end
    return tasks
  end

  it("share one renewal, however long it takes", function()
    local provider, source, loop = slow({ 7200 }, 3000)
    for _, task in ipairs(ask(loop, provider, 30)) do assert.equal("key-1", task:result()) end
    assert.equal(1, source.begun)
  end)

  it("share its failure, and the next one tries anew", function()
    local provider, source, loop = slow({ nil, 7200 }, 20)
    for _, task in ipairs(ask(loop, provider, 30)) do
      local id, err = task:result()
      assert.is_nil(id)
      assert.equal("refused 1", err.message)
    end
    assert.equal("key-2", id_of(provider))
    assert.equal(2, source.begun)
  end)

  it("leave when their own time is over, and the others go on waiting", function()
    local provider, source, loop, control = slow({ 7200 }, 50)
    local began = control.elapsed
    local short, long = ask(loop, provider, 3, 10), ask(loop, provider, 3, 100)
    for _, task in ipairs(short) do
      local id, err = task:result()
      assert.is_nil(id)
      assert.same({ "credentials", "not_sent" }, { err.kind, err.outcome })
      assert.matches("within the 10 s that were left", err.message)
      assert.near(began + 10, control.elapsed, 1e-6)
    end
    for _, task in ipairs(long) do assert.equal("key-1", task:result()) end
    assert.equal(1, source.begun)
    assert.near(began + 50, control.elapsed, 1e-6)
  end)

  it("take what came after all of them had left", function()
    local provider, source, loop = slow({ 7200 }, 50)
    assert.is_nil((provider:get(1)))
    loop.sleep(60)
    assert.equal("key-1", id_of(provider))
    assert.equal(1, source.begun)
  end)

  it("do not end it for the others when they are cancelled, the first one neither", function()
    local provider, source, loop = slow({ 7200 }, 50)
    local tasks = ask(loop, provider, 5)
    loop.sleep(1)
    for i = 1, 3 do tasks[i]:cancel() end
    for i = 4, 5 do assert.equal("key-1", tasks[i]:result()) end
    assert.equal(1, source.begun)
  end)

  it("get the still usable session at once while one renews", function()
    local provider, source, loop, control = slow({ 1000, 1000 }, 5)
    assert.equal("key-1", id_of(provider))
    control.elapsed = control.elapsed + 900
    local first = ask(loop, provider, 1)[1]
    loop.sleep(1)
    local before = control.elapsed
    assert.equal("key-1", id_of(provider))
    assert.equal(before, control.elapsed)
    assert.equal("key-2", first:result())
    assert.equal(2, source.begun)
  end)

  it("get the still usable one, too, where the new one comes too late for them", function()
    local provider, _, loop, control = slow({ 1000, 1000 }, 50)
    assert.equal("key-1", id_of(provider))
    control.elapsed = control.elapsed + 850
    assert.equal("key-1", provider:get(10).access_key_id)
    loop.sleep(60)
    assert.equal("key-2", id_of(provider))
  end)

  it("learn together that the service refuses what they had", function()
    local provider, source, loop = slow({ 7200, 7200 }, 20)
    local keys, tasks = provider:get(), {}
    for i = 1, 10 do tasks[i] = loop.spawn(function() return provider:refuse(keys, 60) end) end
    for i = 1, 10 do assert.is_true(tasks[i]:result()) end
    assert.equal(2, source.begun)
  end)

  it("in a child that was forked begin one of its own", function()
    local provider, source, loop = slow({ 7200 }, 50)
    local task = ask(loop, provider, 1)[1]
    loop.sleep(1)
    assert.equal(0, child.run(function()
      return id_of(provider) == "key-1" and source.begun == 2 and 0 or 1
    end))
    assert.equal("key-1", task:result())
    assert.equal(1, source.begun)
  end)

  it("get an error when the provider is closed, and what comes later is wiped", function()
    local provider, source, loop = slow({ 7200 }, 20)
    local tasks = ask(loop, provider, 3)
    loop.sleep(1)
    provider:close()
    for i = 1, 3 do assert.is_nil((tasks[i]:result())) end
    loop.sleep(60)
    assert.equal(0, source.fetches)
    local keys, err = provider:get()
    assert.is_nil(keys)
    assert.matches("was closed", err.message)
  end)

  it("get an error when the source raises, whatever that is, and the next one tries anew",
    function()
      for _, case in ipairs(hostile) do
        local provider, source, _, loop = source_of { 7200 }
        local fetch = source.fetch
        function source.fetch()
          source.fetch = fetch
          loop.sleep(1)
          error(case[2], 0)
        end
        for _, task in ipairs(ask(loop, provider, 3)) do
          local id, err = task:result()
          assert.is_nil(id)
          assert.equal("source raised an error", err.message)
        end
        assert.equal("key-1", id_of(provider))
      end
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
