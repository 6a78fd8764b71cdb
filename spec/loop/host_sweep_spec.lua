-- An interrupt between any two instructions of the main thread, as the stand-alone interpreter
-- raises it: whoever runs a host's loop gets it, and when he runs the loop again nothing is lost.

local core = require "alicloud.core"
local cqueues = require "cqueues"

-- Every so many'th instruction: SPEC_STRIDE=1 has none left out.
local STRIDE = math.tointeger(tonumber(os.getenv "SPEC_STRIDE")) or 7
local FIRST, LAST = 1, 20000

-- Tasks, a scope and a task that is given up; what it comes to is in the log.
local function work(loop, log)
  log.total = loop.scope(function()
    local a = loop.spawn(function()
      loop.sleep(0.002)
      return 1
    end)
    local b = loop.spawn(function() return 2 end)
    return a:result() + b:result()
  end)
  local gone = loop.spawn(function() loop.sleep(100) end)
  loop.sleep(0.001)
  gone:cancel()
  gone:wait()
  local _, err = loop.scope(function() loop.sleep(100) end, { timeout = 0.001 })
  log.late = err.code
end

local function assert_done(loop, log, n)
  assert.same({ total = 3, late = "Client.ScopeTimeout", other = true }, log,
    ("interrupted at instruction %d"):format(n))
  assert.is_nil(loop.timeout())
  assert.same({}, loop.pollables())
end

-- What runs its argument, and interrupts the n'th instruction of all that it runs in this thread;
-- it tells whether it has.
local function interrupter(n)
  local hit = false
  local function hook()
    n = n - 1
    if n > 0 then return end
    debug.sethook()
    hit = true
    error("interrupted!", 0)
  end
  return function(body)
    if hit then return true, body() end
    local ok, raised = pcall(function()
      debug.sethook(hook, "", 1)
      body()
      debug.sethook()
    end)
    debug.sethook()
    assert(ok or raised == "interrupted!", raised)
    return hit
  end
end

local function sweep(play, stride)
  local n = FIRST
  while play(n) do
    n = n + (stride or STRIDE)
    assert(n < LAST, "it never ended")
  end
  assert.is_true(n > FIRST)
end

describe("an interrupt at any instruction", function()
  it("leaves a controller of cqueues sound", function()
    local loops = require "alicloud.loop.cqueues"
    sweep(function(n)
      local loop, log, controller = loops.new(), {}, cqueues.new()
      controller:wrap(work, loop, log)
      controller:wrap(function()
        loop.sleep(0.001)
        log.other = true
      end)
      local hit = interrupter(n)(function() controller:loop(20) end)
      assert(controller:loop(20))
      assert_done(loop, log, n)
      return hit
    end)
  end)
end)

-- luv itself ends the process with what a callback raises. Hosts that build it otherwise go on, as
-- this one does: handles that are only tables, and a timer that is soon due again.
local function surviving_luv()
  local handles, running = {}, false
  local Handle = {}
  Handle.__index = Handle

  function Handle:close() handles[self] = nil end
  function Handle:stop() self.callback = nil end

  function Handle:start(when, again, callback)
    if self.fd then
      self.callback = again
    else
      self.due, self.again, self.callback = core.monotonic() + when / 1000, again / 1e6, callback
    end
    return true
  end

  local function new(fd)
    local handle = setmetatable({ fd = fd }, Handle)
    handles[handle] = true
    return handle
  end

  -- What is due, or readable; nil once nothing is open.
  local function next_event()
    local first
    local ends = core.monotonic() + 60
    while next(handles) do
      assert(core.monotonic() < ends, "nothing happens any more")
      first = nil
      for handle in pairs(handles) do
        if handle.fd and core.poll(handle.fd, "r", 0) then return handle end
        if handle.due and (not first or handle.due < first.due) then first = handle end
      end
      local now = core.monotonic()
      if first and first.due <= now then
        first.due = first.again > 0 and now + first.again or nil
        return first
      end
      core.poll(nil, "r", first and math.min(first.due - now, 0.01) or 0.01)
    end
  end

  -- The program's own instructions are not those that are swept.
  local function run(call)
    running = true
    local _ <close> = setmetatable({}, { __close = function() running = false end })
    for handle in next_event do
      local callback = handle.callback
      if callback then call(callback) end
    end
  end

  return { new_timer = new, new_poll = new, run = run,
    loop_mode = function() return running and "default" or nil end }
end

describe("an interrupt at any instruction of a callback", function()
  local loops

  setup(function()
    package.loaded["luv"], package.loaded["alicloud.loop.luv"] = surviving_luv(), nil
    loops = require "alicloud.loop.luv"
  end)

  teardown(function()
    package.loaded["luv"], package.loaded["alicloud.loop.luv"] = nil, nil
  end)

  it("leaves a loop of libuv sound", function()
    local uv = require "luv"
    sweep(function(n)
      local loop, log, hit = loops.new(), {}, false
      coroutine.wrap(work)(loop, log)
      coroutine.wrap(function()
        loop.sleep(0.001)
        log.other = true
      end)()
      local call = interrupter(n)
      uv.run(function(callback) hit = call(callback) end)
      assert_done(loop, log, n)
      return hit
    end, 1)
  end)
end)
