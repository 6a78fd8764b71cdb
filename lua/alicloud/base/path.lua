--- Fields inside fields: "Disks.Disk".

local M = {}

--- The value at a path of names with dots between them. What is no table on the way is the answer,
--- so that whoever wants a list sees that it is none.
---@param value any
---@param path string
---@return any
function M.get(value, path)
  for name in path:gmatch("[^%.]+") do
    if type(value) ~= "table" then return value end
    value = value[name]
  end
  return value
end

return M
