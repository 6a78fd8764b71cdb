-- A region that is to become part of a host name.
return require "alicloud.dr".playbook("network_region_as_host", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _, region in ipairs { "evil.example/", "x@127.0.0.1", "cn-shanghai.evil", "127.0.0.1#",
      "..", "cn-shanghai:1" } do
      pcall(function() run.client:call("DescribeRegions", {}, { region = region }) end)
      pcall(function() run.client:call("DescribeDiskReplicaGroups", { RegionId = region }) end)
      pcall(function() run.client:with { region = region }:call("DescribeRegions") end)
      pcall(function() run:group("pg-orders", { region = region }):look() end)
    end
    return true
  end)
end)
