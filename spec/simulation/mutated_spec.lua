local mutated = require "spec.simulation.mutated"

local SOURCE = [[
local M = {}
M.LIMIT = 3 -- more is over
local Cup = {}
local function size(cup)
  local function twice(n) return 2 * n end
  return twice(cup.radius)
end
local function color() return "red" end
function Cup:fill(amount)
  if amount > M.LIMIT then
    return "over"
  end
  return "full"
end
function M.cup(radius) return setmetatable({ radius = radius }, { __index = Cup }) end
function M.describe(cup) return color() .. size(cup) .. cup:fill(3) end
return M
]]

local function put(name, value)
  return mutated.put(SOURCE, { module = "cups", name = name, value = value })
end

local function description(name, value)
  local cups = assert(load(put(name, value)))()
  return cups.describe(cups.cup(1))
end

describe("a mistake is put", function()
  it("around a local function", function()
    assert.are.equal("red5full", description("size", "function(c) return original(c) + 3 end"))
  end)

  it("in the place of a function of one line", function()
    assert.are.equal("blue2full", description("color", [[function() return "blue" end]]))
  end)

  it("around a method, where the module's own names are seen", function()
    assert.are.equal("red2over",
      description("Cup:fill", "function(self, n) return original(self, n + M.LIMIT) end"))
  end)

  it("around a function of the module", function()
    assert.are.equal("red18full", description("M.cup", "function(r) return original(9 * r) end"))
  end)

  it("in the place of a constant", function()
    assert.are.equal("red2over", description("M.LIMIT", "2"))
  end)

  it("twice into one function", function()
    local edit = { module = "cups", name = "size",
      value = "function(c)\nreturn original(c) + 3\nend" }
    local cups = assert(load(mutated.put(mutated.put(SOURCE, edit), edit)))()
    assert.are.equal("red8full", cups.describe(cups.cup(1)))
  end)

  it("nowhere if nothing, or nothing at the outermost level, has its name", function()
    assert.has_error(function() put("M.fill", "nil") end, "cups declares no M.fill")
    assert.has_error(function() put("twice", "nil") end, "cups declares no twice")
  end)

  it("nowhere if its name is there twice", function()
    local edit = { module = "cups", name = "size", value = "nil" }
    local source = "local function size() return 1 end\n" .. SOURCE
    assert.has_error(function() mutated.put(source, edit) end, "cups declares size twice")
  end)
end)
