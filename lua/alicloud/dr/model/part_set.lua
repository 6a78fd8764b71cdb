--- A group of which not every pair is listed, or whose list, count and names differ in another way.
--- A failover moves the whole group whatever is listed, so a person may overrule that; what was not
--- seen is told at the end.

local forces = require "alicloud.dr.model.force"
local pair_set = require "alicloud.dr.model.pair_set"
local snapshots = require "alicloud.dr.model.snapshot"
local tables = require "alicloud.base.tables"

local M = {}

--- The code of the refusal.
M.CODE = "Client.PairSetIncomplete"

--- By whom it is overruled that the pairs of a look are not a whole set.
---@param snapshot alicloud.dr.Snapshot
---@param force alicloud.dr.Force[]|nil
---@return alicloud.dr.Force|nil entry nil: they are, or no pair is listed, or nobody overrules it
function M.overruled(snapshot, force)
  local is_part = #snapshot.pairs > 0 and snapshots.pair_set_fault(snapshot)
  return is_part and forces.of(force, M.CODE) or nil
end

--- What a look at a group does not show, in words.
---@param snapshot alicloud.dr.Snapshot
---@param seen_as? string what the others were seen to be (open)
---@return string|nil nil: its pairs are a whole set
function M.unseen(snapshot, seen_as)
  local fault, seen = snapshots.pair_set_fault(snapshot), #snapshot.pairs
  if not fault then return nil end
  local missing = pair_set.only_in(snapshot.pair_ids or {}, snapshots.ids(snapshot))
  local names = #missing > 0 and ", not seen: " .. table.concat(missing, ", ") or ""
  return ("%d of %d pairs were seen %s%s (%s)"):format(seen,
    math.max(snapshot.pair_number or 0, seen + #missing), seen_as or "open", names, fault)
end

--- The look as if the pairs that are listed were all.
---@param snapshot alicloud.dr.Snapshot
---@return alicloud.dr.Snapshot
function M.as_listed(snapshot)
  local copy = tables.merged(snapshot, { pair_number = #snapshot.pairs })
  copy.pair_ids = nil
  return copy
end

return M
