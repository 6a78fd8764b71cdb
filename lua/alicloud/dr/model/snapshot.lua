--- A snapshot: what one look at a group showed, as a plain value made from the records of the API.
--- Nothing here calls the service; a snapshot never changes after it was made.

local duration = require "alicloud.base.duration"
local fields = require "alicloud.base.fields"
local pair_set = require "alicloud.dr.model.pair_set"
local plural = require "alicloud.base.plural"
local reading = require "alicloud.dr.model.reading"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Place
---@field region string
---@field zone string?

---@class alicloud.dr.Pair
---@field id string
---@field status string
---@field recover_point integer? unix seconds; nil before the first full sync
---@field point_doubt string? why its recovery point cannot be true
---@field group_id string?
---@field from alicloud.dr.Place
---@field to alicloud.dr.Place
---@field source_disk string?
---@field destination_disk string?
---@field status_message string?

---@class alicloud.dr.Snapshot
---@field group_id string
---@field name string?
---@field unit "pair"|nil a pair without a group; nil: a group
---@field member_of string? if the role is "absent": the id is that of a pair of this group
---@field near string? if it is "absent": `; did you mean "x"?`, or "", where a listing was made
---@field region string the region that was asked
---@field side string? zone or region that the user means, see alicloud.dr.model.direction
---@field role "secondary"|"primary"|"both"|"absent"|"unclear" role of that side in the group now,
---or of the region if there is no side; both: both sites lie there
---@field site "backup"|"production"|nil the Site under which the record was found
---@field status string?
---@field from alicloud.dr.Place current source, whatever the direction was at creation
---@field to alicloud.dr.Place current destination
---@field reversed boolean current direction differs from the one at creation
---@field declared_rpo integer? seconds
---@field group_recover_point integer? unix seconds; if the group gives none, the oldest of its
---pairs, provided that every pair has one
---@field point_note string? why the recovery point of the group itself is not used
---@field recover_point integer? unix seconds, the oldest of the group and all its pairs; nil if
---there is none, or any of them is in doubt
---@field point_doubt string? why a recovery point that the service gives cannot be true
---@field oldest_pair string? the pair with the oldest recovery point; nil: no pair is older
---@field pair_number integer? how many pairs the group has by its own count, or, if names and list
---agree against the count, by these
---@field pair_ids string[]? which pairs the group names, sorted; nil if it names none, or count and
---list agree against the names
---@field more_ids string[]? names that count and list outvote: the listed pairs and more
---@field pair_doubt string? why a later look may show another set: pairs of the list name a group
---that neither counts nor names them
---@field pair_note string? how one of count, names and list differs from the two others
---@field pairs alicloud.dr.Pair[] the pairs that were read, sorted by id
---@field read_at number? the server's clock at the time of reading, unix seconds
---@field heard_at number? the clock of this machine when that answer came, unix seconds
---@field request_id string?

local text = fields.text

local function place(region, zone)
  return { region = text(region) or "", zone = text(zone) }
end

local function is_ascending(ids)
  for i = 2, #ids do
    if ids[i] <= ids[i - 1] then return false end
  end
  return true
end

--- Ids of the pairs that a group record names, each once.
--- Source: DescribeDiskReplicaGroups, ReplicaGroups[].PairIds.
---@param list any
---@return string[]|nil sorted; nil if the record has no such field
function M.split_ids(list)
  local ids = fields.ids(list)
  if not ids or is_ascending(ids) then return ids end
  return tables.keys(tables.set(ids))
end

-- The place of a pair. Most pairs lie where their group lies; since a place never changes, they
-- share the group's table. A record without a region or zone does not contradict its group.
local function place_like(model, region, zone)
  region, zone = text(region) or model.region, text(zone)
  if region == model.region and (not zone or zone == model.zone) then return model end
  return place(region, zone)
end

