--- Tells whether the service of a group may run at the side that is meant already. A playbook ends
--- with nothing done if so, and goes on if not; so neither is believed after a single look.

local direction = require "alicloud.dr.model.direction"
local sites = require "alicloud.dr.read.sites"
local snapshots = require "alicloud.dr.model.snapshot"

local M = {}

-- How many looks in a row must agree on "already there", and on "elsewhere". The latter needs fewer
-- and no pause, since every action looks again.
local THERE, ELSEWHERE = 3, 2
-- Seconds between two looks.
local PAUSE = 2
-- Most looks. If they never agree, the answer is "elsewhere", and the actions find out.
local MOST = 9

-- Whether the look may show the group at the side that is meant, but its pair set is not whole: the
-- group or the pair list lags, and the look is taken again.
local function lags(snapshot)
  local may_stand = snapshot.role == "primary" or snapshot.status == "failovered"
  return may_stand and snapshots.pair_set_fault(snapshot) ~= nil
end

local function look(group, ends)
  local loop = group.client.loop
  while true do
    local snapshot, err = group:observe()
    if not snapshot or not lags(snapshot) or loop.now() >= ends then return snapshot, err end
    loop.sleep(sites.LAG_PAUSE)
  end
end

--- Looks at a group until enough looks agree.
---@param group alicloud.dr.Group
---@return table|nil standing see alicloud.dr.Group.standing
---@return alicloud.Error? err
function M.read(group)
  local snapshot, err, found
  local agreed, ends = 0, group.client.loop.now() + sites.LAG
  for _ = 1, MOST do
    snapshot, err = look(group, ends)
    if not snapshot then return nil, err end
    local seen = direction.standing(snapshot)
    agreed, found = agreed > 0 and seen == found and agreed + 1 or 1, seen
    if agreed == (found and THERE or ELSEWHERE) then break end
    if found then group.client.loop.sleep(PAUSE) end
  end
  local is_there = found and agreed == THERE
  return { outcome = is_there and "already_there" or "elsewhere",
    open = is_there and found == "open" or false,
    unclear = not is_there and lags(snapshot) or nil,
    from = snapshot.from, to = snapshot.to, status = snapshot.status, snapshot = snapshot }
end

return M
