local core = require "alicloud.core"
local helper = require "spec.helper"
local runtimes = require "alicloud.base.runtime"

describe("a runtime", function()
  it("is real where nothing overrides it", function()
    local runtime = runtimes.new()
    assert.equal(core.time, runtime.time)
    assert.equal(core.monotonic, runtime.monotonic)
    assert.equal(core.boottime, runtime.boottime)
    assert.equal(os.getenv("PATH"), runtime.getenv("PATH"))
    assert.is_true(runtimes.has_real_environment(runtime))
  end)

  it("takes the overrides it is given and no others", function()
    local function clock() return 42 end
    local runtime = runtimes.new { time = clock }
    assert.equal(42, runtime.time())
    assert.equal(core.monotonic, runtime.monotonic)
    assert.matches('runtime: unknown option "tiem"; did you mean "time"?',
      helper.raised(runtimes.new, { tiem = clock }), 1, true)
    assert.matches("option time: got 5", helper.raised(runtimes.new, { time = 5 }))
  end)

  it("has one clock for both where only the monotonic one is given", function()
    local function clock() return 42 end
    assert.equal(clock, runtimes.new({ monotonic = clock }).boottime)
    local runtime, control = helper.runtime()
    control.asleep = 60
    assert.equal(60, runtime.boottime() - runtime.monotonic())
  end)

  it("tells a moment of its own by the machine's clock", function()
    assert.equal(7.25, runtimes.machine_moment(runtimes.new(), 7.25))
    local runtime = helper.runtime()
    local moment = runtimes.machine_moment(runtime, runtime.boottime() + 4)
    assert.is_true(math.abs(moment - core.boottime() - 4) < 1)
  end)

  it("knows an overridden environment from the process's own", function()
    assert.is_false(runtimes.has_real_environment(helper.runtime()))
  end)

  it("gives chance in [0, 1), not always the same", function()
    local random, seen, different = runtimes.new().random, nil, false
    for _ = 1, 1000 do
      local value = random()
      assert.is_true(value >= 0 and value < 1)
      different = different or (seen ~= nil and seen ~= value)
      seen = value
    end
    assert.is_true(different)
  end)

  it("sleeps for nothing when asked for nothing", function()
    runtimes.new().sleep(0)
    runtimes.new().sleep(-1)
  end)

  it("reads files whole and says which is missing", function()
    local runtime = runtimes.new()
    assert.matches("a clock that moves only when told", runtime.read_file("spec/helper.lua"))
    local text, message = runtime.read_file("spec/no-such-file")
    assert.is_nil(text)
    assert.matches("no%-such%-file", message)
    text, message = runtime.read_file("spec")
    assert.is_nil(text)
    assert.matches("^spec: ", message)
  end)

  it("says whose files it reads", function()
    assert.is_true(runtimes.has_real_files(runtimes.new()))
    assert.is_false(runtimes.has_real_files((helper.runtime())))
  end)

  it("can be made of a runtime", function()
    local runtime = helper.runtime()
    assert.same(runtime, runtimes.new(runtime))
  end)
end)
