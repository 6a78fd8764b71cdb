local helper = require "spec.helper"
local timers = require "alicloud.loop.timers"

local function never() return false end

describe("timers", function()
  it("give what is due, earliest first, the older of two at once first", function()
    local random = helper.generator(7)
    local heap, expected = timers.new(never), {}
    for age = 1, 500 do
      local due = math.floor(random() * 40)
      heap.add(due, age)
      expected[age] = { due = due, age = age }
    end
    table.sort(expected, function(left, right)
      if left.due ~= right.due then return left.due < right.due end
      return left.age < right.age
    end)
    for _, entry in ipairs(expected) do
      assert.equal(entry.due, heap.next())
      assert.is_nil(heap.take(entry.due - 0.5))
      assert.equal(entry.age, heap.take(entry.due))
    end
    assert.is_nil(heap.next())
    assert.is_nil(heap.take(1000))
  end)

  it("forget what has gone stale", function()
    local stale = {}
    local heap = timers.new(function(item) return stale[item] end)
    heap.add(1, "a")
    heap.add(2, "b")
    stale.a = true
    assert.equal(2, heap.next())
    assert.equal("b", heap.take(3))
    heap.add(4, "c")
    stale.c = true
    assert.is_nil(heap.next())
  end)
end)
