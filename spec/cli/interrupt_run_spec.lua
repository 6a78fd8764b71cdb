-- A real signal to a real run, wherever it is: the run ends as interrupted and its journal says so,
-- nothing is undone, and what it held is free.

local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"

local BEGIN = [[
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local function here() io.stderr:write "here\n" end
local function compute() here() while true do end end
local function undone() io.stderr:write "UNDONE\n" return true end
return dr.playbook("interrupted", function(run)
  run:step("first", { undo = undone }, function() return 1 end)
  %s
  run:step("behind", function() io.stderr:write "WENT ON\n" run.loop.sleep(600) end)
end)]]

-- The journal's events.
local function read(path)
  local events = {}
  for line in io.lines(path) do events[#events + 1] = core.decode(line).event end
  return events
end

local PLACES = {
  ["a step that computes"] = [[ run:step("now", compute) ]],
  ["a step that computes in a coroutine of its own"] =
    [[ run:step("now", function() coroutine.wrap(compute)() end) ]],
  ["a task that computes in a coroutine of its own"] = [[ run:step("now", function()
      run.loop.spawn(function() for _ in coroutine.wrap(compute) do end end):result()
    end) ]],
  ["a step with a time limit that computes"] =
    [[ run:step("now", { timeout = "90s" }, compute) ]],
  ["a step that catches every error"] = [[ run:step("now", function()
      here()
      while true do pcall(function() for _ = 1, 100 do end end) end
    end) ]],
  ["a step that catches an error and returns"] =
    [[ run:step("now", function() pcall(compute) return 7 end) ]],
  ["a step that waits"] = [[ run:step("now", function() here() run.loop.sleep(600) end) ]],
  ["a step that catches what ends its waits"] = [[ run:step("now", function()
      here()
      pcall(run.loop.sleep, 600)
      pcall(run.loop.sleep, 600)
      error "it could not be done"
    end) ]],
  ["a step that blocks"] =
    [[ run:step("now", function() here() core.poll(nil, "r", 60) error "too late" end) ]],
  ["a step that is to go on after its errors"] =
    [[ run:step("now", { on_error = "continue" }, compute) ]],
  ["a step that asks after its errors"] = [[ run:step("now", { on_error = "ask" }, compute) ]],
  ["a step whose errors lead elsewhere"] =
    [[ run:step("now", { on_error = "goto:behind" }, compute) ]],
  ["a probe"] = [[ run:verify("now", { timeout = "10m" }, function() here() return false end) ]],
  ["a probe that computes"] = [[ run:verify("now", { timeout = "10m" }, compute) ]],
  ["a gate"] = [[ here()
    local key = core.ed25519_public(("7"):rep(64))
    run:gate("now", { need = 1, of = { ops = key }, expires = "10m" }) ]],
  ["one of eight branches"] = [[ run:each({ 1, 2, 3, 4, 5, 6, 7, 8 }, { parallel = 8 },
      function(n, branch)
        branch:step("now", { undo = undone }, function()
          if n == 8 then compute() end
          run.loop.sleep(600)
        end)
      end) ]],
  ["eight branches that wait"] = [[ run:each({ 1, 2, 3, 4, 5, 6, 7, 8 }, { parallel = 8 },
      function(n, branch)
        branch:step("now", { undo = undone }, function()
          if n == 8 then here() end
          run.loop.sleep(600)
        end)
      end) ]],
  ["a program"] =
    [[ run:step("now", function() return run:program "echo here >&2; exec sleep 600" end) ]],
  ["a playbook that computes"] = [[ compute() ]],
  ["a playbook that catches every error"] = [[ pcall(run.step, run, "now", compute) ]],
}

describe("an interrupt meets", function()
  local emulator

  lazy_setup(function() emulator = process.start_emulator {} end)
  lazy_teardown(function() emulator:stop() end)

  local function interrupt(body, signal)
    local book = scratch.file(BEGIN:format(body), ".lua")
    local journal = scratch.path ".journal"
    local output = emulator:interrupt((process.LIMITED .. "alicloud-dr run %s --no-ask "
      .. "--journal %s"):format(book, journal), "here", signal)
    return output, journal
  end

  local function assert_interrupted(output, journal)
    assert.matches("^exit code 130\n", output)
    assert.is_nil(output:find("UNDONE", 1, true), output)
    assert.is_nil(output:find("WENT ON", 1, true), output)
    assert.matches("go on:  alicloud%-dr resume ", output)
    local events = read(journal)
    assert.equal("interrupted", events[#events].type)
    for _, event in ipairs(events) do
      local has_ended = event.type == "step_end" and event.step:find "now"
      assert.is_falsy(has_ended, core.encode(event))
    end
  end

  for place, body in pairs(PLACES) do
    it(place, function() assert_interrupted(interrupt(body)) end)
  end

  it("the look of a step that was interrupted before", function()
    local _, journal = interrupt [[ run:step("now", { check = compute }, compute) ]]
    local output = emulator:interrupt((process.LIMITED .. "alicloud-dr resume %s --no-ask"):format(
      journal), "here")
    assert_interrupted(output, journal)
  end)

  it("the undoing of a step", function()
    local output, journal = interrupt [[
      run:step("undone", { undo = compute }, function() end)
      run:step("fails", function() error "FAILED" end)]]
    assert_interrupted(output, journal)
  end)

  -- What is done in a shielded scope is done, though it computes.
  it("what must be done, and leaves it alone", function()
    local output, journal = interrupt [[
      run:step("now", function()
        local cleared <close> = setmetatable({}, { __close = function()
          run.loop.scope(function()
            for _ = 1, 1000000 do end
            run.loop.sleep(0.1)
            for _ = 1, 1000000 do end
            io.stderr:write "CLEARED\n"
          end, { shield = true, timeout = 30 })
        end })
        compute()
      end)]]
    assert_interrupted(output, journal)
    assert.matches("CLEARED", output)
  end)

  it("the check of a drill, and says that the drill is cleared first", function()
    local output, journal = interrupt [[
      local group = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("now", function()
        return group:drill { check = function() here() run.loop.sleep(600) end }
      end)]]
    assert_interrupted(output, journal)
    assert.matches("\n    interrupted: clearing the drill of pg%-orders before the end", output)
  end)

  it("a drill that cannot be cleared, and names the command for it at the end", function()
    local refusing = process.start_emulator { faults = [[
      return { { match = { action = "ClearReplicaGroupDrill" },
        effect = { error = { code = "Forbidden", status = 403 } } } }
    ]] }
    local output = refusing:interrupt((process.LIMITED .. "alicloud-dr run %s --no-ask "
      .. "--journal %s"):format(scratch.file(BEGIN:format [[
        local group = run:group("pg-orders", { region = "cn-shanghai" })
        run:step("now", function()
          return group:drill { check = function() here() run.loop.sleep(600) end }
        end)]], ".lua"), scratch.path ".journal"), "here")
    refusing:stop()
    assert.matches("^exit code 130\n", output)
    assert.matches("\nalicloud%-dr: drill pg%-drill%-%x+ of pg%-orders is not cleared and costs "
      .. "money [^\n]*: alicloud%-dr drill clear pg%-orders pg%-drill%-%x+ %-%-region "
      .. "cn%-shanghai %-%-endpoint http://%S+\n"
      .. "alicloud%-dr: interrupted\n    go on:  ", output)
  end)

  it("a listener", function()
    local output, journal = interrupt [[
      run:on("note", function() here() run.loop.sleep(600) end)
      run:note "told"
      run:step("now", function() run.loop.sleep(600) end)]]
    assert_interrupted(output, journal)
  end)

  for signal, code in pairs { TERM = 143, HUP = 129 } do
    it("a step that computes, as SIG" .. signal, function()
      local output, journal = interrupt(PLACES["a step that computes"], signal)
      assert.matches(("^exit code %d\n"):format(code), output)
      local events = read(journal)
      assert.equal("interrupted", events[#events].type)
    end)
  end
end)
