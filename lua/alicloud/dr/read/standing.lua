--- Whether a group stands at the side that is meant. That it does ends a playbook with nothing
--- done, so one odd look is not enough for it.

local direction = require "alicloud.dr.model.direction"

local M = {}

-- Looks that have to agree, and the pause between two of them in seconds.
local LOOKS = 3
local PAUSE = 2

--- Looks at a group until its standing is believed; that it stands elsewhere, one look tells.
---@param group alicloud.dr.Group
---@return table|nil standing see alicloud.dr.Group.standing
---@return alicloud.Error? err
function M.read(group)
  local snapshot, err, found
  for i = 1, LOOKS do
    snapshot, err = group:observe()
    if not snapshot then return nil, err end
    local seen = direction.standing(snapshot)
    if not seen or found and seen ~= found then
      found = nil
      break
    end
    found = seen
    if i < LOOKS then group.client.loop.sleep(PAUSE) end
  end
  return { outcome = found and "already_there" or "elsewhere", open = found == "open",
    from = snapshot.from, to = snapshot.to, status = snapshot.status, snapshot = snapshot }
end

return M
