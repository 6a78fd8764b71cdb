--- Looks at a group until its looks agree. A single look may be wrong: the group and its pairs are
--- read one after the other, a cycle or a stop may begin between the two, membership lags, and a
--- read may be stale. So an obstacle to a failover needs a second look, and one that may pass by
--- itself is waited for.

local errors = require "alicloud.base.error"
local group_reads = require "alicloud.dr.read.groups"
local moment = require "alicloud.base.moment"
local precheck = require "alicloud.dr.model.precheck"
local schema = require "alicloud.base.schema"
local snapshots = require "alicloud.dr.model.snapshot"
local tables = require "alicloud.base.tables"

local M = {}

--- Seconds to wait for an obstacle that passes by itself within one cycle or one stop.
M.PATIENCE = 120

--- Seconds between two looks.
M.PAUSE = 3

-- The direction and all obstacles, which must be the same for two looks to agree.
local function fingerprint(report)
  local parts = { snapshots.direction(report.snapshot) }
  for _, finding in ipairs(precheck.obstacles(report)) do
    parts[#parts + 1] = finding.id .. "=" .. finding.code
  end
  return table.concat(parts, " ")
end

--- Whether all obstacles to a failover may pass by themselves.
---@param report alicloud.dr.Report
---@param waits_for_copies boolean? findings that pass when a synchronization ends count as well
---@return boolean
function M.may_pass(report, waits_for_copies)
  for _, finding in ipairs(precheck.obstacles(report)) do
    if not (finding.passes or finding.copies and waits_for_copies) then return false end
  end
  return true
end

---@class alicloud.dr.SettledOptions
---@field loop alicloud.Loop
---@field terms alicloud.dr.PrecheckTerms
---@field observe? fun(group: table): alicloud.dr.Snapshot?, alicloud.Error? takes a look; nil: the
---group's own method does
---@field emit fun(event: table) gets each look, and each wait for the next one
---@field is_decided? fun(snapshot: alicloud.dr.Snapshot): boolean true: no pre-check is needed
---@field waits_for_copies? boolean also wait for findings that pass when a synchronization ends
---@field settle? number seconds from the first look on to wait for an obstacle that passes by
---itself; nil: M.PATIENCE

-- A duration ("20m ago") counts from the first look, so it is made a fixed time there.
local function freeze_outage(terms, now)
  terms.outage_at = moment.resolve(terms.outage_at, now) or terms.outage_at
end

-- Whether "failovered" at the first look needs a second one: nothing looks again later, and a stale
-- record from before the last reversal would show disks as open that are being overwritten.
local function needs_another(before, snapshot)
  return before == nil and snapshots.is_failovered(snapshot)
end

-- Whether the direction differs from that of the look before: then this look decides nothing.
local function has_turned(before, snapshot)
  return before ~= nil and snapshots.direction(before) ~= snapshots.direction(snapshot)
end

--- Notes which pairs a look has named or listed.
---@param told table<string, number> see alicloud.dr.Group; changed in place
---@param snapshot alicloud.dr.Snapshot
---@param now number monotonic seconds
function M.note_pairs(told, snapshot, now)
  for _, ids in ipairs { snapshots.ids(snapshot), snapshot.pair_ids or snapshot.more_ids or {} } do
    for _, id in ipairs(ids) do told[id] = now end
  end
end

-- A pair that is not listed, but that the group names, or another look has shown within M.PATIENCE:
-- if the group's record and the pair list both lag, they agree on too few pairs.
local function forgotten(told, snapshot, now)
  local known = tables.set(snapshots.ids(snapshot))
  for _, id in ipairs(tables.keys(told)) do
    if not known[id] and now < told[id] + M.PATIENCE then return id end
  end
  return nil
end

local function unclear(snapshot)
  return errors.new { kind = "state", code = "Client.DirectionUnclear", outcome = "not_sent",
    message = "looks at it go on showing different directions, the last one "
      .. snapshots.direction(snapshot), retryable = true, snapshot = snapshot,
    hint = "look again; if it stays so, read the group in the console",
    group_id = snapshot.group_id, region = snapshot.region }
end

--- The state of the looks at one group so far.
---@class alicloud.dr.Settling
---@field given alicloud.dr.SettledOptions
---@field ends number? monotonic seconds, when waiting ends for an obstacle that passes by itself;
---nil: there was no look yet
---@field snapshot alicloud.dr.Snapshot? of the newest look
---@field report alicloud.dr.Report? of the newest look; nil: no pre-check was needed
---@field err alicloud.Error? the looks did not agree until the end
---@field seen string? direction and obstacles of the newest look
---@field told table<string, number> see alicloud.dr.Group
---@field reason string? why another look is needed
local Settling = {}
Settling.__index = Settling

--- Begins to look at a group.
---@param group alicloud.dr.Group
---@param given alicloud.dr.SettledOptions
---@return alicloud.dr.Settling
function M.begin(group, given)
  return setmetatable({ given = given, told = group.told }, Settling)
end

local function judge(given, snapshot)
  freeze_outage(given.terms, snapshot.read_at)
  given.emit { event = "looked", snapshot = snapshot }
  if given.is_decided and given.is_decided(snapshot) then return nil, true end
  local report = precheck.evaluate(snapshot, given.terms)
  return report, report.ok
end

local function reason_for_another(report, turned, pair, doubt)
  local obstacle = report and precheck.first_obstacle(report)
  return obstacle and obstacle.fact or turned and "the direction was another one a moment ago"
    or pair and pair .. " is, or was a moment ago, one of its pairs, and is not listed"
    or doubt
    or "it is open already, if another look shows the same"
end

--- Judges one look.
---@param snapshot alicloud.dr.Snapshot
---@return boolean settled there is no obstacle to a failover, or two looks agree on one that does
---not pass, or the time is up
function Settling:take(snapshot)
  local given, before, now = self.given, self.snapshot, self.given.loop.now()
  self.ends = self.ends or now + (given.settle or M.PATIENCE)
  M.note_pairs(self.told, snapshot, now)
  -- A listing need not be at hand at every look.
  snapshot.near = snapshot.near or before and before.near
  local report, is_good = judge(given, snapshot)
  local seen = report and fingerprint(report) or ""
  local turned, pair = has_turned(before, snapshot), forgotten(self.told, snapshot, now)
  local refused = seen == self.seen and report and not is_good
    and not M.may_pass(report, given.waits_for_copies)
    -- Both sites lie in this region; another look would not change that.
    or snapshot.role == "both"
  self.snapshot, self.report, self.seen = snapshot, report, seen
  local stays = not turned and not pair and not snapshot.pair_doubt
    and not needs_another(before, snapshot)
  if is_good and stays or refused then return true end
  if before and self:left() <= 0 then
    self.err = turned and unclear(snapshot) or nil
    return true
  end
  self.reason = reason_for_another(report, turned, pair, snapshot.pair_doubt)
  return false
end

--- For how long further looks are still worth it.
---@return number seconds
function Settling:left()
  return math.max(0, self.ends - self.given.loop.now())
end

--- Waits for the next look.
function Settling:pause()
  self.given.loop.sleep(math.min(M.PAUSE, self:left()))
end

--- The group that a mistyped id may mean. Lists the groups of the region, which has just answered;
--- an outage that begins here is not waited for.
---@param group alicloud.dr.Group one that is not there
---@return string guess `; did you mean "x"?`, or ""
function M.near(group)
  if group.id:find "^pair%-" then return "" end
  local ids = group_reads.ids(group.client:outlasting { seconds = 0 },
    { region = group.region, site = "backup" })
  return schema.did_you_mean(group.id, tables.set(ids or {}))
end

-- Makes a guess for a group that two looks have not shown, if no listing was at hand for it.
local function suggest(group, before, snapshot)
  local is_gone = before and before.role == "absent" and snapshot.role == "absent"
  if not is_gone or before.near or snapshot.near or snapshot.member_of then return end
  snapshot.near = M.near(group)
end

--- Looks until there is no obstacle to a failover, or looks agree on one, or the time is up.
---@param group alicloud.dr.Group
---@param given alicloud.dr.SettledOptions
---@return alicloud.dr.Snapshot|nil
---@return alicloud.dr.Report|alicloud.Error|nil report with a snapshot: the report, nil if no
---pre-check was needed; without one: the error
function M.look(group, given)
  local settling = M.begin(group, given)
  while true do
    local snapshot, err = (given.observe or group.observe)(group)
    if not snapshot then return nil, err end
    suggest(group, settling.snapshot, snapshot)
    if settling:take(snapshot) then
      if settling.err then return nil, settling.err end
      return snapshot, settling.report
    end
    given.emit { event = "settling", snapshot = snapshot, left = settling:left(),
      reason = settling.reason }
    settling:pause()
  end
end

local function misplaced(group, snapshot)
  local report = precheck.evaluate(snapshot)
  local obstacle = precheck.first_obstacle(report)
  return errors.new {
    kind = "state", code = obstacle.code, message = obstacle.fact, hint = obstacle.cure,
    outcome = "not_sent", region = group.region, group_id = group.id, snapshot = snapshot,
  }
end

--- Looks at a group from its secondary site.
---@param group alicloud.dr.Group
---@return alicloud.dr.Snapshot|nil
---@return alicloud.Error? err also if the side is not the secondary site of the group
function M.from_secondary(group)
  local snapshot, err = group:observe()
  -- A single look may be wrong.
  if snapshot and snapshot.role ~= "secondary" then
    group.client.loop.sleep(M.PAUSE)
    snapshot, err = group:observe()
  end
  if not snapshot then return nil, err end
  if snapshot.role ~= "secondary" then return nil, misplaced(group, snapshot) end
  return snapshot
end

return M
