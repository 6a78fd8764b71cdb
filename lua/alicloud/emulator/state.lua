--- How records change with time. Nothing ticks: a record is brought up to date when it is read.

local M = {}

local floor = math.floor
local LOG_LIMIT = 32

--- Sets a status and remembers since when, so that a stale read can look back.
---@param record alicloud.emulator.Group|alicloud.emulator.Pair
---@param status string
---@param at number  unix seconds
function M.set_status(record, status, at)
  local log = record.log
  log[#log + 1] = { at = at, before = record.status }
  if #log > LOG_LIMIT then table.remove(log, 1) end
  record.status = status
end

--- The status that a record had at an earlier moment.
---@param record alicloud.emulator.Group|alicloud.emulator.Pair
---@param at number  unix seconds
---@return string
function M.status_at(record, at)
  local log = record.log
  for index = 1, #log do
    if log[index].at > at then return log[index].before end
  end
  return record.status
end

local ADVANCING = { normal = true, syncing = true }

--- The recovery point of a group at a moment: it moves once per RPO while replication runs.
---@param group alicloud.emulator.Group
---@param at number  unix seconds
---@return integer|nil  unix seconds
function M.recover_point(group, at)
  local point = group.recover_point
  if not point or not ADVANCING[group.status] then return point end
  if at < group.next_cycle or group.rpo == 0 then return point end
  return group.next_cycle + floor((at - group.next_cycle) / group.rpo) * group.rpo
end

--- The recovery point of a pair; members share the group's consistent point unless they have one.
---@param world alicloud.emulator.World
---@param pair alicloud.emulator.Pair
---@param at number
---@return integer|nil
function M.pair_recover_point(world, pair, at)
  if pair.own_recover_point then return pair.recover_point end
  local group = world.group_by_id[pair.group_id]
  return group and M.recover_point(group, at) or pair.recover_point
end

local function failing_pairs(group, partial)
  local failing = {}
  if not partial then return failing end
  if type(partial) == "number" then
    for index = 1, math.min(partial, #group.pairs) do failing[group.pairs[index].id] = true end
    return failing
  end
  for _, id in ipairs(partial) do failing[id] = true end
  return failing
end

---@class alicloud.emulator.Plan
---@field stuck boolean|nil  the failover never ends
---@field partial integer|string[]|nil  how many, or which, pairs fail

--- Starts a failover: pairs turn one after the other, the group when all have turned.
---@param group alicloud.emulator.Group
---@param now number
---@param settings table<string, any>
---@param plan alicloud.emulator.Plan
function M.begin_failover(group, now, settings, plan)
  local count, steps, failed = #group.pairs, {}, false
  local failing = failing_pairs(group, plan.partial)
  -- group_ahead moves the group's own turn from the last place to the first.
  local lead = settings.group_ahead and 1 or 0
  local together = settings.pair_order == "together"
  local share = group.failover_seconds / (count + 1)
  group.recover_point = M.recover_point(group, now)
  for index, pair in ipairs(group.pairs) do
    M.set_status(pair, "failovering", now)
    local turn = together and (lead == 1 and count + 1 or count) or index + lead
    local status = failing[pair.id] and "failover_failed" or "failovered"
    failed = failed or status == "failover_failed"
    steps[index] = { at = plan.stuck and math.huge or now + share * turn,
      record = pair, status = status }
  end
  local turn = lead == 1 and 1 or count + 1
  steps[count + 1] = { at = plan.stuck and math.huge or now + share * turn,
    record = group, status = failed and "failover_failed" or "failovered" }
  table.sort(steps, function(a, b) return a.at < b.at end)
  M.set_status(group, "failovering", now)
  group.transition = { steps = steps, done = 0 }
end

--- Brings a group and its pairs to the given moment.
---@param group alicloud.emulator.Group
---@param now number
function M.settle(group, now)
  local transition = group.transition
  if not transition then return end
  local steps = transition.steps
  while transition.done < #steps and steps[transition.done + 1].at <= now do
    transition.done = transition.done + 1
    local step = steps[transition.done]
    M.set_status(step.record, step.status, step.at)
  end
  if transition.done == #steps then group.transition = nil end
end

return M
