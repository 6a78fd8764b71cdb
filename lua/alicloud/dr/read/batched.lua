--- One listing for many who wait. Most looks at a change only show that it still is under way, and
--- many groups of a region can be told that by one listing. It says no more: what it does not
--- show under way is looked at properly, so that nothing is ever concluded from it. Whoever asks is
--- told by a listing that begins after he has asked.

local guard = require "alicloud.base.guard"
local pages = require "alicloud.dr.read.pages"
local snapshots = require "alicloud.dr.model.snapshot"

local M = {}

-- Seconds. Who asks meanwhile is told by the same listing, which begins at their end.
local GATHER = 0.5
-- Of one call. Source: DescribeDiskReplicaGroups, GroupIds; DescribeDiskReplicaPairs, PairIds.
local MOST_IDS = 100
local DEADLINE = 30
-- Whoever waits for a failover waits at the secondary site.
local SITE = "backup"

---@class alicloud.dr.BatchedReads
---@field client alicloud.Client
---@field loop alicloud.loop.Loop
---@field waiting table<string, integer> how many wait, by region
---@field gathering table<string, table> the batch that can be joined, by region
---@field tasks table<alicloud.Task, boolean>
---@field scope alicloud.Scope of all who share
local BatchedReads = {}
BatchedReads.__index = BatchedReads

---@class alicloud.dr.BatchedRead
---@field enter fun(): table is to be closed when the waiting is over
---@field has_company fun(): boolean whether somebody else waits; one alone had better look
---@field look fun(options: { deadline: number }): alicloud.dr.Snapshot|nil nil: nothing was learnt

--- Makes what the waiters of one client share.
---@param client alicloud.Client
---@param scope alicloud.Scope in which all of them wait
---@return alicloud.dr.BatchedReads
function M.new(client, scope)
  return setmetatable({ client = client, scope = scope, loop = client.loop, waiting = {},
    gathering = {}, tasks = {} }, BatchedReads)
end

--- Whether a value was made here.
---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == BatchedReads
end

local function read(client, region, operation, parameter, ids)
  return pages.all(client, operation,
    { RegionId = region, Site = SITE, [parameter] = ids, MaxResults = MOST_IDS },
    { region = region, deadline = DEADLINE })
end

local function names_of(records)
  local ids = {}
  for _, record in ipairs(records) do
    for _, id in ipairs(snapshots.split_ids(record.PairIds) or {}) do ids[#ids + 1] = id end
  end
  return ids
end

-- The pairs that the groups name, by the group that they name themselves. Read after the groups, as
-- in a look, and judged by the time of their own reading.
local function read_pairs(client, region, ids)
  local members, read_at = {}, nil
  for first = 1, #ids, MOST_IDS do
    local part = table.move(ids, first, math.min(first + MOST_IDS - 1, #ids), 1, {})
    local records, _, meta = read(client, region, "ebs:DescribeDiskReplicaPairs", "PairIds", part)
    if not records then return nil end
    read_at = meta.server_time or read_at
    for _, record in ipairs(records) do
      local group = record.ReplicaGroupId
      if type(group) == "string" then
        members[group] = members[group] or {}
        table.insert(members[group], record)
      end
    end
  end
  return members, read_at
end

-- Snapshots by group; none if anything could not be read.
local function list(client, region, ids)
  local records, _, meta = read(client, region, "ebs:DescribeDiskReplicaGroups", "GroupIds", ids)
  if not records then return {} end
  local members, later = read_pairs(client, region, names_of(records))
  if not members then return {} end
  local found = {}
  for _, record in ipairs(records) do
    local id = record.ReplicaGroupId
    if type(id) == "string" then
      found[id] = snapshots.new(record, members[id] or {}, { region = region, site = SITE,
        read_at = later or meta.server_time, request_id = meta.request_id })
    end
  end
  return found
end

local function close_batch(reads, region, batch)
  if reads.gathering[region] == batch then reads.gathering[region] = nil end
end

function BatchedReads:read_batch(region, batch)
  self.loop.sleep(GATHER)
  close_batch(self, region, batch)
  -- What is said of one group must not stop the others: an id that cannot be asked for raises.
  local ok, found = guard.call(list, self.client, region, batch.ids)
  self.tasks[batch.task] = nil
  return ok and found or {}
end

function BatchedReads:join(region, group_id)
  local batch = self.gathering[region]
  if not batch then
    batch = { ids = {} }
    -- Whoever asks first may be given up, and the others wait on.
    batch.task = self.scope:spawn(self.read_batch, self, region, batch)
    self.gathering[region], self.tasks[batch.task] = batch, true
  end
  batch.ids[#batch.ids + 1] = group_id
  if #batch.ids == MOST_IDS then close_batch(self, region, batch) end
  return batch.task
end

function BatchedReads:enter(region)
  self.waiting[region] = (self.waiting[region] or 0) + 1
  return setmetatable({}, { __close = function()
    self.waiting[region] = self.waiting[region] - 1
  end })
end

--- What one group is told.
---@param group alicloud.dr.Group
---@return alicloud.dr.BatchedRead
function BatchedReads:of(group)
  local id, region = group.id, group.region
  return {
    enter = function() return self:enter(region) end,
    has_company = function() return (self.waiting[region] or 0) > 1 end,
    look = function(options)
      local task = self:join(region, id)
      local found = task:wait(options.deadline) and task:result()
      return found and found[id] or nil
    end,
  }
end

--- Gives up what is being read.
function BatchedReads:close()
  for task in pairs(self.tasks) do task:close() end
  self.tasks, self.gathering = {}, {}
end

BatchedReads.__close = BatchedReads.close

return M
