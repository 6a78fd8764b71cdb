--- Reads groups and their pairs from one region, never from any other.

local fields = require "alicloud.base.fields"
local lazy = require "alicloud.base.lazy"
local pages = require "alicloud.dr.read.pages"
local snapshots = require "alicloud.dr.model.snapshot"
local tables = require "alicloud.base.tables"

---@module "alicloud.dr.read.sweep"
local sweeps = lazy.module "alicloud.dr.read.sweep"

local M = {}

-- Both sites are asked for. In the secondary region the service describes the primary site unless
-- Site=backup is given, so the list may be empty although the group is there.
-- Source: DescribeDiskReplicaGroups, parameter Site.
local SITES = { "backup", "production" }

local PAGE = 100
-- Page size of lists of a whole region.
local LARGE_PAGE = 500

local function read_groups(client, region, site, group_id, options)
  return pages.all(client, "ebs:DescribeDiskReplicaGroups",
    { RegionId = region, Site = site, GroupIds = group_id, MaxResults = PAGE }, options)
end

---@class alicloud.dr.GroupFilter
---@field region string? nil: the client's
---@field site "backup"|"production"|nil the groups that have this site in the region; nil: either
---@field name string? only groups whose name contains it
---@field lone_pairs boolean? pairs without a group, too

-- The pairs that listed groups name.
local function members_of(records)
  local members = {}
  for _, record in ipairs(records) do
    for _, id in ipairs(snapshots.split_ids(record.PairIds) or {}) do members[id] = true end
  end
  return members
end

-- Passes the pairs without a group to `take`. A pair that a group names is none, even if its own
-- record does not name the group yet.
local function lone_pairs(client, filter, site, members, take)
  local records, err = pages.all(client, "ebs:DescribeDiskReplicaPairs", {
    RegionId = filter.region, Site = site, Name = filter.name, MaxResults = LARGE_PAGE,
  }, { region = filter.region })
  if not records then return nil, err end
  for _, record in ipairs(records) do
    local group = record.ReplicaGroupId
    local is_lone = (group == nil or group == "") and not members[record.ReplicaPairId]
    if is_lone then take(record.ReplicaPairId, record.PairName) end
  end
  return true
end

