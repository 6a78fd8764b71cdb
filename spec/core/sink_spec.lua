-- What somebody reads along: as much as goes at once, and never a wait.

local core = require "alicloud.core"
local scratch = require "spec.scratch"

local BLOCK = ("x"):rep(65536)

local function fifo()
  local path = scratch.path ".fifo"
  assert(os.execute(("mkfifo '%s'"):format(path)))
  return path
end

-- The descriptor with which this process has opened what is at a path.
local function descriptor_of(path)
  for _, number in ipairs(assert(core.list_directory "/proc/self/fd")) do
    if core.real_path("/proc/self/fd/" .. number) == path then return math.tointeger(number) end
  end
  error(path .. " is not open")
end

-- One that reads nothing until it is told to go on; its end of the pipe is open.
local function reader_of(path)
  return assert(io.open(path, "r+"))
end

describe("core.open_sink", function()
  it("writes to the end of a file, which it makes for its owner alone", function()
    local path = scratch.path ".ndjson"
    for _, text in ipairs { "one\n", BLOCK } do
      local sink <close> = assert(core.open_sink(path))
      assert.equal(#text, sink:write(text))
    end
    assert.equal("one\n" .. BLOCK, scratch.read(path))
    assert.equal(tonumber("600", 8), core.look(path).mode)
  end)

  it("opens no FIFO that nobody reads from", function()
    local sink, message, code = core.open_sink(fifo())
    assert.is_nil(sink)
    assert.equal("ENXIO", code)
    assert.is_string(message)
  end)

  it("does not wait for a reader that is slow, nor for one that is gone", function()
    local path = fifo()
    local reader = reader_of(path)
    local sink <close> = assert(core.open_sink(path))
    local all = 0
    for _ = 1, 40 do all = all + sink:write(BLOCK) end
    assert.is_true(all > 0 and all < 40 * #BLOCK)
    assert.equal(0, sink:write "more")
    reader:close()
    local written, _, code = sink:write "more"
    assert.same({ nil, "EPIPE" }, { written, code })
  end)

  it("leaves the mode of a descriptor that it was given as it is", function()
    local path = fifo()
    local reader <close> = reader_of(path)
    local own = descriptor_of(path)
    local sink <close> = assert(core.open_sink(own))
    assert.not_equal(own, sink:fd())
    -- A blocking pipe, whose reader takes nothing.
    local all = 0
    for _ = 1, 40 do all = all + sink:write(BLOCK) end
    assert.is_true(all < 40 * #BLOCK)
    sink:close()
    assert.equal("x", reader:read(1))
  end)

  it("tells what it has met", function()
    local full <close> = assert(core.open_sink "/dev/full")
    assert.equal("ENOSPC", select(3, full:write "x"))
    local path = scratch.file ""
    local file <close> = assert(io.open(path))
    assert.is_truthy(file)
    assert.equal("EBADF", select(3, core.open_sink(descriptor_of(path))))
    assert.equal("EBADF", select(3, core.open_sink(1000000)))
    assert.equal("EISDIR", select(3, core.open_sink(scratch.directory())))
    assert.equal("ENOENT", select(3, core.open_sink(scratch.path "/no/such")))
  end)

  it("refuses misuse", function()
    local sink = assert(core.open_sink "/dev/null")
    sink:close()
    sink:close()
    assert.error_matches(function() sink:write "x" end, "the sink is closed")
    assert.error_matches(function() core.open_sink(-1) end, "a path or a descriptor")
    assert.error_matches(function() core.open_sink() end, "bad argument #1")
  end)
end)
