--- Looks at a group until looks agree. One odd look decides nothing: the group and its pairs are
--- read one after the other, a cycle or a stop may begin between the two, membership lags, a read
--- may be of the past. So what stands against a failover is looked at again, and what passes by
--- itself for some minutes.

local errors = require "alicloud.base.error"
local moment = require "alicloud.base.moment"
local precheck = require "alicloud.dr.model.precheck"
local snapshots = require "alicloud.dr.model.snapshot"

local M = {}

--- Seconds for what passes by itself within one cycle or one stop.
M.PATIENCE = 120

--- Seconds between two looks.
M.PAUSE = 3

-- What stands against it, and all that must be the same for two looks to agree.
local function fingerprint(report)
  local parts = { snapshots.direction(report.snapshot) }
  for _, finding in ipairs(precheck.obstacles(report)) do
    parts[#parts + 1] = finding.id .. "=" .. finding.code
  end
  return table.concat(parts, " ")
end

local function all_pass(report, given)
  for _, finding in ipairs(precheck.obstacles(report)) do
    if not (finding.passes or finding.copies and given.waits_for_copies) then return false end
  end
  return true
end

---@class alicloud.dr.SettledOptions
---@field loop alicloud.Loop
---@field terms alicloud.dr.PrecheckTerms
---@field observe? fun(group: table): alicloud.dr.Snapshot?, alicloud.Error? looks instead of the
---group itself
---@field emit fun(event: table) told of each look, and of each wait for the next one
---@field is_decided? fun(snapshot: alicloud.dr.Snapshot): boolean no pre-check is needed
---@field waits_for_copies? boolean what passes with the end of a cycle is waited for as well

-- What is so long ago is so long before the first of several looks.
local function freeze_outage(terms, now)
  terms.outage_at = moment.resolve(terms.outage_at, now) or terms.outage_at
end

local function look_once(group, given)
  local snapshot, err = (given.observe or group.observe)(group)
  if not snapshot then return nil, err end
  freeze_outage(given.terms, snapshot.read_at)
  given.emit { event = "looked", snapshot = snapshot }
  if given.is_decided and given.is_decided(snapshot) then return snapshot, nil, true end
  local report = precheck.evaluate(snapshot, given.terms)
  return snapshot, report, report.ok
end

-- A look that shows another direction than the one before it decides nothing, good or bad.
local function has_turned(before, snapshot)
  return before ~= nil and snapshots.direction(before) ~= snapshots.direction(snapshot)
end

local function unclear(group, snapshot)
  return errors.new { kind = "state", code = "Client.DirectionUnclear", outcome = "not_sent",
    message = "looks at it go on showing different directions, the last one "
      .. snapshots.direction(snapshot), retryable = true, snapshot = snapshot,
    hint = "look again; if it stays so, read the group in the console", group_id = group.id,
    region = group.region }
end

--- Looks until nothing stands against a failover, or looks agree that something does.
---@param group { observe: fun(self: table): alicloud.dr.Snapshot?, alicloud.Error? }
---@param given alicloud.dr.SettledOptions
---@return alicloud.dr.Snapshot|nil
---@return alicloud.dr.Report|alicloud.Error|nil report, if a pre-check was needed; or why the group
---could not be read
function M.look(group, given)
  local now, before, seen_before = given.loop.now, nil, nil
  local ends = now() + M.PATIENCE
  while true do
    local snapshot, report, is_good = look_once(group, given)
    if not snapshot then return nil, report end
    local seen = report and fingerprint(report) or ""
    local turned = has_turned(before, snapshot)
    local refused = seen == seen_before and report and not is_good and not all_pass(report, given)
      -- Where both sites lie does not change, however often one looks.
      or snapshot.role == "both"
    if is_good and not turned or refused then return snapshot, report end
    if now() >= ends then
      if turned then return nil, unclear(group, snapshot) end
      return snapshot, report
    end
    before, seen_before = snapshot, seen
    local obstacle = report and precheck.first_obstacle(report)
    given.emit { event = "settling", snapshot = snapshot, left = math.max(0, ends - now()),
      reason = obstacle and obstacle.fact or "the direction was another one a moment ago" }
    given.loop.sleep(math.max(0, math.min(M.PAUSE, ends - now())))
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
  -- One odd look decides nothing.
  if snapshot and snapshot.role ~= "secondary" then
    group.client.loop.sleep(M.PAUSE)
    snapshot, err = group:observe()
  end
  if not snapshot then return nil, err end
  if snapshot.role ~= "secondary" then return nil, misplaced(group, snapshot) end
  return snapshot
end

return M
