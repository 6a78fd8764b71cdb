-- What a service's data costs when it is first asked for: loaded.lua NAME. Prints CPU milliseconds
-- and KiB that stay.

local posix = require "spec.posix"
local services = require "alicloud.service"

collectgarbage()
collectgarbage()
local before, start = collectgarbage "count", posix.usage()
local data = services.data(arg[1] or "ebs")
local spent = posix.usage() - start
collectgarbage()
collectgarbage()
assert(data, "there is no such service")
print(("%.3f %.0f"):format(spent * 1e3, collectgarbage "count" - before))
