--- How records change with time. There is no timer: a record is brought up to date when it is read.

local M = {}

local floor = math.floor
-- The log keeps at least this many changes, and is cut when there are twice as many.
local LOG_LENGTH = 32

--- Sets a status and logs the change, so that a stale read can show the status before.
---@param record alicloud.emulator.Unit
---@param status string
---@param at number  unix seconds
function M.set_status(record, status, at)
  local log = record.log
  local length = #log
  log[length + 1], log[length + 2] = at, record.status
  if length >= 4 * LOG_LENGTH then
    record.log = table.move(log, length + 3 - 2 * LOG_LENGTH, length + 2, 1, {})
  end
  record.status = status
end

--- The status that a record had at an earlier moment.
---@param record alicloud.emulator.Unit
---@param at number  unix seconds
---@return string
function M.status_at(record, at)
  local log = record.log
  for index = 1, #log, 2 do
    if log[index] > at then return log[index + 1] end
  end
  return record.status
end

local DARK = { down = true, blackhole = true }

--- Whether a region answers no requests: it is down or a blackhole.
---@param region alicloud.emulator.Region|nil
---@return boolean
function M.is_dark(region) return region ~= nil and DARK[region.state] or false end

local ADVANCING = { normal = true, syncing = true }

--- The recovery point of a group, or of a pair on its own, at a moment: it moves once per RPO while
--- replication runs.
---@param unit alicloud.emulator.Unit
---@param at number  unix seconds
---@return integer|nil  unix seconds; nil before the first full copy is done
function M.recover_point(unit, at)
  local point, due = unit.recover_point, unit.next_cycle
  if not point or not due or not ADVANCING[unit.status] or unit.halted then return point end
  if at < due or unit.rpo == 0 then return point end
  return due + floor((at - due) / unit.rpo) * unit.rpo
end

--- The recovery point of a pair; a member of a group has the group's unless it has its own.
---@param world alicloud.emulator.World
---@param pair alicloud.emulator.Pair
---@param at number
---@return integer|nil
function M.pair_recover_point(world, pair, at)
  if pair.own_recover_point then return M.recover_point(pair, at) end
  local group = world.group_by_id[pair.group_id]
  return group and M.recover_point(group, at) or pair.recover_point
end

--- Stores the recovery point of a moment in a record, before a status in which it does not advance.
---@param unit alicloud.emulator.Unit
---@param at number
function M.freeze(unit, at) unit.recover_point = M.recover_point(unit, at) end

--- Shows the copying part of each cycle as syncing, the rest as normal. A unit on hold (`halted`)
--- keeps its status, because its cycles do not run.
---@param unit alicloud.emulator.Unit
---@param now number
---@param timings table<string, number>
function M.show_cycle(unit, now, timings)
  local runs = ADVANCING[unit.status] and not unit.transition and not unit.halted
  if not runs or not unit.next_cycle or unit.rpo == 0 then return end
  local rest = (unit.next_cycle - now) % unit.rpo
  local status = rest > 0 and rest <= timings.cycle_sync and "syncing" or "normal"
  if status == unit.status then return end
  M.set_status(unit, status, now)
  for _, pair in ipairs(unit.pairs or {}) do
    if ADVANCING[pair.status] then M.set_status(pair, status, now) end
  end
end

--- A set of status words.
---@param ... string
---@return table<string, boolean>
function M.set(...)
  local all = {}
  for _, name in ipairs { ... } do all[name] = true end
  return all
end

--- Acts by name: what a step of a change may do besides setting a status. `transitions` and the
--- operations add them.
---@type table<string, fun(world: alicloud.emulator.World, record: table, at: number)>
M.acts = {}

--- Carries out the steps of a record that are due.
---@param world alicloud.emulator.World
---@param record table
---@param now number
function M.advance_to(world, record, now)
  local transition = record.transition
  while transition and transition.done < #transition.steps do
    local step = transition.steps[transition.done + 1]
    if step.at > now then return end
    transition.done = transition.done + 1
    if step.status then M.set_status(step.record, step.status, step.at) end
    if step.act then M.acts[step.act](world, step.record, step.at) end
    -- An act may have begun another change of the same record.
    if record.transition ~= transition then transition = record.transition end
  end
  record.transition = nil
end

return M
