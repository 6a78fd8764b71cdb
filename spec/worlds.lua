--- Worlds of the emulator in which many groups are alike.

local M = {}

--- Groups pg-01, pg-02 and so on of one pair each, which can be failed over to Shanghai.
---@param count integer
---@param changes? table<integer, table> fields of some of them
---@return table world
function M.of_groups(count, changes)
  local groups = {}
  for i = 1, count do
    groups[i] = { id = ("pg-%02d"):format(i), pairs = 1, status = "normal", recover_point_age = 60,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      failover_seconds = 40 }
    for name, value in pairs(changes and changes[i] or {}) do groups[i][name] = value end
  end
  return { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups }
end

--- The ids of so many of them.
---@param count integer
---@return string[]
function M.ids(count)
  local list = {}
  for i = 1, count do list[i] = ("pg-%02d"):format(i) end
  return list
end

return M
