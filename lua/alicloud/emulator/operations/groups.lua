--- The life of a replication pair-consistent group: create, modify, start, stop, reprotect, delete.

local errors = require "alicloud.emulator.gateway.errors"
local fields = require "alicloud.emulator.operations.fields"
local find = require "alicloud.emulator.operations.find"
local transitions = require "alicloud.emulator.model.transitions"
local records = require "alicloud.emulator.model.records"
local state = require "alicloud.emulator.model.state"

local M = {}

local refuse, set = errors.refuse, state.set

-- Usage notes of each operation.
local LEGAL = {
  modify = set("created", "stopped"),
  start = set("created", "syncing", "normal", "stopped"),
  one_shot = set("created", "manual_syncing", "stopped"),
  stop = set("manual_syncing", "syncing", "normal", "stopping", "stop_failed", "stopped"),
  reprotect = set("failovered"),
  reprotect_again = set("failovered", "reprotect_failed"),
  delete = set("created", "create_failed", "stopped", "failovered", "deleting", "delete_failed",
    "invalid"),
}
local RUNNING = set("initial_syncing", "syncing", "normal")

--- Refuses places that the world does not have, two equal zones, and a region in maintenance.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@return alicloud.emulator.Refusal|nil
function M.check_places(emu, params)
  local regions = emu.world.region_by_id
  local source, destination = regions[params.RegionId], regions[params.DestinationRegionId]
  if not source or not source.zones[params.SourceZoneId]
    or not destination or not destination.zones[params.DestinationZoneId] then
    return refuse("NoSuchResource")
  end
  if params.SourceZoneId == params.DestinationZoneId then return refuse("OperationDenied") end
  if source.state == "maintenance" or destination.state == "maintenance" then
    return refuse("OperationDenied.InvalidStatus")
  end
  return nil
end

local function empty_groups(world)
  local count = 0
  for _, group in ipairs(world.groups) do
    if #group.pairs == 0 then count = count + 1 end
  end
  return count
end

--- Describes the unit that a creation makes.
---@param params table<string, string>
---@return table about  as a world describes one
function M.describe_new(params)
  return { status = "creating", source = params.RegionId .. "/" .. params.SourceZoneId,
    destination = params.DestinationRegionId .. "/" .. params.DestinationZoneId,
    resource_group = params.ResourceGroupId or "rg-default", tags = fields.tags(params) }
end

--- Adds a new unit to the world and starts its creation.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param context alicloud.emulator.Context
---@param kind "group"|"pair"
---@param unit alicloud.emulator.Unit
function M.act_create(emu, params, context, kind, unit)
  unit.name = ""
  fields.write(unit, params)
  emu.world:add(kind, unit)
  find.record_change(emu, params, context, unit)
  transitions.create(emu.world, unit, context.now)
end

M.create = {
  check = function(emu, params)
    local world = emu.world
    local refusal = fields.problem(params) or M.check_places(emu, params)
    if refusal then return refusal end
    if #world.groups >= world.account.quota.groups then
      return refuse("OperationDenied.QuotaExceed")
    end
    if empty_groups(world) >= world.account.quota.empty_groups then
      return refuse("OperationDenied.TooMuchEmptyGroup")
    end
    return nil
  end,
  act = function(emu, params, context)
    local about = M.describe_new(params)
    about.id, about.recover_point_age = emu.ids:resource("pg-"), false
    local group = records.group(about, context.now)
    M.act_create(emu, params, context, "group", group)
    return { ReplicaGroupId = group.id }
  end,
}

local function find_home(emu, params)
  local group, refusal = find.group(emu, params)
  if not group then return nil, refusal end
  refusal = find.wrong_home(emu, group, params.RegionId)
  if refusal then return nil, refusal end
  return group
end

M.modify = {
  check = find.checked(find.group, function(group, emu, params)
    local refusal = fields.problem(params)
    if not refusal and fields.changes_copying(params) and emu.settings.modify_side == "source" then
      refusal = find.wrong_side(emu, group, params.RegionId, "source")
    end
    if not refusal and (params.EnableRtc or params.RPO) and #group.pairs > 0 then
      refusal = refuse("OperationDenied.GroupHasPair")
    end
    return refusal or find.wrong_status(group, LEGAL.modify)
  end),
  act = function(emu, params, context, group)
    find.record_change(emu, params, context, group)
    fields.write(group, params)
    return {}
  end,
}

