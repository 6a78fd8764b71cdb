--- The values of Status fields, as the service spells them. There may be others, now or later:
--- treat a value that is not listed here as unknown.
-- Source: DescribeDiskReplicaPairs, DescribeDiskReplicaGroups, Describe…Drills, field Status.
-- Groups are not documented to show initial_syncing, but starting one is documented to lead there.

local REPLICATION = {
  "creating", "created", "create_failed", "initial_syncing", "manual_syncing", "syncing", "normal",
  "stopping", "stopped", "stop_failed", "failovering", "failovered", "failover_failed",
  "reprotecting", "reprotect_failed", "deleting", "deleted", "delete_failed", "invalid",
}

-- The states that can directly follow a state, by themselves or because of a call. After a state
-- without an entry, such as invalid, any state may follow. Every state can become invalid, if a
-- disk is broken. Sources: as above, and the states in which each operation is accepted.
local MOVES = {
  creating = { "created", "create_failed", "failovering" },
  created = { "initial_syncing", "syncing", "manual_syncing", "failovering", "deleting" },
  create_failed = { "failovering", "deleting" },
  initial_syncing = { "syncing", "normal", "stopping", "failovering" },
  manual_syncing = { "stopping", "stopped", "failovering" },
  syncing = { "normal", "stopping", "failovering" },
  normal = { "syncing", "stopping", "failovering" },
  stopping = { "stopped", "stop_failed", "failovering" },
  stop_failed = { "stopping", "failovering" },
  stopped = { "initial_syncing", "syncing", "manual_syncing", "failovering", "deleting" },
  failovering = { "failovered", "failover_failed" },
  failovered = { "failovering", "reprotecting", "deleting" },
  failover_failed = { "failovering" },
  reprotecting = { "stopped", "reprotect_failed", "failovering" },
  reprotect_failed = { "reprotecting", "failovering" },
  deleting = { "deleted", "delete_failed", "failovering" },
  delete_failed = { "deleting", "failovering" },
  deleted = {},
}

return {
  moves = MOVES,
  pair = REPLICATION,
  group = REPLICATION,
  drill = { "executing", "executed", "execute_failed", "clearing", "clear_failed" },
  drill_disk = { "creating", "created", "deleting", "deleted" },
}
