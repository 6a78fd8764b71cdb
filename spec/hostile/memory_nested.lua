-- Nesting without an end: tables, patterns, parentheses.
load("return " .. ("("):rep(100000) .. "1")
load("x=" .. ("{"):rep(100000))
pcall(string.find, ("a"):rep(300000), ("(a"):rep(31))
local deep = {}
for _ = 1, 100000 do deep = { deep } end
return require "alicloud.dr".playbook("x", { summary = "s" }, function(run)
  run:step("x", function() return deep end)
end)
