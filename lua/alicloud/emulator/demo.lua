--- The default world of an emulator: two regions, groups in several states, and spare disks to make
-- more pairs from.

local function spare(id, place) return { id = id, place = place } end

return {
  regions = {
    { id = "cn-hangzhou", name = "China (Hangzhou)", zones = { "cn-hangzhou-g", "cn-hangzhou-h" } },
    { id = "cn-shanghai", name = "China (Shanghai)", zones = { "cn-shanghai-b", "cn-shanghai-e" } },
  },
  groups = {
    { id = "pg-orders", name = "orders", pairs = 3,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      status = "normal", recover_point_age = 432, failover_seconds = 52 },
    { id = "pg-payments", name = "payments", pairs = 2,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      status = "normal", recover_point_age = 120, failover_seconds = 40 },
    { id = "pg-ledger", name = "ledger",
      source = "cn-hangzhou/cn-hangzhou-h", destination = "cn-shanghai/cn-shanghai-e",
      status = "normal", recover_point_age = 300,
      pairs = { {}, { status = "stopped" } } },
    { id = "pg-empty", name = "empty", pairs = 0,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      status = "created", recover_point_age = false },
    { id = "pg-fresh", name = "fresh", pairs = 2,
      source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
      status = "initial_syncing", recover_point_age = false },
  },
  disks = {
    spare("d-spare-hz-1", "cn-hangzhou/cn-hangzhou-g"),
    spare("d-spare-hz-2", "cn-hangzhou/cn-hangzhou-g"),
    spare("d-spare-hz-3", "cn-hangzhou/cn-hangzhou-h"),
    spare("d-spare-sh-1", "cn-shanghai/cn-shanghai-b"),
    spare("d-spare-sh-2", "cn-shanghai/cn-shanghai-b"),
    spare("d-spare-sh-3", "cn-shanghai/cn-shanghai-b"),
    -- Source disks of pg-orders, attached to the instance that writes to them.
    { id = "d-orders-1-src", place = "cn-hangzhou/cn-hangzhou-g", instance = "i-orders-hz" },
    { id = "d-orders-2-src", place = "cn-hangzhou/cn-hangzhou-g", instance = "i-orders-hz" },
    { id = "d-orders-3-src", place = "cn-hangzhou/cn-hangzhou-g", instance = "i-orders-hz" },
  },
  instances = {
    { id = "i-orders-hz", name = "orders", place = "cn-hangzhou/cn-hangzhou-g" },
    -- The standby instance: it takes over after a failover.
    { id = "i-orders-sh", name = "orders standby", place = "cn-shanghai/cn-shanghai-b",
      status = "Stopped" },
  },
}
