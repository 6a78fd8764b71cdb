--- One failover of one group: look, pre-check, ask, carry out, wait until the group and every pair
--- are open. How a call is sent once, and found out about when its answer is in doubt, is that of
--- every change (alicloud.dr.change); here is what is a failover's own.
---
--- Only the region of the group object is asked, since the other one may be lost.
--- Source: FailoverDiskReplicaGroup; "How to ensure idempotence".

local changes = require "alicloud.dr.change"
local failures = require "alicloud.dr.change.failures"
local intents = require "alicloud.dr.model.intent"
local precheck = require "alicloud.dr.model.precheck"
local snapshots = require "alicloud.dr.model.snapshot"
local transitions = require "alicloud.dr.model.transition"

local M = {}

-- Looks at a group whose lists do not agree, before that is held against it.
local SETTLING_LOOKS = 3
local SETTLING_PAUSE = 2

local FAILOVER = transitions.failover

---@class alicloud.dr.Result
---@field outcome "failovered"|"already_failovered"
---@field group_id string
---@field region string
---@field from alicloud.dr.Place
---@field to alicloud.dr.Place
---@field pairs alicloud.dr.Pair[] as observed at the end
---@field joined boolean a failover that was already under way was awaited; nothing was sent
---@field rpo number? achieved data loss: seconds from the oldest recovery point to the failover;
---nil if nobody saw when that was, as for already_failovered
---@field rpo_basis "accepted"|"observed"|nil the failover's moment: the accepted call by the
---server's clock, or, as an upper bound, the first look that showed it under way
---@field rto number seconds from the start of `failover`, a question to a person included, to the
---look that saw every pair open; 0 if the first look found it done
---@field recover_point integer? unix seconds, the oldest of group and pairs
---@field oldest_pair string? the pair that holds it
---@field request_id string? of the accepted call
---@field request_ids string[] of every answer to the failover call
---@field client_token string?
---@field attempts integer how many times the call left
---@field snapshot alicloud.dr.Snapshot the last look

local function result(change, snapshot, fields)
  fields.group_id, fields.region = change.group.id, change.group.region
  fields.from, fields.to, fields.pairs = snapshot.from, snapshot.to, snapshot.pairs
  fields.recover_point = fields.recover_point or snapshot.recover_point
  fields.oldest_pair = snapshot.oldest_pair
  fields.attempts, fields.request_ids = change.attempts, change.request_ids
  fields.joined, fields.snapshot = change.joined, snapshot
  return fields
end

-- The first look found the work done.
local function already(change, snapshot)
  return result(change, snapshot, { outcome = "already_failovered", rto = 0 })
end

-- The group and every pair of the frozen set were seen open.
local function failovered(change, seen)
  local moment = change.accepted and change.accepted.server_time
  local basis = moment and "accepted" or "observed"
  moment = moment or change.poller:seen_moving_at()
  local point = seen.recover_point or change.intent.recover_point
  return result(change, seen, {
    outcome = "failovered", recover_point = point, rto = change:elapsed(),
    rpo = moment and point and math.max(0, moment - point) or nil,
    rpo_basis = moment and point and basis or nil,
    request_id = change.accepted and change.accepted.request_id,
    client_token = change.attempts > 0 and change.intent.client_token or nil,
  })
end

local function conclude(change, seen, err)
  if not seen then return nil, err end
  local made = failovered(change, seen)
  change:emit { event = "failovered", result = made, snapshot = seen }
  change:write_outcome(made)
  return made
end

local function target_of(change, intent)
  local group, batched_reads = change.group, change.options.batched_reads
  return {
    regions = { group.region }, params = { ReplicaGroupId = group.id }, intent = intent,
    read = function(options) return group:observe(options) end,
    batched = batched_reads and batched_reads:of(group),
    transition = FAILOVER, describe = FAILOVER.describe, same = snapshots.same_state,
    began_failed = intent.status == FAILOVER.failed,
    terms = { max_rpo = change.options.max_rpo, accept_loss = change.options.accept_loss },
  }
end

-- Membership lags behind on the service's side, so lists that do not agree get a second chance.
local function look(change)
  local snapshot, err
  for i = 1, SETTLING_LOOKS do
    snapshot, err = change.group:observe()
    if not snapshot then return failures.unreadable(change, err) end
    change:emit { event = "looked", snapshot = snapshot }
    if snapshot.role ~= "secondary" or not snapshots.pair_set_fault(snapshot) then break end
    if i < SETTLING_LOOKS then change.loop.sleep(SETTLING_PAUSE) end
  end
  return snapshot
end

local function is_under_way(snapshot)
  if snapshot.role ~= "secondary" or #snapshot.pairs == 0 then return false end
  if snapshots.pair_set_fault(snapshot) then return false end
  return snapshot.status == "failovering"
    or snapshot.status == "failovered" and snapshots.count(snapshot, "failover_failed") == 0
end

-- "done", "join", "send", or a refusal.
local function decide(change, snapshot)
  if snapshots.is_failovered(snapshot) then return "done" end
  if is_under_way(snapshot) then return "join" end
  local report = precheck.evaluate(snapshot, change.options.max_rpo)
  change:emit { event = "checked", snapshot = snapshot, report = report }
  return report.ok and "send" or "refuse", report
end

-- People take minutes to answer; the world that they answered for may be gone by then.
local function confirm(change, snapshot, report)
  if not change.options.confirm(snapshot, report) then return failures.not_confirmed(change) end
  local asked = intents.new(snapshot, "")
  local now, err = look(change)
  if not now then return nil, err end
  if now.role == "absent" then return failures.refused(change, precheck.evaluate(now)) end
  local difference = intents.difference(asked, now)
  if difference then return failures.world_changed(change, difference) end
  return now
end

local function follow(change, route, report, snapshot)
  if route == "done" then return already(change, snapshot) end
  if route == "refuse" then return failures.refused(change, report) end
  local token = change:token(snapshot, intents.incident_token)
  local target = target_of(change, intents.new(snapshot, token))
  if route == "join" then return conclude(change, change:join(target)) end
  return conclude(change, change:apply(target))
end

local function begin(change)
  local snapshot, err = look(change)
  if not snapshot then return nil, err end
  local difference = snapshot.role ~= "absent" and change:difference_to_past(snapshot)
  if difference then return failures.world_changed(change, difference) end
  local route, report = decide(change, snapshot)
  if route == "send" and change.options.confirm then
    snapshot, err = confirm(change, snapshot, report)
    if not snapshot then return nil, err end
    route, report = decide(change, snapshot)
  end
  return follow(change, route, report, snapshot)
end

--- Runs one failover to its end.
---@param group alicloud.dr.Group
---@param options alicloud.dr.FailoverOptions durations in seconds, defaults filled in
---@return alicloud.dr.Result|nil
---@return alicloud.Error? err kind "precheck", "state", "timeout", "cancelled", "journal" or that
---of the call
function M.run(group, options)
  local change = changes.new(group, FAILOVER.words, options)
  if not change:is_continued() then return begin(change) end
  return conclude(change, change:apply(target_of(change, options.continue.intent)))
end

return M
