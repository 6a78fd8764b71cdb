--- What operations on one record share: find it at a region, check its side and its status, and
-- write its change into the ledger.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"
local state = require "alicloud.emulator.model.state"

local M = {}

local refuse = errors.refuse
local DENIED = "OperationDenied"

local function place_text(place) return place.region .. "/" .. place.zone end

local function not_found(near_miss)
  local refusal = refuse("NoSuchResource")
  refusal.near_miss = near_miss
  return refusal
end

local function nearest(kind, id, list)
  local ids = {}
  for index, known in ipairs(list) do ids[index] = known.id end
  local known = core.suggest(id, ids)
  return known and ("no %s %s, nearest is %s"):format(kind, id, known) or nil
end

local function elsewhere(world, unit, region)
  return not_found(("%s replicates %s → %s, it is not in %s"):format(unit.id,
    world:place(unit, "source").region, world:place(unit, "destination").region, region))
end

--- Finds a group or a pair by its id. It must have a side in the region.
---@param emu alicloud.emulator.Emulator
---@param kind "group"|"pair"
---@param id string
---@param region string
---@return alicloud.emulator.Unit|nil
---@return alicloud.emulator.Refusal|nil
function M.unit(emu, kind, id, region)
  local world = emu.world
  local unit = world[kind .. "_by_id"][id]
  if not unit then return nil, not_found(nearest(kind, id, world[kind .. "s"])) end
  if emu.settings.permissive then return unit end
  for _, side in ipairs { "source", "destination" } do
    local place = world:place(unit, side)
    if place and place.region == region then return unit end
  end
  return nil, elsewhere(world, unit, region)
end

--- The group of ReplicaGroupId and RegionId.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@return alicloud.emulator.Group|nil
---@return alicloud.emulator.Refusal|nil
function M.group(emu, params)
  return M.unit(emu, "group", params.ReplicaGroupId, params.RegionId)
end

--- The pair of ReplicaPairId and RegionId.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@return alicloud.emulator.Pair|nil
---@return alicloud.emulator.Refusal|nil
function M.pair(emu, params)
  return M.unit(emu, "pair", params.ReplicaPairId, params.RegionId)
end

--- Makes a check that first finds the record of the call, then runs `check` on it.
---@param finder fun(emu, params): alicloud.emulator.Unit|nil, alicloud.emulator.Refusal|nil
---@param check fun(unit, emu, params, now): alicloud.emulator.Refusal|false|nil
---@return fun(emu, params, now): alicloud.emulator.Refusal|false|nil, any
function M.checked(finder, check)
  return function(emu, params, now)
    local unit, refusal = finder(emu, params)
    if not unit then return refusal end
    return check(unit, emu, params, now), unit
  end
end

-- The API's fields PrimaryRegion and StandbyRegion name the sides at creation, so `side_names`
-- decides what the two codes mean after a reversal.
local function wrong_side_code(emu, unit, region)
  if emu.settings.wrong_side == "not_found" then return "NoSuchResource" end
  local primary = emu.settings.side_names == "initial" and "initial_source" or "source"
  local place = emu.world:place(unit, primary)
  return place and place.region == region and DENIED .. ".OperateNotAllowedForPrimary"
    or DENIED .. ".OperateNotAllowedForStandby"
end

--- Refuses a call at the wrong side of a unit.
---@param emu alicloud.emulator.Emulator
---@param unit alicloud.emulator.Unit
---@param region string
---@param wanted "source"|"destination"
---@return alicloud.emulator.Refusal|nil
function M.wrong_side(emu, unit, region, wanted)
  local place = emu.world:place(unit, wanted)
  if place and place.region == region or emu.settings.permissive then return nil end
  return refuse(wrong_side_code(emu, unit, region))
end

--- Refuses a call for a group at a region that does not serve it, by the switch `group_home`.
---@param emu alicloud.emulator.Emulator
---@param group alicloud.emulator.Group
---@param region string
---@return alicloud.emulator.Refusal|nil
function M.wrong_home(emu, group, region)
  local home = emu.settings.group_home
  if home == "either" or emu.settings.permissive then return nil end
  local place = home == "initial" and group.initial_source or group.source
  return place.region ~= region and elsewhere(emu.world, group, region) or nil
