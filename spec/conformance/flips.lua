--- The flips that conformance is proven by: every other value of every switch that is assumed, and
-- what of them no call can show.

local conformance = require "alicloud.conformance"
local switches = require "alicloud.emulator.switches"

local M = {}

-- Where any number is allowed, these are tried.
local NUMBERS = { token_lifetime = { 600, 86400 }, time_window = { 300 },
  time_window_rpc = { 600 }, throttle_limit = { 5 } }

--- What has to be switched as well, because the switch says how that happens.
M.TOGETHER = { throttle_limit = { throttle = "second" }, block_code = { throttle = "minute" } }

--- What cannot be named exactly, and what is named in its place.
M.NEAR = { token_lifetime = { [86400] = 3660 } }

--- What no tier can see, with the reason. What becomes visible goes from here.
M.INVISIBLE = {
  reprotect_again = "needs a group that is reprotect_failed, which nobody can bring about",
  describe_deleted = "a record vanishes at the moment at which it is deleted",
  token_pending = "needs two requests that are at work at the same moment",
  site_status = "needs an outage of one region",
  wall_clock = "the service has one clock; only an emulator has another one beside it",
}

--- What a flip may hide from other observations; they are undecided then, and say why.
M.HIDES = {
  attach_secondary = { standby_attached = true },
  wrong_side = { side_names = true },
  failover_states = { mixed_failover_states = true },
}

---@class spec.conformance.Flip
---@field name string
---@field value any
---@field assume table all that is switched

--- The flips, in the order of the switches.
---@return spec.conformance.Flip[]
function M.all()
  local list = {}
  for _, switch in ipairs(switches.all) do
    local values = NUMBERS[switch.name] or switch.rule.values
    if switch.kind == "hostile" or switch.default == "fixed" then values = {} end
    for _, value in ipairs(values) do
      if value ~= switch.default then
        local assume = { [switch.name] = value }
        for name, other in pairs(M.TOGETHER[switch.name] or {}) do assume[name] = other end
        list[#list + 1] = { name = switch.name, value = value, assume = assume }
      end
    end
  end
  return list
end

local function tiers_of(name)
  local list = {}
  for _, tier in ipairs(conformance.TIERS) do
    for _, case in ipairs(conformance.tier(tier).cases) do
      if case.name == name then list[#list + 1] = tier end
    end
  end
  return table.concat(list, ", ")
end

--- The table of the manual: what was switched on, and which tier has seen it.
---@return string[] lines
function M.rows()
  local rows, values, order = { "| assumption | switched to | seen by |", "|---|---|---|" }, {}, {}
  for _, flip in ipairs(M.all()) do
    if not values[flip.name] then order[#order + 1] = flip.name end
    values[flip.name] = values[flip.name] or {}
    table.insert(values[flip.name], tostring(flip.value))
  end
  for _, name in ipairs(order) do
    local reason = M.INVISIBLE[name]
    rows[#rows + 1] = ("| `%s` | %s | %s |"):format(name, table.concat(values[name], ", "),
      reason and "none: " .. reason or tiers_of(name))
  end
  return rows
end

return M
