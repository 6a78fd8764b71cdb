-- Very many coroutines, each inside the one before.
local function deeper(n)
  return coroutine.wrap(function()
    if n > 0 then return deeper(n - 1)() end
  end)
end
for n = 1, 400 do pcall(deeper(n)) end
return require "alicloud.dr".playbook("x", function(run) run:step("x", deeper(150)) end)
