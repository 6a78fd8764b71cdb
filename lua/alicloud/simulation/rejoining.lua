--- Finds where the run of a trouble goes back to what it is without the trouble. A second trouble
--- from there on has the effect that it has alone.

local M = {}

-- Kinds that go on having an effect after all that shows in the trace.
local LINGERS = { clock = true, operators = true, disk = true, elsewhere = true, typos = true }

local function is_in_force(trouble, since, point)
  if LINGERS[trouble.kind] then return true end
  return trouble.lasts ~= nil and point.time < since + trouble.lasts
end

--- Index of the first point from which on a run is like the undisturbed one: the remaining points
--- are the same, no change is under way, and as many effects came before. After the last one: none.
---@param points alicloud.simulation.Point[] of the run with the trouble
---@param calm alicloud.simulation.Point[] of the undisturbed run
---@param first integer index of the point at which the trouble came
---@param trouble alicloud.simulation.Trouble
---@return integer
function M.first(points, calm, first, trouble)
  local from, since = #points + 1, points[first].time
  for back = 0, math.min(#points - first, #calm) - 1 do
    local mine, his = points[#points - back], calm[#calm - back]
    if mine.sight ~= his.sight or mine.kind ~= his.kind or mine.ledger ~= his.ledger then break end
    if is_in_force(trouble, since, mine) then break end
    if not mine.open and not his.open then from = #points - back end
  end
  return from
end

return M
