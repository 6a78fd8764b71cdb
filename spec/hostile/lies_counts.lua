-- NaN, infinities, huge and negative counts where numbers are shown.
return require "alicloud.dr".playbook("x", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  for n, value in ipairs { 0 / 0, 1 / 0, -1 / 0, 1e308, -1, 1 << 62, math.mininteger } do
    run:step("n" .. n, { timeout = value, need = value, on_error = "continue" }, function()
      return value
    end)
    pcall(function() run:gate("g" .. n, { need = value }) end)
  end
  run.planner.plan.changes = 0 / 0
end)
