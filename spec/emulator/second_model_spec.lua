-- Two readings of the same documents: the emulator, and a table that was written without a look at
-- it. What the emulator does is allowed by the table, or the difference has a name here.

local alicloud = require "alicloud"
local check = require "spec.emulator.second_model.check"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local history = require "spec.emulator.second_model.history"
local lab = require "spec.simulation.lab"
local life = require "spec.emulator.model.life"
local model = require "spec.emulator.second_model"
local scenarios = require "alicloud.emulator.scenarios"
local tables = require "alicloud.base.tables"
local walk = require "spec.emulator.second_model.walk"

-- Differences that are known, each with its reason and where that is written down.
local NAMED = {
  ["cycle unseen"] = "A cycle passes without syncing where the timing cycle_sync is 0, the "
    .. "default: the assumption `timings`; how long syncing lasts is published nowhere.",
  ["member apart"] = "A member in another state than its group shows the group's recovery point. "
    .. "Only a world that is described so has one: pairs take from the group what they do not say "
    .. "themselves (world_schema).",
  ["late membership"] = "A pair joins or leaves 5 s after the answer, though its group was started "
    .. "meanwhile. The provider polls after both calls; what a start between does is published "
    .. "nowhere.",
}

-- Names of the differences in histories, with their first text.
local function differences(histories, visits)
  local found = {}
  for _, one in ipairs(histories) do
    for _, difference in ipairs(check.check(one, visits)) do
      found[difference.name] = found[difference.name] or difference.text
    end
  end
  return found
end

local function unnamed(found, named)
  local rest = {}
  for name, text in pairs(found) do
    if not named[name] then rest[#rest + 1] = name .. ": " .. text end
  end
  table.sort(rest)
  return rest
end

local function rehearse(name)
  local scenario = assert(scenarios.load(name))
  local emu = emulator.new(scenarios.options(scenario))
  local client = alicloud.client { region = scenario.region, transport = emu.transport,
    runtime = emu.runtime, access_key_id = emu.access_key_id,
    access_key_secret = emu.access_key_secret }
  local group = dr.group(client, scenario.group, { region = scenario.region })
  group:failover { max_rpo = scenario.max_rpo }
  emu:advance(2000)
  return emu:requests()
end

describe("the second reading of the documents", function()
  it("has a document for every row and every step, and no state that it does not list", function()
    local states = model.set(model.states.pair .. " " .. model.states.drill .. " same")
    for name, row in pairs(model.operations) do
      assert.is_string(row.doc, name)
      for _, list in ipairs { "yes", "silent", "into", "one_shot", "yes_one_shot", "member" } do
        for state in pairs(model.set(row[list])) do assert.is_true(states[state], state) end
      end
    end
    for state in pairs(model.steps.pair) do assert.is_string(model.step_docs[state], state) end
  end)

  local cells, silent = model.count()
  it(("is silent for %d of its %d operations in a state"):format(silent, cells), function()
    assert.is_true(silent < cells / 4)
  end)
end)

describe("the emulator agrees with it", function()
  it("in a whole life, in both directions", function()
    local visits = {}
    local found = differences(history.record(function() life.live() end), visits)
    assert.same({}, unnamed(found, {}))
    assert.is_true(#tables.keys(visits) > 10)
  end)

  for _, name in ipairs(scenarios.NAMES) do
    it("in the scenario " .. name, function()
      local requests
      local histories = history.record(function() requests = rehearse(name) end)
      assert.equal(1, #histories)
      assert.same({}, unnamed(differences(histories), { ["cycle unseen"] = true }))
      assert.same({}, check.unlisted(requests))
    end)
  end

  -- What is shown may be a lie there, on purpose.
  it("in rehearsed playbooks, with everything that goes wrong there", function()
    local runs = 10
    local named = { ["cycle unseen"] = true, shown = true }
    for _, path in ipairs { lab.MOVE, lab.FAILBACK } do
      local histories = history.record(function()
        local simulation, plan = lab.plan(path)
        for seed = 1, runs do simulation.broken_by(plan, seed) end
      end)
      assert.is_true(#histories > runs)
      assert.same({}, unnamed(differences(histories), named))
    end
  end)
end)

describe("walks at random", function()
  local WALKS = 300
  local visits, seen, wrong, unlisted = {}, {}, {}, {}

  setup(function()
    for seed = 1, WALKS do
      local features, requests
      local found = differences(history.record(function()
        features, requests = walk.walk(seed)
      end), visits)
      local named = { ["late membership"] = true, ["cycle unseen"] = features.copying == 0,
        ["member apart"] = features.apart }
      for _, text in ipairs(unnamed(found, named)) do
        wrong[#wrong + 1] = ("walk %d: %s"):format(seed, text)
      end
      for _, text in ipairs(check.unlisted(requests)) do unlisted[#unlisted + 1] = text end
      for name in pairs(found) do seen[name] = true end
    end
  end)

  it("go no way that the documents do not know", function()
    assert.same({}, wrong)
    assert.same({}, unlisted)
  end)

  it("meet every difference that has a name, and no other", function()
    assert.same(tables.keys(NAMED), tables.keys(seen))
  end)

  it("call every operation in every state, and are served in each that the documents allow",
    function()
      local left = {}
      for name, row in pairs(model.operations) do
        for state in (row.id and model.states[row.of] or ""):gmatch "%S+" do
          local cell = name .. " " .. state
          local visit, says = visits[cell], model.says(name, state)
          local met = visit and (says ~= "yes" or visit.accepted > 0)
            and (says ~= "no" or visit.refused > 0)
          if not met then left[#left + 1] = cell end
        end
      end
      assert.same({}, left)
    end)

  it("take every step that the documents know", function()
    -- No call breaks a record, and one that is deleted is gone at once.
    local never = model.set "invalid deleted"
    for kind, steps in pairs(model.steps) do
      for from, list in pairs(steps) do
        for to in pairs(model.set(list)) do
          local step = ("%s %s to %s"):format(kind, from, to)
          assert.equal(not (never[from] or never[to]), visits[step] ~= nil, step)
        end
      end
    end
  end)
end)
