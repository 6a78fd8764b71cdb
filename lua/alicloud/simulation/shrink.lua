--- Finds few troubles that still cause a violation, by leaving parts out (delta debugging): halves
--- first, then smaller parts, until no single trouble can be left out.

local M = {}

local function without(list, first, last)
  local rest = {}
  for i, item in ipairs(list) do
    if i < first or i > last then rest[#rest + 1] = item end
  end
  return rest
end

-- One pass with parts of a size. A part that is not needed is left out at once.
local function pass(list, size, fails)
  local first, spared = 1, false
  while first <= #list do
    local rest = without(list, first, first + size - 1)
    if fails(rest) then
      list, spared = rest, true
    else
      first = first + size
    end
  end
  return list, spared
end

--- Shrinks a list that fails.
---@generic T
---@param list T[]
---@param fails fun(list: T[]): boolean must be true of the whole list
---@return T[]
function M.list(list, fails)
  local size = math.max(1, #list // 2)
  while #list > 0 do
    local spared
    list, spared = pass(list, size, fails)
    if size == 1 and not spared then break end
    size = math.max(1, size // 2)
  end
  return list
end

return M
