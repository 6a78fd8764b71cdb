--- The words in the Status field of a group or a pair. The documented ones, and those in which an
--- operation is taken, are data of the service; here is what it does not say: which states end by
--- themselves, and which follow from which when nobody calls.
--- Words that are documented nowhere exist: whoever reads a status must have an answer for those
--- too.

local documented = require "alicloud.service.ebs.states"
local groups = require "alicloud.service.ebs.groups"
local pairs_alone = require "alicloud.service.ebs.pairs"
local tables = require "alicloud.base.tables"

local M = {}

--- Every documented word.
M.KNOWN = tables.set(documented.group)

--- Statuses of a group, or of a pair without one, in which an operation is documented to be taken.
---@param action string e.g. "StopDiskReplicaGroup"
---@param whose? string what the service's data calls them; else "group", or "pair"
---@return string[]
function M.legal(action, whose)
  local group = groups[action]
  if group then return group.legal_states[whose or "group"] end
  return pairs_alone[action].legal_states[whose or "pair"]
end

--- Statuses that end by themselves; a refusal because of one of them is worth another look. What is
--- being deleted ends, too, but in nothing that could be changed then.
M.TRANSITIONAL = tables.set { "creating", "stopping", "failovering", "reprotecting" }

-- What replication does by itself, without anybody's call.
local SUCCESSORS = {
  normal = tables.set { "syncing" },
  syncing = tables.set { "normal" },
  manual_syncing = tables.set { "stopped" },
  stopping = tables.set { "stopped", "stop_failed" },
}

--- Whether a status ends by itself where others are wanted.
---@param status string
---@param wanted table<string, true>
---@return boolean
function M.passes(status, wanted)
  for successor in pairs(SUCCESSORS[status] or {}) do
    if wanted[successor] then return true end
  end
  return M.TRANSITIONAL[status] == true
end

--- Whether `now` is what `before` is or becomes when nobody touches the group.
---@param before string
---@param now string
---@return boolean
function M.follows(before, now)
  if before == now then return true end
  local successors = SUCCESSORS[before]
  return successors ~= nil and successors[now] == true
end

return M
