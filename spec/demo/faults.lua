-- The worst answer of all: the failover was done, and then the gateway said 504.
return {
  {
    name = "504 after the work was done",
    match = { action = "FailoverDiskReplicaGroup", group = "pg-payments", nth = 1 },
    when = "after",
    effect = { error = { status = 504, code = "RequestTimeout" } },
  },
}
