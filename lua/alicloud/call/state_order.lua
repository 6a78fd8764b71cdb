--- Whether a status can follow the status of the look before. Others change the resources, too, so
--- every status is possible in time; within some seconds, only one that is a step or two further.
--- After a change of this client the comparison begins anew: the change judges its own states.

local documented = require "alicloud.service.ebs.states"

local M = {}

-- Longest time between two looks, in seconds, for which the order is checked.
local NEAR = 10
local STEPS = 2

local function reach(word, steps, found)
  found[word] = true
  if steps == 0 then return found end
  for _, following in ipairs(documented.moves[word] or {}) do reach(following, steps - 1, found) end
  return found
end

local reachable = {}

--- Whether one status can become another within a step or two. Always true if one of them is not
--- known, or if no document says what follows it.
---@param before string
---@param now string
---@return boolean
function M.follows(before, now)
  local moves = documented.moves
  if before == now or not moves[before] or not moves[now] then return true end
  -- A disk can break in any state: then it is invalid.
  if now == "invalid" then return true end
  reachable[before] = reachable[before] or reach(before, STEPS, {})
  return reachable[before][now] == true
end

--- Compares a status with the one that the look before has shown.
---@param whose "group"|"pair"
---@param before string
---@param now string
---@param seconds number between the two
---@return string|nil text how they contradict what is documented
function M.contradiction(whose, before, now, seconds)
  if seconds > NEAR or M.follows(before, now) then return nil end
  return ("a %s went from %s to %s within %d s, and nothing here asked for that"):format(whose,
    before, now, NEAR)
end

return M
