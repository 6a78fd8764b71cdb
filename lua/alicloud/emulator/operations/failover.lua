--- FailoverDiskReplicaGroup and FailoverDiskReplicaPair: the documented checks, from the coarse to
-- the fine, then the effect.

local errors = require "alicloud.emulator.gateway.errors"
local find = require "alicloud.emulator.operations.find"
local transitions = require "alicloud.emulator.model.transitions"
local views = require "alicloud.emulator.model.views"

local M = {}

local refuse = errors.refuse

-- Usage notes of FailoverDiskReplicaGroup.
local GROUP_LEGAL = {
  manual_syncing = true, syncing = true, normal = true, stopping = true, stop_failed = true,
  stopped = true, failovering = true, failover_failed = true, failovered = true,
}
-- The usage notes of FailoverDiskReplicaPair exclude only these two.
local PAIR_ILLEGAL = { invalid = true, deleted = true }

local FAILOVER_STATES = { failovering = true, failovered = true, failover_failed = true }

local function statuses_agree(group, pair, settings)
  if pair.status == group.status or settings.failover_states == "any" then return true end
  return settings.mixed_failover_states == "compatible"
    and FAILOVER_STATES[group.status] and FAILOVER_STATES[pair.status]
end

-- Each check runs over all pairs before the next check, so that the code does not depend on the
-- order of the pairs.
local PAIR_CHECKS = {
  { "OperationDenied.PairGroupStatusConflict", statuses_agree },
  { "OperationDenied.PairGroupAZoneConflict", function(group, pair)
    return find.same_places(pair, group)
  end },
  { "OperationDenied.PairInAnotherGroup", function(group, pair)
    return pair.group_id == group.id
  end },
}

local function check_pairs(group, settings)
  if #group.pairs == 0 then return refuse("OperationDenied.NoPairInGroup") end
  if views.mixed_status(group, settings) then
    return refuse("OperationDenied.PairGroupStatusConflict")
  end
  for _, check in ipairs(PAIR_CHECKS) do
    for _, pair in ipairs(group.pairs) do
      if not check[2](group, pair, settings) then return refuse(check[1]) end
    end
  end
  return nil
end

local function check_status(emu, group, now)
  local legal = GROUP_LEGAL[group.status] or emu.settings.failover_states == "any"
  local ready = legal and (emu.settings.first_full_sync == "allow"
    or transitions.is_synced(emu.world, group, now))
  return not ready and refuse("OperationDenied.InvalidStatus") or nil
end

local function check_group(group, emu, params, now)
  return find.wrong_side(emu, group, params.RegionId, "destination")
    or check_pairs(group, emu.settings) or check_status(emu, group, now)
end

local function check_pair(pair, emu, params)
  local refusal = find.wrong_side(emu, pair, params.RegionId, "destination")
  if not refusal and pair.group_id and emu.settings.pair_in_group == "deny" then
    refusal = refuse("OperationDenied")
  end
  if not refusal and PAIR_ILLEGAL[pair.status] then
    refusal = refuse("OperationDenied.InvalidStatus")
  end
  return refusal
end

local function is_repeat(unit)
  return unit.status == "failovering" or unit.status == "failovered"
end

local function act(emu, params, context, unit)
  if is_repeat(unit) and emu.settings.repeat_failover == "noop" then return {} end
  find.record_change(emu, params, context, unit)
  transitions.failover(emu.world, unit, context.now, emu.settings, context.plan)
  return {}
end

--- FailoverDiskReplicaGroup.
M.group = { check = find.checked(find.group, check_group), act = act }

--- FailoverDiskReplicaPair.
M.pair = { check = find.checked(find.pair, check_pair), act = act }

return M
