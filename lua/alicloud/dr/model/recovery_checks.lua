--- The rules of the pre-check about recovery points: every pair has one, it is of the present
--- direction, and it is young enough.

local duration = require "alicloud.base.duration"
local findings = require "alicloud.dr.model.finding"
local losses = require "alicloud.dr.model.loss"
local moment = require "alicloud.base.moment"
local snapshots = require "alicloud.dr.model.snapshot"
local tables = require "alicloud.base.tables"

local ok, block, unknown = findings.ok, findings.block, findings.unknown
local only_call = findings.only_call

local M = {}

-- In these statuses a failover has begun, and the recovery point was judged before it.
local FAILING_OVER = tables.set { "failovering", "failovered", "failover_failed" }

-- A failover with a reversal after it takes more than so many seconds; half a minute is possible.
local TURN = 20

--- Whether the recovery point may be of the direction before a reversal: the service goes on to
--- show that one. There is no doubt if the status is "normal", since a cycle has ended; if the
--- point is not older than `synced_since`; or if it is so young that no reversal can have happened
--- after it.
---@param snapshot alicloud.dr.Snapshot
---@param terms { synced_since: number? } unix seconds since when the direction is known
---@return string|nil words why the recovery point may be of the direction before
function M.doubt_of_direction(snapshot, terms)
  if not snapshot.reversed or snapshot.status == "normal" then return nil end
  if FAILING_OVER[snapshot.status] then return nil end
  local point, age = snapshot.recover_point, snapshots.recover_point_age(snapshot)
  if point and terms.synced_since and point >= terms.synced_since then return nil end
  if age and age <= TURN then return nil end
  return ("the sides have changed places, and nothing shows that anything was copied in this "
    .. "direction since: the recovery point (%s) may be from before"):format(
    age and duration.format(age) .. " old" or "age unknown")
end

--- Whether the first full sync has ended, in the direction that the group has now.
---@param snapshot alicloud.dr.Snapshot
---@param terms alicloud.dr.PrecheckTerms
---@return table finding
function M.first_sync(snapshot, terms)
  if snapshot.point_doubt then
    return unknown("what is given as recovery point cannot be one: " .. snapshot.point_doubt,
      "Client.RecoveryPointUnclear")
  end
  if not snapshot.group_recover_point then return block "the group has no recovery point yet" end
  local without = findings.name_pairs(snapshot, function(pair)
    return not pair.recover_point and "has none" or nil
  end)
  if without then return block("no recovery point yet: " .. without) end
  local doubt = M.doubt_of_direction(snapshot, terms)
  if doubt then
    local finding = unknown(doubt, "Client.FirstSyncUnfinished")
    finding.copies = snapshot.status == "syncing" or nil
    return finding
  end
  return ok(snapshot.point_note and "every pair has a recovery point; " .. snapshot.point_note
    or "group and pairs have a recovery point")
end

-- The finding if the age of the recovery point is not known. It has the same code as the finding
-- about the missing or unclear point, so that one `force` overrules both.
local function check_unmeasured(snapshot, max_rpo)
  local fact = snapshot.point_doubt and "the age of the recovery point cannot be told"
    or "there is no recovery point to measure"
  if not max_rpo then return only_call(fact) end
  if snapshot.point_doubt then return unknown(fact, "Client.RecoveryPointUnclear") end
  return block(fact, "Client.FirstSyncUnfinished")
end

-- If the recovery point is by more than CONTRADICTS seconds newer than the declared outage, the
-- time of the outage is probably a slip. With it every recovery point would count as young enough.
-- CONTRADICTS_ALONE counts if only the declared outage keeps the loss within max_rpo.
local CONTRADICTS, CONTRADICTS_ALONE = 7200, 3600

local function problem_of_outage(snapshot, loss, max_rpo)
  local after, age = loss.copied_after, snapshots.recover_point_age(snapshot)
  local alone = max_rpo and age and age > max_rpo
  if not after or after <= (alone and CONTRADICTS_ALONE or CONTRADICTS) then return nil end
  return block(("the recovery point%s is %s younger than the outage is said to be"):format(
    age and (" (%s old)"):format(duration.format(age)) or "", duration.format(after)),
    "Client.OutageContradicted")
end

--- Whether the loss is within `max_rpo`.
---@param snapshot alicloud.dr.Snapshot
---@param terms alicloud.dr.PrecheckTerms
---@return table finding
function M.age(snapshot, terms)
  local outage_at, max_rpo = moment.resolve(terms.outage_at, snapshot.read_at), terms.max_rpo
  local ahead = losses.ahead(snapshot, outage_at)
  if ahead then
    return block(("the outage is said to begin %s from now"):format(duration.format(ahead)),
      "Client.OutageInFuture")
  end
  if snapshots.is_failovered(snapshot) then
    return ok "it is open already: another failover would lose nothing more"
  end
  if not snapshot.recover_point or snapshots.count_unsynced(snapshot) > 0 then
    return check_unmeasured(snapshot, max_rpo)
  end
  local loss = losses.of(snapshot, outage_at)
  if not loss then
    local fact = "the service gave no time, so the age cannot be told"
    return max_rpo and unknown(fact, "Client.ServerTimeUnknown") or only_call(fact)
  end
  local doubt = problem_of_outage(snapshot, loss, max_rpo)
  if doubt then return doubt end
  local shown, counted = duration.format(loss.seconds), losses.counted(loss)
  if not max_rpo then return ok(("RPO %s, no limit given%s"):format(shown, counted)) end
  if loss.seconds <= max_rpo then
    return ok(("RPO %s ≤ %s%s"):format(shown, duration.format(max_rpo), counted))
  end
  local holder = snapshot.oldest_pair and " (" .. snapshot.oldest_pair .. ")" or ""
  return block(("RPO %s > %s%s%s"):format(shown, duration.format(max_rpo), holder, counted))
end

return M