-- The API calls the region of a pair SourceRegion, and that of a group SourceRegionId.
local function read_pair(record, from, to, read_at)
  local point, doubt = reading.moment(record.LastRecoverPoint, read_at)
  -- Eight fields are all that most have: it is made in that size.
  local pair = {
    id = text(record.ReplicaPairId) or "",
    status = text(record.Status) or "",
    recover_point = point, group_id = text(record.ReplicaGroupId),
    from = place_like(from, record.SourceRegion, record.SourceZoneId),
    to = place_like(to, record.DestinationRegion, record.DestinationZoneId),
    source_disk = text(record.SourceDiskId),
    destination_disk = text(record.DestinationDiskId),
  }
  pair.status_message, pair.point_doubt = text(record.StatusMessage), doubt
  return pair
end

local function by_id(a, b) return a.id < b.id end

local function read_pairs(records, from, to, read_at)
  local members, places, sorted = {}, {}, true
  for _, record in ipairs(records) do
    local pair = read_pair(record, from, to, read_at)
    -- Overlapping pages may list a pair twice; the later record is the newer one.
    local at = places[pair.id] or #members + 1
    members[at], places[pair.id] = pair, at
    sorted = sorted and (at == 1 or not by_id(pair, members[at - 1]))
  end
  if not sorted then table.sort(members, by_id) end
  return members
end

local function role_of(region, from, to)
  if to.region ~= region then return from.region == region and "primary" or "unclear" end
  return from.region == region and "both" or "secondary"
end

local function first_doubt(members)
  for _, pair in ipairs(members) do
    if pair.point_doubt then return ("%s: %s"):format(pair.id, pair.point_doubt) end
  end
  return nil
end

local function oldest(members)
  local result, holder
  for _, pair in ipairs(members) do
    if pair.recover_point and (not result or pair.recover_point < result) then
      result, holder = pair.recover_point, pair.id
    end
  end
  return result, holder
end

local function all_have_points(members)
  for _, pair in ipairs(members) do
    if not pair.recover_point then return false end
  end
  return #members > 0
end

-- The recovery points of a group. If the group has none of its own but every pair has one, the
-- oldest of the pairs counts, since a failover opens the pairs.
local function read_points(record, members, read_at)
  local own, doubt = reading.moment(record.LastRecoverPoint, read_at)
  local point, holder = oldest(members)
  local points = { group_recover_point = own }
  if not own and all_have_points(members) then
    points.group_recover_point = point
    points.point_note = doubt and "of the group: " .. doubt or "the group itself gives none"
    doubt = nil
  end
  points.point_doubt = first_doubt(members) or doubt and "of the group: " .. doubt
  if points.point_doubt then return points end
  if own and (not point or own <= point) then point, holder = own, nil end
  points.recover_point, points.oldest_pair = point, holder
  return points
end

local function adds_to(own, found)
  local fits = own.region == "" or own.region == found.region
  return fits and (not own.zone or own.zone == found.zone)
end

-- Completes the place of a group, if its record lacks region or zone, from its pairs if they agree.
local function place_of_all(own, members, end_)
  if own.region ~= "" and own.zone then return own end
  local found
  for _, pair in ipairs(members) do
    local other = pair[end_]
    if other ~= own then
      if not adds_to(own, other) or found and not M.same_place(found, other) then return own end
      found = found or other
    end
  end
  if not found then return own end
  for _, pair in ipairs(members) do pair[end_] = found end
  return found
end

---@class alicloud.dr.SeenAt where and when the records were read
---@field region string
---@field site string
---@field read_at number? as in the snapshot
---@field heard_at number? as in the snapshot
---@field request_id string?