--- Ids and names of the groups that a region lists, without their pairs.
---@param client alicloud.Client
---@param filter alicloud.dr.GroupFilter with a region
---@return { id: string, name: string? }[]|nil sorted by id
---@return alicloud.Error? err
function M.named(client, filter)
  local list, known = {}, {}
  local function take(id, name)
    if type(id) ~= "string" or known[id] then return end
    known[id], list[#list + 1] = true, { id = id, name = fields.text(name) }
  end
  for _, site in ipairs(filter.site and { filter.site } or SITES) do
    local records, err = pages.all(client, "ebs:DescribeDiskReplicaGroups", {
      RegionId = filter.region, Site = site, Name = filter.name, MaxResults = LARGE_PAGE,
    }, { region = filter.region })
    if not records then return nil, err end
    for _, record in ipairs(records) do take(record.ReplicaGroupId, record.GroupName) end
    if filter.lone_pairs then
      local ok
      ok, err = lone_pairs(client, filter, site, members_of(records), take)
      if not ok then return nil, err end
    end
  end
  table.sort(list, function(left, right) return left.id < right.id end)
  return list
end

--- The ids of the groups that a region lists.
---@param client alicloud.Client
---@param filter alicloud.dr.GroupFilter with a region
---@return string[]|nil sorted
---@return alicloud.Error? err
function M.ids(client, filter)
  local list, err = M.named(client, filter)
  if not list then return nil, err end
  local ids = {}
  for i, entry in ipairs(list) do ids[i] = entry.id end
  return ids
end

local function find(records, group_id)
  for _, record in ipairs(records) do
    if record.ReplicaGroupId == group_id then return record end
  end
  return nil
end

-- Reads the pairs after their group, so that what they show is never older. The time of the later
-- answer counts, since an outage may lie between the two.
local function with_pairs(client, region, site, record, meta, options)
  local members, err, later = pages.all(client, "ebs:DescribeDiskReplicaPairs", { RegionId = region,
    Site = site, ReplicaGroupId = record.ReplicaGroupId, MaxResults = PAGE }, options)
  if not members then return nil, err end
  local timed = later.server_time and later or meta
  return snapshots.new(record, members, { region = region, site = site,
    read_at = timed.server_time, heard_at = timed.heard_at, request_id = meta.request_id })
end

-- If so many seconds lie between the two reads of a look (because of an outage), they show two
-- different states, and the look is repeated.
local TORN = 15
local REPEATS = 3

-- One look at one site; nil without an error if it does not list the group.
local function read_side(client, region, site, group_id, options)
  local snapshot, err
  for _ = 1, REPEATS do
    local records, fault, meta = read_groups(client, region, site, group_id, options)
    if not records and fault.code ~= "NoSuchResource" then return nil, fault end
    local record = find(records or {}, group_id)
    if not record then return nil end
    local began = client.loop.now()
    snapshot, err = with_pairs(client, region, site, record, meta, options)
    if not snapshot or client.loop.now() - began < TORN then break end
  end
  return snapshot, err
end

-- The beginning of the ids of pairs, and of no others.
local PAIR = "^pair%-"

-- A pair that belongs to a group counts as absent, since it moves with its group.
local function snapshot_of_pair(record, region, site, meta)
  local group = record.ReplicaGroupId
  if type(group) == "string" and group ~= "" then
    local absent = snapshots.absent(record.ReplicaPairId, region)
    absent.member_of = group
    return absent
  end
  return snapshots.of_pair(record, { region = region, site = site, read_at = meta.server_time,
    heard_at = meta.heard_at, request_id = meta.request_id })
end

local function read_pair(client, pair_id, region, options)
  for _, site in ipairs(SITES) do
    local records, err, meta = pages.all(client, "ebs:DescribeDiskReplicaPairs",
      { RegionId = region, Site = site, PairIds = pair_id, MaxResults = PAGE }, options)
    if not records and err.code ~= "NoSuchResource" then return nil, err end
    for _, record in ipairs(records or {}) do
      if record.ReplicaPairId == pair_id then
        return snapshot_of_pair(record, region, site, meta)
      end
    end
  end
  return snapshots.absent(pair_id, region)
end

--- Reads one group with all its pairs, or one pair without a group, depending on the id.
---@param client alicloud.Client
---@param group_id string of a group, or of a pair
---@param region string
---@param options? table options of each call, e.g. `deadline`
---@return alicloud.dr.Snapshot|nil snapshot with role "absent" if the region does not list it
---@return alicloud.Error? err
function M.read(client, group_id, region, options)
  local call_options = { region = region }
  for name, value in pairs(options or {}) do call_options[name] = value end
  if group_id:find(PAIR) then return read_pair(client, group_id, region, call_options) end
  for _, site in ipairs(SITES) do
    local snapshot, err = read_side(client, region, site, group_id, call_options)
    if snapshot or err then return snapshot, err end
  end
  return snapshots.absent(group_id, region)
end

-- Adds the groups of one site: from a sweep, or by a look if the sweep lacks a part of the group.
local function add_side(found, client, region, site)
  local sweep, err = sweeps.read(client, region, { site = site, known = found })
  if not sweep then return nil, err end
  for _, id in ipairs(sweep:group_ids()) do
    if not found[id] then
      local snapshot = sweep:snapshot(id)
      if not snapshot then
        snapshot, err = read_side(client, region, site, id, { region = region })
        if err then return nil, err end
      end
      found[id] = snapshot
    end
  end
  return true
end

--- Reads every group that a region lists on either site, with pairs.
---@param client alicloud.Client
---@param region string
---@return alicloud.dr.Snapshot[]|nil list sorted by group id
---@return alicloud.Error? err
function M.all(client, region)
  local list, found = {}, {}
  for _, site in ipairs(SITES) do
    local ok, err = add_side(found, client, region, site)
    if not ok then return nil, err end
  end
  for i, id in ipairs(tables.keys(found)) do list[i] = found[id] end
  return list
end

return M
