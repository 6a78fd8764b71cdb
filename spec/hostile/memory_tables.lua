-- Memory, by tables that hold each other, errors caught.
local list = {}
while true do
  pcall(function()
    while true do list = { list, { list }, {}, ("y"):rep(1000) } end
  end)
  if #list > 1e9 then break end
end
