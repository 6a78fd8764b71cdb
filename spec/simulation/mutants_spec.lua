-- Every deliberate mistake is noticed: by the seed that noticed it first, or by one near the
-- beginning if the draws have changed. A mistake that only a lie of the service, or a kind of
-- trouble, can uncover goes unnoticed without that.

local lab = require "spec.simulation.lab"
local mutants = require "spec.simulation.mutants"
local simulation = require "alicloud.simulation"
local surroundings = require "alicloud.simulation.surroundings"

local NEAR, UNNOTICED = 400, 40

local function candidates(mutant)
  local inner, first = lab.range(1, NEAR), mutant.seed
  return function()
    if not first then return inner() end
    local seed = first
    first = nil
    return seed
  end
end

describe("a deliberate mistake is noticed:", function()
  for _, mutant in ipairs(mutants) do
    it(mutant.name, function()
      assert.is_number(lab.first_killer(mutant, candidates(mutant)))
    end)
  end
end)

describe("a hostile option, or a kind of trouble", function()
  local alone = {}
  for _, mutant in ipairs(mutants) do
    if mutant.only then
      alone[mutant.only] = true
      it(mutant.only .. " alone uncovers: " .. mutant.name, function()
        local kinds = lab.all_but(mutant.only)
        assert.is_nil((lab.first_killer(mutant, lab.range(mutant.seed, mutant.seed), kinds)))
        assert.is_nil((lab.first_killer(mutant, lab.range(1, UNNOTICED), kinds)))
      end)
    end
  end

  it("has such a mistake, whichever it is", function()
    for _, list in ipairs { simulation.HOSTILE, surroundings.KINDS } do
      for _, name in ipairs(list) do assert.is_true(alone[name], name) end
    end
    assert.is_true(#mutants >= 40)
  end)
end)
