--- Drills: they make new disks from the last recovery point, while replication goes on.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"
local find = require "alicloud.emulator.operations.find"
local paging = require "alicloud.emulator.gateway.paging"
local state = require "alicloud.emulator.model.state"

local M = {}

local refuse = errors.refuse

-- The parameters with ids have other names in drill operations than in all others.
local ID = { group = "GroupId", pair = "PairId" }
local PREFIX = { group = "pg-drill-", pair = "drill-" }
local OTHER = { group = "PairId", pair = "GroupId" }

local function malformed(params, kind)
  for _, name in ipairs { ID[kind], "DrillId", "RegionId" } do
    local id = params[name]
    if id and #id > 128 then
      return errors.invalid(name, "it is too long")
    end
    if id and id:find("[^%w_.-]") then
      return refuse("InvalidParameter.Format")
    end
  end
  if params[OTHER[kind]] then
    return errors.conflict(ID[kind], OTHER[kind])
  end
  return nil
end

local function find_unit(emu, params, kind)
  local refusal = malformed(params, kind)
  if refusal then return nil, refusal end
  return find.unit(emu, kind, params[ID[kind]], params.RegionId)
end

local function find_drill(emu, params, kind, unit)
  local drill = emu.world.drill_by_id[params.DrillId]
  if not drill then return nil, refuse("NoSuchResource") end
  if drill[kind] ~= unit.id then
    return nil, errors.conflict(ID[kind], "DrillId")
  end
  return drill
end

local function make_disks(emu, unit)
  local world, disks = emu.world, {}
  for index, pair in ipairs(unit.pairs or { unit }) do
    local place = world:place(pair, "destination")
    local model = world.disk_by_id[pair.destination_disk]
    local disk = { id = emu.ids:resource("d-drill-"), name = "drill", place = place,
      size = model and model.size or 100, category = model and model.category or "cloud_essd",
      performance_level = model and model.performance_level or "PL1", type = "data",
      encrypted = false, status = "Creating" }
    world:add("disk", disk)
    disks[index] = { pair = pair.id, disk = disk.id, status = "creating" }
  end
  return disks
end

state.acts.drill_done = function(world, drill)
  local lost = state.is_dark(world.region_by_id[drill.region])
  for _, entry in ipairs(drill.disks) do
    local disk = world.disk_by_id[entry.disk]
    entry.status = lost and "InternalError" or "created"
    if disk and lost then world:remove("disk", disk) end
    if disk and not lost then disk.status = "Available" end
  end
  drill.status = lost and "execute_failed" or "executed"
  if lost then drill.message = "InternalError" end
end

state.acts.drill_cleared = function(world, drill)
  local busy = false
  for _, entry in ipairs(drill.disks) do
    local disk = world.disk_by_id[entry.disk]
    if disk and disk.status ~= "Available" then
      busy, entry.status = true, "IncorrectDiskStatus"
    else
      entry.status = "deleted"
      if disk then world:remove("disk", disk) end
    end
  end
  if not busy then return world:remove("drill", drill) end
  drill.status, drill.message = "clear_failed", "IncorrectDiskStatus"
end

local CLEARABLE = { executed = true, execute_failed = true, clear_failed = true }

local function start(kind)
  return {
    check = function(emu, params, now)
      local unit, refusal = find_unit(emu, params, kind)
      if not unit then return refusal end
      if find.wrong_side(emu, unit, params.RegionId, "destination") then
        return refuse("OperationDenied.StartDrillShouldOnDestRegion")
      end
      if not find.recover_point(emu.world, unit, now) then
        return refuse("OperationDenied.RecoverPointNotFound")
      end
      return nil, unit
    end,
    act = function(emu, params, context, unit)
      local world, now = emu.world, context.now
      local drill = { id = emu.ids:resource(PREFIX[kind]), [kind] = unit.id,
        region = params.RegionId, status = "executing", message = "",
        started = math.tointeger(now // 1),
        recover_point = find.recover_point(world, unit, now), disks = make_disks(emu, unit) }
      world:add("drill", drill)
      world:schedule_act(drill, now + world.timings.drill, "drill_done")
      find.record_effect(emu, params, context,
        { [kind] = unit.id, drill = drill.id, status = unit.status })
      return { DrillId = drill.id }
    end,
  }
end

local function clear(kind)
  return {
    check = function(emu, params)
      local unit, refusal = find_unit(emu, params, kind)
      if not unit then return refusal end
      local drill
      drill, refusal = find_drill(emu, params, kind, unit)
      if not drill then return refusal end
      if drill.region ~= params.RegionId then return refuse("OperationDenied") end
      if drill.status == "clearing" or CLEARABLE[drill.status] then return nil, drill end
      return refuse(emu.settings.clear_busy == "denied" and "OperationDenied"
        or "OperationDenied.InvalidStatus")
    end,
    act = function(emu, params, context, drill)
      if drill.status == "clearing" then return {} end
      find.record_effect(emu, params, context,
        { group = drill.group, pair = drill.pair, drill = drill.id, status = drill.status })
      drill.status = "clearing"
      for _, entry in ipairs(drill.disks) do entry.status = "deleting" end
      emu.world:schedule_act(drill, context.now + emu.world.timings.clear, "drill_cleared")
      return {}
    end,
  }
end

local function show_pair_drill(drill)
  local disk = drill.disks[1] or {}
  return { DrillId = drill.id, Status = drill.status, StatusMessage = drill.message or "",
    DrillDiskId = disk.disk, DrillDiskStatus = disk.status, StartAt = drill.started,
    RecoverPoint = drill.recover_point }
end

local function show_group_drill(drill)
  local disks = core.array {}
  for index, entry in ipairs(drill.disks) do
    disks[index] = { PairId = entry.pair, DrillDiskId = entry.disk,
      DrillDiskStatus = entry.status }
  end
  return { DrillId = drill.id, GroupId = drill.group, Status = drill.status,
    StatusMessage = drill.message or "", StartAt = drill.started,
    RecoverPoint = drill.recover_point, PairsInfo = disks }
end

local function describe(kind, show)
  return { run = function(emu, params)
    local unit, refusal = find_unit(emu, params, kind)
    if not unit then return nil, refusal end
    local page
    page, refusal = paging.read(params, emu.settings)
    if not page then return nil, refusal end
    local wanted = params.DrillId ~= "" and params.DrillId or nil
    local known = wanted and emu.world.drill_by_id[wanted]
    if known and known[kind] ~= unit.id then
      return nil, select(2, find_drill(emu, params, kind, unit))
    end
    local found = {}
    for _, drill in ipairs(emu.world.drills) do
      if drill[kind] == unit.id and (not wanted or drill.id == wanted) then
        found[#found + 1] = drill
      end
    end
    local items, result = paging.cut(found, page, emu.settings)
    for index, drill in ipairs(items) do items[index] = show(drill) end
    result.Drills = core.array(items)
    return result
  end }
end

M.start_pair, M.start_group = start("pair"), start("group")
M.clear_pair, M.clear_group = clear("pair"), clear("group")
M.describe_pair = describe("pair", show_pair_drill)
M.describe_group = describe("group", show_group_drill)

return M
