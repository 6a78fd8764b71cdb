-- What the build machine watches: instructions of a call, which repeat, beside those of the same
-- call in C. lua5.4 spec/bench/watched.lua BUILD; the last line counts like a test run.

local rounds = require "spec.bench.rounds"
local server = require "spec.bench.server"

local build = arg[1] or "build"

-- What a call may cost on top of libcurl and a hand-written program: the price of limits, retries,
-- checks and Lua, and of slots that are held for as long as a call can arrive. Before 8.1.1 libcurl
-- cannot use its handles again (src/transport/handles.c).
local libcurl = require("alicloud.transport").version
local major, minor, patch = libcurl:match "libcurl/(%d+)%.(%d+)%.(%d+)"
local LIMIT = major * 10000 + minor * 100 + patch >= 80101 and 1.40 or 1.60

local at = server.start {}
local ours = rounds.per_call { "lua5.4", "spec/bench/ours.lua", "call", at.url }
local theirs = rounds.per_call { build .. "/spec/floor", "call", at.url }
at.stop()
if not ours then
  print "valgrind is not installed"
  os.exit(1)
end
local ratio = ours / theirs
print(("%.1f thousand instructions a call, %.2f of the same in C; allowed: %.2f"):format(ours / 1e3,
  ratio, LIMIT))
local good = ratio > 1 and ratio <= LIMIT
print(("instructions of a call: %d passed, %d failed"):format(good and 1 or 0, good and 0 or 1))
os.exit(good and 0 or 1)