--- Makes a snapshot from a group record and its pair records.
---@param group table element of ReplicaGroups
---@param pair_records table[] elements of ReplicaPairs
---@param seen alicloud.dr.SeenAt
---@return alicloud.dr.Snapshot
function M.new(group, pair_records, seen)
  local from = place(group.SourceRegionId, group.SourceZoneId)
  local to = place(group.DestinationRegionId, group.DestinationZoneId)
  local set = pair_set.believe(fields.count(group.PairNumber), M.split_ids(group.PairIds),
    read_pairs(pair_records, from, to, seen.read_at), group.ReplicaGroupId)
  from, to = place_of_all(from, set.members, "from"), place_of_all(to, set.members, "to")
  local points = read_points(group, set.members, seen.read_at)
  local initial = place(group.PrimaryRegion, group.PrimaryZone)
  local declared = fields.count(group.RPO)
  return {
    group_id = group.ReplicaGroupId, name = text(group.GroupName),
    region = seen.region, site = seen.site, role = role_of(seen.region, from, to),
    status = text(group.Status) or "", from = from, to = to,
    reversed = initial.region ~= "" and not M.same_place(initial, from),
    declared_rpo = declared and declared > 0 and declared or nil,
    group_recover_point = points.group_recover_point, point_note = points.point_note,
    recover_point = points.recover_point, point_doubt = points.point_doubt,
    oldest_pair = points.oldest_pair,
    pair_number = set.count, pair_ids = set.names, more_ids = set.more, pair_note = set.note,
    pair_doubt = set.doubt, pairs = set.members, read_at = seen.read_at, heard_at = seen.heard_at,
    request_id = seen.request_id,
  }
end

--- Makes a snapshot of a pair without a group: a group of one, whose id is that of the pair.
---@param record table element of ReplicaPairs
---@param seen alicloud.dr.SeenAt
---@return alicloud.dr.Snapshot
function M.of_pair(record, seen)
  local snapshot = M.new({
    ReplicaGroupId = record.ReplicaPairId, GroupName = record.PairName, Status = record.Status,
    SourceRegionId = record.SourceRegion, SourceZoneId = record.SourceZoneId,
    DestinationRegionId = record.DestinationRegion, DestinationZoneId = record.DestinationZoneId,
    PrimaryRegion = record.PrimaryRegion, PrimaryZone = record.PrimaryZone, RPO = record.RPO,
    LastRecoverPoint = record.LastRecoverPoint, PairNumber = 1,
  }, { record }, seen)
  snapshot.unit = "pair"
  return snapshot
end

--- The snapshot of a group that a region lists on neither site.
---@param group_id string
---@param region string
---@return alicloud.dr.Snapshot
function M.absent(group_id, region)
  return { group_id = group_id, region = region, role = "absent", pairs = {}, reversed = false,
    from = place(), to = place() }
end

---@param a alicloud.dr.Place
---@param b alicloud.dr.Place
---@return boolean
function M.same_place(a, b)
  return a.region == b.region and a.zone == b.zone
end

