-- Memory, by strings that are repeated.
local list = {}
while true do list[#list + 1] = ("x"):rep(64 << 20) .. #list end
