-- A sort whose order is never right, of very many values.
local list = {}
for n = 1, 3000000 do list[n] = n % 977 end
while true do pcall(table.sort, list, function(a, b) return a <= b end) end
