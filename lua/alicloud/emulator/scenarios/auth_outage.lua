--- The authentication service of the whole account is out: every read and every change fails.
return {
  title = "An outage of authentication",
  story = "For an hour every request ends in ServiceUnavailable. Nothing can be known, and "
    .. "nothing may be claimed.",
  group = "pg-orders", region = "cn-shanghai",
  world = { groups = { {
    id = "pg-orders", name = "orders", pairs = 3, status = "normal", recover_point_age = 432,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = 52,
  } } },
  faults = { { name = "authentication is out", match = { before = 3600 },
    effect = { error = { code = "ServiceUnavailable" } } } },
  expect = { error = "ServiceUnavailable", effects = 0 },
}
