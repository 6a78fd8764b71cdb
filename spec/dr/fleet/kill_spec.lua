-- Controllers of a fleet that are killed: whatever they were doing, each group is moved once, and
-- nothing of them is left.

local core = require "alicloud.core"
local labs = require "spec.dr.fleet.lab"

-- Numbers that look like chance, from a seed.
local function chance(seed)
  local state = seed
  return function(most)
    state = (state * 6364136223846793005 + 1442695040888963407)
    return (state >> 33) % most + 1
  end
end

local function endings(lab)
  local done, other = 0, {}
  for name, value in pairs(lab:keys "fleets/night/done/") do
    local outcome = core.decode(value).outcome
    if outcome == "done" then done = done + 1 else other[#other + 1] = name .. " " .. outcome end
  end
  return done, other
end

-- Four controllers at a time; in place of one that was killed another one comes.
local function night(lab, deaths, next_number, given)
  local started = 0
  local function one()
    started = started + 1
    local options = { workers = 8, max_errors = "50%" }
    for name, value in pairs(given or {}) do options[name] = value end
    if started <= deaths then
      options.death = { at = 20 + next_number(400), after = started % 2 == 0 }
    end
    local fleet = assert(lab:controller("c" .. started, options))
    local ok, result, err = pcall(fleet.run, fleet)
    if fleet.keys.stopped then return one() end
    assert(ok, result)
    assert(result, err)
    fleet:close()
  end
  lab.loop.scope(function()
    for _ = 1, 4 do lab.loop.spawn(one) end
  end)
  return started
end

describe("controllers of a fleet that are killed", function()
  it("leave 480 groups of three accounts moved once each, and no lock", function()
    local lab = labs.new { groups = 160, accounts = 3 }
    local started = night(lab, 12, chance(7))
    assert.equal(16, started)
    local done, other = endings(lab)
    assert.same({ 480, {} }, { done, other })
    local effects, all = lab:effects()
    assert.equal(480, all)
    for group, count in pairs(effects) do assert.equal(1, count, group) end
    assert.same({}, lab:locks())
  end)

  it("recognise what they have done though the answers were lost", function()
    local lab, seen = labs.new { groups = 40, accounts = 3 }, 0
    lab.emus["100002"]:fault { match = { action = "FailoverDiskReplicaGroup", nth = 3, count = 1 },
      effect = { error = { code = "Forbidden", status = 403 } } }
    local list = {}
    for i = 1, 3 do
      list[i] = assert(lab:controller("c" .. i, { max_errors = "50%", faults = function(call)
        if call.op ~= "txn" and call.op ~= "create" then return nil end
        seen = seen + 1
        return seen % 5 == 0 and "lost_answer" or seen % 7 == 0 and "unknown"
      end }))
    end
    for _, ended in ipairs(lab:run(list)) do
      assert(ended.result, ended.err or ended.raised)
      assert.same({ 119, 1, 0 }, { ended.result.done, ended.result.failed, ended.result.left })
    end
    assert.equal("1", lab:keys "fleets/night/failures"[""])
    assert.equal(119, (select(2, lab:effects())))
    assert.same({}, lab:locks())
  end)
end)
