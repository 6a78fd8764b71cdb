-- Something that says of itself that it is a playbook.
local book = require "alicloud.dr".playbook("x", function() end)
return setmetatable({ name = ("\27"):rep(100), body = function() os.execute "touch @MARK@" end,
  digest = ("f"):rep(64) }, getmetatable(book))
