-- Output without a measure, to what the process has instead of a terminal.
return require "alicloud.dr".playbook("output_flood", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    for _ = 1, 2000 do
      print(("\27[31mx"):rep(1000))
      io.write(("y"):rep(1000))
      io.stderr:write(("z"):rep(1000))
      warn "@on"
      warn "\27[31mw"
    end
    return true
  end)
end)
