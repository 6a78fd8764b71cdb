--- Whether a group stands at the side that is meant. That it does ends a playbook with nothing
--- done, and that it does not lets it go on to a refusal: one odd look is not enough for either.

local direction = require "alicloud.dr.model.direction"
local sites = require "alicloud.dr.read.sites"
local snapshots = require "alicloud.dr.model.snapshot"

local M = {}

-- Looks in a row that have to agree that it stands there, and the pause between two of them in
-- seconds. That it stands elsewhere is looked at again whenever something is to be done.
local THERE, ELSEWHERE = 3, 2
local PAUSE = 2
-- Looks that never agree so often let whoever goes on find out.
local MOST = 9

-- A pair that the group or the list does not know yet says nothing of where the group stands.
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

--- Looks at a group until its standing is believed.
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
    from = snapshot.from, to = snapshot.to, status = snapshot.status, snapshot = snapshot }
end

return M
