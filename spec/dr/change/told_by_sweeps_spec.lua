-- What a wait makes of what sweeps tell: an end, and what is under way, and nothing else.

local helper = require "spec.helper"
local pollers = require "alicloud.dr.change.poller"

-- A poller over looks that tell `own` phases, one after the other and the last one on, and sweeps
-- that tell `shown`.
local function poller_of(own, shown)
  local runtime, control = helper.runtime()
  local seen = { told = 0, looks = 0, control = control }
  local loop = { now = runtime.monotonic, sleep = runtime.sleep }
  local target = {
    describe = tostring, judge = function(_, look) return look.phase, "" end,
    same = function(earlier, later) return earlier.phase == later.phase end,
    batched = { has_company = function() return true end,
      tell = function(_, wish)
        loop.sleep(3)
        if loop.now() >= wish.due or loop.now() >= wish.ends then return { blind = 0 } end
        seen.told = seen.told + 1
        return { snapshot = { phase = shown }, signature = shown, began = loop.now(), blind = 0 }
      end },
    read = function()
      seen.looks = seen.looks + 1
      return { phase = own[math.min(seen.looks, #own)] }
    end,
  }
  seen.poller = pollers.new { target = target, poll = 5, emit = function() end,
    client = { loop = loop, patience = function() return 0 end } }
  function seen.until_completed(timeout, stall)
    return seen.poller:until_completed(loop.now() + timeout, stall)
  end
  function seen.until_stable(stability)
    return seen.poller:until_stable(stability, loop.now() + 60)
  end
  return seen
end

describe("what a sweep tells", function()
  local on = "in_progress"

  it("is believed of the end, and of what is under way for two minutes", function()
    local seen = poller_of({}, "completed")
    assert.equal("completed", seen.until_completed(130, 1000))
    assert.same({ 1, 0 }, { seen.told, seen.looks })
    seen = poller_of({ on }, on)
    assert.equal("timeout", seen.until_completed(250, 1000))
    -- Two that were due, and the one at the end.
    assert.equal(3, seen.looks)
    assert.is_true(seen.told > 70 and seen.control.elapsed >= 250)
  end)

  it("ends no wait in any other way: whoever gives up has looked", function()
    for _, phase in ipairs { "failed", "partially_failed", "conflict", "direction_changed" } do
      local seen = poller_of({ phase }, phase)
      assert.is_truthy(({ failed = 1, superseded = 1 })[seen.until_completed(300, 1000)])
      assert.equal(1, seen.looks)
      seen = poller_of({ on, "completed" }, phase)
      assert.equal("completed", seen.until_completed(300, 1000))
      assert.equal(2, seen.looks)
    end
    local seen = poller_of({ "completed" }, on)
    assert.equal("completed", seen.until_completed(20, 1000))
    assert.equal(1, seen.looks)
    seen = poller_of({ "completed" }, on)
    assert.equal("completed", seen.until_completed(1000, 20))
    assert.equal(1, seen.looks)
  end)

  it("denies no look that has shown something else", function()
    local seen = poller_of({ "partially_failed" }, "unknown")
    assert.equal("failed", seen.until_completed(300, 1000))
    assert.is_true(seen.control.elapsed < 90)
  end)

  it("settles that a change has begun, and never alone that it has not", function()
    local stable = { reads = 3, span = 15 }
    local seen = poller_of({ "not_started" }, on)
    assert.equal(on, seen.until_stable(stable))
    assert.equal(0, seen.looks)
    seen = poller_of({ "not_started" }, "not_started")
    assert.equal("not_started", seen.until_stable(stable))
    assert.equal(1, seen.looks)
    seen = poller_of({ on }, "not_started")
    assert.equal(on, seen.until_stable(stable))
    assert.equal(1, seen.looks)
  end)
end)
