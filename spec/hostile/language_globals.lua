-- Every global and every module is replaced by something else.
local dr = require "alicloud.dr"
local book = dr.playbook("x", function(run) run:step("\27[2J", function() return true end) end)
for _, library in pairs(package.loaded) do
  if type(library) == "table" and library ~= _G then
    for name, value in pairs(library) do
      if type(value) == "function" then library[name] = function(...) return ... end end
    end
  end
end
return book
