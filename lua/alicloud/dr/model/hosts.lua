--- Lists the instances that the disks of a side are attached to.

local M = {}

--- Each instance once, in the order of the disks.
---@param disks alicloud.dr.DiskUse[]
---@return alicloud.dr.DiskHost[]
function M.of(disks)
  local list, seen = {}, {}
  for _, disk in ipairs(disks) do
    for _, host in ipairs(disk.hosts) do
      if not seen[host.id] then seen[host.id], list[#list + 1] = true, host end
    end
  end
  return list
end

--- Those instances that are not known to be stopped.
---@param disks alicloud.dr.DiskUse[]
---@return alicloud.dr.DiskHost[]
function M.not_stopped(disks)
  local list = {}
  for _, host in ipairs(M.of(disks)) do
    if host.status ~= "Stopped" then list[#list + 1] = host end
  end
  return list
end

return M
