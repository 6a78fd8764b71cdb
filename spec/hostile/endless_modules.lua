-- Modules asked for without an end.
local n = 0
while true do
  n = n + 1
  pcall(require, "x" .. n)
end
