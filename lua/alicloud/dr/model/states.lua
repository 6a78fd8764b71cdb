--- The words in the Status field of a group or a pair, and what they mean for a failover.
--- Words that are not here exist: whoever reads a status must have an answer for those too.

local M = {}

local function set(...)
  local words = {}
  for _, word in ipairs { ... } do words[word] = true end
  return words
end

--- Statuses in which a failover of a group is documented to be allowed.
--- Source: FailoverDiskReplicaGroup, usage notes.
M.LEGAL_LIST = {
  "manual_syncing", "syncing", "normal", "stopping", "stop_failed", "stopped",
  "failovering", "failover_failed", "failovered",
}

M.LEGAL = set(table.unpack(M.LEGAL_LIST))

--- Every documented word. Source: DescribeDiskReplicaGroups and DescribeDiskReplicaPairs, Status.
M.KNOWN = set("creating", "created", "create_failed", "initial_syncing", "manual_syncing",
  "syncing", "normal", "stopping", "stopped", "stop_failed", "failovering", "failovered",
  "failover_failed", "reprotecting", "reprotect_failed", "deleting", "deleted", "delete_failed",
  "invalid")

--- On the way to the secondary site, or there.
M.MOVING = set("failovering", "failovered")

--- Statuses that end by themselves; a refusal because of one of them is worth another look.
M.TRANSITIONAL = set("creating", "stopping", "failovering", "reprotecting", "deleting")

-- What replication does by itself, without anybody's call.
local SUCCESSORS = {
  normal = set("syncing"),
  syncing = set("normal"),
  manual_syncing = set("stopped"),
  stopping = set("stopped", "stop_failed"),
}

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
