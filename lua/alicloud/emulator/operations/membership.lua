--- AddDiskReplicaPair and RemoveDiskReplicaPair. The membership changes some seconds after the
-- answer (`membership` of the timings).

local errors = require "alicloud.emulator.gateway.errors"
local find = require "alicloud.emulator.operations.find"
local state = require "alicloud.emulator.model.state"

local M = {}

local refuse = errors.refuse

local READY = { created = true, stopped = true }
local REMOVABLE = { created = true, stopped = true, invalid = true }
-- Membership cannot change while a record is being deleted, or after its creation failed.
local UNSTABLE = { deleting = true, delete_failed = true, deleted = true, create_failed = true }
local INITIALIZING = { creating = true, initial_syncing = true }

local function find_both(emu, params)
  local group, refusal = find.group(emu, params)
  if not group then return nil, nil, refusal end
  local pair = emu.world.pair_by_id[params.ReplicaPairId]
  if not pair then return nil, nil, refuse("NoSuchResource") end
  refusal = find.wrong_home(emu, group, params.RegionId)
  if refusal then return nil, nil, refusal end
  return group, pair
end

local function capacity(world, list)
  local total = 0
  for _, pair in ipairs(list) do
    local disk = world.disk_by_id[pair.source_disk]
    total = total + (disk and disk.size or 0)
  end
  return total
end

local function grouped(world)
  local count = 0
  for _, pair in ipairs(world.pairs) do
    if pair.group_id or pair.joining then count = count + 1 end
  end
  return count
end

local function joining(world, group)
  local list = { table.unpack(group.pairs) }
  for _, pair in ipairs(world.pairs) do
    if pair.joining == group.id then list[#list + 1] = pair end
  end
  return list
end

local function check_room(world, group, pair)
  local quota, members = world.account.quota, joining(world, group)
  if #members >= quota.pairs_per_group then return refuse("OperationDenied.PairsExceedInGroup") end
  if grouped(world) >= quota.grouped_pairs then return refuse("OperationDenied.QuotaExceed") end
  members[#members + 1] = pair
  if capacity(world, members) > quota.group_capacity then
    return refuse("OperationDenied.GroupTotalDiskCapacityLimit")
  end
  return nil
end

local function check_add_status(emu, group, pair)
  if UNSTABLE[group.status] or UNSTABLE[pair.status] then
    return refuse("OperationDenied.InvalidStatus")
  end
  if INITIALIZING[pair.status] then return refuse("OperationDenied.PairInitializing") end
  return find.wrong_status(group, READY, "OperationDenied.GroupStatusCannotAddPair")
    or find.wrong_status(pair, READY, "OperationDenied.PairStatusCannotAddToGroup")
    or emu.settings.add_mixed == "conflict" and pair.status ~= group.status
      and refuse("OperationDenied.PairGroupStatusConflict") or nil
end

M.add = {
  check = function(emu, params)
    local group, pair, refusal = find_both(emu, params)
    if not group then return refusal end
    local owner = pair.group_id or pair.joining
    if owner then
      return refuse(owner == group.id and "OperationDenied"
        or "OperationDenied.PairInAnotherGroup")
    end
    refusal = check_add_status(emu, group, pair)
    if not refusal and not find.same_places(pair, group) then
      refusal = refuse("OperationDenied.PairGroupAZoneConflict")
    end
    return refusal or check_room(emu.world, group, pair), { group, pair }
  end,
  act = function(emu, params, context, both)
    local group, pair = both[1], both[2]
    find.record_effect(emu, params, context,
      { group = group.id, pair = pair.id, status = pair.status })
    pair.joining = group.id
    emu.world:schedule_act(pair, context.now + emu.world.timings.membership, "join")
    return {}
  end,
}

state.acts.join = function(world, pair)
  local group = world.group_by_id[pair.joining]
  pair.joining = nil
  if not group then return end
  pair.group_id = group.id
  -- The pair's own cycles end here; its recovery point stays until the group's first copy ends.
  pair.next_cycle = nil
  -- Only the first pair gives the group its recovery point. Otherwise a pair that was never copied
  -- would share the point of another one.
  if #group.pairs == 0 and not group.recover_point then group.recover_point = pair.recover_point end
  group.pairs[#group.pairs + 1] = pair
end

local function index_of(group, pair)
  for index, member in ipairs(group.pairs) do
    if member == pair then return index end
  end
  return nil
end

local function check_remove_status(group, pair)
  if UNSTABLE[group.status] or UNSTABLE[pair.status] then
    return refuse("OperationDenied.InvalidStatus")
  end
  local refusal = find.wrong_status(group, REMOVABLE,
      "OperationDenied.GroupStatusCannotRemovePair")
    or find.wrong_status(pair, REMOVABLE, "OperationDenied.PairStatusCannotRemoveFromGroup")
  if refusal then return refusal end
  if group.status ~= "invalid" and pair.status ~= group.status then
    return refuse("OperationDenied.PairGroupStatusConflict")
  end
  return nil
end

M.remove = {
  check = function(emu, params)
    local group, pair, refusal = find_both(emu, params)
    if not group then return refusal end
    if pair.group_id and pair.group_id ~= group.id then
      return refuse("OperationDenied.PairInAnotherGroup")
    end
    if #group.pairs == 0 then return refuse("OperationDenied.NoPairInGroup") end
    if not index_of(group, pair) or pair.group_id ~= group.id then
      return refuse("OperationDenied.PairNotInGroup")
    end
    if not find.same_places(pair, group) then
      return refuse("OperationDenied.PairGroupAZoneConflict")
    end
    return check_remove_status(group, pair), { group, pair }
  end,
  act = function(emu, params, context, both)
    local group, pair = both[1], both[2]
    find.record_effect(emu, params, context,
      { group = group.id, pair = pair.id, status = pair.status })
    emu.world:schedule_act(pair, context.now + emu.world.timings.membership, "leave")
    return {}
  end,
}

-- A pair that leaves its group gets copies of the fields that the group provided.
state.acts.leave = function(world, pair, at)
  local group = world.group_by_id[pair.group_id]
  if not group then return end
  for _, side in ipairs { "source", "destination", "initial_source", "initial_destination" } do
    pair[side] = pair[side] or group[side]
  end
  pair.recover_point = state.pair_recover_point(world, pair, at)
  pair.own_recover_point, pair.rpo, pair.next_cycle = true, group.rpo, group.next_cycle
  pair.group_id = nil
  local index = index_of(group, pair)
  if index then table.remove(group.pairs, index) end
end

return M