end

--- Refuses a unit whose status is not in a set.
---@param unit alicloud.emulator.Unit
---@param legal table<string, boolean>
---@param code string|nil  default: OperationDenied.InvalidStatus
---@return alicloud.emulator.Refusal|nil
function M.wrong_status(unit, legal, code)
  if legal[unit.status] then return nil end
  return refuse(code or DENIED .. ".InvalidStatus")
end

-- A pair without a place of its own has its group's.
local function is_place(own, place)
  return not own or own.region == place.region and own.zone == place.zone
end

--- Whether both places of a pair are those of its group.
---@param pair alicloud.emulator.Pair
---@param group alicloud.emulator.Group
---@return boolean
function M.same_places(pair, group)
  return is_place(pair.source, group.source) and is_place(pair.destination, group.destination)
end

--- Reads a boolean parameter.
---@param params table<string, string>
---@param name string
---@param default boolean
---@return boolean|nil
---@return alicloud.emulator.Refusal|nil
function M.boolean(params, name, default)
  local text = params[name]
  if not text or text == "" then return default end
  text = text:lower()
  if text == "true" or text == "false" then return text == "true" end
  return nil, errors.invalid(name, ("%q is neither true nor false"):format(params[name]))
end

--- Writes a change of a unit into the ledger.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param context alicloud.emulator.Context
---@param unit alicloud.emulator.Unit
function M.record_change(emu, params, context, unit)
  local source = emu.world:place(unit, "source")
  local destination = emu.world:place(unit, "destination")
  M.record_effect(emu, params, context, {
    group = unit.pairs and unit.id or nil, pair = not unit.pairs and unit.id or nil,
    from = source and place_text(source), to = destination and place_text(destination),
    status = unit.status,
  })
end

--- Writes any effect into the ledger.
---@param emu alicloud.emulator.Emulator
---@param params table<string, string>
---@param context alicloud.emulator.Context
---@param effect table
function M.record_effect(emu, params, context, effect)
  effect.time, effect.action, effect.region = context.now, context.action, params.RegionId
  effect.client_token, effect.request_id = params.ClientToken, context.request_id
  emu.effects:record(effect)
  context.effect = true
end

local function is_idle(world, disk)
  if disk.status == "Available" then return true end
  local instance = world.instance_by_id[disk.instance]
  return instance ~= nil and instance.status == "Stopped"
end

--- The first secondary disk of a unit that is attached, so that nothing may be copied onto it. The
--- switch `standby_attached` decides whether a stopped instance counts.
---@param emu alicloud.emulator.Emulator
---@param unit alicloud.emulator.Unit
---@return alicloud.emulator.Disk|nil
function M.attached_secondary(emu, unit)
  local world, any = emu.world, emu.settings.standby_attached == "any"
  for _, pair in ipairs(unit.pairs or { unit }) do
    local disk = world.disk_by_id[pair.destination_disk]
    local attached = disk and disk.status ~= "Available"
    if attached and (any or not is_idle(world, disk)) then return disk end
  end
  return nil
end

--- The first primary disk that is attached to an instance that is not stopped.
---@param world alicloud.emulator.World
---@param unit alicloud.emulator.Unit
---@return alicloud.emulator.Disk|nil
function M.busy_primary(world, unit)
  for _, pair in ipairs(unit.pairs or { unit }) do
    local disk = world.disk_by_id[pair.source_disk]
    if disk and not is_idle(world, disk) then return disk end
  end
  return nil
end

--- The recovery point of a group or a pair.
---@param world alicloud.emulator.World
---@param unit alicloud.emulator.Unit
---@param now number
---@return integer|nil
function M.recover_point(world, unit, now)
  if unit.pairs then return state.recover_point(unit, now) end
  return state.pair_recover_point(world, unit, now)
end

return M
