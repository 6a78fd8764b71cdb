-- What an exhaustive exploration does not run: each such trouble has the run of the one that stands
-- for it. Some of them are run here, and held against that; a rule that takes too much is noticed.

local enumerate = require "alicloud.simulation.enumerate"
local exhaustive = require "alicloud.simulation.exhaustive"
local lab = require "spec.simulation.lab"
local sameness = require "alicloud.simulation.sameness"
local simulation = require "alicloud.simulation"
local tables = require "alicloud.base.tables"
local traces = require "alicloud.simulation.trace"

local function open(kinds)
  local _, plan = lab.plan()
  return assert(exhaustive.open(plan, { kinds = kinds })), plan
end

-- What is seen and done from the process of this number on, with its times.
local function run_of(about, plan, troubles, from)
  local trace = traces.new()
  local case = tables.merged(about.case, { troubles = troubles, trace = trace })
  local rehearsal = simulation.judge(case, plan)
  local parts = { rehearsal.ending, #rehearsal.violations }
  for _, point in ipairs(trace.points) do
    local is_seen = point.kind ~= "wait" and point.kind ~= "step"
    if point.process >= from and is_seen then
      parts[#parts + 1] = ("%.6f %s %s"):format(point.time, point.sight, point.answer)
    end
  end
  return table.concat(parts, "\n")
end

-- Holds every so-manieth of what the rules merge in every so-manieth unit against what stands for
-- it; gives how many of each rule, and the first rule that took something else.
local function compare(kinds, every, units)
  local about, plan = open(kinds)
  local counts, seen, wrong = {}, {}, nil
  local function told(trouble, like, rule, from)
    seen[rule] = (seen[rule] or 0) + 1
    if seen[rule] % every ~= 1 then return end
    counts[rule] = (counts[rule] or 0) + 1
    local same = run_of(about, plan, { trouble }, from or 1)
      == run_of(about, plan, { like }, from or 1)
    if not same then wrong = wrong or rule end
  end
  enumerate.list(about.calm[false], { kinds = kinds, told = function(each, same)
    told(each.troubles[1], same.troubles[1], each.rule, each.rule == "left" and 2 or 1)
  end })
  for n = 1, #about.units, units or 1 do exhaustive.single(about, n, told) end
  return counts, wrong
end

describe("a trouble that is merged has the run of the one that stands for it:", function()
  it("a lie that is not told, or told as long", function()
    local counts, wrong = compare({ stale_read = true, unknown_status = true }, 5, 3)
    assert.is_nil(wrong)
    assert.is_true(counts.moment > 0)
  end)

  it("a region that is out of order", function()
    local counts, wrong = compare({ regions = true }, 10, 6)
    assert.is_nil(wrong)
    assert.is_true(counts.moment > 0)
  end)

  it("what passes by itself", function()
    local kinds = { old_record = true, membership = true, blips = true, compute = true }
    local counts, wrong = compare(kinds, 3, 2)
    assert.is_nil(wrong)
    assert.is_true(counts.moment > 0)
  end)

  it("what somebody else does", function()
    local counts, wrong = compare({ operators = true }, 5, 5)
    assert.is_nil(wrong)
    assert.is_true(counts.moment > 0)
  end)

  it("a crash that leaves the same", function()
    local counts, wrong = compare({ crashes = true }, 41, 1000)
    assert.is_nil(wrong)
    assert.is_true(counts.left > 0)
  end)

  it("a fault of the disk that stays", function()
    local counts, wrong = compare({ disk = true }, 11, 10)
    assert.is_nil(wrong)
    assert.is_true(counts.again > 0)
  end)
end)

describe("a rule that takes too much is noticed:", function()
  it("what was answered otherwise is of no matter", function()
    local original = sameness.open
    local all = stub(sameness, "open", function(points)
      local own = original(points)
      own.is_known = function(same) return same.till ~= nil end
      return own
    end)
    finally(function() all:revert() end)
    local _, wrong = compare({ stale_read = true }, 3, 4)
    assert.is_string(wrong)
  end)

  it("crashes leave the same whatever has been written", function()
    local original = enumerate.list
    local list = stub(enumerate, "list", function(points, options)
      local same = {}
      for i, point in ipairs(points) do
        same[i] = tables.merged(point, { durable = point.durable and 0 })
      end
      return original(same, options)
    end)
    finally(function() list:revert() end)
    local _, wrong = compare({ crashes = true }, 41, 1000)
    assert.is_string(wrong)
  end)
end)
