-- What only a loop over cqueues meets: coroutines of the controller that it drops, and coroutines
-- that it does not know.

local condition = require "cqueues.condition"
local core = require "alicloud.core"
local cqueues = require "cqueues"
local loops = require "alicloud.loop.cqueues"

local function run(...)
  local controller = cqueues.new()
  for _, body in ipairs { ... } do controller:wrap(body) end
  return controller:loop(20)
end

local function assert_nothing_left(loop)
  assert.is_nil(loop.timeout())
  assert.same({}, loop.pollables())
end

local function assert_refused(ok, err)
  assert.is_false(ok)
  assert.equal("Client.CannotWait", err.code)
end

describe("a wait in a coroutine that the controller does not know", function()
  it("is refused, and leaves nothing behind", function()
    local loop = loops.new()
    local ok, err, other
    assert.is_true(run(function()
      ok, err = coroutine.wrap(function() return pcall(loop.sleep, 1) end)()
      other = loop.timeout()
    end))
    assert_refused(ok, err)
    assert.is_nil(other)
    assert_nothing_left(loop)
  end)

  it("is refused inside a task, which goes on", function()
    local loop = loops.new()
    local ok, err, slept
    assert.is_true(run(function()
      local task = loop.spawn(function()
        ok, err = coroutine.wrap(function() return pcall(loop.sleep, 1) end)()
        local before = loop.now()
        loop.sleep(0.02)
        slept = loop.now() - before
      end)
      assert.is_true(task:wait(15))
    end))
    assert_refused(ok, err)
    assert.is_true(slept >= 0.02)
    assert_nothing_left(loop)
  end)

  it("works where no controller runs", function()
    local loop = loops.new()
    assert.is_true(coroutine.wrap(function() return pcall(loop.sleep, 0.001) end)())
    assert_nothing_left(loop)
  end)
end)

describe("a wait where the coroutine cannot yield", function()
  it("is refused, and the coroutine goes on", function()
    local loop = loops.new()
    local ok, err, slept
    assert.is_true(run(function()
      string.gsub("x", ".", function() ok, err = pcall(loop.sleep, 1) end)
      local before = loop.now()
      loop.sleep(0.02)
      slept = loop.now() - before
    end))
    assert_refused(ok, err)
    assert.is_true(slept >= 0.02)
    assert_nothing_left(loop)
  end)
end)

describe("a coroutine that its controller drops while it waits in us", function()
  local function collect()
    collectgarbage()
    collectgarbage()
  end

  it("is closed once nobody reaches it, and holds nobody up by waiting then", function()
    local loop = loops.new()
    local closed, ok, err
    do
      local controller = cqueues.new()
      controller:wrap(function()
        local _ <close> = setmetatable({}, { __close = function()
          closed = true
          ok, err = pcall(loop.sleep, 100)
        end })
        loop.sleep(100)
      end)
      assert.is_true(controller:loop(0.01))
      assert.is_number(loop.timeout())
      controller:close()
    end
    collect()
    assert.is_true(closed)
    assert_refused(ok, err)
    assert_nothing_left(loop)
  end)

  it("takes what it has begun with it", function()
    local loop = loops.new()
    local begun, closed = 0, 0
    local function begin()
      local controller = cqueues.new()
      controller:wrap(function()
        loop.scope(function()
          for _ = 1, 2 do
            loop.spawn(function()
              local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
              begun = begun + 1
              loop.sleep(100)
            end)
          end
          loop.sleep(100)
        end)
      end)
      for _ = 1, 3000 do
        assert.is_true(controller:step(0.01))
        if begun == 2 then break end
      end
    end
    begin()
    collect()
    assert.is_true(run(function() loop.sleep(0.01) end))
    assert.equal(2, closed)
    assert_nothing_left(loop)
  end)

  it("is closed, too, if it raised", function()
    local loop = loops.new()
    local closed
    do
      local ok, message = run(function()
        local _ <close> = setmetatable({}, { __close = function() closed = true end })
        loop.sleep(0.001)
        error "user code is wrong"
      end)
      assert.is_false(ok)
      assert.matches("user code is wrong", message)
    end
    collect()
    assert.is_true(closed)
    assert_nothing_left(loop)
  end)

  it("troubles no other controller where its loop is collected with it", function()
    local function drop()
      local loop = loops.new()
      local program = core.spawn({ "sleep", "100" }, 10)
      local controller = cqueues.new()
      controller:wrap(function()
        loop.scope(function() loop.spawn(loop.wait, program, math.huge) end)
      end)
      assert.is_true(controller:loop(0.01))
    end
    drop()
    local ended
    assert.is_true(run(function()
      collect()
      cqueues.sleep(0.01)
      ended = true
    end))
    assert.is_true(ended)
  end)

  it("does not keep what others wait for from going on", function()
    local loop = loops.new()
    local controller, ended = cqueues.new(), false
    controller:wrap(function() loop.sleep(0.02) end)
    loop.spawn(function()
      loop.sleep(0.01)
      ended = true
    end)
    controller:loop(0.001)
    controller:close()
    collect()
    assert.is_true(run(function() loop.sleep(0.02) end))
    assert.is_true(ended)
    assert_nothing_left(loop)
  end)
end)

