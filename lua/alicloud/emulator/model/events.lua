--- Events that the client under test does not cause, at moments of model time that count from its
-- first request:
--
--   events = {
--     { at = 60, region = "cn-hangzhou", state = "blackhole" },
--     { at = 90, call = { Action = "ReprotectDiskReplicaGroup", RegionId = "cn-shanghai",
--                         ReplicaGroupId = "pg-orders" } },   -- another operator
--     { at = 30, after = "FailoverDiskReplicaGroup", … } }    -- counts from that effect instead
--
-- The effects of a `call` are in the ledger with `by` = "another operator".

local schema = require "alicloud.base.schema"
local operations = require "alicloud.emulator.operations"
local regions = require "alicloud.emulator.model.regions"

local M = {}

local SHAPE = {
  at = { type = "number", min = 0, required = true },
  after = { type = "string" },
  region = { type = "string" },
  state = { type = "string" },
  call = { type = "table", map = { type = "string" } },
}

local function problem_of(emu, event, path)
  local problem = schema.problem(event, SHAPE, path)
  if problem then return problem end
  if event.region and not emu.world.region_by_id[event.region] then
    return ("%s.region: the world has no %q"):format(path, event.region)
  end
  local action = event.call and event.call.Action
  if event.call and not operations.of_action(action) then
    return ("%s.call: no operation %q"):format(path, tostring(action))
  end
  if not event.region and not event.call then return path .. ": names neither region nor call" end
  return nil
end

local function happen(emu, event, at)
  if event.region then
    regions.set(emu.world, emu.world.region_by_id[event.region], event.state or "down", at)
  end
  if not event.call then return end
  local context = { now = at, request_id = emu.ids:request_id(), host = "", plan = {},
    action = event.call.Action }
  local before = #emu.effects.list
  operations.of_action(event.call.Action).run(emu, event.call, context)
  for n = before + 1, #emu.effects.list do
    emu.effects.list[n].by = "another operator"
  end
end

local function schedule(emu, event, from)
  emu:later(from + event.at, function(at) happen(emu, event, at) end)
end

--- Checks a list of events.
---@param emu alicloud.emulator.Emulator
---@param list table[]
---@return string|nil problem
function M.problem(emu, list)
  for index, event in ipairs(list) do
    local problem = problem_of(emu, event, ("events[%d]"):format(index))
    if problem then return problem end
  end
  return nil
end

--- Schedules events.
---@param emu alicloud.emulator.Emulator
---@param list table[]
function M.plan(emu, list)
  local waiting = {}
  for _, event in ipairs(list) do
    if event.after then waiting[#waiting + 1] = event else schedule(emu, event, emu.clock:now()) end
  end
  emu.effects.listener = #waiting > 0 and function(effect)
    for index = #waiting, 1, -1 do
      if waiting[index].after == effect.action then
        schedule(emu, table.remove(waiting, index), effect.time)
      end
    end
  end or nil
end

return M
