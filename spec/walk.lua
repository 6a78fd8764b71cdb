--- Everything that Lua code reaches from what it is given, by reading tables and their metatables.

local M = {}

-- The values behind a value, and how one gets there.
local function behind(value, visit)
  if type(value) == "table" then
    for key, field in next, value do
      visit(key, "[key]")
      visit(field, "." .. tostring(key))
    end
  end
  visit(getmetatable(value), "<metatable>")
end

--- Visits each table and userdata once.
---@param roots table<string, any> by the names that paths begin with
---@param visit fun(value: table|userdata, path: string)
---@return integer count
function M.over(roots, visit)
  local seen, list, count = {}, {}, 0
  local function add(value, path)
    local kind = type(value)
    if (kind == "table" or kind == "userdata") and not seen[value] then
      seen[value] = true
      list[#list + 1] = { value, path }
    end
  end
  for name, value in pairs(roots) do add(value, name) end
  while #list > 0 do
    local value, path = table.unpack(table.remove(list))
    count = count + 1
    visit(value, path)
    behind(value, function(next_value, step) add(next_value, path .. step) end)
  end
  return count
end

return M
