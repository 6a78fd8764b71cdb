--- Several things at a time: a read takes a moment, and many of them one after the other take long.

local M = {}

--- Does the same for each of a list, for some of them at a time, in the order of the list.
---@param loop alicloud.loop.Loop
---@param list any[]
---@param most integer so many at a time
---@param act fun(each: any, i: integer): any what it raises is raised, and the others are cancelled
---@return table<integer, any> results by the places in the list
function M.each(loop, list, most, act)
  local results, taken = {}, 0
  local function work()
    while taken < #list do
      taken = taken + 1
      local i = taken
      results[i] = act(list[i], i)
    end
  end
  loop.scope(function()
    for _ = 1, math.min(most, #list) do loop.spawn(work) end
  end)
  return results
end

return M
