-- A loop in a finalizer.
setmetatable({}, { __gc = function() while true do end end })
collectgarbage()
return require "alicloud.dr".playbook("x", function() end)
