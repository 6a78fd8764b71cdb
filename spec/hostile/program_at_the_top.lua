-- Programs at the top of the file, before anybody has asked for a plan.
pcall(os.execute, "touch @MARK@")
local pipe = select(2, pcall(io.popen, "touch @MARK@; cat", "w"))
pcall(function() pipe:close() end)
return require "alicloud.dr".playbook("top", function() os.execute "touch @MARK@" end)
