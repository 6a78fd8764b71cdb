-- That the benchmarks run, and what they make of a figure and what is wanted of it.

local rounds = require "spec.bench.rounds"

describe("a figure of a benchmark", function()
  it("is at most, or at least, what is wanted of it", function()
    assert.is_true(rounds.meets(60, "<= 60"))
    assert.is_false(rounds.meets(60.1, "<= 60"))
    assert.is_true(rounds.meets(350, ">= 350"))
    assert.is_false(rounds.meets(74, ">= 350"))
  end)
end)

-- Nothing else starts them but `make bench`, which a person does now and then.
describe("a program of the benchmarks prints its figures:", function()
  for _, case in ipairs {
    { 1, "emulated", "20", "2" }, { 1, "rehearsed", "0", "5", "values" }, { 3, "journal", "100" },
    { 1, "simulated", "0", "5" }, { 1, "simulated", "seeds", "5" }, { 2, "explored", "seeds", "5" },
    { 2, "explored", "failover", "400" }, { 2, "explored", "planned", "4000" },
    { 2, "loaded", "ebs" }, { 5, "fleet", "4", "4", "1", "dark" }, { 4, "accounts", "2", "3", "3" },
  } do
    it(table.concat(case, " ", 2), function()
      local run = rounds.run { "lua5.4", ("spec/bench/%s.lua"):format(case[2]),
        table.unpack(case, 3) }
      assert.equal(case[1], #run.figures)
    end)
  end
end)
