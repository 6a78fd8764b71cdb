--- Describes the troubles of a case in words, for people.

local controllers = require "alicloud.simulation.controllers"
local corrections = require "alicloud.simulation.correction"
local elsewhere = require "alicloud.simulation.elsewhere"
local programs = require "alicloud.simulation.programs"
local stopping = require "alicloud.simulation.stopping"
local surroundings = require "alicloud.simulation.surroundings"
local when = require "alicloud.simulation.when"

local M = {}

-- Kinds whose modules describe them.
local OWN = { stops = stopping.describe, controllers = controllers.describe,
  programs = programs.describe, typos = corrections.describe, elsewhere = elsewhere.describe }

local function describe_effect(rule)
  local effect, parts = rule.effect, {}
  if effect.error then parts[1] = ("%d %s"):format(effect.error.status, effect.error.code) end
  for _, name in ipairs { "drop", "delay", "stuck", "partial", "apply_late" } do
    if effect[name] then
      parts[#parts + 1] = effect[name] == true and name or ("%s %s"):format(name, effect[name])
    end
  end
  return table.concat(parts, ", ")
end

--- A trouble in one line.
---@param trouble alicloud.simulation.Trouble
---@return string
function M.describe(trouble)
  local own = OWN[trouble.kind]
  if own then return own(trouble) end
  local rule = trouble.rule
  if rule then
    local which = rule.match.nth and ("%d"):format(rule.match.nth)
      or ("1 to %d"):format(rule.match.count)
    return ("%s %s: %s%s"):format(rule.match.action, which, describe_effect(rule),
      rule.when == "after" and ", after it was done" or "")
  end
  local what = surroundings.describe(trouble) or trouble.kind
  if trouble.change then what = ("%s = %s"):format(trouble.name, trouble.change[trouble.name])
  elseif trouble.state then what = ("%s region %s"):format(trouble.region, trouble.state)
  elseif trouble.seconds then what = ("clock: %s %g s"):format(trouble.name, trouble.seconds)
  elseif trouble.how then what = trouble.how
  elseif trouble.code then what = ("%s: %s"):format(trouble.action, trouble.code)
  elseif trouble.name then what = "somebody else: " .. trouble.name end
  local lasts = trouble.lasts and (", for %g s"):format(trouble.lasts) or ""
  return ("%s, %s%s"):format(what, when.describe(trouble), lasts)
end

return M
