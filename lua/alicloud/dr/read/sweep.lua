--- A sweep lists one side of a region: its groups, and then their pairs. For each group it shows
--- what a look at that group would, for hundreds of groups by one call.
---
--- The pages of a listing are not one snapshot: a record that moves between two pages may be
--- missing or listed twice. So a group counts as complete only if its record was listed once, it
--- names as many pairs as it counts, and exactly those pairs were listed, each once and as a pair
--- of this group. About any other group the sweep says nothing.

local fields = require "alicloud.base.fields"
local formats = require "alicloud.base.formats"
local pages = require "alicloud.dr.read.pages"
local schema = require "alicloud.base.schema"
local snapshots = require "alicloud.dr.model.snapshot"
local tables = require "alicloud.base.tables"

local M = {}

-- Most ids in one call, and most records in one page.
-- Source: DescribeDiskReplicaGroups, GroupIds and MaxResults; DescribeDiskReplicaPairs, PairIds and
-- MaxResults.
local MOST_IDS, PAGE = 100, 500
-- If so many seconds lie between a group and its pairs, they show two different states.
local TORN = 15
-- How many calls a look at one group takes.
local OWN_LOOK = 2

local GROUPS = { operation = "ebs:DescribeDiskReplicaGroups", ids = "GroupIds" }
local PAIRS = { operation = "ebs:DescribeDiskReplicaPairs", ids = "PairIds" }

---@class alicloud.dr.SweepOptions
---@field site? "backup"|"production" the groups that have this site in the region ("backup")
---@field ids? string[] the groups, and the pairs without a group, to read; nil: all of the side
---@field known? table<string, any> without `ids`: groups that are known already; the pairs are read
---only if the side lists others
---@field decides? boolean an asker needs to know which pairs a group has: all pairs of the side are
---listed then, unless own looks at the groups take fewer calls
---@field sizes? alicloud.dr.SweepSizes of the side, from an earlier sweep
---@field deadline? number seconds for each call

---@class alicloud.dr.SweepSizes how many groups and pairs the side lists; nil: not known
---@field groups integer?
---@field pairs integer?

---@class alicloud.dr.Sweep
---@field region string
---@field site "backup"|"production"
---@field began number monotonic seconds: everything was read later
---@field began_at number the same in unix seconds
---@field sizes alicloud.dr.SweepSizes
---@field calls integer how many calls it took
---@field groups table<string, table> the record of each group, by its id
---@field members table<string, table> the pairs of each group, by its id
---@field lone table<string, table> pairs without a group, by their id
---@field known table<string, boolean> cache of `is_complete`
---@field asked table<string, true> the `ids` of the options
---@field decides boolean? as in the options
---@field lists_all boolean all pairs of the side were listed, so also a pair that its group does
---not name yet
local Sweep = {}
Sweep.__index = Sweep

local function calls_of(count, most)
  return math.max(1, math.ceil(count / most))
end

