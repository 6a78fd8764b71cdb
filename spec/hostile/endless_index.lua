-- A loop in a metamethod of what is returned and shown.
return require "alicloud.dr".playbook("endless_index", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local function forever() while true do end end
    error(setmetatable({}, { __tostring = forever, __index = forever, __name = "x" }))
    return true
  end)
end)
