--- Judges an assumption by the value that was observed.

local switches = require "alicloud.emulator.switches"

local M = {}

---@type table<string, alicloud.emulator.Switch>
local BY_NAME = {}
for _, switch in ipairs(switches.all) do
  if switch.kind == "assumed" then BY_NAME[switch.name] = switch end
end

--- The switch of an assumption, if it has one.
---@param name string
---@return alicloud.emulator.Switch|nil
function M.switch(name)
  return BY_NAME[name]
end

local function is_listed(values, value)
  for _, known in ipairs(values or {}) do
    if known == value then return true end
  end
  return false
end

-- Whether the emulator can be set to this value.
local function is_known(switch, value, guess)
  if not switch then return is_listed(guess and guess.values, value) end
  return switch.default ~= "fixed"
    and switches.apply({}, { [switch.name] = value }, "assumed") ~= nil
end

--- Decides an assumption: confirmed, contradicted (by a known value), new (by another value), or
--- undecided.
---@param name string
---@param value any what was observed; nil: nothing could be decided
---@param text string? what was seen, or the reason
---@param guess? { assumed: any, values: any[]? } for a guess without a switch
---@param calls alicloud.conformance.Call[]
---@return alicloud.conformance.Decision
function M.of(name, value, text, guess, calls)
  local switch = BY_NAME[name]
  local assumed
  if switch then assumed = switch.default else assumed = guess and guess.assumed end
  local decision = { name = name, assumed = assumed, value = value, text = text, calls = calls }
  if value == nil then
    decision.verdict, decision.text = "undecided", text or "no observation decided it"
  elseif value == assumed then
    decision.verdict = "confirmed"
  elseif is_known(switch, value, guess) or assumed == "fixed" then
    decision.verdict = "contradicted"
  else
    decision.verdict = "new"
  end
  return decision
end

return M
