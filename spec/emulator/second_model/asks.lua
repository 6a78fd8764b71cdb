-- The conditions of the second reading, beside state and side, as the records show them. Each gives
-- true, false, or nil where the documents or the records leave it open.

local model = require "spec.emulator.second_model"

local M = {}

local function members(case)
  local list = {}
  for _, id in ipairs(case.record.members or { case.check.id }) do
    list[#list + 1] = case.before[id]
  end
  return list
end

local function count(case) return #(case.record.members or {}) end

-- Whether a pair is on its way into the group: membership shows a little later than the answer.
local function expected(case)
  for _, due in pairs(case.check.moving) do
    if due.to == case.check.id then return true end
  end
  return false
end

local function same_sites(case, pair)
  return pair.source == case.record.source and pair.destination == case.record.destination
end

-- True when all are so, false when one is not, nil when one is neither.
local function every(case, test)
  local all = true
  for _, pair in ipairs(members(case)) do
    local is = test(pair)
    if is == false then return false end
    if is == nil then all = nil end
  end
  return all
end

local FREE = { idle = true, held = false }

local function free(side)
  return function(case)
    return every(case, function(pair) return FREE[pair[side]] end)
  end
end

local primary_free, secondary_free = free "source_use", free "destination_use"

M.of = {
  alone = function(_, record) return record.group == nil end,
  alone_or_silent = function(_, record) return record.group == nil or nil end,
  pairs = function(case) return count(case) > 0 end,
  empty = function(case)
    if count(case) > 0 then return false end
    return not expected(case) or nil
  end,
  member = function(case) return case.pair ~= nil and case.pair.group == case.check.id end,
  no_other_group = function(case)
    if case.pair and case.pair.group then return false end
    return case.check.moving[case.params.ReplicaPairId] == nil or nil
  end,
  room = function(case)
    if count(case) >= model.pairs_in_group then return false end
    return not expected(case) or nil
  end,
  same_sites = function(case) return case.pair ~= nil and same_sites(case, case.pair) end,
  point = function(_, record) return record.point ~= nil end,
  copied = function(case, record)
    return record.point ~= nil and every(case, function(pair) return pair.point ~= nil end)
  end,
  -- A drill reads; only a reversal needs the old primary to rest. Of the other one nothing is said.
  primary_free = function(case)
    local reverse = (case.params.ReverseReplicate or ""):lower() ~= "false"
    local is = primary_free(case)
    if is == false and not reverse then return nil end
    return is
  end,
  secondary_free = secondary_free,
  one_shot_apart = function(case)
    if not case.one_shot then return true end
    local last = case.check.one_shots[case.check.id]
    if last then return case.at - last > model.one_shot_apart end
    return nil
  end,
}

local function differs(case, test)
  if case.row.member or case.params.ReplicaPairId then
    return case.pair ~= nil and not test(case.pair)
  end
  return every(case, test) == false
end

M.claims = {
  has_pairs = function(case) return count(case) > 0 end,
  no_pairs = function(case) return count(case) == 0 end,
  not_member = function(case) return not case.pair or case.pair.group ~= case.check.id end,
  other_group = function(case)
    local due = case.check.moving[case.params.ReplicaPairId]
    local group = case.pair and case.pair.group
    return (group ~= nil and group ~= case.check.id) or (due ~= nil and due.to ~= case.check.id)
  end,
  unequal_states = function(case)
    local wanted = case.record.status
    if case.record.kind == "pair" then
      local group = case.before[case.record.group]
      return group ~= nil and group.status ~= wanted
    end
    return differs(case, function(pair) return pair.status == wanted end)
  end,
  unequal_sites = function(case)
    return differs(case, function(pair) return same_sites(case, pair) end)
  end,
  full_group = function(case)
    return count(case) >= model.pairs_in_group or expected(case)
  end,
  not_there = function(case) return case.side ~= true end,
  not_there_or_unknown = function(case) return case.side ~= true end,
  one_shot_too_soon = function(case) return M.of.one_shot_apart(case) ~= true end,
  no_point = function(case) return case.record.point == nil end,
  secondary_held = function(case) return secondary_free(case) ~= true end,
}

--- Remembers what later conditions ask for.
---@param check table
---@param entry table
---@param case table
function M.note(check, entry, case)
  if case.one_shot then check.one_shots[check.id] = entry.at end
  if entry.action == "AddDiskReplicaPair" then
    check.moving[entry.params.ReplicaPairId] = { to = check.id }
  elseif entry.action == "RemoveDiskReplicaPair" then
    check.moving[entry.params.ReplicaPairId] = { from = check.id }
  end
end

return M
