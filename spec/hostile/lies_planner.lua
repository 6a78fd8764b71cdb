-- The plan itself, through the run, made one in which nothing happens.
return require "alicloud.dr".playbook("x", function(run)
  local orders = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("promote", function() return orders:failover() end)
  run.engine.executor.plan.steps, run.engine.executor.plan.changes = {}, 0
  run.engine.executor.plan.reads = 12345
end)
