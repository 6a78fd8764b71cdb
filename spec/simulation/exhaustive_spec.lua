-- Every single trouble at every point, and pairs on the traces that these make.

local coverage = require "alicloud.simulation.coverage"
local enumerate = require "alicloud.simulation.enumerate"
local exhaustive = require "alicloud.simulation.exhaustive"
local lab = require "spec.simulation.lab"
local mutants = require "spec.simulation.mutants"
local mutated = require "spec.simulation.mutated"

local function open(kinds)
  local _, plan = lab.plan()
  return assert(exhaustive.open(plan, { kinds = kinds }))
end

describe("the list of single troubles", function()
  it("has every point of the undisturbed run, and is the same each time", function()
    local about, again = open(), open()
    assert.same(about.families, again.families)
    assert.same({}, about.violations)
    local kinds, requests = {}, {}
    for _, each in ipairs(about.families) do
      local trouble = each.troubles[1]
      kinds[trouble.kind] = true
      if trouble.request then requests[trouble.request] = true end
    end
    -- This playbook has no programs and no parameters.
    local others = { programs = true, typos = true }
    for _, kind in ipairs(require "alicloud.simulation".KINDS) do
      assert.is_true(kinds[kind] or others[kind], kind)
    end
    for _, point in ipairs(about.calm[false]) do
      if point.kind == "request" then assert.is_true(requests[point.n]) end
    end
  end)

  it("stops each step at each of its requests, and lets another controller come there", function()
    local about = open { stops = true, controllers = true }
    local stops, takeovers = {}, {}
    for _, each in ipairs(about.families) do
      local trouble = each.troubles[1]
      if trouble.nth_step then stops[trouble.nth_step] = (stops[trouble.nth_step] or 0) + 1 end
      if trouble.name == "takeover" and trouble.request then takeovers[trouble.request] = true end
    end
    for _, point in ipairs(about.calm[false]) do
      if point.kind == "request" then assert.is_true(takeovers[point.n]) end
      if point.kind == "step" then assert.is_true((stops[point.n] or 0) >= 5 * #point.asked) end
    end
    assert.is_truthy(next(stops))
    for n, unit in ipairs(about.units) do
      local trouble = about.families[unit[1]].troubles[1]
      if trouble.request or trouble.nth_step == 2 then
        assert.same({}, exhaustive.single(about, n).harms)
      end
    end
  end)

  it("has a crash once for the bytes that it can keep, and half a write at writes alone", function()
    local points = {
      { kind = "disk", n = 1, op = "append", unsynced = 0 },
      { kind = "disk", n = 2, op = "sync", unsynced = 2 },
    }
    local list, merged = enumerate.list(points, { kinds = { crashes = true } })
    local keeps, torn = {}, {}
    for _, each in ipairs(list) do
      local trouble = each.troubles[1]
      if trouble.call == 2 and trouble.how == "crash" then keeps[trouble.keep] = true end
      if trouble.how == "torn" then torn[trouble.call] = true end
    end
    assert.same({ [0] = true, true, [60] = true }, keeps)
    assert.same({ true }, torn)
    assert.is_true(merged.bytes > 0 and merged.whole > 0 and merged.pauses > 0)
  end)
end)

describe("the times of a trouble", function()
  it("end with the first one that outlasts the run", function()
    local about = open { regions = true }
    local merged, variants = 0, 0
    local report = exhaustive.single(about, 1)
    assert.same({}, report.harms)
    for _, n in pairs(report.merged) do merged = merged + n end
    for _, n in ipairs(about.units[1]) do variants = variants + #about.families[n].troubles end
    assert.is_true(report.runs > 0 and merged > 0)
    assert.equal(variants, merged + report.runs)
  end)
end)

describe("pairs", function()
  it("come behind the first one, and not once its run is as it would have been", function()
    local about = open { crashes = true }
    local first
    for n, each in ipairs(about.families) do
      if about.calm[false][each.at].open then first = first or about.first_of[n] end
    end
    local report = exhaustive.pairs(about, first, 1)
    assert.same({}, report.harms)
    assert.is_true(report.runs > 0)
    assert.is_true(report.merged.rejoined > report.runs)
  end)

  it("are run in pieces, which are the same in sum", function()
    local about = open { crashes = true }
    local first = about.first_of[#about.families // 2]
    local whole, sum = exhaustive.pairs(about, first, 1), { runs = 0, troubles = 0, merged = {} }
    local limit = exhaustive.PIECE
    finally(function() exhaustive.PIECE = limit end)
    exhaustive.PIECE = 5
    local from, pieces = 1, 0
    while from do
      local piece = exhaustive.pairs(about, first, from)
      sum.runs, sum.troubles = sum.runs + piece.runs, sum.troubles + piece.troubles
      for rule, n in pairs(piece.merged) do sum.merged[rule] = (sum.merged[rule] or 0) + n end
      from, pieces = piece.next, pieces + 1
    end
    assert.is_nil(whole.next)
    assert.is_true(pieces > 2)
    assert.same({ runs = whole.runs, troubles = whole.troubles, merged = whole.merged }, sum)
  end)

  it("are named by two numbers, which repeat them", function()
    local about = open { crashes = true }
    local families = about.families
    local report = assert(exhaustive.again(about, { about.first_of[#families // 2], 1 }))
    assert.equal(1, report.runs)
    assert.equal(2, report.troubles)
    local none, message = exhaustive.again(about, { 1000000 })
    assert.is_nil(none)
    assert.matches("^there are %d+ single troubles$", message)
  end)
end)

-- What troubles lead to.
local function ending_of(edits, troubles)
  return mutated.with(edits, function()
    local simulation, plan = lab.plan()
    local case = assert(require "alicloud.simulation.exhaustive".open(plan)).case
    case.troubles = troubles
    local rehearsal = simulation.judge(case, plan)
    return rehearsal.violations[1] or rehearsal.ending
  end)
end

local function lie(request, name, value, lasts)
  return { kind = "hostile", name = name, change = { [name] = value }, lasts = lasts,
    request = request }
end

-- What a short list leads to beside a group that is not as it should be either.
local function ending_beside(edits, name, value, seconds)
  return ending_of(edits, { lie(1, "short_list", 1, seconds), lie(2, name, value, 2 * seconds) })
end

describe("a group that names no pairs", function()
  it("may end in a refusal if it also counts more than are listed", function()
    assert.equal("Client.PairSetIncomplete (not_sent)", ending_of({},
      { lie(1, "pair_ids", "empty", 5000), lie(1, "pair_count_off", 1, 5000) }))
    assert.equal("completed", ending_of({},
      { lie(1, "pair_ids", "empty", 5000), lie(1, "pair_count_off", -1, 5000) }))
  end)
end)

describe("two lies that agree on too few pairs", function()
  local forgotten = { module = "alicloud.dr.read.settled", name = "forgotten",
    value = "function() end" }
  local FEWER = "S3 decided for 2 pairs of 3"

  it("outvote the names only when they have lasted for two minutes", function()
    for _, seconds in ipairs { 5, 5000 } do
      assert.equal("completed", ending_beside({}, "pair_count_off", -1, seconds))
      assert.equal(FEWER, ending_beside({ forgotten }, "pair_count_off", -1, seconds))
    end
  end)

  it("do not outweigh a look from before them", function()
    assert.equal("completed", ending_beside({}, "membership", "group", 20))
    assert.equal(FEWER, ending_beside({ forgotten }, "membership", "group", 20))
  end)
end)

describe("coverage", function()
  it("names what was met in one way, and never in another", function()
    local never = coverage.never { ["request DescribeDisks/done"] = 3, ["write sync/crash"] = 1 }
    assert.same({ "request DescribeDisks/failed", "request DescribeDisks/refused",
      "request DescribeDisks/throttled", "request DescribeDisks/unanswered",
      "request DescribeDisks/unsent", "write sync/crash_after" }, never)
  end)

  it("has the steps by their whole names, without those of their branches", function()
    local met, disk = {}, { text = function()
      return '{"event":{"type":"step_begin","step":"pg-1/say \\"hi\\" twice"}}\n{"torn'
    end }
    coverage.add(met, { stage = { requests = {}, stopped_at = {}, disk = disk } })
    assert.same({ ['phase say "hi" twice'] = 1 }, met)
  end)
end)

describe("every single trouble finds a mistake:", function()
  for name, kinds in pairs {
    ["a new token for each send"] = { answers = true },
    ["the client makes up the token"] = { answers = true, crashes = true },
    ["no fsync"] = { crashes = true },
    ["the torn end is damage"] = { crashes = true },
    ["the failure of a write is overlooked"] = { disk = true },
  } do
    it(name, function()
      for _, mutant in ipairs(mutants) do
        if mutant.name == name then
          assert.is_string((lab.first_single(mutant, "normal", kinds)))
        end
      end
    end)
  end
end)
