--- Whether a status can follow the one that the look before has shown. Anything can be in the end,
--- since others call, too; within some seconds, only what lies a step or two behind it. A change of
--- this client's own begins anew: what it leads to is judged by whoever has made it.

local documented = require "alicloud.service.ebs.states"

local M = {}

-- Seconds between two looks after which nothing can be said.
local NEAR = 10
local STEPS = 2

local function reach(word, steps, found)
  found[word] = true
  if steps == 0 then return found end
  for _, following in ipairs(documented.moves[word] or {}) do reach(following, steps - 1, found) end
  return found
end

local reachable = {}

--- Whether a status is what another becomes within a step or two. A word that is not known, and one
--- of which no document says what follows, may become anything.
---@param before string
---@param now string
---@return boolean
function M.follows(before, now)
  local moves = documented.moves
  if before == now or not moves[before] or not moves[now] then return true end
  -- A broken disk is no step of replication.
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
