--- The failover is accepted and never ends.
return {
  title = "Stuck in failovering",
  story = "The group says failovering for ever. A client must end its wait, and must not say that "
    .. "the failover has failed.",
  group = "pg-orders", region = "cn-shanghai",
  world = { groups = { {
    id = "pg-orders", name = "orders", pairs = 3, status = "normal", recover_point_age = 432,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = 52,
  } } },
  faults = { { name = "stuck", match = { action = "FailoverDiskReplicaGroup" },
    effect = { stuck = true } } },
  expect = { error = "Client.FailoverStalled", outcome_of_error = "unknown", effects = 1 },
}
