-- What signals do to a command. Each scenario is a process of its own that sends them to itself;
-- what it prints is looked at.

local process = require "spec.process"
local scratch = require "spec.scratch"

-- The scenario itself is the library's code; `compute`, `count` and `user` are not.
local BEGIN = [==[
assert(load([=[
local core = require "alicloud.core"
local posix = require "spec.posix"
local environment = setmetatable({ core = core }, { __index = _G })
function environment.send(name) posix.kill(core.process().pid, name) end
function environment.print(...)
  local words = table.pack(...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  io.stdout:write(table.concat(words, " "), "\n")
end
local theirs = load("function compute() while true do end end"
  .. " function count() for _ = 1, 100000 do end end", "@/theirs/x.lua", "t", environment)
theirs()
environment.inner = load("local f = ... for _ = 1, 20000 do end return f and f()", "@/ours/x.lua")
environment.open = load("for _ = 1, 20000 do end", "@/ours/open/x.lua")
core.answer_signals("@/ours/", { "@/ours/open/" })
local path, place = ...
local file <close> = io.open(path)
assert(load(file:read "a", place, "t", environment))()
os.exit(0)
]=], "@/ours/begin.lua"))(...)]==]

-- Output and exit code. A run of more than a minute has hung. Whoever starts the specs with nohup
-- ignores what is sent here.
local function run(script, before, place)
  local start = "timeout -s KILL 60 env --default-signal=HUP"
  return process.sh(("%s %s lua5.4 %s %s %s"):format(start, before or "",
    scratch.file(BEGIN, ".lua"), scratch.file(script, ".lua"), place or "@/ours/main.lua"))
end

local function prints(expected, script)
  local text, code = run(script)
  assert.equal(expected, text)
  assert.equal(0, code)
end

describe("a signal to a command", function()
  for name, number in pairs { INT = 2, TERM = 15, HUP = 1 } do
    it("SIG" .. name .. " ends what computes, and is told", function()
      prints("nil false interrupted! " .. number .. "\n", ([[
        local before = core.ended_by()
        local ok, raised = pcall(function() send %q compute() end)
        print(before, ok, raised, core.ended_by())]]):format(name))
    end)
  end

  it("comes again as long as it is not cleared", function()
    prints("101 2 nil true\n", [[
      local times = 0
      send "INT"
      repeat
        local ok = pcall(compute)
        times = times + 1
      until times > 100
      local before = core.ended_by()
      core.clear_interrupt()
      print(times, before, core.ended_by(), (pcall(count)))]])
  end)

  it("is answered again after it was cleared", function()
    prints("false false\n", [[
      local function once() send "INT" compute() end
      local first = pcall(once)
      core.clear_interrupt()
      print(first, (pcall(once)))]])
  end)

  it("ends the process when it comes a second time, but not when it is told twice", function()
    local text, code = run [[
      send "INT" send "INT"
      print(pcall(compute))
      local start = core.monotonic()
      repeat pcall(compute) until core.monotonic() - start > 0.6
      io.stdout:flush()
      send "INT"
      print "still here"]]
    assert.equal("false interrupted!\n", text)
    assert.equal(130, code)
  end)

  it("of another kind is no second one; the one that no keyboard sends is told", function()
    prints("15 15\n", [[
      send "INT" send "TERM"
      local told = core.ended_by()
      send "INT"
      print(told, core.ended_by())]])
  end)

  it("that is ignored stays ignored", function()
    local text = run([[
      send "HUP"
      print(core.ended_by(), (pcall(count)))]], "nohup")
    assert.truthy(text:find("nil true\n", 1, true), text)
  end)

  it("changes nothing where nobody answers", function()
    local text, code = process.sh(("timeout -s KILL 60 lua5.4 -e %s"):format(
      [['require "alicloud.core".checkpoint() local p = require "spec.posix"
        p.kill(require "alicloud.core".process().pid, "TERM") while true do end']]))
    assert.equal(143, code, text)
  end)
end)

describe("an interrupt is raised", function()
  it("by a checkpoint, without a place", function()
    prints("true false interrupted!\n", [[
      local before = pcall(core.checkpoint)
      send "INT"
      print(before, pcall(core.checkpoint))]])
  end)

  it("not in the library's code, but in what that calls", function()
    prints("true false false\n", [[
      send "TERM"
      local quiet = pcall(inner)
      print(quiet, (pcall(inner, compute)), (pcall(open)))]])
  end)

  it("not while it is shielded", function()
    prints("false true true true false\n", [[
      local was = core.shield_interrupt(true)
      send "INT"
      local quiet = pcall(count)
      local checked = pcall(core.checkpoint)
      print(was, quiet, checked, core.shield_interrupt(false), (pcall(compute)))]])
  end)

  it("in coroutines that were made before, however deep, and in those that made them", function()
    prints("false interrupted!\nfalse false\n", [[
      local inner = coroutine.create(function() coroutine.yield() send "INT" compute() end)
      coroutine.resume(inner)
      local middle = coroutine.wrap(function() return core.resume(inner) end)
      print(middle())
      print((pcall(compute)), (pcall(coroutine.wrap(compute))))]] )
  end)

  it("in a coroutine that is resumed when the signal has come", function()
    prints("false interrupted!\n", [[
      local late = coroutine.create(function() coroutine.yield() compute() end)
      coroutine.resume(late)
      send "INT"
      print(core.resume(late))]])
  end)

  it("after a read that blocks, and after a program of the shell", function()
    for _, call in ipairs { [[io.popen("kill -INT $PPID"):read "a"]],
      [[os.execute "kill -INT $PPID"]] } do
      prints("false interrupted!\n2\n",
        ("print(pcall(function() %s compute() end)) print(core.ended_by())"):format(call))
    end
  end)

  it("at the next instruction where somebody else's code has waited", function()
    local text, code = run([[
      require "spec.posix".kill(core.process().pid, "INT")
      io.stdout:write "one more"]], nil, "@/theirs/main.lua")
    assert.truthy(text:find("^lua5.4: interrupted!"), text)
    assert.equal(1, code)
  end)

  it("again only when whoever caught it had time to clean up", function()
    local text = run([[
      pcall(function() send "INT" compute() end)
      for i = 1, 10 do print(i) end
      compute()]], nil, "@/theirs/main.lua")
    assert.truthy(text:find "lua5.4: interrupted!")
    assert.truthy(text:find("1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n", 1, true), text)
  end)

  it("outside of what catches it, too, in a loop that catches all", function()
    for _, body in ipairs { "compute", "count", "function() for _ = 1, 100 do end end",
      "function() os.execute 'true' end", "os.execute, 'true'" } do
      prints("interrupted!\n", ([[
        local endless = load("send 'INT' while true do pcall(%s) end", "@/theirs/y.lua", "t",
          setmetatable({ send = send, compute = compute, count = count }, { __index = _G }))
        print(select(2, pcall(endless)))]]):format(body))
    end
  end)

  it("at last where code in C runs long", function()
    prints("interrupted!\n", [[
      local _, raised = pcall(function()
        send "INT"
        repeat local n = select(2, ("x"):rep(1000000):gsub("x", "y")) count() until n == 0
      end)
      print(raised)]])
  end)
end)

describe("a function that is carried out aside", function()
  local core = require "alicloud.core"

  local function closing(fn) return setmetatable({}, { __close = fn }) end

  -- In the main thread and in another one.
  local function everywhere(name, body)
    it(name .. ", in the main thread", body)
    it(name .. ", in another one", function() coroutine.wrap(body)() end)
  end

  everywhere("gives what it returns", function()
    assert.same({ n = 3, "a", nil, 3 }, table.pack(core.aside(function(...) return ... end)("a",
      nil, 3)))
  end)

  everywhere("raises what it raises, once it has closed what it had open", function()
    local closed
    local aside = core.aside(function(raised)
      local _ <close> = closing(function() closed = true end)
      error(raised, 0)
    end)
    for _, raised in ipairs { "text", { "table" } } do
      closed = nil
      assert.equal(raised, select(2, pcall(aside, raised)))
      assert.is_true(closed)
    end
  end)

  everywhere("raises what is raised while it closes", function()
    local aside = core.aside(function()
      local _ <close> = closing(function() error("second", 0) end)
      error("first", 0)
    end)
    assert.equal("second", select(2, pcall(aside)))
  end)

  it("can yield where its caller can", function()
    local thread = coroutine.create(core.aside(function(...) return coroutine.yield(...) end))
    assert.same({ true, 1, 2 }, { coroutine.resume(thread, 1, 2) })
    assert.same({ true, 3 }, { coroutine.resume(thread, 3) })
    assert.is_false(core.aside(coroutine.isyieldable)())
    assert.is_false(pcall(core.aside(coroutine.yield)))
  end)

  it("leaves its coroutine to the next, unless it has raised", function()
    local aside = core.aside(function(fault)
      if fault then error(fault, 0) end
      return coroutine.running()
    end)
    local first = aside()
    assert.equal(first, aside())
    assert.is_false(pcall(aside, "fault"))
    assert.not_equal(first, aside())
    assert.equal("dead", coroutine.status(first))
  end)

  it("finds nothing of the one before it", function()
    local aside = core.aside(function(...)
      debug.sethook(coroutine.running(), error, "", 1000)
      return ...
    end)
    local many = table.pack(aside(table.unpack({}, 1, 5000)))
    assert.equal(5000, many.n)
    assert.equal(0, select("#", aside()))
    assert.is_nil(core.aside(debug.gethook)())
    assert.is_true(coroutine.close(core.aside(coroutine.running)()))
    assert.equal(1, core.aside(function() return 1 end)())
  end)

  it("meets no hook of the main thread", function()
    local count, main = 0, coroutine.running()
    local aside = core.aside(function() for _ = 1, 1000 do end end)
    debug.sethook(main, function() count = count + 1 end, "", 1)
    aside()
    debug.sethook(main)
    assert.is_true(count < 500)
  end)
end)

describe("core.resume", function()
  local core = require "alicloud.core"

  local function same(body, ...)
    local function outcome(resume, ...)
      local thread = coroutine.create(body)
      local results = {}
      for _ = 1, 3 do results[#results + 1] = table.pack(resume(thread, ...)) end
      return results, coroutine.status(thread)
    end
    local expected, status = outcome(coroutine.resume, ...)
    local got, state = outcome(core.resume, ...)
    assert.same(expected, got)
    assert.equal(status, state)
  end

  it("does what coroutine.resume does", function()
    same(function(...) local a = coroutine.yield(...) return a, nil end, 1, nil, 3, nil)
    same(function() error { "x" } end)
    same(function() error "text" end)
    same(function() return table.unpack({}, 1, 200000) end)
    same(function() return coroutine.yield(table.unpack({}, 1, 200000)) end)
    same(function() end)
  end)

  it("refuses as coroutine.resume does", function()
    for _, value in ipairs { "nil", "{}", "print" } do
      local text = ("return pcall(..., %s)"):format(value)
      local _, expected = load(text)(coroutine.resume)
      local _, got = load(text)(core.resume)
      assert.equal(expected, (got:gsub("alicloud.core.resume", "coroutine.resume")))
    end
    assert.same({ coroutine.resume(coroutine.running()) }, { core.resume(coroutine.running()) })
    local deep
    deep = function(resume) return resume(coroutine.create(deep), resume) end
    local function last(...) return (select(select("#", ...), ...)) end
    assert.equal(last(deep(coroutine.resume)), last(deep(core.resume)))
  end)
end)
