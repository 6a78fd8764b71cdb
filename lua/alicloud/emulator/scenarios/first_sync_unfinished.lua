--- The first full copy still runs: the secondary disks hold no usable file system yet.
return {
  title = "The first sync is not finished",
  story = "The group is in initial_syncing, no pair has a recovery point. Nothing may be sent.",
  group = "pg-orders", region = "cn-shanghai",
  world = { groups = { {
    id = "pg-orders", name = "orders", pairs = 3, status = "initial_syncing",
    recover_point_age = false, source = "cn-hangzhou/cn-hangzhou-g",
    destination = "cn-shanghai/cn-shanghai-b", failover_seconds = 52,
  } } },
  expect = { error = "OperationDenied.InvalidStatus", effects = 0 },
}
