--- The primary region answers nobody. Its replication stands still, so the recovery point grows old
-- with every minute; the secondary region works.
return {
  title = "The primary region is dark",
  story = "cn-hangzhou takes every connection and answers none. Fail over in cn-shanghai.",
  group = "pg-orders", region = "cn-shanghai",
  world = { groups = { {
    id = "pg-orders", name = "orders", pairs = 3, status = "normal", recover_point_age = 432,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = 52,
  } } },
  events = { { at = 0, region = "cn-hangzhou", state = "blackhole" } },
  expect = { outcome = "failovered", effects = 1 },
}
