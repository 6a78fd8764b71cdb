--- The statuses of groups and pairs. Which are documented, and which an operation accepts, is data
--- in alicloud.service.ebs. This module adds which statuses end by themselves, and which follow
--- each other without a call.
--- The service also has undocumented statuses: code that reads a status must handle those too.

local documented = require "alicloud.service.ebs.states"
local groups = require "alicloud.service.ebs.groups"
local pairs_alone = require "alicloud.service.ebs.pairs"
local tables = require "alicloud.base.tables"

local M = {}

--- Every documented status.
M.KNOWN = tables.set(documented.group)

--- Statuses of a group, or of a pair without one, in which an operation is documented as allowed.
---@param action string e.g. "StopDiskReplicaGroup"
---@param whose? string their name in the service's data; nil: "group", or "pair"
---@return string[]
function M.legal(action, whose)
  local group = groups[action]
  if group then return group.legal_states[whose or "group"] end
  return pairs_alone[action].legal_states[whose or "pair"]
end

--- Statuses that end by themselves: after a refusal because of one of them another look is worth
--- it. "deleting" is not among them, since there is nothing left to change after it.
M.TRANSITIONAL = tables.set { "creating", "stopping", "failovering", "reprotecting" }

-- Statuses that follow by themselves, without a call.
local SUCCESSORS = {
  normal = tables.set { "syncing" },
  syncing = tables.set { "normal" },
  manual_syncing = tables.set { "stopped" },
  stopping = tables.set { "stopped", "stop_failed" },
}

--- Whether a status may change by itself into one that is wanted.
---@param status string
---@param wanted table<string, true> statuses
---@return boolean
function M.passes(status, wanted)
  for successor in pairs(SUCCESSORS[status] or {}) do
    if wanted[successor] then return true end
  end
  return M.TRANSITIONAL[status] == true
end

--- Whether `now` is the status `before`, or one that follows it by itself.
---@param before string
---@param now string
---@return boolean
function M.follows(before, now)
  if before == now then return true end
  local successors = SUCCESSORS[before]
  return successors ~= nil and successors[now] == true
end

return M
