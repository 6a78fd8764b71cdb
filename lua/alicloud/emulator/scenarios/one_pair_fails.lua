--- Eleven of twelve pairs fail over and one fails, so the group is not failed over.
return {
  title = "One pair of twelve fails",
  story = "The seventh pair ends in failover_failed. The group must not be called failed over.",
  group = "pg-orders", region = "cn-shanghai",
  world = { groups = { {
    id = "pg-orders", name = "orders", pairs = 12, status = "normal", recover_point_age = 432,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = 52,
  } } },
  faults = { { name = "one pair fails", match = { action = "FailoverDiskReplicaGroup", nth = 1 },
    effect = { partial = { "pair-orders-7" } } } },
  expect = { error = "Client.FailoverFailed", effects = 1 },
}
