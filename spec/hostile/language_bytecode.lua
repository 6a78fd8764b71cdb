-- Bytecode made by hand, and loaded.
local text = string.dump(function() return 1 end)
for at = 20, #text do
  local broken = text:sub(1, at - 1) .. string.char((text:byte(at) + 77) % 256) .. text:sub(at + 1)
  local chunk = load(broken, "b", "b")
  if chunk then pcall(chunk) end
end
return require "alicloud.dr".playbook("x", function(run) run:step("x", function() return 1 end) end)
