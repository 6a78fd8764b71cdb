--- The failover is done, and its answer is lost in a 504. A client that repeats the call must not
-- cause two failovers.
return {
  title = "504 after the work was done",
  story = "The first FailoverDiskReplicaGroup is carried out and answered with RequestTimeout.",
  group = "pg-orders", region = "cn-shanghai",
  world = { groups = { {
    id = "pg-orders", name = "orders", pairs = 3, status = "normal", recover_point_age = 432,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = 52,
  } } },
  faults = { { name = "lost answer", when = "after",
    match = { action = "FailoverDiskReplicaGroup", nth = 1 },
    effect = { error = { code = "RequestTimeout" } } } },
  expect = { outcome = "failovered", effects = 1 },
}
