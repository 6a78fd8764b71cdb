-- Products as hosts, modules and paths.
return require "alicloud.dr".playbook("network_products", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, product in ipairs { "evil", "../x", "ebs.shared", "common", "ebs\0x", "sts", "x-y" } do
      pcall(function()
        run.client:call(product .. ":DescribeRegions", {}, { version = "2021-07-30" })
      end)
      pcall(function() run.client:service(product):DescribeRegions() end)
    end
    return true
  end)
end)
