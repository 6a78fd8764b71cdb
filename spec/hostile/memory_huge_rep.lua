-- Strings larger than there is memory, in a step.
return require "alicloud.dr".playbook("memory_huge_rep", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    pcall(string.rep, "x", 1 << 40)
    pcall(string.rep, "x", 1 << 31)
    pcall(table.concat, setmetatable({}, { __index = function() return "x" end, __len = function()
      return 1 << 28
    end }))
    pcall(string.format, "%99.99f", 1e308)
    return true
  end)
end)
