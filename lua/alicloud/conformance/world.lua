--- Makes a world for the emulator from a recording: the last record of each group and pair, their
--- sides now and at creation, recovery points, disks and instances, the regions and zones that
--- occur. Status words that the emulator does not know are kept.

local formats = require "alicloud.base.formats"
local errors = require "alicloud.base.error"
local reading = require "alicloud.conformance.recording.reading"
local tables = require "alicloud.base.tables"
local world_schema = require "alicloud.emulator.model.world_schema"

local M = {}

---@class alicloud.conformance.Seen what a recording shows: by id the last record of each kind
---@field regions table<string, table<string, boolean>> set of zones by region
---@field groups table<string, table> in the service's own fields, as all records here
---@field pairs table<string, table>
---@field disks table<string, table>
---@field instances table<string, table>
---@field drills table<string, table>
---@field order string[] ids of groups in the order in which they were first seen

local function note_region(seen, region, zone)
  if not formats.REGION.test(region) then return end
  seen.regions[region] = seen.regions[region] or {}
  if formats.REGION.test(zone) then seen.regions[region][zone] = true end
end

local function keep(seen, kind, record, id)
  if type(record) ~= "table" or type(id) ~= "string" or id == "" then return end
  if kind == "groups" and not seen.groups[id] then seen.order[#seen.order + 1] = id end
  seen[kind][id] = record
end

local function each(list, act)
  for _, record in ipairs(type(list) == "table" and list or {}) do
    if type(record) == "table" then act(record) end
  end
end

local function see_regions(seen, json)
  each(json.Regions, function(region)
    note_region(seen, region.RegionId)
    each(region.Zones, function(zone) note_region(seen, region.RegionId, zone.ZoneId) end)
  end)
end

local function see_list(kind, path, id)
  return function(seen, json)
    each(tables.at(json, path), function(record) keep(seen, kind, record, record[id]) end)
  end
end

-- The answer about the drills of a pair does not name the pair, so it is taken from the request.
local function see_drills(seen, json, params)
  each(json.Drills, function(drill)
    local record = tables.copy(drill)
    record.GroupId = drill.GroupId or params.GroupId
    record.PairId, record.RegionId = params.PairId, params.RegionId
    keep(seen, "drills", record, drill.DrillId)
  end)
end

local SEE = {
  ["ebs:DescribeRegions"] = see_regions,
  ["ebs:DescribeDiskReplicaGroups"] = see_list("groups", "ReplicaGroups", "ReplicaGroupId"),
  ["ebs:DescribeDiskReplicaPairs"] = see_list("pairs", "ReplicaPairs", "ReplicaPairId"),
  ["ebs:DescribeReplicaGroupDrills"] = see_drills,
  ["ebs:DescribePairDrills"] = see_drills,
  ["ecs:DescribeDisks"] = see_list("disks", "Disks.Disk", "DiskId"),
  ["ecs:DescribeInstances"] = see_list("instances", "Instances.Instance", "InstanceId"),
}

local function look(recording)
  local seen = { regions = {}, groups = {}, pairs = {}, disks = {}, instances = {}, drills = {},
    order = {} }
  for _, exchange in ipairs(recording.exchanges) do
    local see = SEE[exchange.product .. ":" .. exchange.action]
    local answer = exchange.response
    if see and answer and answer.status == 200 and type(answer.json) == "table" then
      note_region(seen, exchange.region)
      see(seen, answer.json, exchange.params)
    end
  end
  return seen
end

---@class alicloud.conformance.Drawing state while a world is made
---@field seen alicloud.conformance.Seen
---@field shift number seconds by which all moments are moved
---@field notes string[] for people: what is missing or made up
---@field statuses table<string, boolean> set of statuses that the emulator does not know

local known_status = {}
for _, status in ipairs(world_schema.STATUSES) do known_status[status] = true end

local function tell(drawing, form, ...)
  drawing.notes[#drawing.notes + 1] = form:format(...)
end

local function status_of(drawing, id, status)
  if type(status) ~= "string" or status == "" then
    tell(drawing, "%s has no status", id)
    return nil
  end
  if not known_status[status] and not drawing.statuses[status] then
    drawing.statuses[status] = true
    tell(drawing, "%s has the status %s, which the emulator does not know", id, status)
  end
  return status
end

-- Unix seconds at the end of the year 9999; a larger number is taken as milliseconds.
local LATEST = 253402300799

local function moment_of(drawing, value)
  local number = tonumber(value)
  if not number or number <= 0 then return nil end
  if number > LATEST then number = number / 1000 end
  return math.max(0, math.floor(number + drawing.shift))
end

local function whole(value)
  local number = tonumber(value)
  return number and number >= 0 and math.floor(number) or nil
end

local function text(value)
  return type(value) == "string" and value or nil
end

local function filled(value)
  return type(value) == "string" and value ~= "" and value or nil
end

local function place(region, zone)
  if not formats.REGION.test(region) then return nil end
  return ("%s/%s"):format(region, formats.REGION.test(zone) and zone or region .. "-a")
end

local function tags_of(list)
  local tags = {}
  each(list, function(tag)
    if type(tag.TagKey) == "string" then tags[tag.TagKey] = tostring(tag.TagValue or "") end
  end)
  return next(tags) and tags or nil
end

-- The fields that groups and pairs share.
local function draw_unit(drawing, record, id)
  local point = moment_of(drawing, record.LastRecoverPoint)
  local unit = {
    id = id, description = text(record.Description), status = status_of(drawing, id,
      record.Status),
    rpo = whole(record.RPO), bandwidth = whole(record.Bandwidth),
    rtc = record.EnableRtc == true or nil, tags = tags_of(record.Tags),
    resource_group = filled(record.ResourceGroupId), recover_point = point,
    initial_source = place(record.PrimaryRegion, record.PrimaryZone),
    initial_destination = place(record.StandbyRegion, record.StandbyZone),
  }
  if not point then unit.recover_point_age = false end
  return unit
end

local CHARGE_TYPES = { PREPAY = true, POSTPAY = true }

local function draw_pair(drawing, record, id)
  local pair = draw_unit(drawing, record, id)
  pair.name, pair.status_message = text(record.PairName), text(record.StatusMessage)
  pair.source = place(record.SourceRegion, record.SourceZoneId)
  pair.destination = place(record.DestinationRegion, record.DestinationZoneId)
  pair.source_disk = filled(record.SourceDiskId)
  pair.destination_disk = filled(record.DestinationDiskId)
  pair.created = moment_of(drawing, record.CreateTime)
  pair.expired = moment_of(drawing, record.ExpiredTime)
  pair.charge_type = CHARGE_TYPES[record.ChargeType] and record.ChargeType or nil
  return pair
end

-- The ids in a group's PairIds; an element may hold several, separated by commas.
local function listed_ids(record)
  local ids = {}
  for _, element in ipairs(type(record.PairIds) == "table" and record.PairIds or {}) do
    for id in tostring(element):gmatch "[^,%s]+" do ids[#ids + 1] = id end
  end
  return ids
end

-- The members of a group. The record of a pair decides; for a pair without one, the group's list.
local function members_of(drawing, group_id, record)
  local members, taken = {}, {}
  local function take(id)
    local pair = drawing.seen.pairs[id]
    if taken[id] or pair and pair.ReplicaGroupId ~= group_id then return end
    taken[id] = true
    if not pair then tell(drawing, "of %s no more is known than its id", id) end
    members[#members + 1] = pair and draw_pair(drawing, pair, id) or { id = id }
  end
  for _, id in ipairs(listed_ids(record)) do take(id) end
  for _, id in ipairs(tables.keys(drawing.seen.pairs)) do
    if drawing.seen.pairs[id].ReplicaGroupId == group_id then take(id) end
  end
  return members
end

local function draw_group(drawing, id, record)
  local group = draw_unit(drawing, record, id)
  group.name = text(record.GroupName)
  group.source = place(record.SourceRegionId, record.SourceZoneId)
  group.destination = place(record.DestinationRegionId, record.DestinationZoneId)
  group.pairs = members_of(drawing, id, record)
  if group.source and group.destination then return group end
  tell(drawing, "%s is left out: its record does not say where its sides are", id)
end

-- The record of a group that only its pairs mention, made from one of them.
local function imagined_group(pair)
  return { GroupName = pair.ReplicaGroupName, Status = pair.Status, RPO = pair.RPO,
    SourceRegionId = pair.SourceRegion, SourceZoneId = pair.SourceZoneId,
    DestinationRegionId = pair.DestinationRegion, DestinationZoneId = pair.DestinationZoneId,
    PrimaryRegion = pair.PrimaryRegion, PrimaryZone = pair.PrimaryZone,
    StandbyRegion = pair.StandbyRegion, StandbyZone = pair.StandbyZone,
    LastRecoverPoint = pair.LastRecoverPoint }
end

local function add_imagined(drawing)
  local seen = drawing.seen
  for _, id in ipairs(tables.keys(seen.pairs)) do
    local group_id = filled(seen.pairs[id].ReplicaGroupId)
    if group_id and not seen.groups[group_id] then
      tell(drawing, "%s was never described; it is drawn from its pair %s", group_id, id)
      keep(seen, "groups", imagined_group(seen.pairs[id]), group_id)
    end
  end
end

local function draw_units(drawing, about)
  add_imagined(drawing)
  for _, id in ipairs(drawing.seen.order) do
    about.groups[#about.groups + 1] = draw_group(drawing, id, drawing.seen.groups[id])
  end
  for _, id in ipairs(tables.keys(drawing.seen.pairs)) do
    local record = drawing.seen.pairs[id]
    local pair = not filled(record.ReplicaGroupId) and draw_pair(drawing, record, id)
    if pair and pair.source and pair.destination then
      about.pairs[#about.pairs + 1] = pair
    elseif pair then
      tell(drawing, "%s is left out: its record does not say where its sides are", id)
    end
  end
end

-- Makes a function that gives a known word, or nil for others, for which the world has a default.
local function word_of(rule_values)
  local known = {}
  for _, word in ipairs(rule_values) do known[word] = true end
  return function(word) return known[word] and word or nil end
end

local SHAPE = world_schema.SHAPE
local disk_status = word_of(SHAPE.disks.each.fields.status.values)
local disk_type = word_of(SHAPE.disks.each.fields.type.values)
local instance_status = word_of(SHAPE.instances.each.fields.status.values)

local function attached_to(record)
  local ids = {}
  each(tables.at(record, "Attachments.Attachment"), function(attachment)
    ids[#ids + 1] = filled(attachment.InstanceId)
  end)
  if #ids == 0 then ids[1] = filled(record.InstanceId) end
  return ids
end

local function draw_disks(drawing, about)
  for _, id in ipairs(tables.keys(drawing.seen.disks)) do
    local record = drawing.seen.disks[id]
    local where, ids = place(record.RegionId, record.ZoneId), attached_to(record)
    local size = whole(record.Size)
    about.disks[#about.disks + 1] = where and { id = id, place = where,
      name = text(record.DiskName), size = size and math.max(1, size),
      category = text(record.Category), performance_level = filled(record.PerformanceLevel),
      encrypted = record.Encrypted == true or nil, type = disk_type(record.Type),
      status = disk_status(record.Status), instance = ids[1],
      more_instances = #ids > 1 and { table.unpack(ids, 2) } or nil,
      device = filled(record.Device) } or nil
  end
end

local function draw_instances(drawing, about)
  for _, id in ipairs(tables.keys(drawing.seen.instances)) do
    local record = drawing.seen.instances[id]
    local where = place(record.RegionId, record.ZoneId)
    local locks = tables.at(record, "OperationLocks.LockReason")
    about.instances[#about.instances + 1] = where and { id = id, place = where,
      name = text(record.InstanceName), status = instance_status(record.Status),
      locked = type(locks) == "table" and #locks > 0 or nil } or nil
  end
end

local function draw_drill(drawing, record, id)
  local disks = {}
  each(record.PairsInfo, function(entry)
    if filled(entry.PairId) and filled(entry.DrillDiskId) then
      disks[#disks + 1] = { pair = entry.PairId, disk = entry.DrillDiskId,
        status = text(entry.DrillDiskStatus) or "" }
    end
  end)
  if filled(record.PairId) and filled(record.DrillDiskId) then
    disks[1] = { pair = record.PairId, disk = record.DrillDiskId,
      status = text(record.DrillDiskStatus) or "" }
  end
  return { id = id, group = filled(record.GroupId), pair = filled(record.PairId),
    region = record.RegionId, status = text(record.Status) or "", disks = disks,
    message = filled(record.StatusMessage), started = moment_of(drawing, record.StartAt) or 0,
    recover_point = moment_of(drawing, record.RecoverPoint) }
end

local function draw_drills(drawing, about)
  for _, id in ipairs(tables.keys(drawing.seen.drills)) do
    local record = drawing.seen.drills[id]
    if formats.REGION.test(record.RegionId) then
      about.drills[#about.drills + 1] = draw_drill(drawing, record, id)
    end
  end
end

local function draw_regions(seen, about)
  for _, id in ipairs(tables.keys(seen.regions)) do
    about.regions[#about.regions + 1] = { id = id, zones = tables.keys(seen.regions[id]) }
  end
end

local function nothing(recording)
  return nil, errors.new { kind = "state", code = "Client.BadRecording", outcome = "not_sent",
    message = recording.name .. ": no group or pair is described in it",
    hint = "record a command that looks at groups and pairs: alicloud-dr status GROUP "
      .. "--record FILE" }
end

--- Makes the world that a recording shows.
---@param recording alicloud.conformance.Recording
---@param now? number unix seconds: all moments are moved, as if the recording had ended then; nil:
---the world's clock begins at the end of the recording
---@return table|nil world as alicloud.emulator.model.world_schema describes it
---@return string[]|alicloud.Error notes what is missing in the world, or made up
function M.of(recording, now)
  local last = recording.exchanges[#recording.exchanges]
  local ended = last.at + last.ms / 1000
  local drawing = { seen = look(recording), shift = now and math.floor(now - ended) or 0,
    notes = {}, statuses = {} }
  local about = { now = now == nil and ended or nil, regions = {}, groups = {}, pairs = {},
    disks = {}, instances = {}, drills = {} }
  draw_units(drawing, about)
  if #about.groups == 0 and #about.pairs == 0 then return nothing(recording) end
  draw_disks(drawing, about)
  draw_instances(drawing, about)
  draw_drills(drawing, about)
  draw_regions(drawing.seen, about)
  local words = tables.keys(drawing.statuses)
  about.statuses = #words > 0 and words or nil
  return about, drawing.notes
end

--- Makes the world of the recording in a file.
---@param path string
---@param given? { now: number?, read_file: function? }
---@return table|nil world
---@return string[]|alicloud.Error notes
function M.open(path, given)
  local options = given or {}
  local recording, err = reading.open(path, options.read_file)
  if not recording then return nil, err end
  return M.of(recording, options.now)
end

return M
