--- Does something for each item of a list, several at a time: reads in a row would take long.

local M = {}

--- Calls a function for each item of a list, some at a time; they begin in the order of the list.
---@param loop alicloud.loop.Loop
---@param list any[]
---@param most integer at most so many at a time
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
