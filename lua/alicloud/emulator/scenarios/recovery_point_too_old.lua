--- Replication says normal, but its last recovery point is two hours old.
return {
  title = "The recovery point is too old",
  story = "Two hours of data would be lost. With --max-rpo 20m the pre-check must say so.",
  group = "pg-orders", region = "cn-shanghai", max_rpo = 1200,
  world = { groups = { {
    id = "pg-orders", name = "orders", pairs = 3, status = "normal", recover_point_age = 7200,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = 52,
  } } },
  expect = { error = "Client.RecoveryPointTooOld", effects = 0 },
}