-- Only well-formed ids: others cannot be asked for.
local function askable(ids)
  local list = {}
  for _, id in ipairs(ids) do
    if formats.ID.test(id) then list[#list + 1] = id end
  end
  return list
end

local function read_whole(sweep, what)
  return pages.apart(sweep.client, what.operation,
    { RegionId = sweep.region, Site = sweep.site, MaxResults = PAGE }, sweep.call_options)
end

local function read_by_ids(sweep, what, ids)
  local list = {}
  for first = 1, #ids, MOST_IDS do
    local part = table.move(ids, first, math.min(first + MOST_IDS - 1, #ids), 1, {})
    local read, err = pages.apart(sweep.client, what.operation, { RegionId = sweep.region,
      Site = sweep.site, [what.ids] = part, MaxResults = MOST_IDS }, sweep.call_options)
    if not read then return nil, err end
    table.move(read, 1, #read, #list + 1, list)
  end
  return list
end

-- Reads records by ids, or the whole side if that takes no more calls or an id does not exist: the
-- service may refuse a call because of one id. Also returns whether the whole side was read.
local function read(sweep, what, ids, size)
  if ids and calls_of(#ids, MOST_IDS) < calls_of(size, PAGE) then
    local list, err = read_by_ids(sweep, what, ids)
    sweep.calls = sweep.calls + (list and #list or 0)
    if list or err.code ~= "NoSuchResource" then return list, err, false end
  end
  local list, err = read_whole(sweep, what)
  sweep.calls = sweep.calls + (list and #list or 0)
  return list, err, true
end

local function count_records(list)
  local count = 0
  for _, page in ipairs(list) do count = count + #page.records end
  return count
end

local function take_groups(sweep, list)
  for _, page in ipairs(list) do
    for _, record in ipairs(page.records) do
      local id = record.ReplicaGroupId
      if type(id) == "string" then
        local twice = sweep.groups[id] ~= nil
        sweep.groups[id] = { record = record, page = page, twice = twice }
      end
    end
  end
end

-- Adds a pair to its group. The latest page with a pair of the group gives the time of the pairs.
local function take_member(sweep, group_id, record, page)
  local members = sweep.members[group_id]
  if not members then
    members = { records = {}, page = page }
    sweep.members[group_id] = members
  end
  members.page = page
  members.records[#members.records + 1] = record
end

local function take_pairs(sweep, list)
  for _, page in ipairs(list) do
    for _, record in ipairs(page.records) do
      local id, group_id = record.ReplicaPairId, record.ReplicaGroupId
      if type(group_id) == "string" and group_id ~= "" then
        take_member(sweep, group_id, record, page)
      elseif type(id) == "string" then
        sweep.lone[id] = { record = record, page = page, twice = sweep.lone[id] ~= nil }
      end
    end
  end
end

local function divide(ids)
  local of_groups, of_pairs = {}, {}
  for _, id in ipairs(ids) do
    table.insert(id:find "^pair%-" and of_pairs or of_groups, id)
  end
  return of_groups, of_pairs
end

-- The pairs that the wanted groups name, and the wanted pairs without a group.
local function wanted_pairs(sweep, of_groups, of_pairs)
  local list = table.move(of_pairs, 1, #of_pairs, 1, {})
  for _, id in ipairs(of_groups) do
    local entry = sweep.groups[id]
    local names = entry and snapshots.split_ids(entry.record.PairIds) or {}
    table.move(names, 1, #names, #list + 1, list)
  end
  return askable(list)
end

-- The sum of the pair counts of the listed groups: the side has at least so many pairs.
local function pairs_at_least(sweep)
  local count = 0
  for _, entry in pairs(sweep.groups) do
    count = count + (fields.count(entry.record.PairNumber) or 0)
  end
  return count
end

local function read_groups(sweep, ids)
  -- If the size of the side is not known, ids that fit into one call are read by id; for more ids
  -- the whole side is read, which tells its size.
  local unknown = ids and #ids <= MOST_IDS and math.huge or 0
  local list, err, whole = read(sweep, GROUPS, ids, sweep.sizes.groups or unknown)
  if not list then return nil, err end
  take_groups(sweep, list)
  if whole then sweep.sizes.groups = count_records(list) end
  return true, nil, whole
end

local function read_pairs(sweep, ids, size)
  if ids and #ids == 0 then return true end
  local list, err, whole = read(sweep, PAIRS, ids, size or math.huge)
  if not list then return nil, err end
  take_pairs(sweep, list)
  if whole then sweep.sizes.pairs, sweep.lists_all = count_records(list), true end
  return true
end

local function read_some(sweep, ids)
  local of_groups, of_pairs = divide(ids)
  local ok, err, whole = true, nil, false
  if #of_groups > 0 then ok, err, whole = read_groups(sweep, askable(of_groups)) end
  if not ok then return nil, err end
  local size = sweep.sizes.pairs or whole and pairs_at_least(sweep) or nil
  if sweep.decides and calls_of(size or 0, PAGE) <= OWN_LOOK * #of_groups then
    return read_pairs(sweep)
  end
  return read_pairs(sweep, wanted_pairs(sweep, of_groups, of_pairs), size)
end

local function lists_others(sweep, known)
  for id in pairs(sweep.groups) do
    if not known[id] then return true end
  end
  return false
end

local function read_all(sweep, known)
  local ok, err = read_groups(sweep)
  if not ok then return nil, err end
  if known and not lists_others(sweep, known) then return true end
  return read_pairs(sweep)
end

--- Sweeps over one side of a region.
---@param client alicloud.Client
---@param region string
---@param options? alicloud.dr.SweepOptions
---@return alicloud.dr.Sweep|nil
---@return alicloud.Error? err a call failed: then there is no sweep
function M.read(client, region, options)
  local given = options or {}
  local sizes = given.sizes or {}
  local sweep = setmetatable({ client = client, region = region, site = given.site or "backup",
    began = client.loop.now(), began_at = client.runtime.time(),
    sizes = { groups = sizes.groups, pairs = sizes.pairs }, calls = 0,
    groups = {}, members = {}, lone = {}, known = {}, decides = given.decides,
    asked = tables.set(given.ids or {}),
    lists_all = false,
    call_options = { region = region, deadline = given.deadline } }, Sweep)
  local ok, err
  if given.ids then
    ok, err = read_some(sweep, given.ids)
  else
    ok, err = read_all(sweep, given.known)
  end
  if not ok then return nil, err end
  return sweep
end

local NO_MEMBERS = { records = {} }

-- Whether the listed pairs of a group are exactly those that it names and counts, each once.
local function are_named(record, members)
  local names = snapshots.split_ids(record.PairIds) or {}
  local listed = members.records
  if fields.count(record.PairNumber) ~= #names or #listed ~= #names then return false end
  local left = {}
  for _, id in ipairs(names) do left[id] = true end
  for _, pair in ipairs(listed) do
    local id = pair.ReplicaPairId
    if not left[id] then return false end
    left[id] = nil
  end
  return true
end

local function is_group_complete(entry, members)
  if not entry or entry.twice then return false end
  if members.page and members.page.began - entry.page.began >= TORN then return false end
  return are_named(entry.record, members)
end

--- Whether a group was listed completely: its record, and every pair that it counts and names. For
--- a pair without a group: its own record.
---@param id string
---@return boolean
function Sweep:is_complete(id)
  local known = self.known[id]
  if known == nil then
    local lone = self.lone[id]
    known = lone ~= nil and not lone.twice
      or is_group_complete(self.groups[id], self.members[id] or NO_MEMBERS)
    self.known[id] = known
  end
  return known
end

--- Whether the sweep shows for sure which pairs a group has. Membership lags: a group may not name
--- and count a new pair yet. Only a listing of all pairs shows that pair.
---@param id string
---@return boolean
function Sweep:can_decide(id)
  return self.lists_all or self.lone[id] ~= nil
end

--- The snapshot of a group, as a look would show it.
---@param id string
---@return alicloud.dr.Snapshot|nil nil: the sweep does not show the group completely
function Sweep:snapshot(id)
  if not self:is_complete(id) then return nil end
  local lone, entry = self.lone[id], self.groups[id]
  if lone then return snapshots.of_pair(lone.record, self:seen(lone.page, lone.page)) end
  local members = self.members[id] or NO_MEMBERS
  return snapshots.new(entry.record, members.records, self:seen(entry.page, members.page))
end

-- Fields of a record that can change while its group is changed.
local GROUP_WORDS = { "Status", "SourceRegionId", "SourceZoneId", "DestinationRegionId",
  "DestinationZoneId" }
local PAIR_WORDS = { "ReplicaPairId", "Status", "SourceRegion", "SourceZoneId",
  "DestinationRegion", "DestinationZoneId" }

local function add_words(parts, record, names)
  for _, name in ipairs(names) do
    local value = record[name]
    parts[#parts + 1] = type(value) == "string" and value or ""
  end
end

--- The statuses, directions and pairs of a group as one text, to see whether anything has changed.
--- The pairs are in the order of the listing: another order costs only one look too many.
---@param id string of a group that is complete
---@return string
function Sweep:signature(id)
  local lone, entry, parts = self.lone[id], self.groups[id], {}
  if entry then add_words(parts, entry.record, GROUP_WORDS) end
  for _, pair in ipairs(lone and { lone.record } or (self.members[id] or NO_MEMBERS).records) do
    add_words(parts, pair, PAIR_WORDS)
  end
  return table.concat(parts, "\0")
end

-- Where and when a group was read; the time of the later answer, that of the pairs, counts.
function Sweep:seen(page, later)
  local timed = later and later.meta.server_time and later.meta or page.meta
  return { region = self.region, site = self.site, read_at = timed.server_time,
    heard_at = timed.heard_at, request_id = page.meta.request_id }
end

--- The groups that were listed, complete or not.
---@return string[] sorted
function Sweep:group_ids()
  local ids = {}
  for id in pairs(self.groups) do ids[#ids + 1] = id end
  table.sort(ids)
  return ids
end

-- The pairs that listed groups name.
local function named_pairs(groups)
  local named = {}
  for _, entry in pairs(groups) do
    for _, id in ipairs(snapshots.split_ids(entry.record.PairIds) or {}) do named[id] = true end
  end
  return named
end

--- The units that were listed, complete or not: groups, and pairs without a group. A pair that a
--- group names is none, even if its own record does not name the group yet.
---@return string[] sorted
function Sweep:unit_ids()
  local ids, named = self:group_ids(), named_pairs(self.groups)
  for id in pairs(self.lone) do
    if not named[id] then ids[#ids + 1] = id end
  end
  table.sort(ids)
  return ids
end

--- Says of a look at a group that was not there which of those that were listed without being
--- asked for may be meant.
---@param snapshot alicloud.dr.Snapshot? of an own look; changed in place
function Sweep:suggest(snapshot)
  if not snapshot or snapshot.role ~= "absent" then return end
  local others = {}
  for _, listed in ipairs { self.groups, self.members, self.lone } do
    for id in pairs(listed) do others[id] = not self.asked[id] or nil end
  end
  snapshot.near = schema.did_you_mean(snapshot.group_id, others)
end

return M
