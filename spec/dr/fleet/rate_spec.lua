-- The quota of an account that several controllers share, over an emulator that counts its calls.

local labs = require "spec.dr.fleet.lab"

local QUOTA = 12

local function stage(groups)
  return labs.new { groups = groups, emulator = { assume = { throttle = "second",
    throttle_limit = QUOTA } }, rate = { action = QUOTA, region = 100, reserve = 0 } }
end

-- The requests that were refused, and the most that one action had in any second of the sending.
local function judge(lab)
  local refused, densest, by_action = 0, 0, {}
  for _, request in ipairs(lab.emus["100001"]:requests()) do
    if (request.code or ""):find "Throttling" then refused = refused + 1 end
    by_action[request.action] = by_action[request.action] or {}
    table.insert(by_action[request.action], request.time)
  end
  for _, moments in pairs(by_action) do
    local first = 1
    for last = 1, #moments do
      while moments[last] - moments[first] > 1 - 1e-6 do first = first + 1 end
      densest = math.max(densest, last - first + 1)
    end
  end
  return refused, densest
end

describe("controllers of one account", function()
  it("are told how far the whole fleet is, and what they use of their part", function()
    local lab, told, list = labs.new { groups = 30 }, {}, {}
    for i = 1, 2 do
      told[i] = {}
      list[i] = assert(lab:controller("c" .. i, { workers = 8, headway = 2,
        progress = function(event)
          if event.type == "headway" then table.insert(told[i], event) end
        end }))
    end
    for _, ending in ipairs(lab:run(list)) do assert.equal(30, ending.result.done) end
    for i = 1, 2 do
      local most, last = 0, told[i][#told[i]]
      assert.same({ 30, 0, 0, true }, { last.done, last.under_way, last.open, last.last })
      for _, event in ipairs(told[i]) do
        assert.equal(30, event.done + event.failed + event.left_out + event.under_way + event.open)
        assert.is_true(event.open >= 0)
        most = math.max(most, event.under_way)
        if event.calls then assert.is_true(event.calls_allowed <= 30) end
      end
      assert.is_true(most > 8 and most <= 16, most)
      assert.near(15, told[i][#told[i] - 1].calls_allowed, 1e-3)
    end
  end)

  it("stay under its quota together, whoever comes and goes", function()
    local lab = stage(120)
    local ends = {}
    lab.loop.scope(function()
      for i = 1, 4 do
        lab.loop.spawn(function()
          -- One after the other, in the middle of the others' work.
          lab.loop.sleep((i - 1) * 6)
          local fleet = assert(lab:controller("c" .. i, { canary = 0, workers = 40,
            death = i == 2 and { at = 400 } or nil }))
          local ok, result, err = pcall(fleet.run, fleet)
          ends[i] = ok and (result or err)
          if i ~= 2 then fleet:close() end
        end)
      end
    end)
    for _, i in ipairs { 1, 3, 4 } do assert.equal(120, ends[i].done, tostring(ends[i])) end
    local refused, densest = judge(lab)
    assert.equal(0, refused)
    assert.is_true(densest <= QUOTA and densest > QUOTA / 2, densest)
    assert.equal(120, (select(2, lab:effects())))
    assert.same({}, lab:keys "rates/")
  end)

  it("begin at once where nobody else is, and wait where somebody is", function()
    local lab = stage(2)
    local one = assert(lab:controller("one", { canary = 0 }))
    local began_at = lab.runtime.time()
    assert(one:run())
    local first = lab.emus["100001"]:requests()[1].time - began_at
    assert.is_true(first < 0.01, first)
    lab = stage(2)
    one = assert(lab:controller("one", { items = { lab:items()[1] }, name = "a", canary = 0 }))
    assert(one:run())
    local count = #lab.emus["100001"]:requests()
    local two = assert(lab:controller("two", { items = { lab:items()[2] }, name = "b",
      canary = 0 }))
    began_at = lab.runtime.time()
    assert(two:run())
    first = lab.emus["100001"]:requests()[count + 1].time - began_at
    assert.is_true(first > 1.5 * 15 / 4 and first < 2 * 15 / 4, first)
  end)

  it("send nothing where nobody can tell how many they are", function()
    local lab = stage(4)
    local down, last
    local fleet = assert(lab:controller("one", { canary = 0, faults = function(call)
      if not (down and call.op == "list" and call.key:find "/rates/") then return nil end
      return lab.runtime.time() < down + 30 and "unreachable"
    end }))
    fleet.progress = function(event)
      if event.type == "intent" then down = down or lab.runtime.time() end
    end
    assert.equal(4, assert(fleet:run()).done)
    local longest = 0
    for _, request in ipairs(lab.emus["100001"]:requests()) do
      longest, last = math.max(longest, request.time - (last or request.time)), request.time
    end
    assert.is_true(longest > 20, longest)
  end)

  it("leave their clients to whoever has given them", function()
    local lab = stage(2)
    local fleet = assert(lab:controller("one", { canary = 0 }))
    assert.equal(2, assert(fleet:run()).done)
    fleet:close()
    lab.loop.sleep(60)
    local asked_at = lab.loop.now()
    assert(fleet:client_of "100001":call("DescribeDiskReplicaGroups", {}))
    assert.is_true(lab.loop.now() - asked_at < 1)
  end)
end)
