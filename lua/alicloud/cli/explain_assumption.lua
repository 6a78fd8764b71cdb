--- Explains an assumption about the service to people: what this program assumes, what is known
--- about it, and how to find out.

local core = require "alicloud.core"
local differences = require "alicloud.base.differences"
local lazy = require "alicloud.base.lazy"
local schema = require "alicloud.base.schema"
local switches = require "alicloud.emulator.switches"
local tables = require "alicloud.base.tables"

---@module "alicloud.emulator.evidence"
local evidence = lazy.module "alicloud.emulator.evidence"

local M = {}

---@class alicloud.AssumptionExplanation
---@field assumption string
---@field meaning string what is assumed
---@field default any value of the emulator's switch; nil if it has none
---@field values any[]? values that the switch may have
---@field strength string? how strong the evidence is
---@field evidence string? what public sources show
---@field source string? names of public sources
---@field decided_by string? the cheapest observation that decides
---@field next string[] two commands
local Explanation = {}
Explanation.__index = Explanation
Explanation.__name = "alicloud.AssumptionExplanation"

local function switch_of(name)
  for _, switch in ipairs(switches.all) do
    if switch.name == name and switch.kind == "assumed" then return switch end
  end
end

--- Every assumption that can be explained.
---@return string[] sorted
function M.names()
  local names = tables.copy(differences.ASSUMED)
  for _, switch in ipairs(switches.all) do
    if switch.kind == "assumed" then names[switch.name] = switch.text end
  end
  return tables.keys(names)
end

local TIERS = { read = "", burst = " --burst", drill = " --drill GROUP",
  throwaway = " --throwaway --disks A=B,C=D,E=F" }

-- Without a switch, the answer of the service itself shows it; a recording keeps that answer.
local function next_of(switch, tier)
  if not switch then
    return { "alicloud-dr call DescribeDiskReplicaGroups --region REGION Site=backup",
      "alicloud-dr status GROUP --region REGION --record seen.rec" }
  end
  return { TIERS[tier] and "alicloud-dr conformance --region REGION" .. TIERS[tier]
    or "alicloud-dr manual emulator", "alicloud-dr emulator --list-assumptions" }
end

--- Explains an assumption by its name, as a warning prints it.
---@param name string
---@return alicloud.AssumptionExplanation|nil none of that name
function M.of(name)
  local switch, own = switch_of(name), differences.ASSUMED[name]
  if not switch and not own then return nil end
  local known = evidence.of[name] or {}
  return setmetatable({
    assumption = name, meaning = own or switch.text, default = switch and switch.default,
    values = switch and switch.rule.values and core.array(tables.copy(switch.rule.values)),
    strength = known.strength, evidence = known.text, source = known.source,
    decided_by = known.decided_by, next = core.array(next_of(switch, known.tier)),
  }, Explanation)
end

local function add(lines, name, value)
  if value ~= nil then lines[#lines + 1] = ("  %-13s%s"):format(name, value) end
end

function Explanation:__tostring()
  local lines, values = { self.assumption }, nil
  if self.values then
    values = {}
    for _, value in ipairs(self.values) do
      if value ~= self.default then values[#values + 1] = schema.show(value) end
    end
  end
  add(lines, "assumed", self.meaning)
  add(lines, "in emulator", self.default ~= nil and schema.show(self.default) or nil)
  add(lines, "or", values and values[1] and table.concat(values, ", ") or nil)
  add(lines, "evidence", self.evidence and ("%s: %s"):format(self.strength, self.evidence) or nil)
  add(lines, "source", self.source)
  add(lines, "decided by", self.decided_by)
  add(lines, "next", self.next[1])
  add(lines, "", self.next[2])
  return table.concat(lines, "\n")
end

return M
