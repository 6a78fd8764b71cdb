-- A hook in the way of the limits, and a traceback that never ends.
debug.sethook(function() debug.sethook() end, "c")
local function forever(n) return forever(n + 1) end
local function stack(n) return 1 + stack(n + 1) end
pcall(stack, 1)
return require "alicloud.dr".playbook("x", function(run)
  run:step("x", function()
    debug.sethook()
    return forever(1)
  end)
end)
