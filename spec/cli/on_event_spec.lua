-- `--on-event`: a program for each event, which can neither delay nor fail what goes on, and which
-- is told of the end, however that comes.

local core = require "alicloud.core"
local event_programs = require "alicloud.cli.event_program"
local process = require "spec.process"
local runtimes = require "alicloud.base.runtime"
local scratch = require "spec.scratch"
local shared_loops = require "alicloud.loop.shared"

local LOG = "echo \"$ALICLOUD_DR_SEQ $ALICLOUD_DR_TYPE $ALICLOUD_DR_MISSED\" >>'%s'"

-- A step that takes until it is ended.
local BOOK = [[
return require "alicloud.dr".playbook("book", function(run)
  run:step("wait", function()
    run:note "waiting"
    return run:program "exec sleep 60"
  end)
end)]]

local function program_of(line)
  local warned = {}
  local program = event_programs.new(shared_loops.of_clock(runtimes.new {}), line,
    function(words) warned[#warned + 1] = words end)
  return program, warned
end

local function read(path)
  return core.look(path) and scratch.read(path) or ""
end

describe("a program for events", function()
  it("is started for each, in their order, and told of each", function()
    local emulator <close> = process.start_emulator()
    local output, ok = emulator:shell [[cd "$TMPDIR"; rm -f log env
      alicloud-dr failover pg-orders --region cn-shanghai --yes --events events --on-event \
        'env >env; printf "%s\n" "$ALICLOUD_DR_EVENT" >>log' >out 2>&1 || cat out
      cmp log events && cat env]]
    assert.is_true(ok, output)
    assert.matches("\nALICLOUD_DR_TYPE=end\n", "\n" .. output)
    assert.matches("\nALICLOUD_DR_MISSED=0\n", "\n" .. output)
    assert.is_nil(output:find("SECRET", 1, true))
    assert.is_nil(output:find(emulator.start.access_key_secret, 1, true))
  end)

  it("fails nothing, which is told once", function()
    local emulator <close> = process.start_emulator()
    local output = emulator:shell [[alicloud-dr failover pg-orders --region cn-shanghai --yes \
      --on-event 'exit 7'; echo "ended $?"]]
    assert.matches("\nended 0\n$", output)
    local _, times = output:gsub("warning: %-%-on%-event: begin: exit code 7 %(told once%)", "")
    assert.equal(1, times, output)
    output = emulator:shell [[alicloud-dr failover pg-payments --region cn-shanghai --yes \
      --on-event ' '; echo "ended $?"]]
    assert.matches("%-%-on%-event: is empty; allowed: a command line for sh\nended 2\n$", output)
  end)

  it("is told of the end, and leaves none behind, when the command is interrupted", function()
    local emulator <close> = process.start_emulator()
    for signal, code in pairs { TERM = 143, INT = 130, HUP = 129 } do
      local log, book = scratch.path ".log", scratch.file(BOOK, ".lua", "600")
      local output = emulator:interrupt(("ALICLOUD_DR_JOURNALS='%s' alicloud-dr run '%s' "
        .. "--region cn-shanghai --on-event %s"):format(scratch.directory(), book,
        '"echo \\$ALICLOUD_DR_TYPE >>' .. log .. '"'), "waiting", signal)
      assert.matches("^exit code " .. code, output)
      assert.equal("begin\nrun\nattempt\nstep_begin\nnote\ninterrupted\nend\n", read(log), output)
    end
  end)

  it("leaves the oldest of a burst out, says how many, and never the last", function()
    local log = scratch.path ".log"
    local program, warned = program_of(LOG:format(log))
    program.most = 3
    for i = 1, 20 do program:take("note", i, "{}") end
    program:take("end", 21, "{}")
    program:close()
    assert.equal("19 note 18\n20 note 0\n21 end 0\n", read(log))
    assert.same({}, warned)
  end)

  it("has a limited time, and at the end all have one together", function()
    local log = scratch.path ".log"
    local program, warned = program_of(("[ $ALICLOUD_DR_TYPE = end ] || exec sleep 60; %s"):format(
      LOG:format(log)))
    program.limit, program.patience = 0.5, 0.2
    -- The last one may take the time that a busy machine needs to start it.
    function program.warn(words)
      warned[#warned + 1], program.limit = words, 30
    end
    for i = 1, 50 do program:take("note", i, "{}") end
    program:take("end", 51, "{}")
    local began = core.monotonic()
    program:close()
    assert.is_true(core.monotonic() - began < 30)
    assert.equal("51 end 49\n", read(log))
    assert.same({ "--on-event: note: it took more than 0.5 s (told once)" }, warned)
  end)

  it("sees an event that is too long for a variable by its type", function()
    local log = scratch.path ".log"
    local program = program_of("printf '%s %s\\n' \"$ALICLOUD_DR_TYPE\" \"$ALICLOUD_DR_EVENT\" >>"
      .. log)
    program:take("note", 1, ("x"):rep(200000))
    program:take("end", 2, "{}")
    program:close()
    assert.equal("note \nend {}\n", read(log))
  end)
end)
