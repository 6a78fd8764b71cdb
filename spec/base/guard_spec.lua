local guard = require "alicloud.base.guard"

describe("a guarded call", function()
  it("passes arguments in and results out, nils included", function()
    local function swap(a, b, c) return c, b, a end
    assert.same({ n = 4, true, 3, nil, 1 }, table.pack(guard.call(swap, 1, nil, 3)))
  end)

  it("returns what was raised, unchanged", function()
    local object = {}
    local ok, raised = guard.call(error, object)
    assert.is_false(ok)
    assert.equal(object, raised)
  end)

  it("lets the interpreter's interrupt through", function()
    for _, text in ipairs { "interrupted!", "playbook.lua:7: interrupted!" } do
      local ok, raised = pcall(guard.call, error, text, 0)
      assert.is_false(ok)
      assert.equal(text, raised)
    end
  end)

  it("does not take other errors for an interrupt", function()
    for _, value in ipairs { "interrupted", "interrupted! not", { "interrupted!" }, 7 } do
      assert.is_false(guard.is_interrupt(value))
      assert.is_false((guard.call(error, value)))
    end
  end)

  it("can be yielded across", function()
    local thread = coroutine.wrap(function()
      return guard.call(function() return coroutine.yield("asked") end)
    end)
    assert.equal("asked", thread())
    assert.same({ true, "answer" }, { thread("answer") })
  end)
end)
