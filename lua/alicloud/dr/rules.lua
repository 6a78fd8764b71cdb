--- The class of group objects.

local M = {}

--- The metatable of every group object.
M.GROUP = { __name = "alicloud.dr.Group" }

--- Makes a group object from checked parts.
---@param client alicloud.Client
---@param id string
---@param region string
---@return alicloud.dr.Group
function M.new_group(client, id, region)
  return setmetatable({ client = client, id = id, region = region }, M.GROUP)
end

--- Raises unless a method was called on a group.
---@param group any
---@param level integer as for `error`
function M.demand_group(group, level)
  if getmetatable(group) == M.GROUP then return end
  error("dr.group: not a group; call its methods with a colon", level + 1)
end

return M
