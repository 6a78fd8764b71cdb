-- Every assumption is flipped, one at a time, in an emulator behind a socket, and all tiers of
-- conformance are run against it: the flip must be named, and nothing else may be.

local flips = require "spec.conformance.flips"
local scratch = require "spec.scratch"
local throwaway = require "spec.conformance.throwaway_world"

local TIERS = { "read", "drill", "throwaway", "burst" }

local function is_otherwise(decision)
  return decision ~= nil and (decision.verdict == "contradicted" or decision.verdict == "new")
end

local function run(assume)
  local result, emu = throwaway.run { assume = assume, tiers = TIERS, socket = true,
    redacts = assume == nil }
  return result, throwaway.by_name(result), emu
end

local function named_wrongly(found, assume)
  local wrong = {}
  for name, decision in pairs(found) do
    if is_otherwise(decision) and assume[name] == nil then
      wrong[#wrong + 1] = ("%s=%s (%s)"):format(name, tostring(decision.value),
        tostring(decision.text))
    end
  end
  return wrong
end

local usual

local function hidden(found, flip)
  local list = {}
  for name, decision in pairs(found) do
    local allowed = (flips.HIDES[flip.name] or {})[name] or flip.assume[name] ~= nil
    if usual[name].verdict == "confirmed" and decision.verdict == "undecided" and not allowed then
      list[#list + 1] = ("%s: %s"):format(name, decision.text)
    end
  end
  return list
end

describe("conformance against what is assumed", function()
  it("contradicts nothing, and decides all but what it cannot see", function()
    local result, found, emu = run()
    usual = found
    assert.is_nil(result.stopped)
    assert.same({}, named_wrongly(found, {}))
    for _, flip in ipairs(flips.all()) do
      local seen = found[flip.name].verdict == "confirmed"
      local can = not flips.INVISIBLE[flip.name] and not flips.TOGETHER[flip.name]
      assert.equal(can, seen, ("%s is %s: %s"):format(flip.name, found[flip.name].verdict,
        tostring(found[flip.name].text)))
    end
    assert.equal(2, #emu.world.groups)
    assert.equal(3, #emu.world.pairs)
  end)
end)

describe("conformance against a flip of", function()
  local detected, all = 0, flips.all()

  for _, flip in ipairs(all) do
    it(("%s to %s"):format(flip.name, tostring(flip.value)), function()
      local result, found = run(flip.assume)
      local decision = found[flip.name]
      assert.is_nil(result.stopped)
      assert.same({}, named_wrongly(found, flip.assume))
      assert.same({}, hidden(found, flip))
      if flips.INVISIBLE[flip.name] then
        assert.equal("undecided", decision.verdict)
        assert.truthy(decision.text and #decision.text > 10)
        return
      end
      local near = flips.NEAR[flip.name] or {}
      assert.equal(near[flip.value] or flip.value, decision.value, decision.text)
      assert.equal("contradicted", decision.verdict)
      -- A burst is counted, not listed.
      assert.is_true(#decision.calls > 0 or flip.assume.throttle ~= nil)
      detected = detected + 1
    end)
  end

  it("names them, all but those that cannot be seen", function()
    local invisible = 0
    for _ in pairs(flips.INVISIBLE) do invisible = invisible + 1 end
    assert.equal(#all - invisible, detected)
    assert.is_true(detected >= 40, detected)
  end)
end)

describe("the manual", function()
  it("has the table of what each tier has seen", function()
    local page = scratch.read "lua/alicloud/manual/throwaway.md"
    for _, row in ipairs(flips.rows()) do
      assert.truthy(page:find(row .. "\n", 1, true), row)
    end
  end)
end)
