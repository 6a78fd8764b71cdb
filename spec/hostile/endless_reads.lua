-- Reads without an end.
return require "alicloud.dr".playbook("endless_reads", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    while true do pcall(run.client.call, run.client, "DescribeRegions") end
    return true
  end)
end)
