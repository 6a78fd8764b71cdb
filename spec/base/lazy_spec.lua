local lazy = require "alicloud.base.lazy"
local scratch = require "spec.scratch"

describe("a module that is loaded late", function()
  local before, directory

  before_each(function()
    before, directory = package.path, scratch.directory()
    package.path = directory .. "/?.lua"
    scratch.write(directory .. "/late_module.lua",
      "loaded_late = (loaded_late or 0) + 1 return { answer = 42 }")
  end)

  after_each(function()
    package.path = before
    package.loaded.late_module, _G.loaded_late = nil, nil
  end)

  it("is loaded when something of it is first read, and once", function()
    local late = lazy.module "late_module"
    assert.is_nil(_G.loaded_late)
    assert.equal(42, late.answer)
    assert.equal(42, late.answer)
    assert.is_nil(late.nothing)
    assert.equal(1, _G.loaded_late)
  end)

  it("is a field of a table that has the others at once", function()
    local owner = lazy.fields({ own = 1 }, { late = "late_module" })
    assert.equal(1, owner.own)
    assert.is_nil(owner.nothing)
    assert.is_nil(_G.loaded_late)
    assert.equal(42, owner.late.answer)
    assert.equal(owner.late, rawget(owner, "late"))
  end)

  it("is named by who does not find it any more, and found when it is there again", function()
    local late = lazy.module "late_module"
    package.path = directory .. "/elsewhere/?.lua"
    for _ = 1, 2 do
      local ok, message = pcall(function() return late.answer end)
      assert.is_false(ok)
      assert.matches("module 'late_module' not found", message, 1, true)
    end
    package.path = directory .. "/?.lua"
    assert.equal(42, late.answer)
  end)
end)