describe("a task that waits for what only cqueues knows", function()
  it("is told at its next wait, and not kept from ending", function()
    local loop = loops.new()
    local before, told, closed = loop.now(), nil, false
    assert.is_true(run(function()
      local task = loop.spawn(function()
        cqueues.sleep(100)
        told = pcall(loop.sleep, 1) == false
        loop.sleep(1)
      end)
      local deaf = loop.spawn(function()
        local _ <close> = setmetatable({}, { __close = function() closed = true end })
        while true do cqueues.sleep(100) end
      end)
      loop.sleep(0.01)
      task:cancel()
      deaf:cancel()
      assert.equal("cancelled", select(2, task:result()).kind)
      assert.equal("cancelled", select(2, deaf:result()).kind)
    end))
    assert.is_true(told and closed)
    assert.is_true(loop.now() - before < 50)
    assert_nothing_left(loop)
  end)
end)

describe("a controller", function()
  it("goes on with the tasks when it is run again after an interrupt", function()
    local loop = loops.new()
    local controller, ended = cqueues.new(), false
    controller:wrap(function()
      loop.spawn(function() error("interrupted!", 0) end)
      loop.spawn(function()
        loop.sleep(0.01)
        ended = true
      end)
    end)
    local ok, raised = controller:loop(20)
    assert.same({ false, "interrupted!" }, { ok, raised })
    assert.is_true(controller:loop(20))
    assert.is_true(ended)
    assert_nothing_left(loop)
  end)

  it("ends once what was waited for is given up, not when its time has come", function()
    local loop = loops.new()
    local before = loop.now()
    assert.is_true(run(function()
      local task = loop.spawn(function() loop.sleep(100) end)
      loop.sleep(0.01)
      task:cancel()
    end))
    assert.is_true(loop.now() - before < 10)
    assert_nothing_left(loop)
  end)

  it("ends with the scopes, not when their time has come", function()
    local loop = loops.new()
    local before = loop.now()
    assert.is_true(run(function()
      loop.scope(function()
        loop.scope(function() loop.sleep(0.01) end, { timeout = 100 })
        loop.spawn(function() loop.sleep(0.01) end):result()
      end, { timeout = 50 })
    end))
    assert.is_true(loop.now() - before < 10)
    assert_nothing_left(loop)
  end)

  it("is not kept by conditions and descriptors of ours once all has ended", function()
    local loop = loops.new()
    local controller = cqueues.new()
    local signal = condition.new()
    local woken
    controller:wrap(function()
      loop.spawn(function() loop.sleep(0.001) end):wait()
      signal:signal()
    end)
    controller:wrap(function() woken = signal:wait(5) end)
    assert.is_true(controller:loop(20))
    assert.is_truthy(woken)
    assert.is_true(controller:empty())
  end)
end)
