-- Names, notes and lists of a size that nobody can read.
local giant = ("\u{1f4a3}"):rep(1 << 18)
return require "alicloud.dr".playbook("x", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  pcall(run.step, run, giant, { on_error = giant, timeout = giant }, function() return giant end)
  for n = 1, 200 do
    run:step("s" .. n, { on_error = "continue" }, function() return nil, giant end)
  end
  local plan = run.engine.executor.plan
  for n, entry in ipairs(plan and plan.steps or {}) do
    entry.key, entry.options = giant .. n, { on_error = giant, timeout = giant }
  end
  error(giant)
end)
