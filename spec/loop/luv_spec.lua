-- What only a loop over libuv meets: callbacks, coroutines that are closed in them, and handles
-- that would keep the loop from ending.

local uv = require "spec.kept" "luv"
local core = require "alicloud.core"
local loops = require "alicloud.loop.luv"
local process = require "spec.process"
local scratch = require "spec.scratch"

local function open_handles()
  local count = 0
  uv.walk(function(handle)
    if not handle:is_closing() then count = count + 1 end
  end)
  return count
end

local function assert_nothing_left(loop)
  local before = loop.now()
  uv.run()
  assert.is_true(loop.now() - before < 50)
  assert.is_nil(loop.timeout())
  assert.same({}, loop.pollables())
  assert.equal(0, open_handles())
end

local function assert_refused(ok, err)
  assert.is_false(ok)
  assert.equal("Client.CannotWait", err.code)
end

local function in_callback(action)
  local timer = uv.new_timer()
  timer:start(0, 0, function()
    timer:close()
    action()
  end)
end

local function closing(action)
  return setmetatable({}, { __close = action })
end

-- Callbacks are of the main thread, whoever runs the loop.
it("a function that is carried out aside has a coroutine of its own in a callback", function()
  local aside = core.aside(function(act) return act() end)
  local outer, inner, given = aside(function()
    local results
    local timer = uv.new_timer()
    timer:start(0, 0, function()
      results = table.pack(aside(function() return coroutine.running(), "text" end))
      timer:close()
    end)
    uv.run()
    return coroutine.running(), results[1], results[2]
  end)
  assert.not_equal(outer, inner)
  assert.equal("text", given)
  assert.equal(outer, aside(coroutine.running))
end)

describe("a wait under libuv", function()
  it("is refused in a callback, and leaves nothing behind", function()
    local loop = loops.new()
    local ok, err
    in_callback(function() ok, err = pcall(loop.sleep, 1) end)
    uv.run()
    assert_refused(ok, err)
    assert.matches("in a callback", err.message)
    assert_nothing_left(loop)
  end)

  it("is refused in a coroutine inside a task, which goes on", function()
    local loop = loops.new()
    local ok, err
    local task = loop.spawn(function()
      ok, err = coroutine.wrap(function() return pcall(loop.sleep, 1) end)()
      local before = loop.now()
      loop.sleep(0.02)
      return loop.now() - before
    end)
    uv.run()
    assert_refused(ok, err)
    assert.is_true(task:result() >= 0.02)
    assert_nothing_left(loop)
  end)

  it("is refused where its coroutine cannot yield, which goes on", function()
    local loop = loops.new()
    local ok, err, slept
    coroutine.wrap(function()
      loop.sleep(0.001)
      string.gsub("x", ".", function() ok, err = pcall(loop.sleep, 1) end)
      local before = loop.now()
      loop.sleep(0.02)
      slept = loop.now() - before
    end)()
    uv.run()
    assert_refused(ok, err)
    assert.is_true(slept >= 0.02)
    assert_nothing_left(loop)
  end)

  it("blocks while the loop does not run, wherever it is", function()
    local loop = loops.new()
    local slept = 0
    coroutine.wrap(function()
      string.gsub("xx", ".", function()
        loop.sleep(0.001)
        slept = slept + 1
      end)
    end)()
    assert.equal(2, slept)
    assert_nothing_left(loop)
  end)
end)

describe("a coroutine that waits under libuv", function()
  it("gives its wait up when a callback closes it; its cleanup cannot wait there", function()
    local loop = loops.new()
    local ok, err
    local thread = coroutine.create(function()
      local _ <close> = closing(function() ok, err = pcall(loop.sleep, 1) end)
      loop.sleep(100)
    end)
    coroutine.resume(thread)
    in_callback(function() coroutine.close(thread) end)
    uv.run()
    assert_refused(ok, err)
    assert_nothing_left(loop)
  end)

  it("takes what it has begun with it when a callback closes it", function()
    local loop = loops.new()
    local closed = 0
    local thread = coroutine.create(function()
      loop.scope(function()
        for _ = 1, 2 do
          loop.spawn(function()
            local _ <close> = closing(function() closed = closed + 1 end)
            loop.sleep(100)
          end)
        end
        loop.sleep(100)
      end)
    end)
    coroutine.resume(thread)
    in_callback(function() coroutine.close(thread) end)
    uv.run()
    assert.equal(2, closed)
    assert_nothing_left(loop)
  end)

  it("waits in its cleanup when it ends by itself", function()
    local loop = loops.new()
    local slept
    coroutine.wrap(function()
      pcall(function()
        local _ <close> = closing(function() slept = pcall(loop.sleep, 0.01) end)
        loop.sleep(0.001)
        error "user code is wrong"
      end)
    end)()
    uv.run()
    assert.is_true(slept)
    assert_nothing_left(loop)
  end)

  it("keeps nobody waiting for the time of a scope that has ended", function()
    local loop = loops.new()
    coroutine.wrap(function()
      local running, timer = coroutine.running(), uv.new_timer()
      loop.scope(function()
        timer:start(20, 0, function()
          timer:close()
          coroutine.resume(running)
        end)
        coroutine.yield()
      end, { timeout = 100 })
    end)()
    assert_nothing_left(loop)
  end)

  -- luv ends the process with an error of a callback.
  it("is closed if it raises, before whoever runs the loop is told", function()
    local output, code = process.sh("lua5.4 " .. scratch.file([[
      local loop = require "alicloud.loop.luv".new()
      coroutine.wrap(function()
        local _ <close> = setmetatable({}, { __close = function() print "closed" end })
        loop.sleep(0.001)
        error "user code is wrong"
      end)()
      require "luv".run()
    ]], ".lua"))
    assert.equal(255, code)
    assert.matches("^closed.*user code is wrong", output)
  end)
end)
