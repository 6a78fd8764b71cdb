--- The life of a replication pair: create, modify, start, stop, reprotect, delete, progress.

local errors = require "alicloud.emulator.gateway.errors"
local fields = require "alicloud.emulator.operations.fields"
local find = require "alicloud.emulator.operations.find"
local groups = require "alicloud.emulator.operations.groups"
local records = require "alicloud.emulator.model.records"
local state = require "alicloud.emulator.model.state"

local M = {}

local refuse, set = errors.refuse, state.set

-- Usage notes of each operation.
local LEGAL = {
  modify = set("created", "stopped"),
  start = set("created", "stopped"),
  one_shot = set("created", "stopped"),
  stop = set("initial_syncing", "syncing", "manual_syncing", "normal"),
  delete = set("stopped", "invalid", "failovered"),
  delete_created = set("created", "stopped", "invalid", "failovered"),
}

local function find_disk(world, id, region, zone)
  local disk = world.disk_by_id[id]
  if disk and disk.place.region == region and disk.place.zone == zone then return disk end
  return nil
end

local SETTLED = set("In_use", "Available")

local function is_used(world, id)
  for _, pair in ipairs(world.pairs) do
    if pair.source_disk == id or pair.destination_disk == id then return true end
  end
  return false
end

local function check_disks(world, params)
  local source = find_disk(world, params.DiskId, params.RegionId, params.SourceZoneId)
  local destination = find_disk(world, params.DestinationDiskId, params.DestinationRegionId,
    params.DestinationZoneId)
  if not source or not destination then return refuse("NoSuchResource") end
  if not SETTLED[source.status] or destination.status ~= "Available" then
    return refuse("OperationDenied.InvalidStatus")
  end
  local alike = source.category == destination.category and source.size == destination.size
    and source.performance_level == destination.performance_level
    and (source.category == "cloud_essd" or source.category == "cloud_auto")
  if not alike or is_used(world, source.id) or is_used(world, destination.id) then
    return refuse("OperationDenied")
  end
  return nil
end

M.create = {
  check = function(emu, params)
    local world = emu.world
    local refusal = fields.problem(params) or groups.check_places(emu, params)
      or check_disks(world, params)
    if refusal then return refusal end
    return #world.pairs >= world.account.quota.pairs and refuse("OperationDenied.QuotaExceed")
      or nil
  end,
  act = function(emu, params, context)
    local second = math.tointeger(context.now // 1)
    local months = params.ChargeType == "PREPAY" and math.tointeger(tonumber(params.Period))
    local about = groups.describe_new(params)
    about.id, about.created = emu.ids:resource("pair-cn-"), second
    about.source_disk, about.destination_disk = params.DiskId, params.DestinationDiskId
    about.charge_type = params.ChargeType
    about.expired = months and second + months * 30 * 86400 or nil
    local pair = records.pair(about, nil, nil, context.now)
    groups.act_create(emu, params, context, "pair", pair)
    return { ReplicaPairId = pair.id, OrderId = months and emu.ids:resource("order-") or "" }
  end,
}

-- Refuses an operation on a pair that is in a group, by the switch `pair_in_group`.
local function in_group(emu, pair)
  local denied = pair.group_id and emu.settings.pair_in_group == "deny"
  return denied and refuse("OperationDenied") or nil
end

M.modify = {
  check = find.checked(find.pair, function(pair, emu, params)
    local refusal = fields.problem(params)
    if not refusal and fields.changes_copying(params) then
      refusal = emu.settings.modify_side == "source"
        and find.wrong_side(emu, pair, params.RegionId, "source") or in_group(emu, pair)
    end
    return refusal or find.wrong_status(pair, LEGAL.modify)
  end),
  act = groups.modify.act,
}

M.start = {
  check = find.checked(find.pair, function(pair, emu, params, now)
    return in_group(emu, pair) or groups.check_start(emu, params, now, pair, LEGAL)
  end),
  act = groups.act_start,
}

M.stop = {
  check = find.checked(find.pair, function(pair, emu)
    return in_group(emu, pair) or find.wrong_status(pair, LEGAL.stop)
  end),
  act = groups.stop.act,
}

local function is_listed(group, pair)
  for _, member in ipairs(group.pairs) do
    if member == pair then return true end
  end
  return false
end

-- Refuses a pair that conflicts with its group, with the codes of ReprotectDiskReplicaPair.
local function check_membership(emu, pair)
  local group = pair.group_id and emu.world.group_by_id[pair.group_id]
  if not group then return nil end
  if #group.pairs == 0 then return refuse("OperationDenied.NoPairInGroup") end
  if not is_listed(group, pair) then return refuse("OperationDenied.PairNotInGroup") end
  if not find.same_places(pair, group) then
    return refuse("OperationDenied.PairGroupAZoneConflict")
  end
  if pair.status ~= group.status then return refuse("OperationDenied.PairGroupStatusConflict") end
  return in_group(emu, pair)
end

M.reprotect = {
  check = find.checked(find.pair, function(pair, emu, params)
    return find.wrong_side(emu, pair, params.RegionId, "destination")
      or check_membership(emu, pair) or groups.check_reprotect(emu, params, pair)
  end),
  act = groups.act_reprotect,
}

M.delete = {
  check = find.checked(find.pair, function(pair, emu, params)
    local bound = emu.settings.delete_side == "source"
    if bound and find.wrong_side(emu, pair, params.RegionId, "source") then
      -- The operation's table of error codes has none for a wrong side.
      return refuse(emu.settings.wrong_side == "not_found" and "NoSuchResource"
        or "OperationDenied")
    end
    local legal = emu.settings.delete_created == "allow" and LEGAL.delete_created or LEGAL.delete
    return in_group(emu, pair) or find.wrong_status(pair, legal)
  end),
  act = groups.delete.act,
}

local UNBORN = set("creating", "create_failed", "deleting", "deleted", "invalid")
local COPYING = set("initial_syncing", "manual_syncing", "syncing")

-- Percent of the copy that is done, from the time that is left of the change under way.
local function percent(world, pair, now)
  local unit = pair.group_id and world.group_by_id[pair.group_id] or pair
  local steps = unit.transition and unit.transition.steps
  if not COPYING[pair.status] or not steps then return pair.status == "created" and 0 or 100 end
  local kind = pair.status == "initial_syncing" and "initial_sync"
    or pair.status == "manual_syncing" and "one_shot" or "sync"
  local rest, whole = steps[#steps].at - now, world.timings[kind]
  if whole == 0 or rest == math.huge then return 0 end
  return math.max(0, math.min(99, math.tointeger((1 - rest / whole) * 100 // 1)))
end

--- DescribeDiskReplicaPairProgress.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param context alicloud.emulator.Context
---@return table|nil result
---@return alicloud.emulator.Refusal|nil
function M.progress(emu, params, context)
  local pair, refusal = find.pair(emu, params)
  if not pair then return nil, refusal end
  if UNBORN[pair.status] then return nil, refuse("OperationDenied.InvalidStatus") end
  return { Progress = percent(emu.world, pair, context.now),
    RecoverPoint = state.pair_recover_point(emu.world, pair, context.now) }
end

return M
