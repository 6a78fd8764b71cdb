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

  it("that is waited for says where to look, though nothing was sent", function()
    emulator:interrupt(FAILOVER, "failovering")
    local output = emulator:interrupt(FAILOVER, "under way already")
    assert.matches("^exit code 130\n", output)
    assert.matches("nothing was sent, and one is under way\n"
      .. "    look:   alicloud%-dr status pg%-orders %-%-region cn%-shanghai\n", output)
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

-- Commands that only look have nothing to say but that they were interrupted.
describe("Ctrl-C ends", function()
  local emulator

  setup(function()
    emulator = process.start_emulator { speed = 1, faults = [[
      return { { match = { action = "DescribeDiskReplicaGroups" }, when = "before",
        effect = { delay = 36000 } } }
    ]] }
  end)

  teardown(function() emulator:stop() end)

  -- Once it has asked.
  local function interrupted(command)
    local asked, mark = emulator:asked(), scratch.path()
    local job = emulator:begin_interrupt(("{ (until test -e %s; do sleep 0.02; done; echo here) & "
      .. "exec %s %s; }"):format(mark, process.LIMITED, command), "here")
    process.wait_until("a question", function() return emulator:asked() > asked end)
    scratch.write(mark, "")
    return (job:finish())
  end

  -- Once it has a child beside the shell that looks for one.
  local function interrupted_in_child(command)
    return emulator:interrupt(([[{ sh -c '
        until grep -ls "^PPid:.$PPID$" /proc/[0-9]*/status | grep -qvx "/proc/$$/status"; do
          kill -0 $PPID || exit
          sleep 0.02
        done
        echo here' & exec %s; }]]):format(command), "here")
  end

  local BOOK = [[
    io.stderr:write "here\n"
    while true do end]]

  for name, command in pairs {
    status = "alicloud-dr status pg-orders",
    precheck = "alicloud-dr precheck pg-orders",
    readiness = "alicloud-dr readiness pg-orders",
    call = "alicloud-dr call DescribeDiskReplicaGroups",
    failover = "alicloud-dr failover pg-orders --yes",
  } do
    it(name .. " that waits for an answer", function()
      local output = interrupted(command)
      assert.matches("^exit code 130\n", output)
      assert.matches("interrupted", output)
    end)
  end

  it("a playbook that computes before it is one", function()
    local output = emulator:interrupt(process.LIMITED .. "alicloud-dr run "
      .. scratch.file(BOOK, ".lua"), "here")
    assert.matches("^exit code 130\n", output)
    assert.matches("interrupted", output)
  end)

  it("plan, whatever the playbook does", function()
    local output = interrupted_in_child("alicloud-dr plan " .. scratch.file([[
      local dr = require "alicloud.dr"
      return dr.playbook("endless", function() while true do end end)]], ".lua"))
    assert.matches("^exit code 130\n", output)
  end)

  it("a command that is being loaded", function()
    local text, code = process.sh(([[lua5.4 -e '
      local start = loadfile("lua/alicloud/cli/installed.lua")("%s", "%s")
      package.preload["alicloud.cli.main"] = function() error "interrupted!" end
      os.exit(start {})']]):format(core.real_path "lua",
      core.real_path(os.getenv "ALICLOUD_BUILD")))
    assert.equal("alicloud-dr: interrupted\n", text)
    assert.equal(130, code)
  end)

  it("explore", function()
    local output = interrupted_in_child(
      "alicloud-dr explore failover group=pg-orders --seeds 1000000")
    assert.matches("^exit code 130\n", output)
  end)
end)

describe("at a terminal", function()
  local function has_script()
    return select(2, process.sh "command -v script >/dev/null") == 0
  end

  -- Without a shell between, which would end by a Ctrl-C once the session has ended.
  local SESSION = "exec env ALIBABA_CLOUD_ACCESS_KEY_ID=x ALIBABA_CLOUD_ACCESS_KEY_SECRET=y "
    .. "alicloud-dr repl --no-history --region cn-shanghai"

  it("Ctrl-C ends what computes in a session, and what waits, and the session goes on", function()
    if not has_script() then return pending "script is not installed" end
    -- The prompt comes when the session reads.
    local output = process.talk(SESSION, {
      { "ends.*> $", [[io.write("COM", "PUTES\\n") while true do end\n]] },
      { "COMPUTES", [[\003]] },
      { "> $", [[io.write("WAI", "TS\\n") client.loop.sleep(600)\n]] },
      { "WAITS", [[\003]] },
      { "> $", [[io.write("GOES", "ON\\n")\n]] },
      { "GOESON.*> $", [[\004]] },
    })
    assert.matches("^exit code 0\n", output)
    assert.matches("COMPUTES.*WAITS.*GOESON", output)
  end)
end)
