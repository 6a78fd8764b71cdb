--- The changes of groups and pairs that take time. A group changes its pairs with it; a pair that
-- is in no group changes alone. Each change is a list of steps, carried out by `World:advance_to`.

local state = require "alicloud.emulator.model.state"

local M = {}

local set_status = state.set_status

local function members(unit) return unit.pairs or {} end

local function set_all(unit, status, now)
  for _, pair in ipairs(members(unit)) do set_status(pair, status, now) end
  set_status(unit, status, now)
end

--- Steps that give everything in a unit a status at the same moment, pairs before their group.
local function all_at(unit, at, status, act)
  local steps = {}
  for index, pair in ipairs(members(unit)) do
    steps[index] = { at = at, order = index, record = pair, status = status }
  end
  steps[#steps + 1] = { at = at, order = #steps + 1, record = unit, status = status, act = act }
  return steps
end

-- Seconds between a group and its first pair, and from pair to pair, with switch `group_ahead`.
local LAG = 6

local function change(world, unit, now, settings, first, seconds, last, act)
  set_all(unit, first, now)
  local steps = all_at(unit, now + seconds, last, act)
  if settings.group_ahead then
    for index = 1, #steps - 1 do steps[index].at = steps[index].at + LAG * index end
  end
  world:schedule(unit, steps)
end

local function reaches(world, unit, name)
  local place = world:place(unit, name)
  return not state.is_dark(place and world.region_by_id[place.region])
end

local function reaches_both(world, unit)
  return reaches(world, unit, "source") and reaches(world, unit, "destination")
end

--- Whether a unit and all its pairs have a recovery point, so that the first full copy is done.
---@param world alicloud.emulator.World
---@param unit alicloud.emulator.Unit
---@param now number
---@return boolean
function M.is_synced(world, unit, now)
  for _, pair in ipairs(members(unit)) do
    if not state.pair_recover_point(world, pair, now) then return false end
  end
  return state.recover_point(unit, now) ~= nil
end

--- Creation: creating, then created, or create_failed where a site cannot be reached.
---@param world alicloud.emulator.World
---@param unit alicloud.emulator.Unit
---@param now number
function M.create(world, unit, now)
  local status = reaches_both(world, unit) and "created" or "create_failed"
  world:schedule(unit, all_at(unit, now + world.timings.create, status))
end

--- Starts replication: the first time with a full copy, later with what has changed since.
---@param world alicloud.emulator.World
---@param unit alicloud.emulator.Unit
---@param now number
---@param settings table<string, any>
function M.start(world, unit, now, settings)
  local first = not M.is_synced(world, unit, now)
  local seconds = world.timings[first and "initial_sync" or "sync"]
  local status = first and "initial_syncing" or "syncing"
  -- The recovery point does not move until this copy is complete.
  unit.halted = true
  change(world, unit, now, settings, status, reaches_both(world, unit) and seconds or math.huge,
    "normal", "synced")
  if first and unit.pairs and settings.group_first_sync == "syncing" then
    set_status(unit, "syncing", now)
  end
end

--- Runs one synchronization; the unit is stopped after it.
---@param world alicloud.emulator.World
---@param unit alicloud.emulator.Unit
---@param now number
---@param settings table<string, any>
function M.one_shot(world, unit, now, settings)
  local seconds = world.timings.one_shot
  unit.last_one_shot = now
  change(world, unit, now, settings, "manual_syncing",
    reaches_both(world, unit) and seconds or math.huge, "stopped", "synced")
end

--- Stops replication; the running cycle is discarded.
---@param world alicloud.emulator.World
---@param unit alicloud.emulator.Unit
---@param now number
---@param settings table<string, any>
function M.stop(world, unit, now, settings)
  state.freeze(unit, now)
  change(world, unit, now, settings, "stopping", world.timings.stop,
    reaches(world, unit, "source") and "stopped" or "stop_failed")
end

local function failing_pairs(unit, partial)
  local failing, list = {}, unit.pairs or { unit }
  if not partial then return failing end
  if type(partial) == "number" then
    for index = 1, math.min(partial, #list) do failing[list[index].id] = true end
    return failing
  end
  for _, id in ipairs(partial) do failing[id] = true end
  return failing
end

---@class alicloud.emulator.Plan
---@field stuck boolean|nil  the failover never ends
---@field partial integer|string[]|nil  how many, or which, pairs fail

--- Starts a failover: the pairs become failovered one after the other, and the group last. The
--- switches `pair_order` and `group_ahead` change that.
---@param world alicloud.emulator.World
---@param unit alicloud.emulator.Unit
---@param now number
---@param settings table<string, any>
---@param plan alicloud.emulator.Plan
function M.failover(world, unit, now, settings, plan)
  local list = members(unit)
  local count, steps = #list, {}
  local failing = failing_pairs(unit, plan.partial)
  local failed = failing[unit.id] or false
  -- group_ahead moves the group's own turn from the last place to the first.
  local lead = settings.group_ahead and 1 or 0
  local together = settings.pair_order == "together"
  local share = unit.failover_seconds / (count + 1)
  state.freeze(unit, now)
  for index, pair in ipairs(list) do
    set_status(pair, "failovering", now)
    local turn = together and (lead == 1 and count + 1 or count) or index + lead
    local status = failing[pair.id] and "failover_failed" or "failovered"
    failed = failed or status == "failover_failed"
    steps[index] = { at = plan.stuck and math.huge or now + share * turn, order = index,
      record = pair, status = status }
  end
  local turn = lead == 1 and 1 or count + 1
  steps[count + 1] = { at = plan.stuck and math.huge or now + share * turn, order = count + 1,
    record = unit, status = failed and "failover_failed" or "failovered" }
  set_status(unit, "failovering", now)
  world:schedule(unit, steps)
end

--- Reprotects a unit after a failover: reverses its direction, or with `reverse` false keeps it.
---@param world alicloud.emulator.World
---@param unit alicloud.emulator.Unit
---@param now number
---@param reverse boolean
---@param settings table<string, any>
function M.reprotect(world, unit, now, reverse, settings)
  local reached = reaches_both(world, unit)
  if reached then
    unit.clear_point = reverse and settings.reprotect_recover_point == "clear" or nil
  end
  change(world, unit, now, settings, "reprotecting", world.timings.reprotect,
    reached and "stopped" or "reprotect_failed", reached and reverse and "reverse" or nil)
end

--- Deletion: deleting, then gone, or delete_failed where the sites cannot be reached.
---@param world alicloud.emulator.World
---@param unit alicloud.emulator.Unit
---@param now number
function M.delete(world, unit, now)
  local reached = reaches_both(world, unit)
  set_all(unit, "deleting", now)
  world:schedule(unit, { { at = now + world.timings.delete, order = 1, record = unit,
    status = reached and "deleted" or "delete_failed", act = reached and "vanish" or nil } })
end

-- Restarts a copy that waited for a dark site, once both sites can be reached.
local function resume_copy(world, unit, now)
  local steps = unit.transition and unit.transition.steps or {}
  local last = steps[#steps]
  if not last or last.act ~= "synced" or last.at < math.huge then return end
  if not reaches_both(world, unit) then return end
  for _, step in ipairs(steps) do step.at = now + world.timings.initial_sync end
  world:schedule(unit, steps)
end

--- Puts replication from and to a region on hold while it is dark, and resumes it afterwards.
---@param world alicloud.emulator.World
---@param region string
---@param now number
---@param dark boolean
function M.halt(world, region, now, dark)
  for _, list in ipairs { world.groups, world.pairs } do
    for _, unit in ipairs(list) do
      local source, destination = world:place(unit, "source"), world:place(unit, "destination")
      local touches = source and source.region == region
        or destination and destination.region == region
      if touches then resume_copy(world, unit, now) end
      if touches and unit.next_cycle and not unit.transition then
        state.freeze(unit, now)
        unit.halted = dark or nil
        -- An interrupted copy ends one copying time from now; else a cycle of one RPO begins.
        local copies = unit.status == "syncing" and world.timings.cycle_sync > 0
        unit.next_cycle = now // 1 + (copies and world.timings.cycle_sync or unit.rpo)
      end
    end
  end
end

local function whole(at) return math.tointeger(at // 1) end

local function new_point(unit, at)
  unit.recover_point, unit.next_cycle, unit.halted = whole(at), whole(at) + unit.rpo, nil
  for _, pair in ipairs(members(unit)) do
    pair.own_recover_point, pair.recover_point = false, nil
  end
end

state.acts.synced = function(_, unit, at) new_point(unit, at) end

local function swap(record)
  record.source, record.destination = record.destination, record.source
end

state.acts.reverse = function(_, unit)
  swap(unit)
  for _, pair in ipairs(unit.pairs or { unit }) do
    if pair ~= unit and pair.source then swap(pair) end
    pair.source_disk, pair.destination_disk = pair.destination_disk, pair.source_disk
  end
  if unit.clear_point then unit.recover_point, unit.clear_point = nil, nil end
end

state.acts.vanish = function(world, unit)
  world:remove(unit.pairs and "group" or "pair", unit)
end

return M
