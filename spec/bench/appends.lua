-- Milliseconds of a durable append to a journal, median and 99th of a hundred, by the wall:
-- lua5.4 spec/bench/appends.lua JOURNAL APPENDS, where JOURNAL is a path or an address.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local stores = require "alicloud.dr.store"

local name, count = arg[1], assert(math.tointeger(tonumber(arg[2])))

-- As long as a record of a call.
local LINE = ('{"seq":%%d,"type":"call","text":"%s"}\n'):format(("x"):rep(560))

local client = alicloud.client { region = "cn-shanghai", access_key_id = "none",
  access_key_secret = "none" }
local store = assert(stores.open(name, { loop = client.loop, runtime = client.runtime }))
assert(store:lease("run", { owner = "bench", host = "here", pid = core.pid(),
  since = "2026-11-22T03:19:52Z" }))
assert(store:load())

local took = {}
for seq = 1, count do
  local begun = core.monotonic()
  assert(store:append(seq, LINE:format(seq), true))
  took[seq] = (core.monotonic() - begun) * 1000
end
store:close()
table.sort(took)
print(took[(count + 1) // 2], took[math.ceil(count * 0.99)])
