--- Writes a world as a description, to show it, to store it, or to load it again. Changes that are
-- under way are in it, and continue after it is loaded.

local core = require "alicloud.core"
local world_schema = require "alicloud.emulator.model.world_schema"
local tables = require "alicloud.base.tables"
local state = require "alicloud.emulator.model.state"

local M = {}

local SIDES = { "source", "destination", "initial_source", "initial_destination" }

local function place_text(place) return place.region .. "/" .. place.zone end

local function write_places(about, record)
  for _, side in ipairs(SIDES) do
    local place = record[side]
    if place then about[side] = place_text(place) end
  end
end

local function write_recover_point(about, point)
  if point then about.recover_point = point else about.recover_point_age = false end
end

local function given(text) return text ~= "" and text or nil end

-- A step that is never reached is at math.huge, which JSON cannot write, so its `at` is left out.
local function transition(record)
  local steps = core.array {}
  local under_way = record.transition
  for index = under_way and under_way.done + 1 or 1, under_way and #under_way.steps or 0 do
    local step = under_way.steps[index]
    steps[#steps + 1] = { at = step.at < math.huge and step.at or nil, status = step.status,
      act = step.act, pair = step.record ~= record and step.record.id or nil }
  end
  return #steps > 0 and steps or nil
end

local function describe_unit(unit)
  local about = {
    id = unit.id, name = unit.name, description = unit.description, status = unit.status,
    rpo = unit.rpo, failover_seconds = unit.failover_seconds, bandwidth = unit.bandwidth,
    rtc = unit.rtc, tags = tables.merged(unit.tags), resource_group = given(unit.resource_group),
    last_one_shot = unit.last_one_shot, transition = transition(unit), halted = unit.halted,
  }
  write_places(about, unit)
  return about
end

local function describe_pair(pair, listed_in, now)
  local about = describe_unit(pair)
  about.status_message, about.created, about.joining =
    pair.status_message, pair.created, pair.joining
  about.charge_type, about.expired = pair.charge_type, pair.expired
  about.source_disk, about.destination_disk = pair.source_disk, pair.destination_disk
  about.group = pair.group_id ~= listed_in and pair.group_id or nil
  if pair.own_recover_point then
    write_recover_point(about, state.recover_point(pair, now))
    about.next_cycle = pair.next_cycle
  end
  return about
end

local function describe_group(group, now)
  local about = describe_unit(group)
  about.pairs, about.next_cycle = core.array {}, group.next_cycle
  for index, pair in ipairs(group.pairs) do
    about.pairs[index] = describe_pair(pair, group.id, now)
  end
  write_recover_point(about, state.recover_point(group, now))
  return about
end

local function describe_region(region)
  return { id = region.id, name = region.name, state = region.state,
    dark_since = region.dark_since, back_at = region.back_at,
    zones = core.array { table.unpack(region.zones) } }
end

local function describe_disk(disk)
  return { id = disk.id, name = disk.name, place = place_text(disk.place), size = disk.size,
    category = disk.category, performance_level = disk.performance_level, type = disk.type,
    encrypted = disk.encrypted, instance = disk.instance, status = disk.status,
    more_instances = disk.more_instances, device = disk.device, snapshots = disk.snapshots,
    transition = transition(disk) }
end

local function describe_instance(instance)
  return { id = instance.id, name = instance.name, place = place_text(instance.place),
    status = instance.status, locked = instance.locked, no_stock = instance.no_stock,
    transition = transition(instance) }
end

local function describe_drill(drill)
  local disks = core.array {}
  for index, disk in ipairs(drill.disks) do
    disks[index] = { pair = disk.pair, disk = disk.disk, status = disk.status }
  end
  return { id = drill.id, group = drill.group, pair = drill.pair, region = drill.region,
    status = drill.status, message = drill.message, started = drill.started,
    recover_point = drill.recover_point, disks = disks, transition = transition(drill) }
end

local function each(list, describe, now)
  local all = core.array {}
  for index, record in ipairs(list) do all[index] = describe(record, now) end
  return all
end

local function names(set)
  return core.array(tables.keys(set))
end

local function changed(values, defaults)
  local all = {}
  for name, value in pairs(values) do
    if value ~= defaults[name] then all[name] = value end
  end
  return next(all) and all or nil
end

local function describe_account(account)
  return { deny_actions = names(account.deny_actions), suspended = account.suspended,
    deny_resources = names(account.deny_resources), in_arrears = account.in_arrears,
    service_role = account.service_role, quota = changed(account.quota, world_schema.QUOTA) }
end

local function describe_later(pending)
  local list = core.array {}
  for _, item in ipairs(pending) do
    local work = item.work
    if work then
      list[#list + 1] = { at = item.at + (work.wait or 0), action = work.action,
        version = work.version, host = given(work.host), request_id = work.request_id,
        params = tables.copy(work.params), stuck = work.plan.stuck, partial = work.plan.partial }
    end
  end
  return #list > 0 and list or nil
end

--- Writes a world back as a description.
---@param world alicloud.emulator.World
---@param now number  unix seconds
---@param pending table[]  work that the emulator has scheduled
---@return table description  see `alicloud.emulator.model.world_schema`
function M.describe(world, now, pending)
  local about = { now = now, regions = each(world.regions, describe_region),
    groups = each(world.groups, describe_group, now), pairs = core.array {},
    disks = each(world.disks, describe_disk), instances = each(world.instances, describe_instance),
    drills = each(world.drills, describe_drill), account = describe_account(world.account),
    resource_groups = names(world.resource_groups),
    timings = changed(world.timings, world_schema.TIMINGS), later = describe_later(pending),
    statuses = world.statuses and core.array { table.unpack(world.statuses) },
  }
  local listed = {}
  for _, group in ipairs(world.groups) do
    for _, pair in ipairs(group.pairs) do listed[pair] = true end
  end
  for _, pair in ipairs(world.pairs) do
    if not listed[pair] then
      about.pairs[#about.pairs + 1] = describe_pair(pair, nil, now)
    end
  end
  return about
end

return M