-- Each check runs over all pairs before the next check, so that the code does not depend on the
-- order of the pairs.
local START_CHECKS = {
  { "OperationDenied.PairNotInGroup", function(group, pair) return pair.group_id == group.id end },
  { "OperationDenied.PairGroupStatusConflict", function(group, pair)
    return pair.status == group.status
  end },
  { "OperationDenied.PairGroupAZoneConflict", function(group, pair)
    return find.same_places(pair, group)
  end },
}

local function check_members(group)
  if #group.pairs == 0 then return refuse("OperationDenied.NoPairInGroup") end
  for _, check in ipairs(START_CHECKS) do
    for _, pair in ipairs(group.pairs) do
      if not check[2](group, pair) then return refuse(check[1]) end
    end
  end
  return nil
end

--- Refuses a start: status, one-shot interval, attached secondary disks.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param now number
---@param unit alicloud.emulator.Unit
---@param legal { start: table<string, boolean>, one_shot: table<string, boolean> }
---@return alicloud.emulator.Refusal|nil
function M.check_start(emu, params, now, unit, legal)
  local one_shot, refusal = find.boolean(params, "OneShot", false)
  if one_shot == nil then return refusal end
  refusal = find.wrong_status(unit, one_shot and legal.one_shot or legal.start)
  if refusal then return refusal end
  if one_shot and unit.last_one_shot and now - unit.last_one_shot <= unit.rpo / 2 then
    return refuse("OperationDenied.ManualSyncLimit")
  end
  if find.attached_secondary(emu, unit) then
    return refuse("OperationDenied.StandbyDeviceAttached")
  end
  return nil
end

--- Starts a unit. If it runs already, nothing changes.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param context alicloud.emulator.Context
---@param unit alicloud.emulator.Unit
---@return table
function M.act_start(emu, params, context, unit)
  local one_shot = find.boolean(params, "OneShot", false)
  if not one_shot and RUNNING[unit.status] then return {} end
  find.record_change(emu, params, context, unit)
  if one_shot then
    transitions.one_shot(emu.world, unit, context.now, emu.settings)
  else
    transitions.start(emu.world, unit, context.now, emu.settings)
  end
  return {}
end

M.start = {
  check = find.checked(find_home, function(group, emu, params, now)
    return check_members(group) or M.check_start(emu, params, now, group, LEGAL)
  end),
  act = M.act_start,
}

M.stop = {
  check = find.checked(find_home, function(group)
    return find.wrong_status(group, LEGAL.stop)
  end),
  act = function(emu, params, context, group)
    if group.status == "stopping" or group.status == "stopped" then return {} end
    find.record_change(emu, params, context, group)
    transitions.stop(emu.world, group, context.now, emu.settings)
    return {}
  end,
}

--- Refuses a reprotection: status, and primary disks that are still written to.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param unit alicloud.emulator.Unit
---@return alicloud.emulator.Refusal|nil
function M.check_reprotect(emu, params, unit)
  local reverse, refusal = find.boolean(params, "ReverseReplicate", true)
  if reverse == nil then return refusal end
  local again = emu.settings.reprotect_again == "accept"
  refusal = find.wrong_status(unit, again and LEGAL.reprotect_again or LEGAL.reprotect)
  if refusal then return refusal end
  local asks = reverse and emu.settings.busy_primary == "refuse"
  local busy = asks and find.busy_primary(emu.world, unit)
  if not busy then return nil end
  refusal = refuse("OperationDenied")
  refusal.near_miss = ("disk %s of the primary site is attached to an instance that is not stopped")
    :format(busy.id)
  return refusal
end

--- Reprotects a unit.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param context alicloud.emulator.Context
---@param unit alicloud.emulator.Unit
---@return table
function M.act_reprotect(emu, params, context, unit)
  find.record_change(emu, params, context, unit)
  transitions.reprotect(emu.world, unit, context.now,
    find.boolean(params, "ReverseReplicate", true), emu.settings)
  return {}
end

M.reprotect = {
  check = find.checked(find.group, function(group, emu, params)
    return find.wrong_side(emu, group, params.RegionId, "destination")
      or #group.pairs == 0 and refuse("OperationDenied.NoPairInGroup")
      or M.check_reprotect(emu, params, group)
  end),
  act = M.act_reprotect,
}

M.delete = {
  check = find.checked(find_home, function(group)
    return #group.pairs > 0 and refuse("OperationDenied.GroupHasPair")
      or find.wrong_status(group, LEGAL.delete)
  end),
  act = function(emu, params, context, group)
    if group.status == "deleting" then return {} end
    find.record_change(emu, params, context, group)
    transitions.delete(emu.world, group, context.now)
    return {}
  end,
}

return M
