--- The words in Status fields, as the service spells them. Others exist or will: nobody may take a
--- word that is not here for anything.
-- Source: DescribeDiskReplicaPairs, DescribeDiskReplicaGroups, Describe…Drills, field Status.
-- Groups are not documented to show initial_syncing, but starting one is documented to lead there.

local REPLICATION = {
  "creating", "created", "create_failed", "initial_syncing", "manual_syncing", "syncing", "normal",
  "stopping", "stopped", "stop_failed", "failovering", "failovered", "failover_failed",
  "reprotecting", "reprotect_failed", "deleting", "deleted", "delete_failed", "invalid",
}

return {
  pair = REPLICATION,
  group = REPLICATION,
  drill = { "executing", "executed", "execute_failed", "clearing", "clear_failed" },
  drill_disk = { "creating", "created", "deleting", "deleted" },
}
