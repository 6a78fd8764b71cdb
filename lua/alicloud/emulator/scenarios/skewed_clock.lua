--- The clock of the operator's machine is two hours behind: every request is refused as too old,
--- and the age of a recovery point must not be measured with it.
return {
  title = "A wrong clock",
  story = "This machine is two hours behind the service. The recovery point is 7 minutes old; by "
    .. "the wrong clock it would lie in the future.",
  group = "pg-orders", region = "cn-shanghai", max_rpo = 1200,
  world = { groups = { {
    id = "pg-orders", name = "orders", pairs = 3, status = "normal", recover_point_age = 432,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = 52,
  } } },
  skew = 7200,
  expect = { outcome = "failovered", effects = 1 },
}
