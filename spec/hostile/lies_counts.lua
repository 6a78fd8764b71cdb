-- NaN, infinities, huge and negative counts where numbers are shown.
return require "alicloud.dr".playbook("x", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  local plan = run.engine.executor.plan
  for n, value in ipairs { 0 / 0, 1 / 0, -1 / 0, 1e308, -1, 1 << 62, math.mininteger } do
    pcall(run.step, run, "t" .. n, { timeout = value }, function() return value end)
    pcall(run.gate, run, "g" .. n, { need = value })
    run:step("n" .. n, { on_error = "continue" }, function() return value end)
    if plan then
      local entry = plan.steps[#plan.steps]
      entry.options, entry.reads = { timeout = value, need = value, on_error = value }, value
    end
  end
  if plan then plan.changes = 0 / 0 end
end)
