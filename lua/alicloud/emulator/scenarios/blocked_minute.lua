--- The account has a tiny quota, and an action that exceeds it is blocked until the next full
--- minute, for users of the console, too.
return {
  title = "A blocked minute",
  story = "One request a second of each action. One more, and the action is blocked for the rest "
    .. "of the minute without a hint for how long. Who repeats at once makes it no better.",
  group = "pg-orders", region = "cn-shanghai",
  world = { groups = { {
    id = "pg-orders", name = "orders", pairs = 3, status = "normal", recover_point_age = 432,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = 52,
  } } },
  assume = { throttle = "minute", throttle_limit = 1 },
  expect = { outcome = "failovered", effects = 1 },
}
