--- Reads from the compute service of a region where the disks of one side of a group are attached,
--- and whether those instances run. A disk that cannot be read counts as unknown, never as free.

local fields = require "alicloud.base.fields"
local hosts = require "alicloud.dr.model.hosts"
local pages = require "alicloud.dr.read.pages"
local tables = require "alicloud.base.tables"

local M = {}

local DEADLINE = 15
local PAGE = 100

---@class alicloud.dr.DiskHost
---@field id string of an instance
---@field name string|nil
---@field status string|nil nil: not listed
---@field device string|nil name under which the disk is attached

---@class alicloud.dr.DiskUse
---@field id string
---@field pair string? the pair whose disk it is
---@field status string|nil e.g. "In_use"; nil: the region does not list it
---@field zone string|nil
---@field hosts alicloud.dr.DiskHost[] the instances that it is attached to, by id; several if
---multi-attach is enabled

---@class alicloud.dr.SideUse
---@field region string
---@field known boolean whether everything could be read
---@field disks alicloud.dr.DiskUse[]
---@field why string? why it is not known
---@field err alicloud.Error?
---@field read_at number? unix seconds, the server's clock

local text = fields.text

local function index(records, key)
  local by_id = {}
  for _, record in ipairs(records) do
    local id = text(record[key])
    if id then by_id[id] = record end
  end
  return by_id
end

