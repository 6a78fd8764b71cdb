-- Output that nobody takes: a reader that goes away, a disk that is full. The failover goes on, the
-- token is on the error stream, and the exit code says that something is missing.

local process = require "spec.process"

local CLOSED = [[
err=$(mktemp)
{ alicloud-dr failover pg-orders --region cn-shanghai --yes 2>"$err"; echo "code $?" >>"$err"; } | :
cat "$err"
]]

describe("output that cannot be written", function()
  local emulator

  before_each(function() emulator = process.start_emulator() end)
  after_each(function() emulator:stop() end)

  it("does not end a failover, nor lose its token", function()
    local output = emulator:shell(CLOSED)
    assert.matches("client token %x+ %(continue with: alicloud%-dr failover pg%-orders ", output)
    assert.matches("some of the output could not be written: [^\n]+\ncode 1\n$", output)
    assert.equal(1, emulator:effects())
    assert.matches("already failovered", (emulator:shell(
      "alicloud-dr failover pg-orders --region cn-shanghai --yes")))
  end)

  it("is told of, with an exit code that is not 0", function()
    for _, words in ipairs { "status", "status --json", "version", "precheck pg-orders" } do
      local output = emulator:shell("alicloud-dr " .. words .. " >/dev/full; echo code $?")
      assert.matches("^alicloud%-dr: some of the output could not be written: No space left.*"
        .. "\ncode 1\n$", output)
    end
  end)

  it("makes an exit code no milder", function()
    local output = emulator:shell("alicloud-dr status pg-nope --json >/dev/full; echo code $?")
    assert.matches("code 2\n$", output)
  end)
end)
