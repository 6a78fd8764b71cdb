-- Parameters whose declaration is code.
local calls = 0
local list = setmetatable({}, { __len = function() return 1e9 end, __index = function(_, n)
  calls = calls + 1
  return n < 5 and { name = "p" .. n, type = "text", help = "\27[31m" } or nil
end })
return require "alicloud.dr".playbook("x", { params = list, kind = "drill" }, function(run)
  run:step("x", function() return calls end)
end)
