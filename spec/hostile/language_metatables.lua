-- Metatables of all strings, numbers and functions.
local function raw(text) return text end
debug.setmetatable("", { __index = function() return raw end, __concat = function()
  return "\27[31m"
end })
debug.setmetatable(0, { __index = raw, __call = raw })
debug.setmetatable(print, { __index = {}, __concat = function() return "\27" end })
debug.setmetatable(nil, { __index = function() return raw end, __call = raw })
return require "alicloud.dr".playbook("x", function(run) run:step("x", raw) end)
