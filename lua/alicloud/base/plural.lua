--- Counts in words.

local M = {}

--- A number and its noun: `1 pair`, `2 pairs`.
---@param count integer
---@param noun string that takes an s
---@return string
function M.of(count, noun)
  return ("%d %s%s"):format(count, noun, count == 1 and "" or "s")
end

return M
