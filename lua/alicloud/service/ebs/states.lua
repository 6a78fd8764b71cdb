--- The words in Status fields, as the service spells them. Others exist or will: nobody may take a
--- word that is not here for anything.
-- Source: DescribeDiskReplicaPairs, DescribeDiskReplicaGroups, Describe…Drills, field Status.
-- Groups are not documented to show initial_syncing, but starting one is documented to lead there.

local REPLICATION = {
  "creating", "created", "create_failed", "initial_syncing", "manual_syncing", "syncing", "normal",
  "stopping", "stopped", "stop_failed", "failovering", "failovered", "failover_failed",
  "reprotecting", "reprotect_failed", "deleting", "deleted", "delete_failed", "invalid",
}

-- What follows a word at once, by itself or because of a call. Where nothing is said of a word, as
-- of invalid, anything may. Every word may become invalid: a disk is broken.
-- Sources: as above, and in which states each operation is taken.
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
