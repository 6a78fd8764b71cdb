--- Draws and describes when a trouble comes: from the start, or before or after a request or a
--- change, at once or some seconds later.

local M = {}

--- Draws a moment of a run.
---@param d alicloud.simulation.Random
---@param trouble table gets the moment
---@return table trouble the same table
function M.draw(d, trouble)
  if d:chance(0.5) then
    trouble.send = d:pick { 1, 1, 1, 2 }
  else
    trouble.request = d:between(1, 14)
  end
  trouble.after, trouble.delay = d:chance(0.5), d:pick { 0, 0, 0, 1, 4, 12, 30 }
  return trouble
end

--- When a trouble comes, in words.
---@param trouble alicloud.simulation.Trouble
---@return string
function M.describe(trouble)
  if trouble.from_start then return "from the start" end
  if trouble.call then return ("at call %d of the disk"):format(trouble.call) end
  local what = trouble.send and ("change %d"):format(trouble.send)
    or ("request %d"):format(trouble.request)
  return ("%s %s%s"):format(trouble.after and "after" or "before", what,
    (trouble.delay or 0) > 0 and (" + %g s"):format(trouble.delay) or "")
end

return M
