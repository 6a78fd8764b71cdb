--- Every operation is throttled for a minute, as when others of the account poll too eagerly.
return {
  title = "A throttled minute",
  story = "Ten seconds after the first request, in the middle of the failover, every request gets "
    .. "Throttling.User for a minute.",
  group = "pg-orders", region = "cn-shanghai",
  world = { groups = { {
    id = "pg-orders", name = "orders", pairs = 3, status = "normal", recover_point_age = 432,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = 52,
  } } },
  faults = { { name = "throttled", match = { after = 10, before = 70 },
    effect = { error = { code = "Throttling.User", retry_after = 5 } } } },
  expect = { outcome = "failovered", effects = 1 },
}
