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

  it("keep no more of the stale than of the others", function()
    local stale, held = {}, setmetatable({}, { __mode = "k" })
    local heap = timers.new(function(item) return stale[item] end)
    for i = 1, 10000 do
      local item = { i }
      heap.add(1e9 - i, item)
      held[item] = true
      if i % 100 ~= 0 then
        stale[item] = true
        heap.retired()
      end
    end
    stale = setmetatable(stale, { __mode = "k" })
    collectgarbage()
    local count = 0
    for _ in pairs(held) do count = count + 1 end
    assert.is_true(count <= 300, count)
    local taken, previous = 0, math.huge
    for item in heap.take, 1e9 do
      assert.is_true(item[1] < previous)
      taken, previous = taken + 1, item[1]
    end
    assert.equal(100, taken)
  end)
end)