-- The instances of a disk: its record may name them in the list of attachments only.
local function hosts_of(record)
  local found, seen = {}, {}
  local function add(id, device)
    if id and not seen[id] then
      seen[id], found[#found + 1] = true, { id = id, device = text(device) }
    end
  end
  add(text(record.InstanceId), record.Device)
  for _, entry in ipairs(fields.objects(record.Attachments, "Attachment")) do
    add(text(entry.InstanceId), entry.Device)
  end
  table.sort(found, function(a, b) return a.id < b.id end)
  return found
end

-- Reads records by their ids, as many with each call as the service takes.
local function read(client, region, operation, parameter, ids, key, deadline)
  local records, first = {}, nil
  for begin = 1, #ids, PAGE do
    local part = table.move(ids, begin, math.min(begin + PAGE - 1, #ids), 1, {})
    local found, err, meta = pages.all(client, operation,
      { RegionId = region, [parameter] = part, MaxResults = PAGE },
      { region = region, deadline = deadline or DEADLINE })
    if not found then return nil, err end
    first = first or meta
    table.move(found, 1, #found, #records + 1, records)
  end
  return index(records, key), nil, first
end

local function unknown(region, err)
  return { region = region, known = false, disks = {}, err = err,
    why = ("%s could not be asked about the disks: %s"):format(region, err.code) }
end

local function instances_of(disks)
  local ids = {}
  for i, host in ipairs(hosts.of(disks)) do ids[i] = host.id end
  return ids
end

local function missing_of(disk)
  if not disk.status then return "disk " .. disk.id end
  for _, host in ipairs(disk.hosts) do
    if not host.status then return "instance " .. host.id end
  end
  return nil
end

local function name_what_is_missing(side)
  for _, disk in ipairs(side.disks) do
    local what = missing_of(disk)
    if what then
      side.known, side.why = false, ("%s is not listed in %s"):format(what, side.region)
      return
    end
  end
end

local function describe(wanted, records)
  local disks = {}
  for i, disk in ipairs(wanted) do
    local record = records[disk.id] or {}
    disks[i] = { id = disk.id, pair = disk.pair, status = text(record.Status),
      hosts = hosts_of(record), zone = text(record.ZoneId) }
  end
  return disks
end

--- Reads disks, with the ids alone of the instances that they are attached to.
---@param client alicloud.Client
---@param region string
---@param wanted { id: string, pair: string? }[]
---@param deadline number? seconds for each list
---@return alicloud.dr.DiskUse[]|nil
---@return alicloud.Error? err
---@return alicloud.Meta? meta nil if there was nothing to read
function M.disks(client, region, wanted, deadline)
  local ids = {}
  for i, disk in ipairs(wanted) do ids[i] = disk.id end
  local records, err, meta = read(client, region, "ecs:DescribeDisks", "DiskIds", ids, "DiskId",
    deadline)
  if not records then return nil, err end
  return describe(wanted, records), nil, meta
end

--- Reads disks and the instances that they are attached to.
---@param client alicloud.Client
---@param region string
---@param wanted { id: string, pair: string? }[]
---@param deadline number? seconds for each list
---@return alicloud.dr.SideUse
function M.read(client, region, wanted, deadline)
  local disks, err, meta = M.disks(client, region, wanted, deadline)
  if not disks then return unknown(region, err) end
  local found
  found, err = read(client, region, "ecs:DescribeInstances", "InstanceIds", instances_of(disks),
    "InstanceId", deadline)
  if not found then return unknown(region, err) end
  for _, disk in ipairs(disks) do
    for _, host in ipairs(disk.hosts) do
      local record = found[host.id] or {}
      host.name, host.status = text(record.InstanceName), text(record.Status)
    end
  end
  local side = { region = region, known = true, disks = disks, read_at = meta and meta.server_time }
  name_what_is_missing(side)
  return side
end

-- Why the service has locked an instance, in its words; nil if it has not.
local function locks_of(record)
  local words = {}
  for _, lock in ipairs(fields.objects(record.OperationLocks, "LockReason")) do
    words[#words + 1] = text(lock.LockReason)
  end
  return #words > 0 and table.concat(words, ", ") or nil
end

--- Reads instances by their ids.
---@param client alicloud.Client
---@param region string
---@param ids string[]
---@return table<string, { status: string?, zone: string?, name: string?, locked: string? }>|nil by
---id
---@return alicloud.Error? err
function M.instances(client, region, ids)
  local records, err = read(client, region, "ecs:DescribeInstances", "InstanceIds", ids,
    "InstanceId")
  if not records then return nil, err end
  local result = {}
  for id, record in pairs(records) do
    result[id] = { status = text(record.Status), zone = text(record.ZoneId),
      name = text(record.InstanceName), locked = locks_of(record) }
  end
  return result
end

--- One page of instance ids of a region, to suggest one in place of a mistyped id.
---@param client alicloud.Client
---@param region string
---@return string[] empty if they could not be read
function M.some_instances(client, region)
  local answer = client:call("ecs:DescribeInstances", { RegionId = region, MaxResults = PAGE },
    { region = region, deadline = DEADLINE })
  local ids = {}
  for _, record in ipairs(fields.objects(answer and answer.Instances, "Instance")) do
    ids[#ids + 1] = text(record.InstanceId)
  end
  return ids
end

--- Statuses of a disk that end by themselves.
--- Source: DescribeDisks, Status.
M.PASSING = tables.set { "Creating", "ReIniting", "Attaching", "Detaching" }

--- The disks of one side of a group. If the region is out of reach, this does not wait for it.
---@param client alicloud.Client
---@param snapshot alicloud.dr.Snapshot
---@param end_ "from"|"to"
---@return alicloud.dr.SideUse
function M.of_side_at_once(client, snapshot, end_)
  return M.of_side(client:outlasting { seconds = 0 }, snapshot, end_)
end

-- The disks that the pairs name; or nil and an unknown side, if a pair does not name its disk.
local function wanted_of(snapshot, end_)
  local wanted, field = {}, end_ == "from" and "source_disk" or "destination_disk"
  for _, pair in ipairs(snapshot.pairs) do
    if not pair[field] then
      return nil, { region = snapshot[end_].region, known = false, disks = {},
        why = pair.id .. " does not name its disk" }
    end
    wanted[#wanted + 1] = { id = pair[field], pair = pair.id }
  end
  return wanted
end

--- The disks of one side of a group.
---@param client alicloud.Client
---@param snapshot alicloud.dr.Snapshot
---@param end_ "from"|"to"
---@param deadline number? seconds for each list
---@return alicloud.dr.SideUse
function M.of_side(client, snapshot, end_, deadline)
  local wanted, unnamed = wanted_of(snapshot, end_)
  if not wanted then return unnamed end
  return M.read(client, snapshot[end_].region, wanted, deadline)
end

-- The side of one group, from a reading for many groups.
local function part_of(whole, wanted, by_id)
  local side = { region = whole.region, known = true, disks = {}, read_at = whole.read_at }
  for i, disk in ipairs(wanted) do
    side.disks[i] = tables.merged(by_id[disk.id], { pair = disk.pair })
  end
  name_what_is_missing(side)
  return side
end

-- Reads the disks of many groups, and returns a function that gives the side of each. If the
-- service refuses the request for all, that function reads each side alone.
local function read_together(client, region, list)
  local all = {}
  for _, entry in ipairs(list) do table.move(entry.wanted, 1, #entry.wanted, #all + 1, all) end
  local whole = M.read(client, region, all)
  if whole.err and whole.err.kind ~= "api" then return function() return whole end end
  if whole.err then return function(wanted) return M.read(client, region, wanted) end end
  local by_id = tables.index(whole.disks, "id")
  return function(wanted) return part_of(whole, wanted, by_id) end
end

--- The disks of one side of many groups, read together. If a region is out of reach, this does not
--- wait for it.
---@param client alicloud.Client
---@param list alicloud.dr.Snapshot[]
---@param end_ "from"|"to"
---@return table<alicloud.dr.Snapshot, alicloud.dr.SideUse>
function M.of_sides_at_once(client, list, end_)
  local sides, by_region = {}, {}
  for _, snapshot in ipairs(list) do
    local region = snapshot[end_].region
    local wanted, unnamed = wanted_of(snapshot, end_)
    sides[snapshot] = unnamed
    if wanted then
      by_region[region] = by_region[region] or {}
      table.insert(by_region[region], { snapshot = snapshot, wanted = wanted })
    end
  end
  for _, region in ipairs(tables.keys(by_region)) do
    local read_one = read_together(client:outlasting { seconds = 0 }, region, by_region[region])
    for _, entry in ipairs(by_region[region]) do
      sides[entry.snapshot] = read_one(entry.wanted)
    end
  end
  return sides
end

--- Whether a disk is attached to nothing.
---@param disk alicloud.dr.DiskUse
---@return boolean
function M.is_free(disk)
  return disk.status == "Available" and #disk.hosts == 0
end

--- Statuses of a disk that will soon be attached to nothing.
M.FREE_SOON = tables.set { "Detaching", "Creating", "ReIniting" }

--- Whether a disk is about to be attached to nothing.
---@param disk alicloud.dr.DiskUse
---@return boolean
function M.is_free_soon(disk)
  return disk.status == "Detaching" or #disk.hosts == 0 and M.FREE_SOON[disk.status] == true
end

--- Whether a disk is attached to an instance.
---@param disk alicloud.dr.DiskUse
---@param instance string
---@return boolean
function M.is_on(disk, instance)
  for _, host in ipairs(disk.hosts) do
    if host.id == instance then return true end
  end
  return false
end

--- One disk in words: `d-1 on i-1 (orders, Running)`.
---@param disk alicloud.dr.DiskUse
---@return string
function M.describe(disk)
  if #disk.hosts == 0 then return ("%s (%s)"):format(disk.id, disk.status or "not listed") end
  local list = {}
  for i, host in ipairs(disk.hosts) do
    local name = host.name and host.name .. ", " or ""
    list[i] = ("%s (%s%s)"):format(host.id, name, host.status or "not listed")
  end
  return ("%s on %s"):format(disk.id, table.concat(list, " and "))
end

-- Whether no instance can write to the disk: all of its instances must be stopped.
local function are_still(disk, demanded)
  for _, host in ipairs(disk.hosts) do
    local stopped = disk.status == "In_use" and host.status == "Stopped"
    local untold = host.status == nil and demanded == "unknown"
    if not (stopped or untold) then return false end
  end
  return #disk.hosts > 0 or disk.status == nil and demanded == "unknown"
end

--- The disks of a side that are in use, in words.
---@param side alicloud.dr.SideUse
---@param demanded alicloud.dr.OldSide detached: every attached disk is in use; stopped: not if all
--- of its instances are stopped; unknown: not if nothing is known of it, either
---@return string|nil words nil if there are none
---@return boolean passes whether each of them will be free soon
function M.in_use(side, demanded)
  local names, passes = {}, true
  for _, disk in ipairs(side.disks) do
    local quiet = M.is_free(disk) or demanded ~= "detached" and are_still(disk, demanded)
    if not quiet then
      names[#names + 1] = M.describe(disk)
      passes = passes and M.is_free_soon(disk)
    end
  end
  return #names > 0 and table.concat(names, ", ") or nil, passes
end

return M
