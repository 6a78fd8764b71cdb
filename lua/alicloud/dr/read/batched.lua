--- Shares reads between many groups that are at work at the same time: sweeps over their region
--- take the place of single looks, and changes take turns before they look and send.
---
--- A sweep proves as much about a group as a look at it, if it began after the moment that matters
--- and shows the whole group (alicloud.dr.read.sweep). A group that sweeps do not show, or that is
--- alone, is looked at by itself.

local direction = require "alicloud.dr.model.direction"
local sweepers = require "alicloud.dr.read.sweeper"
local tables = require "alicloud.base.tables"

local M = {}

-- A sweep that began so many seconds ago is too old to decide by: the call would leave too late.
local OLD = 20
-- Seconds for which a first look waits for a sweep, so that a minute of throttling passes.
local PATIENCE = 120
-- So many changes at a time may be between their look and the answer to their call. More of them
-- would wait for the quota while their looks become stale.
local TURNS = 45

---@class alicloud.dr.BatchedReads
---@field client alicloud.Client
---@field loop alicloud.loop.Loop
---@field scope alicloud.Scope the scope of all groups that share
---@field present table<string, table<string, integer>> by region: the groups at work, and how often
---each has entered
---@field counts table<string, integer> by region: the sum of these
---@field expected integer how many groups are or will be at work, as announced by `expect`
---@field sweepers table<string, alicloud.dr.Sweeper> by region
---@field held integer how many turns are taken
---@field line alicloud.dr.SharedTurn[] the turns that are waited for, in order
local BatchedReads = {}
BatchedReads.__index = BatchedReads

---@class alicloud.dr.Wish
---@field after number monotonic seconds: the sweep must begin later
---@field ends number monotonic seconds, when to stop waiting
---@field seen string? signature of the known state: wait until it is another one
---@field due number? monotonic seconds from which on an own look is better

---@class alicloud.dr.Told
---@field snapshot alicloud.dr.Snapshot? nil: an own look is needed
---@field signature string? of the snapshot
---@field began number? monotonic seconds, when its sweep began
---@field blind number seconds in which sweeps failed

--- Makes the shared reads of one client.
---@param client alicloud.Client
---@param scope alicloud.Scope the scope of all groups that share
---@return alicloud.dr.BatchedReads
function M.new(client, scope)
  return setmetatable({ client = client, scope = scope, loop = client.loop, present = {},
    counts = {}, expected = 0, sweepers = {}, held = 0, line = {} }, BatchedReads)
end

-- The same reads, but nothing from before a moment; see BatchedReads:since.
local Since = {}

function Since:of(group) return self.reads:of(group, self.moment) end

Since.__index = Since

--- Whether a value was made by this module.
---@param value any
---@return boolean
function M.is(value)
  local class = getmetatable(value)
  return class == BatchedReads or class == Since
end

--- The same reads for a task that has changed something up to a moment: it is shown nothing older.
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

--- Announces that so many groups will be at work, so that the first one does not count as alone.
---@param count integer
---@return { left: fun() } expected call `left` after the work of each group; close it at the end
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
---@field gate table? while it is waited for
local Turn = {}
Turn.__index = Turn

local function next_in_line(reads)
  while reads.line[1] do
    local turn = table.remove(reads.line, 1)
    if not turn.over then return turn end
  end
end

--- Waits for the turn.
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

--- Gives the turn, or the wait for it, up; the next one in line gets it.
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

-- The shared reads for one group. Small, since a fleet has thousands.
---@class alicloud.dr.BatchedRead
---@field reads alicloud.dr.BatchedReads
---@field group alicloud.dr.Group
---@field after number monotonic seconds: a look to decide by must be later
---@field age number seconds that such a look may be old when it is asked for
local BatchedRead = {}
BatchedRead.__index = BatchedRead

local AtWork = { __close = function(work)
  local read = work.read
  add(read.reads, read.group.region, read.group.id, -1)
end }

--- Says that the work on the group begins.
---@return table work to be closed when the work is over
function BatchedRead:enter()
  add(self.reads, self.group.region, self.group.id, 1)
  return setmetatable({ read = self }, AtWork)
end

--- Whether another group is at work; if not, an own look is better.
---@return boolean
function BatchedRead:has_company() return self.reads:has_company(self.group.region) end

function BatchedRead:sweeper() return self.reads:sweeper(self.group.region) end

--- A look to decide by: from a sweep, or an own one if sweeps do not show the group. Each call
--- gives another look.
---@return alicloud.dr.Snapshot|nil
---@return alicloud.Error? err
---@return number? began monotonic seconds, when the sweep began; nil: an own look
---@return number? began_at the same in unix seconds
function BatchedRead:observe()
  local reads, group, asked = self.reads, self.group, self.reads.loop.now()
  local wish = { id = group.id, after = math.max(self.after, asked - self.age),
    ends = asked + PATIENCE, decides = true }
  local sweep = self:has_company() and self:sweeper():ask(reads.scope, wish)
  if sweep and reads.loop.now() - sweep.began <= OLD then
    -- The next look has to be from another sweep, so that looks that agree are several.
    self.after, self.age = sweep.began, sweepers.FRESH
    return told(group, sweep), nil, sweep.began, sweep.began_at
  end
  local snapshot, err = group:observe()
  local listed = self:sweeper().latest
  if listed then listed:suggest(snapshot) end
  -- The next sweep must begin after the end of this look.
  self.after, self.age = reads.loop.now(), 0
  return snapshot, err
end

--- Waits for a sweep.
---@param wish alicloud.dr.Wish changed in place
---@return alicloud.dr.Told
function BatchedRead:tell(wish)
  wish.id = self.group.id
  local sweep, blind = self:sweeper():ask(self.reads.scope, wish)
  return { snapshot = told(self.group, sweep), signature = sweep and sweep:signature(wish.id),
    began = sweep and sweep.began, blind = blind }
end

--- Makes a turn that is not taken yet.
---@return alicloud.dr.SharedTurn
function BatchedRead:new_turn()
  return setmetatable({ reads = self.reads, holds = false, over = false }, Turn)
end

--- The shared reads for one group.
---@param group alicloud.dr.Group
---@param moment number? monotonic seconds: a look to decide by must be later; nil: now
---@return alicloud.dr.BatchedRead
function BatchedReads:of(group, moment)
  return setmetatable({ reads = self, group = group, after = moment or self.loop.now(),
    age = sweepers.FRESH }, BatchedRead)
end

--- Ends all sweeps.
function BatchedReads:close()
  for _, sweeper in pairs(self.sweepers) do sweeper:close() end
end

BatchedReads.__close = BatchedReads.close

return M
