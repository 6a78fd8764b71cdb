-- How a program ends, and what is known of it: with a daemon in its pipe, with much output, in a
-- host that does something with its children, in a host that is killed.

local blocking = require "alicloud.loop.blocking"
local child = require "spec.child"
local core = require "alicloud.core"
local posix = require "spec.posix"
local programs = require "alicloud.base.program"
local runtimes = require "alicloud.base.runtime"
local scratch = require "spec.scratch"

local loop = blocking.new(runtimes.new())

local function finish(process)
  local ends = core.monotonic() + 60
  while not process:step() do
    assert(core.monotonic() < ends, "it hangs")
    core.poll(process:pollfd(), "r", math.min(process:timeout() or 1, 1))
  end
  return process
end

local function run(line, given)
  local process <close> = assert(core.spawn({ "sh", "-c", line }, given and given.max or 1000, given
    and given.options))
  return finish(process):result()
end

-- Waits until it is so, or long enough.
local function soon(is_so)
  local ends = core.monotonic() + 60
  while not is_so() do
    if core.monotonic() > ends then return false end
    core.poll(nil, "r", 0.005)
  end
  return true
end

describe("a program that leaves a daemon behind", function()
  -- Its end, and what it wrote and said, while the daemon has the pipes yet.
  local function left(line)
    local place = scratch.path()
    local began, said = core.monotonic(), {}
    local ended = programs.run(loop, { "sh", "-c", line, place }, { max = 1000,
      say = function(text) said[#said + 1] = text end })
    assert.is_true(core.monotonic() - began < 50)
    local pid = math.tointeger(tonumber((scratch.read(place):gsub("%s", ""))))
    local lives = child.is_alive(pid)
    posix.kill(pid, "KILL")
    return ended, said, lives
  end

  it("is over when it has ended itself, and how it ended stays known", function()
    local ended, said, lives = left "sleep 100 & echo $! >$0; echo done; echo said >&2"
    assert.is_true(lives)
    assert.same({ 0, nil, 5 }, { ended.code, ended.signal, ended.output:length() })
    assert.same({ "said" }, said)
    assert.equal(7, (left "sleep 100 >/dev/null & echo $! >$0; exit 7").code)
    assert.equal(15, (left "sleep 100 2>/dev/null & echo $! >$0; kill $$").signal)
  end)

  it("is over though the daemon writes without an end, to either stream", function()
    local ended = left "yes >&2 & echo $! >$0; exit 3"
    assert.equal(3, ended.code)
    ended = left "while :; do echo; sleep 0.01; done & echo $! >$0; exit 4"
    assert.equal(4, ended.code)
  end)

  it("gives those a moment who write what it has given them", function()
    -- A program that is gone, and waited for, takes no signal, which is seen at once. To begin yet
    -- another program may take longer than the moment is.
    local output = run "{ while kill -0 $$; do :; done 2>/dev/null; echo late; } & echo early"
    assert.equal(#"early\nlate\n", output:length())
  end)
end)

describe("an output that is more than what is taken of it", function()
  local function spilled(line, max)
    local path = scratch.path()
    local process <close> = assert(core.spawn({ "sh", "-c", line }, max, { overflow = path }))
    local output, code, signal = finish(process):result()
    return output, { code, signal }, process:overflow(), path
  end

  it("is in a file, all of it and for its owner alone, and the program goes on", function()
    local output, ended, overflow, path = spilled("seq 1 30000; exit 3", 65536)
    assert.is_nil(output)
    assert.same({ 3 }, ended)
    assert.same({ bytes = 168894, kept = 168894 }, overflow)
    local text = scratch.read(path)
    assert.equal(168894, #text)
    assert.matches("^1\n2\n", text)
    assert.matches("\n29999\n30000\n$", text)
    assert.equal(tonumber("600", 8), core.look(path).mode)
  end)

  it("is none as long as it is not more", function()
    local output, ended, overflow, path = spilled("printf %0100d 1", 100)
    assert.same({ 100, { 0 } }, { output:length(), ended })
    assert.is_nil(overflow)
    assert.is_nil(core.look(path))
    output, ended, overflow, path = spilled("printf %0101d 1", 100)
    assert.same({ nil, { 0 }, { bytes = 101, kept = 101 } }, { output, ended, overflow })
    assert.equal(101, #scratch.read(path))
    assert.equal(5, select(3, spilled("echo abcd", 1)).kept)
  end)

  it("is counted where it cannot be kept, and the program goes on", function()
    local taken = scratch.file "mine"
    for path, words in pairs { [taken] = "it exists already",
      [taken .. "/x"] = "not a directory" } do
      local process <close> = assert(core.spawn({ "seq", "1", "3000" }, 100, { overflow = path }))
      assert.equal(0, (select(2, finish(process):result())))
      assert.same({ bytes = 13893, kept = 0, fault = path .. ": " .. words }, process:overflow())
    end
    assert.equal("mine", scratch.read(taken))
  end)

  it("is kept up to 64 MiB", function()
    local _, ended, overflow, path = spilled("head -c 67108865 /dev/zero", 10)
    assert.same({ 0 }, ended)
    assert.same({ bytes = 67108865, kept = 67108864,
      fault = path .. ": the file is too large" }, overflow)
    assert.equal(67108864, core.look(path).bytes)
    os.remove(path)
  end)

  it("ends in time where it does not end, and its file is told", function()
    local told
    local path = scratch.path()
    local ended = programs.run(loop, { "sh", "-c", "while :; do echo yes; sleep 0.01; done" },
      { max = 10, timeout = 2, overflow = path,
        exceeded = function(overflow) told = overflow end })
    assert.is_true(ended.late)
    assert.is_true(told.kept > 10 and told.kept == told.bytes, told.kept)
    assert.is_true(core.look(path).bytes >= 11)
    os.remove(path)
  end)

  it("still ends one whose output is to be taken whole", function()
    assert.same({ nil, nil, 9 }, { run("yes", { max = 100 }) })
    assert.is_false(pcall(core.spawn, { "true" }, 1, { overflow = "" }))
    assert.is_false(pcall(core.spawn, { "true" }, 1, { overflow = "a\0b" }))
    assert.is_false(pcall(core.spawn, { "true" }, 1, { overflow = {} }))
  end)
end)

describe("how a program ended is known in a host whose children are", function()
  for _, how in ipairs { "ignored", "not waited for", "reaped", "blocked" } do
    it(how, function()
      assert.equal(0, child.run(function()
        posix.children(how)
        assert.same({ 0, nil }, { select(2, run "echo out") })
        assert.same({ 3, nil }, { select(2, run "exit 3") })
        -- As a shell tells it.
        assert.same({ 143, nil }, { select(2, run "kill -15 $$") })
        assert.same({ nil, "no such program" }, { core.spawn({ "/no/such/program" }, 1) })
        assert.same({ nil, "no such program" }, { core.spawn({ "exit" }, 1) })
        assert.same({ nil, "no such program" }, { core.spawn({ "" }, 1) })
        assert.same({ nil, "it is not a program that may be run" },
          { core.spawn({ "/etc/passwd" }, 1) })
        assert.same({ nil, "it is not a program that may be run" }, { core.spawn({ "/etc" }, 1) })
        local said = {}
        local ended = programs.run(loop, { "sh", "-c", "echo said >&2; kill -9 $$" },
          { max = 100, say = function(line) said[#said + 1] = line end })
        assert.same({ 137, { "said" } }, { ended.code, said })
        local process <close> = core.spawn({ "printf", "%s|", "a b", "", "$x", "-n" }, 100)
        assert.equal(#"a b||$x|-n|", (finish(process):result()):length())
        io.stderr:close()
        assert.same({ 3, nil }, { select(2, run "exit 3") })
        local killed <close> = core.spawn({ "sh", "-c", "sleep 100" }, 100)
        killed:kill()
        finish(killed)
        assert.is_true((select(2, killed:result())) ~= 0)
      end))
    end)
  end

  it("taken by somebody else: or it is unknown, and never a signal", function()
    assert.equal(0, child.run(function()
      local process <close> = core.spawn({ "sh", "-c", "exit 7" }, 100)
      while posix.wait_any() == 0 do core.poll(nil, "r", 0.001) end
      local _, code, signal = finish(process):result()
      assert.is_nil(signal)
      assert.is_true(code == 7 or code == nil)
    end))
  end)

  -- Whether no child is left. What is killed is waited for a moment only, which may be too short,
  -- once, on a busy machine.
  local function leaves_none(line, options)
    local process = core.spawn({ "sh", "-c", line }, 100, options)
    if line == "exit 3" then finish(process) end
    process:close()
    local left = posix.wait_any()
    while left and posix.wait_any() do core.poll(nil, "r", 0.001) end
    return left == nil
  end

  it("nobody else's, and none is left when it is closed", function()
    assert.equal(0, child.run(function()
      for _, options in ipairs { {}, { leashed = true } } do
        for _, line in ipairs { "exit 3", "sleep 100" } do
          assert.is_true(leaves_none(line, options) or leaves_none(line, options)
            or leaves_none(line, options))
        end
      end
    end))
  end)
end)

describe("a program on a leash", function()
  -- A host of its own that starts a line and is killed once that has said its number.
  local function numbers_of(line, options, ready)
    local place = scratch.path()
    local host = posix.spawn { "lua5.4", "-e", ([[
      local core = require "alicloud.core"
      local process = core.spawn({ "sh", "-c", %q, %q }, 100, { leashed = %s })
      while not process:step() do core.poll(process:pollfd(), "r", 0.01) end
      io.open(%q, "w"):close()
      core.poll(nil, "r", 100)]]):format(line, place, options.leashed, place .. ".over") }
    assert.is_true(soon(function() return core.look(place .. (ready or "")) ~= nil end))
    local numbers = {}
    for number in scratch.read(place):gmatch "%d+" do
      numbers[#numbers + 1] = math.tointeger(tonumber(number))
    end
    posix.kill(host, "KILL")
    posix.wait(host)
    return numbers
  end

  local LINE = "sleep 100 & echo $$ $! >$0.new; mv $0.new $0; wait"

  it("ends with its children when its host is killed", function()
    local numbers = numbers_of(LINE, { leashed = true })
    assert.equal(2, #numbers)
    for _, pid in ipairs(numbers) do
      assert.is_true(soon(function() return not child.is_alive(pid) end))
    end
  end)

  it("lives on without one", function()
    local numbers = numbers_of(LINE, { leashed = false })
    for _, pid in ipairs(numbers) do assert.is_true(child.is_alive(pid)) end
    for _, pid in ipairs(numbers) do posix.kill(pid, "KILL") end
  end)

  it("may leave a daemon behind that outlives the host", function()
    local numbers = numbers_of("sleep 100 & echo $! >$0", { leashed = true }, ".over")
    core.poll(nil, "r", 0.05)
    assert.is_true(child.is_alive(numbers[1]))
    posix.kill(numbers[1], "KILL")
  end)

  it("shares it with others, of whom some have ended, and is held again by another one", function()
    local place = scratch.directory()
    local host = posix.spawn { "lua5.4", "-e", ([[
      local core = require "alicloud.core"
      local function start(line)
        return core.spawn({ "sh", "-c", line, %q }, 100, { leashed = true })
      end
      local function shells()
        local list = io.popen("cat /proc/$PPID/task/*/children"):read "a"
        local found = {}
        for pid in list:gmatch "%%d+" do
          local words = io.open("/proc/" .. pid .. "/cmdline")
          local text = words and words:read "a" or ""
          if text:find("read -r what", 1, true) then found[#found + 1] = pid end
        end
        return found
      end
      local one, two, three = start "sleep 100", start "echo $$ >$0/two; sleep 100", start "exit"
      while not three:step() do core.poll(three:pollfd(), "r", 0.01) end
      assert(#shells() == 1)
      one:close()
      three:close()
      local gone = tonumber(shells()[1])
      os.execute("kill -9 " .. gone)
      while require("spec.child").is_alive(gone) do core.poll(nil, "r", 0.005) end
      local four, five = start "echo $$ >$0/new; mv $0/new $0/four; sleep 100", start "sleep 100"
      assert(#shells() == 1)
      five:close()
      two:close()
      assert(#shells() == 1)
      while not io.open(%q .. "/four") do core.poll(nil, "r", 0.01) end
      io.open(%q .. "/ready", "w"):close()
      core.poll(nil, "r", 100)]]):format(place, place, place) }
    assert.is_true(soon(function() return core.look(place .. "/ready") ~= nil end))
    local pid = math.tointeger(tonumber((scratch.read(place .. "/four"):gsub("%s", ""))))
    assert.is_true(child.is_alive(pid))
    posix.kill(host, "KILL")
    posix.wait(host)
    assert.is_true(soon(function() return not child.is_alive(pid) end))
  end)

  it("leads its own group, has the same environment and its three streams only", function()
    local function about(leashed)
      local path = scratch.path()
      local process <close> = core.spawn({ "sh", "-c", [[
        read -r _ _ _ _ group _ </proc/$$/stat && [ $group = $$ ] && echo leads
        env | grep -v '^PWD=\|^_=\|^SHLVL=\|^OLDPWD=' | sort
        env -u LD_PRELOAD ls /proc/self/fd]] }, 1, { leashed = leashed, overflow = path })
      assert.equal(0, (select(2, finish(process):result())))
      return scratch.read(path)
    end
    local text = about(true)
    assert.matches("^leads\n", text)
    assert.equal(about(false), text)
  end)

  it("tells why it did not start", function()
    assert.same({ nil, "no such program" },
      { core.spawn({ "no-such-program" }, 1, { leashed = true }) })
    assert.same({ 15, 0 }, { (select(3, run("kill -15 $$", { options = { leashed = true } }))),
      (select(2, run("true", { options = { leashed = true } }))) })
  end)
end)

describe("the wait for a program", function()
  it("has one descriptor to its end, and is called off before that is closed", function()
    local fds, released = {}, nil
    local watched = { now = loop.now, sleep = loop.sleep }
    function watched.wait(pollable, deadline)
      fds[pollable:pollfd()] = true
      return loop.wait(pollable, deadline)
    end
    function watched.release(pollable) released = pollable:pollfd() end
    local ended = programs.run(watched, { "sh", "-c",
      "echo out; exec >&-; sleep 0.02; echo said >&2; exec 2>&-; sleep 0.02" },
      { max = 100, say = function() end })
    assert.equal(0, ended.code)
    assert.is_number(released)
    assert.same({ [released] = true }, fds)
    released = nil
    assert.has_error(function()
      function watched.wait() error("given up", 0) end
      programs.run(watched, { "sleep", "100" }, { max = 100 })
    end, "given up")
    assert.is_number(released)
  end)
end)
