-- The file itself begins as bytecode does.
return "\27Lua" .. require "alicloud.dr"
