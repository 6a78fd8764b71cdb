-- A real SIGINT to a real command: the stand-alone interpreter raises "interrupted!" wherever Lua
-- happens to be, also while it waits for the network or sleeps.

local process = require "spec.process"

local FAILOVER = "alicloud-dr failover pg-orders --region cn-shanghai --yes"

describe("Ctrl-C during a failover", function()
  local emulator

  before_each(function()
    emulator = process.start_emulator { speed = 1, faults = [[
      return { { match = { action = "FailoverDiskReplicaGroup" }, effect = { stuck = true } } }
    ]] }
  end)

  after_each(function() emulator:stop() end)

  it("ends with code 130, the token, the last state and the command that goes on", function()
    local output = emulator:interrupt(FAILOVER, "failovering")
    assert.matches("^exit code 130\n", output)
    assert.matches("interrupted; last seen: failovering, 0/3 pairs failovered", output)
    local token = output:match("client token (%x+)")
    assert.is_string(token, output)
    assert.is_truthy(output:find("go on:  alicloud-dr failover pg-orders --region cn-shanghai "
      .. "--client-token " .. token, 1, true), output)
  end)

  it("prints a command that asks the same endpoint with the same limits", function()
    local output = emulator:interrupt(("env -u ALIBABA_CLOUD_ENDPOINT %s --endpoint %s "
      .. "--max-rpo 1d --poll 0.2"):format(FAILOVER, emulator.start.endpoint), "failovering")
    local token = output:match("client token (%x+)")
    local typed = (" --endpoint %s --max-rpo 1d --poll 0.2\n"):format(emulator.start.endpoint)
    assert.is_truthy(output:find("--client-token " .. token .. typed, 1, true), output)
    assert.is_truthy(output:find("look:   alicloud-dr status pg-orders --region cn-shanghai "
      .. "--endpoint " .. emulator.start.endpoint .. "\n", 1, true), output)
  end)
end)
