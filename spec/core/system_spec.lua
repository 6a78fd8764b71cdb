-- What the core knows of the system: clocks and processes.

local core = require "alicloud.core"
local scratch = require "spec.scratch"

it("no clock of intervals goes back, or stands while the process waits", function()
  for _, name in ipairs { "monotonic", "boottime" } do
    local start = core[name]()
    core.poll(nil, "r", 0.02)
    local passed = core[name]() - start
    assert.is_true(passed >= 0.019 and passed < 60, name .. ": " .. passed)
  end
end)

describe("waiting for descriptors", function()
  it("takes any number of them", function()
    local children <close> = setmetatable({}, { __close = function(list)
      for _, one in ipairs(list) do one:close() end
    end })
    local fds = {}
    for i = 1, 70 do
      children[i] = assert(core.child { argv = { "sh", "-c", "read word <&3" } })
      fds[i] = children[i]:fd()
    end
    assert.is_false(core.poll(fds, "r", 0))
    assert(children[70]:send "go\n")
    assert.is_true(core.poll(fds, "r", 10))
    fds[#fds + 1] = 9999
    assert.has_error(function() core.poll(fds, "r", 0) end,
      "poll: one of them is not an open descriptor")
    for _, wrong in ipairs { -1, "x", 1 << 40, 0.5 } do
      fds[#fds] = wrong
      assert.is_false(pcall(core.poll, fds, "r", 0))
    end
  end)

  it("says which number of them is too large", function()
    local fds = {}
    for i = 1, 1048577 do fds[i] = 0 end
    assert.has_error(function() core.poll(fds, "r", 0) end,
      "bad argument #1 to 'poll' (at most 1048576 descriptors)")
    local program = [[local core, fds = require "alicloud.core", {}
      for i = 1, 200 do fds[i] = 0 end
      print(select(2, pcall(core.poll, fds, "r", 0)))]]
    local pipe <close> = assert(io.popen(("ulimit -n 100; lua5.4 -e '%s'"):format(program)))
    assert.equal("poll: 200 descriptors are more than this process may have open\n",
      pipe:read "a")
  end)
end)

it("a process has no directory when it is gone", function()
  local path = scratch.directory()
  local program = 'print(require("alicloud.core").process().directory)'
  local pipe <close> = assert(io.popen(("cd '%s' && rmdir '%s' && lua5.4 -e '%s'"):format(path,
    path, program)))
  assert.equal("nil\n", pipe:read "a")
end)

it("a process knows its number, host and directory, and whether another is there", function()
  local about = core.process()
  assert.is_true(about.pid > 1)
  assert.equal(about.pid, core.pid())
  assert.is_true(#about.host > 0)
  local pipe <close> = assert(io.popen "pwd -P; echo $$")
  assert.equal(pipe:read "l", about.directory)
  local other = math.tointeger(tonumber(pipe:read "l"))
  assert.is_true(core.is_process(other))
  assert.is_true(core.is_process(1))
  pipe:close()
  assert.is_false(core.is_process(other))
  assert.has_error(function() core.is_process(0) end)
  assert.has_error(function() core.is_process(-1) end)
  assert.has_error(function() core.is_process(1 << 40) end)
end)
