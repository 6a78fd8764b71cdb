--- What many groups of a client share that are looked at at the same time: sweeps over their region
--- instead of looks of their own, and turns for those who are about to change something.
---
--- A sweep proves of a group as much as a look of its own does, if it began after the moment that
--- matters and tells of the whole group (alicloud.dr.read.sweep). Whom sweeps do not tell, or who
--- is alone, looks by himself.

local direction = require "alicloud.dr.model.direction"
local sweepers = require "alicloud.dr.read.sweeper"
local tables = require "alicloud.base.tables"

local M = {}

-- Seconds after which it is too old for whoever decides, however many calls it saves: what is
-- decided by it would be sent too late, each time.
local OLD = 20
-- Seconds for which a first look waits for a sweep: a minute for which calls are refused passes.
local PATIENCE = 120
-- So many at a time are between their look and the answer to their call. More would only stand in
-- line for the quota while what they have seen grows old.
local TURNS = 45

---@class alicloud.dr.BatchedReads
---@field client alicloud.Client
---@field loop alicloud.loop.Loop
---@field scope alicloud.Scope of all who share
---@field present table<string, table<string, integer>> who is at work, and how often, by region
---@field counts table<string, integer> how many they are, by region
---@field expected integer how many are at work or will be, as somebody has said
---@field sweepers table<string, alicloud.dr.Sweeper> by region
---@field held integer turns
---@field line alicloud.dr.SharedTurn[] those who wait for one
local BatchedReads = {}
BatchedReads.__index = BatchedReads

---@class alicloud.dr.Wish
---@field after number monotonic seconds; the sweep begins later
---@field ends number monotonic seconds at which one waits no longer
---@field seen string? signature of what is known: one waits for something else
---@field due number? monotonic seconds from which on one had better look by oneself

---@class alicloud.dr.Told
---@field snapshot alicloud.dr.Snapshot? nil: look by yourself
---@field signature string? of it
---@field began number? monotonic seconds, of its sweep
---@field blind number seconds in which nothing could be read

--- Makes what those at work with one client share.
---@param client alicloud.Client
---@param scope alicloud.Scope in which all of them are
---@return alicloud.dr.BatchedReads
function M.new(client, scope)
  return setmetatable({ client = client, scope = scope, loop = client.loop, present = {},
    counts = {}, expected = 0, sweepers = {}, held = 0, line = {} }, BatchedReads)
end

-- The same, for one who has changed something himself.
local Since = {}

function Since:of(group) return self.reads:of(group, self.moment) end

Since.__index = Since

--- Whether a value was made here.
---@param value any
---@return boolean
function M.is(value)
  local class = getmetatable(value)
  return class == BatchedReads or class == Since
end

--- The same for whoever has changed something until a moment: he is shown nothing from before.
---@param moment number monotonic seconds
---@return { of: fun(self: table, group: alicloud.dr.Group): alicloud.dr.BatchedRead }
function BatchedReads:since(moment)
  return setmetatable({ reads = self, moment = moment }, Since)
end

function BatchedReads:has_company(region)
  return (self.counts[region] or 0) > 1 or self.expected > 1
end

function BatchedReads:sweeper(region)
  local sweeper = self.sweepers[region]
  if not sweeper then
    sweeper = sweepers.new(self.client, region, function()
      return self:has_company(region) and tables.keys(self.present[region] or {}) or nil
    end)
    self.sweepers[region] = sweeper
  end
  return sweeper
end

--- Says that so many will be at work, so that the first of them is not taken to be alone.
---@param count integer
---@return { left: fun() } expected to be called for each whose work is over, and closed at the end
function BatchedReads:expect(count)
  local function less(number)
    count, self.expected = count - number, self.expected - number
  end
  self.expected = self.expected + count
  return setmetatable({ left = function() less(1) end }, { __close = function() less(count) end })
end

local function add(reads, region, id, change)
  local present = reads.present[region] or {}
  local count = (present[id] or 0) + change
  reads.present[region], present[id] = present, count > 0 and count or nil
  reads.counts[region] = (reads.counts[region] or 0) + change
end

