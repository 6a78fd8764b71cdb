-- What the benchmarks make of a figure and what is wanted of it.

local rounds = require "spec.bench.rounds"

describe("a figure of a benchmark", function()
  it("is at most, or at least, what is wanted of it", function()
    assert.is_true(rounds.meets(60, "<= 60"))
    assert.is_false(rounds.meets(60.1, "<= 60"))
    assert.is_true(rounds.meets(350, ">= 350"))
    assert.is_false(rounds.meets(74, ">= 350"))
  end)
end)
