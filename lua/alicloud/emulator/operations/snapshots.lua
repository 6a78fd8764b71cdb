--- DescribeSnapshots of ECS (2014-05-26): as many snapshots of a disk as the world describes.

local core = require "alicloud.core"

local M = {}

local function describe(emu, params)
  local items = core.array {}
  for _, disk in ipairs(emu.world.disks) do
    local wanted = disk.place.region == params.RegionId
      and (not params.DiskId or params.DiskId == disk.id)
    for number = 1, wanted and disk.snapshots or 0 do
      items[#items + 1] = { SnapshotId = ("s-%s-%d"):format(disk.id, number),
        SourceDiskId = disk.id, Status = "accomplished" }
    end
  end
  return { TotalCount = #items, PageNumber = 1, PageSize = 10, Snapshots = { Snapshot = items } }
end

M.describe = { run = describe }

return M
