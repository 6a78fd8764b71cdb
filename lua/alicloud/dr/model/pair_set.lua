--- Decides which pairs a group has. There are three sources: the group's count (PairNumber), the
--- names in the group's record (PairIds), and the list of pairs. Each may lag, so two sources that
--- agree are believed, and the third one becomes a note. A list that is shorter than both names and
--- count is not believed, since it may be cut. Count and names come from the same record: listed
--- pairs that themselves name this group outweigh both. The larger set is the safe one: a failover
--- is done when every pair of it is open.

local plural = require "alicloud.base.plural"
local tables = require "alicloud.base.tables"

local M = {}

local function are_equal(left, right)
  for i = 1, math.max(#left, #right) do
    if left[i] ~= right[i] then return false end
  end
  return true
end

--- The ids of one list that another one lacks.
---@param left string[]
---@param right string[]
---@return string[]
function M.only_in(left, right)
  local known, missing = tables.set(right), {}
  for _, id in ipairs(left) do
    if not known[id] then missing[#missing + 1] = id end
  end
  return missing
end

--- How one set of pair ids differs from another, in words.
---@param expected string[] sorted
---@param found string[] sorted
---@return string|nil nil if they are the same
function M.difference(expected, found)
  if are_equal(expected, found) then return nil end
  local lacking, extra = M.only_in(expected, found), M.only_in(found, expected)
  local parts = {}
  if #lacking > 0 then parts[1] = "lacks " .. table.concat(lacking, ", ") end
  if #extra > 0 then parts[#parts + 1] = "has also " .. table.concat(extra, ", ") end
  if #parts == 0 and #expected ~= #found then parts[1] = "names a pair twice" end
  return #parts > 0 and table.concat(parts, " and ") or nil
end

--- Ids of pairs, in their order.
---@param members alicloud.dr.Pair[]
---@return string[]
function M.ids(members)
  local ids = {}
  for i, pair in ipairs(members) do ids[i] = pair.id end
  return ids
end

local function only_named(members, names)
  local known, list = tables.set(names), {}
  for _, pair in ipairs(members) do
    if known[pair.id] then list[#list + 1] = pair end
  end
  return list
end

---@class alicloud.dr.PairSet
---@field count integer?
---@field names string[]?
---@field members alicloud.dr.Pair[]
---@field more string[]? names that are not believed: all that is listed, and more
---@field doubt string? why a later look may show another set: the list outweighs count and names
---@field note string? how the source that is not believed differs

-- How many pairs of `ids` name the group themselves.
local function count_own(members, ids, group_id)
  local looked_for, count = tables.set(ids), 0
  for _, pair in ipairs(members) do
    if looked_for[pair.id] and pair.group_id == group_id then count = count + 1 end
  end
  return count
end

-- The set by two sources that agree: names and list, count and list, or count and names; else nil.
local function believe_two(count, names, members, group_id)
  local listed, ids = #members, M.ids(members)
  local difference = M.difference(names, ids)
  if not difference then
    return { count = listed, names = names, members = members,
      note = ("the group counts %d, but names the %d that are listed"):format(count, listed) }
  end
  if count == listed and #names ~= listed then
    return { count = count, members = members, more = #M.only_in(ids, names) == 0 and names or nil,
      note = "against what the group names, the pair list " .. difference }
  end
  if count == #names and #M.only_in(names, ids) == 0
    and count_own(members, M.only_in(ids, names), group_id) == 0 then
    return { count = count, names = names, members = only_named(members, names),
      note = "beside what the group names and counts, the pair list " .. difference }
  end
  return nil
end

-- The list, if it holds all that the group names and more than it counts, and those that the group
-- does not name say themselves that they are its own; else nil.
local function believe_list(count, names, members, group_id)
  local ids = M.ids(members)
  local unnamed = M.only_in(ids, names)
  if #ids <= count or #M.only_in(names, ids) > 0 then return nil end
  if count_own(members, unnamed, group_id) < #unnamed then return nil end
  local doubt = ("the group counts %s, the pair list holds %d"):format(
    plural.of(count, "pair"), #ids)
  return { count = #ids, members = members, doubt = doubt, note = doubt .. " that name it" }
end

--- Believes two of the three sources if they agree, else a list that outweighs the group's record.
--- Otherwise all stays as it was read.
---@param count integer? how many pairs the group counts
---@param names string[]? which pairs the group names, sorted; an empty list counts as missing
---@param members alicloud.dr.Pair[] the list, sorted by id
---@param group_id string
---@return alicloud.dr.PairSet
function M.believe(count, names, members, group_id)
  if names and #names == 0 then names = nil end
  local as_read = { count = count, names = names, members = members }
  if not count or count == #members and not (names and M.difference(names, M.ids(members))) then
    return as_read
  end
  return names and believe_two(count, names, members, group_id)
    or believe_list(count, names or {}, members, group_id) or as_read
end

return M
