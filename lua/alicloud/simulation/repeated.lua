--- Finds finished steps that have begun again, although nothing had to be done once more.

local M = {}

-- A resumed run may repeat a step that others may have undone, such as a fence, until the group is
-- failed over. One that stops production is never repeated.
local function may_be_renewed(event, opened)
  return event.renewed and not event.stops_production and not opened
end

--- The finished steps that have begun again. A step may begin again after its undoing has begun.
---@param events table[] of a journal
---@return string[] steps
function M.of(events)
  local done, opening, opened, found = {}, {}, {}, {}
  for _, event in ipairs(events) do
    local step = event.step
    local branch = step and step:match "^.*/" or ""
    if event.type == "step_begin" then
      if done[step] and not may_be_renewed(event, opened[branch]) then found[#found + 1] = step end
      opening[step] = event.no_return
    elseif event.type == "step_end" then
      done[step] = event.ok
      opened[branch] = opened[branch] or event.ok and opening[step]
    elseif event.type == "undo_begin" then
      done[step] = nil
    end
  end
  return found
end

return M
