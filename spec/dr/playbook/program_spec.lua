-- Programs of a step, as the run sees them: what becomes of their output and of how they ended.

local alicloud = require "alicloud"
local child = require "spec.child"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local journals = require "alicloud.dr.journal"
local memory = require "alicloud.dr.store.memory"
local process = require "spec.process"
local scratch = require "spec.scratch"
local stages = require "spec.dr.playbook.stage"

local function book(command, options)
  return dr.playbook("spec", function(branch)
    branch:step("program", function(own) return own:program(command, {}, options) end)
    return "done"
  end)
end

-- Runs one program in a step; result, error, the events of what it said.
local function run(command, options)
  local stage = stages.new()
  local result, err = stage:run(book(command, options))
  return result, err, stage:events "output", dr.report(stage:events()):render "md"
end

local function outputs_in(journal)
  local events = {}
  for line in scratch.read(journal):gmatch "[^\n]+" do
    local event = core.decode(line).event
    if event.type == "output" then events[#events + 1] = event end
  end
  return events
end

-- The same over a journal in a file.
local function run_in_file(command, options)
  local stage, journal = stages.new(), scratch.directory() .. "/run.jsonl"
  local result, err = dr.run(book(command, options), { client = stage.bench.client,
    journal = journal, requester = "operator" })
  return result, err, outputs_in(journal), journal
end

describe("what a program says", function()
  local SAID = {
    ["in one line without an end"] = "head -c 400000 /dev/zero | tr '\\0' a",
    ["in bytes that are no text"] = "head -c 400000 /dev/zero | tr '\\0' '\\200'",
    ["in empty lines"] = "yes '' | head -c 400000",
  }
  for name, command in pairs(SAID) do
    -- The others of the loop wait meanwhile. It once was a minute.
    it(name .. " is taken in no time", function()
      local began = os.clock()
      local result, err, events = run_in_file(command, { keep = true })
      assert.is_truthy(result, err)
      assert.is_true(events[1].cut)
      assert.is_true(os.clock() - began < 10)
    end)
  end

  it("is told in lines, with either end, and broken between characters", function()
    local _, _, events = run_in_file("printf 'a\\r\\n\\r\\n\\rb\\nc\\r'", { keep = true })
    assert.equal("a\n\n\\x0db\nc", events[1].text)
    local long = ("a"):rep(3999) .. "\u{20AC}bc"
    _, _, events = run_in_file("printf '" .. long .. "'", { keep = true })
    assert.equal(("a"):rep(3999) .. "\n\u{20AC}bc", events[1].text)
  end)
end)

describe("a program that writes more than is taken", function()
  it("goes on to its end, and the journal says how much it was and where", function()
    local mark = scratch.path()
    local result, err, events, journal = run_in_file("seq 1 30000; echo end >" .. mark)
    assert.is_truthy(result, err)
    assert.equal("end\n", scratch.read(mark))
    assert.equal(1, #events)
    local event = events[1]
    assert.same({ "program", "", true, true, 168894, 168894 },
      { event.step, event.text, event.ok, event.cut, event.bytes, event.kept })
    assert.equal(journal .. ".output.", event.file:sub(1, #journal + 8))
    assert.equal(168894, core.look(event.file).bytes)
    assert.equal(tonumber("600", 8), core.look(event.file).mode)
  end)

  it("is kept in the directory for such things where the journal is in none", function()
    local result, err, events, text = run("seq 1 30000; exit 3")
    assert.is_nil(result)
    assert.equal("Client.ProgramFailed", err.code)
    assert.matches("exit code 3", err.message)
    local event = events[1]
    assert.is_false(event.ok)
    assert.same({ 168894, 168894 }, { event.bytes, event.kept })
    assert.matches("^/.*/alicloud%-dr%.output%.%x+$", event.file)
    assert.is_truthy(text:find("it wrote 168894 bytes, of which all are in ", 1, true), text)
    assert.is_truthy(os.remove(event.file))
  end)

  it("keeps the last of it in the journal, as ever, and all of it in a file", function()
    local result, _, events, journal = run_in_file("seq 1 3000; echo last >&2", { keep = true })
    assert.is_truthy(result)
    local event = events[1]
    assert.is_true(event.cut and #event.text <= 4096)
    assert.matches("\n3000\nlast$", event.text)
    assert.same({ 13898, 13898 }, { event.bytes, event.kept })
    assert.equal(journal .. ".output.", event.file:sub(1, #journal + 8))
    local text = scratch.read(event.file)
    assert.equal(13898, #text)
    assert.matches("^1\n2\n3\n", text)
    assert.matches("\n3000\nlast\n$", text)
  end)

  it("has no file as long as it is not too much", function()
    for _, options in ipairs { {}, { keep = true } } do
      local result, _, events, journal = run_in_file("seq 1 500", options)
      assert.is_truthy(result)
      assert.is_nil(events[1] and (events[1].file or events[1].bytes or events[1].cut))
      assert.same({ core.look(journal) and 1 or 0, options.keep and 1 or 0 }, { 1, #events })
      for _, name in ipairs(core.list_directory(journal:match "^(.*)/")) do
        assert.is_nil(name:find("output", 1, true))
      end
    end
  end)

  it("is told on the screen of a command and in its journal, whatever ends it", function()
    local emulator = process.start_emulator { speed = 1 }
    finally(function() emulator:stop() end)
    local function told(line, options, timeout)
      local output = emulator:shell(("ALICLOUD_DR_JOURNALS=%s alicloud-dr run %s"):format(
        scratch.directory(), scratch.file(([[
          local dr = require "alicloud.dr"
          return dr.playbook("loud", function(run)
            run:step("loud", { timeout = %q }, function()
              return run:program(%q, nil, %s)
            end)
          end)]]):format(timeout, line, options), ".lua")))
      local bytes, file = output:match
        "it wrote (%d+) bytes: all of it is in (/[^\n]+%.output%.%x+)"
      assert.is_string(file, output)
      assert.equal(tonumber(bytes), core.look(file).bytes)
      local event = outputs_in(file:match "^(.*%.jsonl)%.")[1]
      assert.same({ file, tonumber(bytes) }, { event.file, event.bytes })
      return output, event
    end
    local _, event = told("seq 1 30000", "{}", "1h")
    assert.is_true(event.ok)
    for options, last in pairs { ["{}"] = "", ["{ keep = true }"] = "\n30000" } do
      local output
      -- All that it says is there by then, also where programs are watched.
      output, event = told("seq 1 30000; exec sleep 600", options, "4s")
      assert.is_truthy(output:find("Client.StepTimeout", 1, true), output)
      assert.same({ false, last }, { event.ok, event.text:sub(-#last) })
    end
  end)

  it("names the file once where not all of it is kept", function()
    local emulator = process.start_emulator { speed = 1 }
    finally(function() emulator:stop() end)
    local place = scratch.directory()
    local output = emulator:shell(("ALICLOUD_DR_JOURNALS=%s alicloud-dr run %s"):format(
      place, scratch.file([[
        local dr = require "alicloud.dr"
        return dr.playbook("loud", function(run)
          run:step("loud", function() return run:program "head -c 70000000 /dev/zero" end)
        end)]], ".lua")))
    os.execute("rm -rf " .. place)
    assert.matches("it wrote 70000000 bytes: 67108864 bytes of it %(the file is too large%) are "
      .. "in /[^\n]+%.output%.%x+\n", output)
  end)
end)

describe("the program of a step", function()
  it("is over though a daemon that it left behind has its output open", function()
    local before = core.monotonic()
    local place = scratch.path()
    for _, options in ipairs { {}, { keep = true } } do
      local result, err = run("sleep 600 & echo $! >" .. place .. "; echo done", options)
      assert.is_truthy(result, err)
      assert(os.execute("kill " .. scratch.read(place)))
    end
    assert.is_true(core.monotonic() - before < 120)
  end)

  it("succeeds in a command that was told to ignore the end of its children", function()
    local emulator = process.start_emulator { speed = 1 }
    finally(function() emulator:stop() end)
    local path = scratch.file([[
      local dr = require "alicloud.dr"
      return dr.playbook("programs", function(run)
        run:step("fine", function() return run:program "true" end)
        run:step("not", function() return run:program "exit 7" end)
      end)]], ".lua")
    local output = emulator:shell(([[trap "" CHLD; ALICLOUD_DR_JOURNALS=%s alicloud-dr run %s]])
      :format(scratch.directory(), path))
    assert.is_truthy(output:find("exit 7: exit code 7", 1, true), output)
  end)

  it("ends with its children when the command is killed", function()
    local emulator = process.start_emulator { speed = 1 }
    finally(function() emulator:stop() end)
    for _, signal in ipairs { "KILL", "TERM" } do
      local place = scratch.path()
      emulator:interrupt(("env ALICLOUD_DR_JOURNALS=%s alicloud-dr run %s"):format(
        scratch.directory(), scratch.file(([[
          local dr = require "alicloud.dr"
          return dr.playbook("programs", function(run)
            run:step("step", function()
              return run:program "sleep 600 & echo $$ $! >%s; echo id= >&2; wait"
            end)
          end)]]):format(place), ".lua")), "id=", signal)
      local ends = core.monotonic() + 60
      for pid in scratch.read(place):gmatch "%d+" do
        while child.is_alive(math.tointeger(tonumber(pid))) do
          assert.is_true(core.monotonic() < ends)
          core.poll(nil, "r", 0.01)
        end
      end
    end
  end)
end)

describe("a program that is cut short", function()
  it("leaves in the journal what it has said, whatever ends it", function()
    local client = alicloud.client { region = "cn-shanghai", access_key_id = "id",
      access_key_secret = "secret" }
    local disk, mark = memory.disk(), scratch.path()
    local result, err = dr.run(dr.playbook("spec", function(branch)
      branch:step("program", { timeout = "1h", graceful_only = true }, function(own)
        -- It has said all that it will when the mark is there.
        own.loop.spawn(function()
          repeat own.loop.sleep(0.01) until core.look(mark)
          own:switch("ungraceful", "it hangs")
        end)
        return own:program("echo half >&2; touch " .. mark .. "; exec sleep 60", {},
          { keep = true })
      end)
    end), { client = client, store = disk:open "run", requester = "operator" })
    assert.is_table(result, tostring(err))
    local events = journals.read(disk:text "run").events
    local output
    for _, event in ipairs(events) do output = event.type == "output" and event or output end
    assert.same({ "program", "half", false, true },
      { output.step, output.text, output.ok, output.cut_short })
    assert.matches("it said before it was cut short: half", dr.report(events):render "md", 1, true)
  end)
end)

describe("a program of a function of run:on", function()
  local ENDS = { finished = function() return true end, stopped = function() return nil, "no" end,
    interrupted = function() error("interrupted!", 0) end }

  for ending, body in pairs(ENDS) do
    it("is told how the run ended: " .. ending, function()
      local stage, path = stages.new(), scratch.path()
      stage:run(function(branch)
        branch:on(ending, function(event)
          branch:program(("echo $ALICLOUD_DR_TOLD >>'%s'"):format(path),
            { told = event.type }, { keep = true })
        end)
        branch:step("last", body)
      end)
      assert.equal(ending .. "\n", scratch.read(path))
      -- It belongs to no step, and the journal keeps nothing of it.
      assert.same({}, stage:events "output")
    end)
  end

  it("is none of the step during which it runs", function()
    local stage, path = stages.new(), scratch.path()
    local result, err = stage:run(function(branch)
      branch:on("note", function() branch:program(("echo told >>'%s'"):format(path)) end)
      branch:step("step", function()
        branch:note "a line"
        branch.loop.sleep(1)
        return not branch.ran_program
      end)
    end)
    assert.is_truthy(result, err)
    assert.is_true(stage:events "step_end"[1].result)
    assert.equal("told\n", scratch.read(path))
  end)

  it("is refused elsewhere", function()
    local _, err = stages.new():run(function(branch) branch:program "true" end)
    assert.matches("program: only inside of a step, or of a function of run:on", err.message)
  end)

  -- A mistake is told where it is made, and of a plan, too; nothing was started.
  it("is refused where it is no command line, or has variables that none can have", function()
    local many = {}
    for i = 1, 51 do many["v" .. i] = i end
    for _, one in ipairs {
      { "command: got nothing" }, { "command: got a table", { "echo" } }, { "command: got 7", 7 },
      { "command: got \"\"", "" }, { "command: got", "echo a\0b" },
      { "variables: got \"x\"", "true", "x" }, { "variables: got", "true", { a = {} } },
      { "variables: got", "true", { ["a=b"] = 1 } }, { "up to 50", "true", many } } do
      local _, err = stages.new():run(function(branch)
        branch:step("program", function(own) return own:program(one[2], one[3]) end)
      end)
      assert.matches("playbook: program: .*" .. one[1], err.message)
    end
    many.v51 = nil
    local result = stages.new():run(function(branch)
      branch:step("program", function(own)
        return own:program("test $ALICLOUD_DR_V50$ALICLOUD_DR_V1 = 501", many)
      end)
    end)
    assert.equal("completed", result.status)
  end)
end)
