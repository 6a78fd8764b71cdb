local blocking = require "alicloud.loop.blocking"
local helper = require "spec.helper"
local process = require "spec.process"
local prompts = require "alicloud.cli.prompt"
local schedulers = require "alicloud.loop.scheduler"
local scratch = require "spec.scratch"

describe("questions to a person", function()
  local loop, io, said

  -- Whoever asks is answered after ten seconds, with how many questions there were.
  before_each(function()
    loop, said = schedulers.new(blocking.new(helper.runtime())), {}
    local count = 0
    io = {
      err = function(text) said[#said + 1] = text end,
      drop_typed = function() said[#said + 1] = "dropped" end,
      read_line = function(own)
        own.sleep(10)
        count = count + 1
        return " " .. count .. " "
      end,
    }
  end)

  local function ask(name)
    return prompts.ask(io, function() said[#said + 1] = name end, loop)
  end

  it("stand one after the other, while the other tasks go on", function()
    local answers, ticks = {}, 0
    local tasks = {}
    for i, name in ipairs { "a?", "b?", "c?" } do
      tasks[i] = loop.spawn(function()
        answers[i] = ask(name)
        said[#said + 1] = "answered"
      end)
    end
    local ticker <close> = loop.spawn(function()
      while true do
        loop.sleep(1)
        ticks = ticks + 1
      end
    end)
    for _, task in ipairs(tasks) do task:result() end
    assert.same({ "1", "2", "3" }, answers)
    assert.same({ "a?", "answered", "b?", "answered", "c?", "answered" }, said)
    assert.is_true(ticks >= 29, ticks)
    assert.is_false(ticker:done())
  end)

  it("that are given up make room for the next, and end their line", function()
    local first = loop.spawn(ask, "a?")
    local second = loop.spawn(ask, "b?")
    local third = loop.spawn(ask, "c?")
    loop.sleep(1)
    second:cancel()
    loop.sleep(1)
    first:cancel()
    assert.equal("1", third:result())
    assert.same({ "a?", "\n", "dropped", "c?" }, said)
  end)

  it("that are answered leave alone what is typed behind the answer", function()
    ask "a?"
    local given_up = loop.spawn(ask, "b?")
    loop.sleep(1)
    given_up:cancel()
    given_up:wait()
    ask "c?"
    ask "d?"
    assert.same({ "a?", "b?", "\n", "dropped", "c?", "d?" }, said)
  end)

  it("are shown again behind what is said while they stand", function()
    io.out, io.tty = function(text) said[#said + 1] = text end, true
    local asked = loop.spawn(prompts.choose, io, function() said[#said + 1] = "a\n" end, loop,
      "y/N? ", function(typed) return typed end)
    loop.sleep(1)
    io.out "b ended\n"
    io.err "c said\n"
    assert.equal("1", asked:result())
    io.out "d ended\n"
    assert.equal("a\ny/N? \nb ended\ny/N? \nc said\ny/N? d ended\n", table.concat(said))
  end)

  it("keep their turn if they are asked again", function()
    local picky = loop.spawn(prompts.choose, io, function() said[#said + 1] = "a?" end, loop, ": ",
      function(typed) return typed ~= "1" and typed or nil end)
    local next_one = loop.spawn(ask, "b?")
    assert.equal("2", picky:result())
    assert.equal("3", next_one:result())
    assert.same({ "a?", ": ", "a?", ": ", "b?" }, said)
  end)

  it("whose terminal fails make room for the next", function()
    local read, fails = io.read_line, true
    io.read_line = function(own)
      if not fails then return read(own) end
      fails = false
      own.sleep(1)
      error "broken"
    end
    local first, second = loop.spawn(ask, "a?"), loop.spawn(ask, "b?")
    assert.matches("broken", helper.raised(first.result, first))
    assert.equal("1", second:result())
  end)

  it("have no answer at the end of the input", function()
    io.read_line = function() return nil end
    assert.is_nil(ask "a?")
    assert.is_nil(prompts.ask(io, function() said[#said + 1] = "b?" end))
    assert.same({ "a?", "\n", "b?", "\n" }, said)
  end)
end)

local function has_script()
  return select(2, process.sh "command -v script >/dev/null") == 0
end

describe("a question at a real terminal", function()
  local emulator

  setup(function() emulator = process.start_emulator {} end)
  teardown(function() emulator:stop() end)

  -- Types a line when the output has some words.
  local function at_terminal(command, words, typed)
    return (emulator:shell(([[
      out=$(mktemp)
      (n=0
        until grep -q %s "$out" || [ $((n += 1)) -gt 1000 ]; do sleep 0.02; done
        %s
        sleep 1) |
        timeout -s KILL 60 script -qefc %s /dev/null >"$out"
      echo "exit code $?"
      cat "$out"]]):format(words, typed, "'" .. command .. "'")):gsub("\r", ""))
  end

  local function book(body)
    return scratch.file(([[
      local dr = require "alicloud.dr"
      return dr.playbook("asks", function(run)
        %s
      end)]]):format(body), ".lua")
  end

  local BRANCHES = [[
    run:parallel {
      one = function(branch)
        branch:step("one", { on_error = "ask" }, function() error "ONE" end)
      end,
      two = function(branch)
        branch:step("two", { on_error = "ask" }, function() branch.loop.sleep(0.1) error "TWO" end)
      end,
      other = function(branch)
        branch:step("other", function()
          branch.loop.sleep(0.5)
          io.stderr:write "WENT ON\n"
        end)
      end,
    }]]

  local function run(file)
    return ("alicloud-dr run %s --journal %s"):format(file, scratch.path ".journal")
  end

  it("holds up nobody else, and the next one waits for its answer", function()
    if not has_script() then return pending "script is not installed" end
    local output = at_terminal(run(book(BRANCHES)), '"WENT ON"', "printf 's\\ns\\n'")
    assert.matches("^exit code 0\n", output)
    assert.matches("ONE.*WENT ON.*TWO", output)
  end)

  it("ends with Ctrl-C", function()
    if not has_script() then return pending "script is not installed" end
    local output = at_terminal(run(book [[
      run:step("one", { undo = function() io.stderr:write "UNDONE" end }, function() end)
      run:step("two", { on_error = "ask" }, function() error "TWO" end)]]), '"sto(p)"',
      "printf '\\003'")
    assert.matches("^exit code 130\n", output)
    assert.is_nil(output:find("UNDONE", 1, true), output)
  end)

  it("ends with the time of what it is asked for", function()
    if not has_script() then return pending "script is not installed" end
    local output = at_terminal(run(book [[
      local ok, err = run.loop.scope(function()
        run:step("two", { on_error = "ask" }, function() error "TWO" end)
      end, { timeout = 1 })
      io.stderr:write("TOLD ", tostring(err), "\n")]]), '"TOLD"', "true")
    assert.matches("TOLD [^\n]*not done within 1 s", output)
  end)

  it("is not answered by what was typed for one that was given up", function()
    if not has_script() then return pending "script is not installed" end
    local output = at_terminal(run(book [[
      run.loop.scope(function()
        run:step("one", { on_error = "ask" }, function() error "ONE" end)
      end, { timeout = 0.5 })
      io.stderr:write "TOLD\n"
      -- Until there is something to read.
      run:step("pause", function() assert(require("alicloud.core").poll(0, "r", 60)) end)
      run:step("two", { on_error = "ask" }, function() error "TWO" end)]]), '"TOLD"',
      "printf 's\\n'; sleep 2; printf 'p\\n'")
    assert.matches("^exit code 1\n", output)
    assert.is_nil(output:find("skipped", 1, true), output)
  end)
end)
