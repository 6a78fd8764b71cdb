-- How long what a shared store's record announces may leave, where somebody has his own opinion.

local core = require "alicloud.core"
local memory_keys = require "alicloud.dr.store.memory_keys"
local runtimes = require "alicloud.base.runtime"
local shared = require "alicloud.dr.store.shared"
local tables = require "alicloud.base.tables"
local loops = require "alicloud.loop.shared"

local HOLDER = { owner = "ops", host = "here", pid = 1, since = core.iso8601(0) }

-- A store whose clock stands.
local function open(options)
  local now = function() return 1000 end
  local runtime = tables.merged(runtimes.new(), { boottime = now })
  local keys = memory_keys.open(memory_keys.world { now = now }, { name = "one" })
  return shared.open(tables.merged({ keys = keys, run = "run", name = "one", prefix = "/dr",
    runtime = runtime, loop = loops.of_clock(runtime) }, options))
end

local function window(options)
  local store = open(options)
  assert(store:lease("run", HOLDER))
  assert(store:load())
  local _, send_by = assert(store:append(1, "one\n", true))
  store:close()
  return send_by - 1000, store.takeover_wait
end

describe("the window of a shared store", function()
  it("is four seconds, and an exchange takes half a minute", function()
    assert.same({ 4, 34 }, { window {} })
  end)

  it("is another one where it is given, and whoever takes over waits as long", function()
    assert.same({ 2.5, 7.5 }, { window { send_window = 2.5, exchange = 5 } })
  end)
end)