---@param where alicloud.dr.Place
---@return string e.g. `cn-hangzhou/g`
function M.place_name(where)
  if where.region == "" then return "?" end
  if not where.zone then return where.region end
  local prefix = where.region .. "-"
  local short = where.zone:sub(1, #prefix) == prefix and where.zone:sub(#prefix + 1) or where.zone
  return where.region .. "/" .. short
end

---@param snapshot alicloud.dr.Snapshot
---@return string e.g. `cn-hangzhou/g → cn-shanghai/b`
function M.direction(snapshot)
  return M.place_name(snapshot.from) .. " → " .. M.place_name(snapshot.to)
end

---@param snapshot alicloud.dr.Snapshot
---@return string[] sorted ids of the pairs that were read
function M.ids(snapshot)
  return pair_set.ids(snapshot.pairs)
end

--- How one set of pair ids differs from another, in words.
---@param expected string[]
---@param found string[]
---@return string|nil nil if they are the same
function M.id_difference(expected, found)
  return pair_set.difference(expected, found)
end

--- Why the pairs of a snapshot are not a whole set. The group's count, the group's names and the
--- pair list must agree, so that a list that is cut short never looks like a small group.
---@param snapshot alicloud.dr.Snapshot
---@return string|nil nil if the set is whole
function M.pair_set_fault(snapshot)
  local read, count = M.ids(snapshot), snapshot.pair_number
  if count and count ~= #read then
    return ("the group counts %s, the pair list holds %d"):format(plural.of(count, "pair"), #read)
  end
  if snapshot.pair_ids then
    local difference = M.id_difference(snapshot.pair_ids, read)
    if difference then return "against what the group names, the pair list " .. difference end
  end
  if not snapshot.pair_number and not snapshot.pair_ids then
    return "the group neither counts nor names its pairs"
  end
  return nil
end

--- How many pairs have no recovery point although others have one: their copies are not usable yet.
---@param snapshot alicloud.dr.Snapshot
---@return integer
function M.count_unsynced(snapshot)
  local count = 0
  for _, pair in ipairs(snapshot.pairs) do
    if not pair.recover_point and not pair.point_doubt then count = count + 1 end
  end
  return snapshot.recover_point and count or 0
end

--- Age of the oldest recovery point by the server's clock.
---@param snapshot alicloud.dr.Snapshot
---@return number|nil seconds nil if a pair has no recovery point, or the server gave no time
function M.recover_point_age(snapshot)
  if not snapshot.recover_point or not snapshot.read_at then return nil end
  if M.count_unsynced(snapshot) > 0 then return nil end
  return math.max(0, snapshot.read_at - snapshot.recover_point)
end

--- How many of the pairs that were read have the given status.
---@param snapshot alicloud.dr.Snapshot
---@param status string
---@return integer
function M.count(snapshot, status)
  local n = 0
  for _, pair in ipairs(snapshot.pairs) do
    if pair.status == status then n = n + 1 end
  end
  return n
end

--- Whether the group and every pair of its whole, non-empty set say that the failover is done.
---@param snapshot alicloud.dr.Snapshot
---@return boolean
function M.is_failovered(snapshot)
  return snapshot.role == "secondary" and snapshot.status == "failovered"
    and #snapshot.pairs > 0 and not M.pair_set_fault(snapshot)
    and M.count(snapshot, "failovered") == #snapshot.pairs
end

--- One line about the state, for messages: `failovering, 2/3 pairs failovered`.
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.state(snapshot)
  if snapshot.role == "absent" then return "not listed" end
  return ("%s, %d/%d pairs failovered"):format(snapshot.status,
    M.count(snapshot, "failovered"), snapshot.pair_number or #snapshot.pairs)
end

--- All statuses of a snapshot, to tell whether anything has changed.
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.signature(snapshot)
  local parts = { snapshot.status }
  for _, pair in ipairs(snapshot.pairs) do parts[#parts + 1] = pair.id .. "=" .. pair.status end
  return table.concat(parts, " ")
end

--- Whether a look shows the states that an earlier one showed, pair by pair.
---@param earlier alicloud.dr.Snapshot
---@param later alicloud.dr.Snapshot
---@return boolean
function M.same_state(earlier, later)
  if earlier.status ~= later.status or #earlier.pairs ~= #later.pairs then return false end
  for i, pair in ipairs(later.pairs) do
    local before = earlier.pairs[i]
    if before.id ~= pair.id or before.status ~= pair.status then return false end
  end
  return true
end

--- One line about the age of the recovery point, for people.
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.recovery_point_text(snapshot)
  if snapshot.point_doubt then return "recovery point unclear" end
  if not snapshot.recover_point then return "no recovery point yet" end
  local unsynced = M.count_unsynced(snapshot)
  if unsynced > 0 then
    return ("no recovery point yet of %d of %d pairs"):format(unsynced, #snapshot.pairs)
  end
  local age = M.recover_point_age(snapshot)
  if not age then return "age of the recovery point unknown" end
  return "last recovery point " .. duration.format(age) .. " ago"
end

return M
