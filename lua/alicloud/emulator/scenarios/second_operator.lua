--- Another operator reprotects as soon as the failover is over, while the first still waits for it.
return {
  title = "A second operator reprotects",
  story = "52 s after the call the group is failed over, and at once it is being reversed. Who "
    .. "looks then finds another status, and after a while another direction.",
  group = "pg-orders", region = "cn-shanghai",
  world = { groups = { {
    id = "pg-orders", name = "orders", pairs = 3, status = "normal", recover_point_age = 432,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = 52,
  } } },
  events = { { at = 52.1, after = "FailoverDiskReplicaGroup", call = {
    Action = "ReprotectDiskReplicaGroup", RegionId = "cn-shanghai", ReplicaGroupId = "pg-orders",
  } } },
  expect = { error = "Client.Superseded", outcome_of_error = "unknown", effects = 1 },
}
