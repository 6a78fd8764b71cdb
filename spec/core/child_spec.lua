-- A child that is talked with: what it gets, what it may say, how it ends.

local child = require "spec.child"
local confined = require "spec.core.confined"
local core = require "alicloud.core"
local posix = require "spec.posix"

local function start(code)
  return assert(core.child {
    argv = { "lua5.4", "-e", 'local confine = require "alicloud.confine"\n' .. code },
    env = confined.environment(),
  })
end

describe("a child", function()
  it("is talked with", function()
    local one <close> = start 'confine.send("heard " .. confine.receive())'
    assert.is_true(one:send "this")
    local ending, said = confined.finish(one)
    assert.are.same({ exit = 0 }, ending)
    assert.are.equal("heard this", said)
    assert.is_nil(one:receive(1))
  end)

  it("that goes while it is told something sends its parent no signal", function()
    -- The process of the specs may have been told to ignore it.
    assert.are.equal(0, child.run(function()
      posix.disposition("PIPE", "default")
      local other <close> = start "confine.receive()"
      return other:send(("x"):rep(1 << 22)) == nil and 0 or 1
    end))
  end)

  it("says nothing yet without making its parent wait", function()
    local one <close> = start "confine.receive()"
    assert.are.equal("", one:receive(10))
    assert.is_nil(one:ended())
    assert.is_false(core.poll(one:fd(), "r", 0))
  end)

  it("tells how long it has computed, as long as it is there", function()
    local one <close> = start [[
      while os.clock() < 0.05 do end
      confine.send "done"
      confine.receive()
    ]]
    core.poll(one:fd(), "r", 10)
    local computed = one:computed()
    assert.is_true(computed >= 0.05, computed)
    assert.is_true(one:send "end")
    confined.finish(one)
    assert.is_nil(one:computed())
  end)

  it("takes any number of bytes and gives them back as they were", function()
    local one <close> = start 'while true do confine.send(confine.receive() or os.exit(7)) end'
    local text = ("\0\n\255"):rep(20000)
    assert.is_true(one:send(text))
    local back = ""
    while #back < #text do
      core.poll(one:fd(), "r", 1)
      back = back .. assert(one:receive(1 << 20))
    end
    assert.are.equal(text, back)
  end)

  it("has the environment, the files and the standard files that it was given, and no others",
    function()
      local pipe <close> = assert(io.popen "sleep 0")
      local one <close> = assert(core.child {
        argv = { "sh", "-c", "env >&3; ls -l /proc/self/fd >&3" },
        env = { "A=one", "B=two words" },
      })
      local _, said = confined.finish(one)
      local names = {}
      for name in said:gmatch "([%u_]+)=[^\n]*\n" do names[name] = true end
      names.PWD, names.OLDPWD, names.SHLVL, names._ = nil, nil, nil, nil
      names.LD_PRELOAD, names.ASAN_OPTIONS = nil, nil
      assert.are.same({ A = true, B = true }, names)
      local files = {}
      for fd, to in said:gmatch " (%d+) %-> (%a*[^:\n]*)" do files[fd] = to end
      files["4"] = nil -- the directory that is listed
      assert.are.same({ ["0"] = "/dev/null", ["1"] = "socket", ["2"] = "/dev/null",
        ["3"] = "socket" }, files)
      pipe:read "a"
    end)

  it("is ended by a signal or by itself, and tells which", function()
    local one <close> = start "os.exit(3)"
    assert.are.same({ exit = 3 }, (confined.finish(one)))
    local killed <close> = assert(core.child { argv = { "sh", "-c", "kill -9 $$" } })
    assert.are.same({ signal = 9 }, (confined.finish(killed)))
  end)

  it("is killed with its children when it is closed", function()
    local one = assert(core.child { argv = { "sh", "-c", "sleep 100 & echo $! >&3; wait" },
      env = { "PATH=" .. os.getenv "PATH" } })
    assert.is_true(core.poll(one:fd(), "r", 60))
    local pid = tonumber(one:receive(100))
    assert.is_true(child.is_alive(pid))
    one:close()
    one:close()
    local limit = core.monotonic() + 60
    while child.is_alive(pid) do
      assert.is_true(core.monotonic() < limit)
      core.poll(nil, "r", 0.01)
    end
    assert.has_error(function() one:receive(1) end, "the child is closed")
  end)

  it("is let be by a forked child of its parent", function()
    local one <close> = start 'confine.send(confine.receive())'
    local code = child.run(function()
      local ok, message = pcall(one.send, one, "x")
      if ok or not message:find("belongs to the process", 1, true) then return 2 end
      one:close()
      return 0
    end)
    assert.are.equal(0, code)
    assert.is_nil(one:ended())
    assert.is_true(one:send "x")
    local _, said = confined.finish(one)
    assert.are.equal("x", said)
  end)

  it("that takes nothing is given up after the seconds that were said", function()
    local one <close> = start "while confine.receive() == 'never' do end os.execute 'sleep 100'"
    assert.is_true(one:send "x")
    local before = core.monotonic()
    local sent, message = one:send(("x"):rep(8 << 20), 0.2)
    assert.is_nil(sent)
    assert.are.equal("the child takes nothing", message)
    assert.is_true(core.monotonic() - before < 50)
  end)

  it("that has gone takes nothing, and kills nobody by it", function()
    local code = child.run(function()
      posix.disposition("PIPE", "default")
      local one <close> = start "os.exit(0)"
      confined.finish(one)
      local sent, message = one:send "x"
      return sent == nil and message == "the child has gone" and 0 or 2
    end)
    assert.are.equal(0, code)
  end)

  it("that cannot start is told of", function()
    child.settle()
    local before = child.descriptors "socket:"
    assert.are.same({ nil, "no such program" }, { core.child { argv = { "/nonexistent/x" } } })
    assert.are.equal(before, child.descriptors "socket:")
  end)

  it("is asked for with words that are known", function()
    local function says(options, words)
      local ok, message = pcall(core.child, options)
      assert.is_false(ok)
      assert.truthy(message:find(words, 1, true), message)
    end
    says({ argw = {} }, "did you mean 'argv'")
    says({}, "argv: an array of strings expected")
    says({ argv = {} }, "a program and up to 63 arguments")
    says({ argv = { "x", 1 } }, "argv: 2: string expected, got number")
    says({ argv = { "x" }, env = { "A=\0" } }, "env: 1 holds a NUL")
    says({ argv = { "x" }, env = "A=1" }, "env: an array of strings expected")
  end)
end)
