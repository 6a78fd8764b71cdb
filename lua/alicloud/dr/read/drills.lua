--- Reads the open drills of groups (DescribeReplicaGroupDrills), with their age and a warning about
--- their cost. The disks of a drill are billed until somebody clears it; it never ends by itself.

local at_once = require "alicloud.base.at_once"
local duration = require "alicloud.base.duration"
local fields = require "alicloud.base.fields"
local group_reads = require "alicloud.dr.read.groups"
local pages = require "alicloud.dr.read.pages"
local reading = require "alicloud.dr.model.reading"
local snapshots = require "alicloud.dr.model.snapshot"

local M = {}

local PAGE = 100
-- How many groups are asked at the same time, since there is no list of drills for a region.
local AT_ONCE = 20

---@class alicloud.dr.DrillDisk
---@field pair string
---@field disk string|nil
---@field status string "creating", "created", "deleting", "deleted", or the code of what went wrong

---@class alicloud.dr.Drill
---@field id string
---@field group_id string
---@field region string
---@field status string "executing", "executed", "execute_failed", "clearing", "clear_failed"
---@field message string|nil the service's words about a failure
---@field started_at integer|nil unix seconds
---@field recover_point integer|nil unix seconds, of the data on the disks of the drill
---@field disks alicloud.dr.DrillDisk[] sorted by pair
---@field age number|nil seconds since it was started, by the server's clock
---@field warning string|nil words about its billed disks; nil: it has none

local text = fields.text

local function read_disks(record)
  local disks = {}
  for _, info in ipairs(fields.objects(record.PairsInfo, "PairInfo")) do
    disks[#disks + 1] = { pair = text(info.PairId) or "", disk = text(info.DrillDiskId),
      status = text(info.DrillDiskStatus) or "" }
  end
  table.sort(disks, function(a, b) return a.pair < b.pair end)
  return disks
end

local function warning(drill)
  local count = 0
  for _, disk in ipairs(drill.disks) do
    if disk.disk and disk.status ~= "deleted" then count = count + 1 end
  end
  if count == 0 then return nil end
  local age = drill.age and " for " .. duration.format(drill.age) or ""
  return ("%d pay-as-you-go disk%s billed%s, until the drill is cleared"):format(count,
    count == 1 and " is" or "s are", age)
end

local function new(record, group_id, region, read_at)
  local drill = {
    id = text(record.DrillId) or "", group_id = text(record.GroupId) or group_id, region = region,
    status = text(record.Status) or "", message = text(record.StatusMessage),
    started_at = (reading.moment(record.StartAt, read_at)),
    recover_point = (reading.moment(record.RecoverPoint, read_at)),
    disks = read_disks(record),
  }
  drill.age = drill.started_at and read_at and math.max(0, read_at - drill.started_at) or nil
  drill.warning = warning(drill)
  return drill
end

--- The open drills of one group.
---@param client alicloud.Client
---@param group_id string
---@param region string
---@param options? table options of each call
---@return alicloud.dr.Drill[]|nil sorted by id
---@return alicloud.Error? err
---@return number? read_at unix seconds by the server's clock
function M.of_group(client, group_id, region, options)
  local call_options = { region = region }
  for name, value in pairs(options or {}) do call_options[name] = value end
  local records, err, meta = pages.all(client, "ebs:DescribeReplicaGroupDrills",
    { RegionId = region, GroupId = group_id, MaxResults = PAGE }, call_options)
  if not records then return nil, err end
  local list, read_at = {}, meta and meta.server_time
  for _, record in ipairs(records) do
    list[#list + 1] = new(record, group_id, region, read_at)
  end
  table.sort(list, function(a, b) return a.id < b.id end)
  return list, nil, read_at
end

--- The open drills of every group that has its secondary site in a region.
---@param client alicloud.Client
---@param region string
---@return alicloud.dr.Drill[]|nil oldest first
---@return alicloud.Error? err
function M.all(client, region)
  local ids, err = group_reads.ids(client, { region = region, site = "backup" })
  if not ids then return nil, err end
  local list = {}
  at_once.each(client.loop, ids, AT_ONCE, function(id)
    if err then return end
    local drills, fault = M.of_group(client, id, region)
    err = err or fault
    table.move(drills or {}, 1, #(drills or {}), #list + 1, list)
  end)
  if err then return nil, err end
  table.sort(list, function(a, b)
    local one, other = a.started_at or 0, b.started_at or 0
    if one ~= other then return one < other end
    return a.id < b.id
  end)
  return list
end

--- Whether the disks of a drill are there, one for each pair.
---@param drill alicloud.dr.Drill
---@param pair_ids string[]
---@return boolean
function M.is_ready(drill, pair_ids)
  local found = {}
  for i, disk in ipairs(drill.disks) do
    if disk.status ~= "created" then return false end
    found[i] = disk.pair
  end
  return drill.status == "executed" and #found > 0
    and not snapshots.id_difference(pair_ids, found)
end

--- One line about a drill.
---@param drill alicloud.dr.Drill
---@return string
function M.describe(drill)
  local ready = 0
  for _, disk in ipairs(drill.disks) do
    if disk.status == "created" then ready = ready + 1 end
  end
  local message = drill.message and " (" .. drill.message .. ")" or ""
  return ("%s %s%s, %d/%d disks created"):format(drill.id, drill.status, message, ready,
    #drill.disks)
end

--- All of a drill that can change, as one text to compare.
---@param drill alicloud.dr.Drill
---@return string
function M.signature(drill)
  local parts = { drill.id, drill.status }
  for _, disk in ipairs(drill.disks) do parts[#parts + 1] = disk.pair .. "=" .. disk.status end
  return table.concat(parts, " ")
end

return M
