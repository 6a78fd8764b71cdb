--- Waiters: which operation to read, and which states mean done, failed or in progress.
--
-- Right after a call, a read may still show any state in which the call is allowed, so these states
-- count as in progress. But states that end in _failed always count as failed; watch a call that is
-- repeated from such a state by hand. Delays and timeouts are similar to those of the vendor's own
-- Terraform provider.

local GONE = { "deleting", "deleted", "delete_failed" }
local CREATING = { "creating" }
local COPYING = { "initial_syncing", "manual_syncing", "syncing", "normal" }
local STOPPING = { "stopping", "stopped", "stop_failed" }
local FAILOVER = { "failovering", "failovered", "failover_failed" }
local REPROTECT = { "reprotecting", "reprotect_failed" }

local function words(...)
  local list = {}
  for _, part in ipairs { ... } do
    if type(part) == "table" then
      for _, word in ipairs(part) do list[#list + 1] = word end
    else
      list[#list + 1] = part
    end
  end
  return list
end

local function wait(kind, fields)
  fields.operation = kind.operation
  fields.items = kind.items
  fields.ids = kind.ids
  fields.field = "Status"
  fields.delay = fields.delay or 5
  fields.timeout = fields.timeout or 1200
  return fields
end

local PAIR = {
  operation = "DescribeDiskReplicaPairs", items = "ReplicaPairs",
  ids = { parameter = "PairIds", field = "ReplicaPairId" },
}
local GROUP = {
  operation = "DescribeDiskReplicaGroups", items = "ReplicaGroups",
  ids = { parameter = "GroupIds", field = "ReplicaGroupId" },
}
local PAIR_DRILL = { operation = "DescribePairDrills", items = "Drills" }
local GROUP_DRILL = { operation = "DescribeReplicaGroupDrills", items = "Drills" }

local function created(kind)
  return wait(kind, {
    doc = "created, not started yet",
    success = { "created" },
    failure = words("create_failed", "invalid", GONE),
    transient = CREATING,
    timeout = 300,
  })
end

local function normal(kind)
  return wait(kind, {
    doc = "the current cycle has been copied; the first time that is the whole disk",
    success = { "normal" },
    failure = words("create_failed", "invalid", "stopping", "stop_failed", FAILOVER, REPROTECT,
      GONE),
    transient = words("created", "initial_syncing", "manual_syncing", "syncing", "stopped"),
    delay = 10,
    timeout = 6 * 3600,
  })
end

local function recoverable(kind)
  return wait(kind, {
    doc = "a first recovery point exists, whatever the state",
    positive = "LastRecoverPoint",
    success = {},
    failure = words("create_failed", "invalid", "reprotect_failed", GONE),
    transient = words("created", CREATING, COPYING, STOPPING, FAILOVER, "reprotecting"),
    delay = 10,
    timeout = 6 * 3600,
  })
end

local function stopped(kind)
  return wait(kind, {
    doc = "replication has stopped; also what a one-shot synchronisation ends in",
    success = { "stopped" },
    failure = words("create_failed", "invalid", "stop_failed", FAILOVER, REPROTECT, GONE),
    transient = words("created", COPYING, "stopping"),
  })
end

local function failovered(kind)
  return wait(kind, {
    doc = "the secondary disks can be read and written",
    success = { "failovered" },
    failure = words("failover_failed", "invalid", REPROTECT, GONE),
    transient = words("manual_syncing", "syncing", "normal", STOPPING, "failovering"),
  })
end

local function reprotected(kind)
  return wait(kind, {
    doc = "the direction has been settled; replication has to be started",
    success = { "stopped" },
    failure = words("reprotect_failed", "invalid", "failover_failed", GONE),
    transient = { "failovered", "reprotecting" },
  })
end

local function deleted(kind)
  return wait(kind, {
    doc = "no longer listed; name the ids, or the wait is for all of them",
    gone = true,
    success = { "deleted" },
    failure = { "delete_failed" },
    transient = words("created", "create_failed", "stopped", "failovered", "invalid", "deleting"),
    timeout = 300,
  })
end

local function drill_executed(kind, disks)
  return wait(kind, {
    doc = "the drill's disks are there and can be attached",
    success = { "executed" },
    failure = { "execute_failed", "clearing", "clear_failed" },
    transient = { "executing" },
    nested = {
      items = disks, field = "DrillDiskStatus", success = { "created" },
      failure = { "deleting", "deleted" }, transient = { "creating" },
    },
  })
end

local function drill_cleared(kind)
  return wait(kind, {
    doc = "the drill and its disks are gone; name the DrillId, or the wait is for all of them",
    gone = true,
    success = {},
    failure = { "clear_failed" },
    transient = { "executing", "executed", "execute_failed", "clearing" },
    timeout = 300,
  })
end

local ANY = words("created", "create_failed", "invalid", CREATING, COPYING, STOPPING, FAILOVER,
  REPROTECT, GONE)

local pair_failovered = failovered(PAIR)

return {
  pair_created = created(PAIR),
  pair_normal = normal(PAIR),
  pair_recoverable = recoverable(PAIR),
  pair_stopped = stopped(PAIR),
  pair_failovered = pair_failovered,
  pairs_failovered = pair_failovered,
  pair_reprotected = reprotected(PAIR),
  pair_deleted = deleted(PAIR),
  pair_joined = wait(PAIR, {
    doc = "the pairs are members: ask with PairIds and ReplicaGroupId",
    success = ANY, failure = {}, transient = {}, timeout = 300,
  }),
  pair_left = wait(PAIR, {
    doc = "the pairs are no longer members: ask with PairIds and ReplicaGroupId",
    gone = true, success = {}, failure = {}, transient = ANY, timeout = 300,
  }),

  group_created = created(GROUP),
  group_normal = normal(GROUP),
  group_recoverable = recoverable(GROUP),
  group_stopped = stopped(GROUP),
  group_failovered = failovered(GROUP),
  group_reprotected = reprotected(GROUP),
  group_deleted = deleted(GROUP),

  pair_drill_executed = drill_executed(PAIR_DRILL),
  pair_drill_cleared = drill_cleared(PAIR_DRILL),
  group_drill_executed = drill_executed(GROUP_DRILL, "PairsInfo"),
  group_drill_cleared = drill_cleared(GROUP_DRILL),
}
