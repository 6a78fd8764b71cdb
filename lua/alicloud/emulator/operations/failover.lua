--- FailoverDiskReplicaGroup: the documented checks, from the coarse to the fine, then the effect.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.errors"
local state = require "alicloud.emulator.state"

local M = {}

local refuse = errors.refuse

-- Usage notes of FailoverDiskReplicaGroup.
local LEGAL = {
  manual_syncing = true, syncing = true, normal = true, stopping = true, stop_failed = true,
  stopped = true, failovering = true, failover_failed = true, failovered = true,
}

local FAILOVER_STATES = { failovering = true, failovered = true, failover_failed = true }

local function near_miss(emu, params, group)
  if group then
    return ("%s replicates %s → %s, it is not in %s"):format(
      group.id, group.source.region, group.destination.region, params.RegionId)
  end
  local ids = {}
  for index, known in ipairs(emu.world.groups) do ids[index] = known.id end
  local nearest = core.suggest(params.ReplicaGroupId, ids)
  return nearest and ("no group %s, nearest is %s"):format(params.ReplicaGroupId, nearest) or nil
end

local function check_side(emu, params, group)
  local region = params.RegionId
  if region == group.destination.region or emu.settings.permissive then return nil end
  if region ~= group.source.region then
    local refusal = refuse("NoSuchResource")
    refusal.near_miss = near_miss(emu, params, group)
    return refusal
  end
  return refuse(emu.settings.wrong_side == "not_found" and "NoSuchResource"
    or "OperationDenied.OperateNotAllowedForPrimary")
end

local function statuses_agree(group, pair, settings)
  if pair.status == group.status then return true end
  return settings.mixed_failover_states == "compatible"
    and FAILOVER_STATES[group.status] and FAILOVER_STATES[pair.status]
end

local function same_place(own, place)
  return not own or own.region == place.region and own.zone == place.zone
end

-- One check over all pairs comes before the next check, so that the code does not depend on order.
local PAIR_CHECKS = {
  { "OperationDenied.PairGroupStatusConflict", statuses_agree },
  { "OperationDenied.PairGroupAZoneConflict", function(group, pair)
    return same_place(pair.source, group.source) and same_place(pair.destination, group.destination)
  end },
  { "OperationDenied.PairInAnotherGroup", function(group, pair)
    return pair.group_id == group.id
  end },
}

local function check_pairs(group, settings)
  if #group.pairs == 0 then return refuse("OperationDenied.NoPairInGroup") end
  for _, check in ipairs(PAIR_CHECKS) do
    for _, pair in ipairs(group.pairs) do
      if not check[2](group, pair, settings) then return refuse(check[1]) end
    end
  end
  return nil
end

local function first_sync_done(emu, group, now)
  for _, pair in ipairs(group.pairs) do
    if not state.pair_recover_point(emu.world, pair, now) then return false end
  end
  return state.recover_point(group, now) ~= nil
end

local function check_status(emu, group, now)
  local ready = LEGAL[group.status]
    and (emu.settings.first_full_sync == "allow" or first_sync_done(emu, group, now))
  return not ready and refuse("OperationDenied.InvalidStatus") or nil
end

--- Says whether a failover would be accepted, and changes nothing.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param now number
---@return alicloud.emulator.Refusal|nil
function M.check_group(emu, params, now)
  local group = emu.world.group_by_id[params.ReplicaGroupId]
  if not group then
    local refusal = refuse("NoSuchResource")
    refusal.near_miss = near_miss(emu, params, nil)
    return refusal
  end
  state.settle(group, now)
  return check_side(emu, params, group)
    or check_pairs(group, emu.settings)
    or check_status(emu, group, now)
end

local function place_text(place) return place.region .. "/" .. place.zone end

local function is_repeat(group)
  return group.status == "failovering" or group.status == "failovered"
end

--- FailoverDiskReplicaGroup.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param context alicloud.emulator.Context
---@return table|nil result
---@return alicloud.emulator.Refusal|nil
function M.group(emu, params, context)
  local refusal = M.check_group(emu, params, context.now)
  if refusal then return nil, refusal end
  local group = emu.world.group_by_id[params.ReplicaGroupId]
  if is_repeat(group) and emu.settings.repeat_failover == "noop" then return {} end
  emu.journal:effect {
    time = context.now, action = "FailoverDiskReplicaGroup", group = group.id,
    region = params.RegionId, from = place_text(group.source), to = place_text(group.destination),
    status = group.status, client_token = params.ClientToken, request_id = context.request_id,
  }
  context.effect = true
  state.begin_failover(group, context.now, emu.settings, context.plan)
  return {}
end

return M
