--- Steps that were finished and have begun again, though nothing was to be done once more.

local M = {}

-- A fence that stops no production may have been taken back by others; whoever goes on looks at it
-- again as long as the group is not opened.
local function may_be_renewed(event, opened)
  return event.marks == "old_side_fenced" and not event.stops_production and not opened
end

--- What was finished is not begun again, unless its undoing has begun.
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