---@class alicloud.dr.SharedTurn
---@field reads alicloud.dr.BatchedReads
---@field holds boolean
---@field over boolean
---@field gate table? of one that waits
local Turn = {}
Turn.__index = Turn

local function next_in_line(reads)
  while reads.line[1] do
    local turn = table.remove(reads.line, 1)
    if not turn.over then return turn end
  end
end

--- Waits for it.
function Turn:take()
  local reads = self.reads
  if reads.held < TURNS then
    reads.held, self.holds = reads.held + 1, true
    return
  end
  local gate = reads.loop.gate()
  self.gate, reads.line[#reads.line + 1] = gate, self
  while not self.holds do gate.wait() end
  self.gate = nil
end

--- Ends it, or the wait for it; the next one has it.
function Turn:close()
  if self.over then return end
  self.over = true
  if not self.holds then return end
  local reads, following = self.reads, next_in_line(self.reads)
  if not following then
    reads.held = reads.held - 1
    return
  end
  following.holds = true
  following.gate.open()
end

Turn.__close = Turn.close

local function told(group, sweep)
  local snapshot = sweep and sweep:snapshot(group.id)
  return snapshot and direction.towards(snapshot, group.to) or nil
end

-- What one group shares with the others. A fleet has thousands.
---@class alicloud.dr.BatchedRead
---@field reads alicloud.dr.BatchedReads
---@field group alicloud.dr.Group
---@field after number monotonic seconds: a look to decide by is later
---@field age number seconds that it may be old besides
local BatchedRead = {}
BatchedRead.__index = BatchedRead

local AtWork = { __close = function(work)
  local read = work.read
  add(read.reads, read.group.region, read.group.id, -1)
end }

--- Enters the work.
---@return table is to be closed when the work is over
function BatchedRead:enter()
  add(self.reads, self.group.region, self.group.id, 1)
  return setmetatable({ read = self }, AtWork)
end

--- Whether somebody else is at work; one alone had better look.
---@return boolean
function BatchedRead:has_company() return self.reads:has_company(self.group.region) end

function BatchedRead:sweeper() return self.reads:sweeper(self.group.region) end

--- A look to decide by, its own where sweeps do not tell; each call gives another one.
---@return alicloud.dr.Snapshot|nil
---@return alicloud.Error? err
---@return number? began of a sweep, monotonic seconds
---@return number? began_at the same in unix seconds
function BatchedRead:observe()
  local reads, group, asked = self.reads, self.group, self.reads.loop.now()
  local wish = { id = group.id, after = math.max(self.after, asked - self.age),
    ends = asked + PATIENCE, decides = true }
  local sweep = self:has_company() and self:sweeper():ask(reads.scope, wish)
  if sweep and reads.loop.now() - sweep.began <= OLD then
    -- The one after it has to be another one: looks that agree are several.
    self.after, self.age = sweep.began, sweepers.FRESH
    return told(group, sweep), nil, sweep.began, sweep.began_at
  end
  local snapshot, err = group:observe()
  -- A sweep may have begun as soon as this had ended.
  self.after, self.age = reads.loop.now(), 0
  return snapshot, err
end

--- Waits for what sweeps tell.
---@param wish alicloud.dr.Wish its own: it is added to
---@return alicloud.dr.Told
function BatchedRead:tell(wish)
  wish.id = self.group.id
  local sweep, blind = self:sweeper():ask(self.reads.scope, wish)
  return { snapshot = told(self.group, sweep), signature = sweep and sweep:signature(wish.id),
    began = sweep and sweep.began, blind = blind }
end

---@return alicloud.dr.SharedTurn
function BatchedRead:new_turn()
  return setmetatable({ reads = self.reads, holds = false, over = false }, Turn)
end

--- What one group shares with the others.
---@param group alicloud.dr.Group
---@param moment number? monotonic seconds: a look to decide by is later; nil: than now
---@return alicloud.dr.BatchedRead
function BatchedReads:of(group, moment)
  return setmetatable({ reads = self, group = group, after = moment or self.loop.now(),
    age = sweepers.FRESH }, BatchedRead)
end

--- Gives up what is being read.
function BatchedReads:close()
  for _, sweeper in pairs(self.sweepers) do sweeper:close() end
end

BatchedReads.__close = BatchedReads.close

return M
