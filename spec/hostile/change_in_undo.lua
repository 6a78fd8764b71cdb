-- Changes and programs in undo, check, verify and hooks.
return require "alicloud.dr".playbook("change_in_undo", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    run:step("inner", { plan = function() os.execute "touch @MARK@" end,
      undo = function() os.execute "touch @MARK@" end,
      check = function() os.execute "touch @MARK@" end }, function() os.execute "touch @MARK@" end)
    run:verify("v", { plan = function() os.execute "touch @MARK@" end }, function()
      os.execute "touch @MARK@"
    end)
    run:on("end", function() os.execute "touch @MARK@" end)
    return true
  end)
end)
