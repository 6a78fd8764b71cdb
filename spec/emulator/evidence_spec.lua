-- What the public shows of each assumption: nothing is missing, and nothing contradicts itself.

local emulator = require "alicloud.emulator"
local evidence = require "alicloud.emulator.evidence"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local TIERS = tables.set { "read", "burst", "drill", "throwaway", "cannot", "none" }
local FIELDS = tables.set { "strength", "toward", "text", "source", "decided_by", "tier" }

local SWITCHES = {}
for _, switch in ipairs(emulator.assumptions()) do SWITCHES[switch.name] = switch end

describe("the evidence", function()
  it("is there for every assumption", function()
    for name in pairs(SWITCHES) do assert.is_table(evidence.of[name], name) end
  end)

  for name, entry in pairs(evidence.of) do
    it("is whole for " .. name, function()
      for field in pairs(entry) do assert.is_true(FIELDS[field], field) end
      assert.is_true(tables.set(evidence.STRENGTHS)[entry.strength])
      assert.is_true(TIERS[entry.tier])
      assert.is_true(#entry.source > 0)
      assert.matches("^%u.*%.$", entry.text)
      -- One or two sentences, or three short ones.
      assert.is_true(select(2, (entry.text .. " "):gsub("[.;] ", "")) <= 4, entry.text)
      assert.matches("[^.]$", entry.decided_by)
    end)

    it("fits the switch " .. name, function()
      local switch = SWITCHES[name]
      if entry.toward ~= nil then
        assert.is_nil(schema.problem({ [name] = entry.toward }, { [name] = switch.rule }))
      end
      -- What is known is the default; what contradicts it cannot be it.
      if entry.strength == "confirmed" then assert.equal(switch.default, entry.toward) end
      if entry.strength == "leaning" then assert.is_not_nil(entry.toward) end
      if entry.strength == "unknown" then assert.is_nil(entry.toward) end
      if entry.strength == "contradicted" then assert.not_equal(switch.default, entry.toward) end
    end)
  end

  it("is for no switch that nobody has", function()
    for name in pairs(evidence.of) do
      assert.is_not_nil(SWITCHES[name], name)
    end
  end)
end)
