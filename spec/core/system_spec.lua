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
