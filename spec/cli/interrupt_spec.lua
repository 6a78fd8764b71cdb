-- A real signal to a real command: the stand-alone interpreter raises "interrupted!" wherever Lua
-- happens to be, also while it waits for the network or sleeps.

local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"

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

-- systemd, a CI and `timeout` end a program with SIGTERM; a lost terminal sends SIGHUP.
describe("a command that is ended by", function()
  local emulator

  before_each(function()
    emulator = process.start_emulator { speed = 1, faults = [[
      return { { match = { action = "FailoverDiskReplicaGroup" }, effect = { stuck = true } } }
    ]] }
  end)

  after_each(function() emulator:stop() end)

  for signal, code in pairs { TERM = 143, HUP = 129 } do
    it("SIG" .. signal .. " says the same farewell as for Ctrl-C", function()
      local output = emulator:interrupt(FAILOVER, "failovering", signal)
      assert.matches(("^exit code %d\n"):format(code), output)
      assert.matches("interrupted[^\n]*; last seen: failovering", output)
      assert.matches("go on:  alicloud%-dr failover pg%-orders [^\n]*%-%-client%-token %x+", output)
    end)

    it("SIG" .. signal .. " gives its JSON object with outcome, token and exit code", function()
      local output = emulator:interrupt(FAILOVER .. " --json", "client token", signal)
      assert.matches(("^exit code %d\n"):format(code), output)
      local object = core.decode(output:match "\n(%b{})\n$")
      assert.equal(code, object.exit)
      assert.equal("unknown", object.error.outcome)
      assert.equal(output:match "client token (%x+)", object.error.client_token)
    end)
  end

  it("SIGHUP goes on under nohup", function()
    local output = emulator:interrupt("nohup " .. FAILOVER .. " --timeout 2s --poll 0.2",
      "failovering", "HUP")
    assert.matches("^exit code 3\n", output)
  end)

  it("SIGTERM leaves a journal that says so, a way on, and none of its programs", function()
    local place = scratch.directory()
    local output = emulator:interrupt(([[env ALICLOUD_DR_JOURNALS=%s alicloud-dr run %s]]):format(
      place, scratch.file([[
        local dr = require "alicloud.dr"
        return dr.playbook("programs", function(run)
          run:step("hook", function() return run:program "echo id=$$= >&2; exec sleep 300" end)
        end)]], ".lua")), "id=", "TERM")
    assert.matches("^exit code 143\n", output)
    assert.matches("interrupted by SIGTERM\n +go on:  alicloud%-dr resume ", output)
    assert.is_false(core.is_process(math.tointeger(tonumber(output:match "id=(%d+)="))))
  end)

  for signal, code in pairs { INT = 130, TERM = 143 } do
    it("SIG" .. signal .. " undoes nothing, though a step blocks outside the loop", function()
      local output = emulator:interrupt(([[env ALICLOUD_DR_JOURNALS=%s alicloud-dr run %s]]):format(
        scratch.directory(), scratch.file([[
          local core = require "alicloud.core"
          local dr = require "alicloud.dr"
          return dr.playbook("blocks", function(run)
            run:step("first", { undo = function() io.stderr:write "UNDONE" end }, function()
              return 1
            end)
            run:step("blocks", { timeout = "90s" }, function()
              io.stderr:write "here\n"
              core.poll(nil, "r", 60)
              return true
            end)
            run:step("behind", function() run.loop.sleep(60) end)
          end)]], ".lua")), "here", signal)
      assert.matches(("^exit code %d\n"):format(code), output)
      assert.is_nil(output:find("UNDONE", 1, true), output)
    end)
  end
end)
