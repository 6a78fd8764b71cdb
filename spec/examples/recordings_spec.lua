-- The shell lines of the manual's page on recordings, as they stand there.

local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"

describe("the page on recordings", function()
  it("makes a recording, its key and its HAR", function()
    local block = scratch.read "lua/alicloud/manual/recordings.md":match "\n```sh\n(.-)\n```"
    local room = scratch.directory()
    local emulator <close> = process.start_emulator()
    local output, ok = emulator:shell(("cd '%s' && set -e\n%s"):format(room, block))
    assert.is_true(ok, output)
    local text = scratch.read(room .. "/my-night.jsonl")
    assert.is_nil(text:find("orders", 1, true))
    local heads = 0
    for _ in text:gmatch '"n":0,' do heads = heads + 1 end
    assert.equal(2, heads)
    local map = core.decode(scratch.read(room .. "/my-night.map"))
    assert.equal("pg-001", map.originals["pg-orders"])
    assert.equal("1.2", core.decode(scratch.read(room .. "/my-night.har")).log.version)
  end)
end)
