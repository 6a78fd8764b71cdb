local errors = require "alicloud.base.error"
local helper = require "spec.helper"
local waiter = require "alicloud.client.waiter"

local DEFINITION = {
  operation = "DescribeThings", items = "Things", field = "Status",
  success = { "done" }, failure = { "failed" }, transient = { "working", "waiting" },
  delay = 5, timeout = 60,
}

local function things(...)
  local list = {}
  for i, word in ipairs { ... } do list[i] = { Status = word } end
  return { Things = list, RequestId = "R" }
end

-- Plays responses; the last one repeats.
local function watch(responses, given, definition)
  definition = definition or DEFINITION
  local runtime, control = helper.runtime()
  local polls = 0
  local checked = assert(waiter.options(definition, given))
  local result, err = waiter.run {
    name = "things_done", product = "ebs", definition = definition, options = checked,
    loop = { now = runtime.monotonic, sleep = runtime.sleep },
    outlasted = function() return control.outlasted or 0 end,
    poll = function(deadline)
      assert(deadline > 0 and deadline <= 60)
      polls = polls + 1
      local response = responses[math.min(polls, #responses)]
      if type(response) == "function" then response = response(control) end
      if errors.is_error(response) then return nil, response end
      return response
    end,
  }
  return result, err, control, polls
end

describe("a wait", function()
  it("does not count an outage that its reading has outlasted, neither as time nor as a stall",
    function()
      local function held_up(control)
        control.elapsed, control.outlasted = control.elapsed + 4000, 4000
        return things "working"
      end
      local result = watch({ things "working", held_up, things "done" }, { stall = 20 })
      assert.is_truthy(result)
      local _, err = watch({ things "working", function(control)
        control.elapsed = control.elapsed + 4000
        return things "working"
      end }, { stall = 20 })
      assert.equal("Client.WaitTimeout", err.code)
    end)

  it("ends with the response in which every item is done", function()
    local last = things("done", "done")
    local result, err, control, polls = watch { things("working", "done"), last }
    assert.is_nil(err)
    assert.equal(last, result)
    assert.equal(2, polls)
    assert.same({ 5 }, control.sleeps)
  end)

  it("does not take an empty or malformed list for success", function()
    for _, response in ipairs {
      things(), {}, { Things = "done" }, { Things = { "done" } }, { Things = { {} } },
      { Things = { { Status = { "done" } } } },
    } do
      local result, err = watch { response }
      assert.is_nil(result)
      assert.equal("timeout", err.kind)
      assert.matches("%(absent%)", err.message)
    end
  end)

  it("does not take a list that goes on for a whole one", function()
    local first = things("done", "done", "done", "done", "done", "done", "done", "done", "done",
      "done")
    for _, more in ipairs { { NextToken = "t", TotalCount = 17 }, { NextToken = "t" },
      { TotalCount = 17 }, { TotalCount = "17" } } do
      for name, value in pairs(more) do first[name] = value end
      local result, err = watch { first }
      assert.is_nil(result)
      assert.equal("Client.WaitTimeout", err.code)
      assert.matches("done, and the list goes on", err.message)
      first.NextToken, first.TotalCount = nil, nil
    end
    first.NextToken, first.TotalCount = "", 10
    assert.is_truthy((watch { first }))
  end)

  it("fails at the first item that failed, naming the states, with the last response", function()
    local last = things("done", "failed", "working")
    local result, err, _, polls = watch { things "working", last }
    assert.is_nil(result)
    assert.equal(2, polls)
    assert.equal("state", err.kind)
    assert.equal("Client.WaitFailed", err.code)
    assert.matches("done 1/3, failed 1/3, working 1/3", err.message)
    assert.equal(last, err.last)
  end)

  it("never takes an unknown word for success, and says so at the deadline", function()
    local result, err, control = watch { things("done", "splendid") }
    assert.is_nil(result)
    assert.equal("Client.UnrecognisedState", err.code)
    assert.matches("splendid 1/2", err.message)
    assert.equal(60, control.elapsed)
  end)

  it("ends at its deadline, not later and not much earlier", function()
    for _, timeout in ipairs { 0, 1, 7, 60, 599.5 } do
      local result, err, control = watch({ things "working" }, { timeout = timeout })
      assert.is_nil(result)
      assert.equal("Client.WaitTimeout", err.code)
      assert.equal("timeout", err.kind)
      assert.near(timeout, control.elapsed, 1e-6)
      assert.equal(timeout, err.elapsed)
    end
  end)

  it("looks once more at the deadline", function()
    local responses = {}
    for i = 1, 12 do responses[i] = things "working" end
    responses[13] = things "done"
    local result, _, control = watch(responses)
    assert.is_truthy(result)
    assert.equal(60, control.elapsed)
  end)

  it("stops when nothing moves any more, and not while something does", function()
    local responses = {}
    for _, word in ipairs { "waiting", "waiting", "waiting", "working" } do
      responses[#responses + 1] = things(word)
    end
    local result, err, control = watch(responses, { stall = 20, timeout = 600 })
    assert.is_nil(result)
    assert.equal("Client.Stalled", err.code)
    assert.equal("timeout", err.kind)
    assert.matches("no change for 20 s; state: working", err.message)
    assert.equal(35, control.elapsed)
  end)

  it("puts up with reads that may succeed later", function()
    local flaky = errors.new { code = "Throttling", retryable = true }
    local result, err, _, polls = watch { flaky, things "working", flaky, flaky, things "done" }
    assert.is_nil(err)
    assert.is_truthy(result)
    assert.equal(5, polls)
  end)

  it("obeys the hint of a throttled read, up to a minute", function()
    local function throttled(seconds)
      return errors.new { code = "Throttling", retryable = true, retry_after = seconds }
    end
    local _, _, control = watch({ throttled(30), throttled(4000), things "done" },
      { timeout = 600 })
    assert.same({ 30, 60 }, control.sleeps)
  end)

  it("ends at once at a read that will not succeed, with the last response", function()
    local seen = things "working"
    local forbidden = errors.new { code = "Forbidden" }
    local result, err, _, polls = watch { seen, forbidden }
    assert.is_nil(result)
    assert.equal(forbidden, err)
    assert.equal(seen, err.last)
    assert.equal(2, polls)
  end)

  it("keeps the last failed read as the cause of a timeout", function()
    local flaky = errors.new { code = "Throttling", retryable = true }
    local _, err = watch { things "working", flaky }
    assert.equal("Client.WaitTimeout", err.code)
    assert.equal(flaky, err.cause)
    assert.matches("last state: working", err.message)
  end)

  it("tells its progress", function()
    local events = {}
    local flaky = errors.new { code = "Throttling", retryable = true }
    watch({ things("working", "done"), flaky, things("odd", "done"), things("done", "done") }, {
      progress = function(event) events[#events + 1] = event end,
    })
    assert.equal(4, #events)
    assert.equal("done 1/2, working 1/2", events[1].state)
    assert.same({ done = 1, working = 1 }, events[1].states)
    assert.equal(0, events[1].elapsed)
    assert.equal(60, events[1].remaining)
    assert.equal(flaky, events[2].error)
    assert.equal("done 1/2, working 1/2", events[2].state)
    assert.same({ "odd" }, events[3].unknown)
    assert.equal("done", events[4].state)
    assert.equal(4, events[4].polls)
    assert.equal(15, events[4].elapsed)
  end)

  it("survives a progress callback that raises", function()
    assert.is_truthy(watch({ things "done" }, { progress = function() error "display" end }))
  end)

  it("is interrupted by Ctrl-C inside the callback", function()
    assert.equal("interrupted!", helper.raised(watch, { things "working" }, {
      progress = function() error("interrupted!", 0) end,
    }))
  end)

  it("for what shall be gone ends when the service no longer knows it", function()
    local unknown = errors.new { code = "NoSuchResource" }
    local gone = {}
    for name, value in pairs(DEFINITION) do gone[name] = value end
    gone.gone = true
    local last = things "working"
    local result, err = watch({ last, unknown }, nil, gone)
    assert.is_nil(err)
    assert.equal(last, result)
    result, err = watch({ things "working", unknown })
    assert.is_nil(result)
    assert.equal(unknown, err)
  end)

  it("checks its options", function()
    for _, given in ipairs {
      { timeout = -1 }, { delay = 0 }, { stall = 0 }, { progress = 5 }, { tiemout = 5 },
    } do
      local checked, message = waiter.options(DEFINITION, given)
      assert.is_nil(checked)
      assert.matches("^wait: ", message)
    end
  end)

  it("ends by its deadline whatever the service says, over two thousand seeds", function()
    for seed = 1, 2000 do
      local random = helper.generator(seed)
      local function chaos(control)
        control.elapsed = control.elapsed + random() * 3
        local dice = random()
        if dice < 0.3 then return errors.new { retryable = true, retry_after = random() * 100 } end
        if dice < 0.4 then return things() end
        if dice < 0.5 then return things("odd" .. dice) end
        return things(dice < 0.7 and "working" or "waiting", "done")
      end
      local result, err, control = watch({ chaos }, { timeout = 100, delay = 0.5 + random() * 9 })
      assert.is_nil(result)
      assert.equal("timeout", err.kind)
      assert.is_true(control.elapsed >= 100 and control.elapsed < 103.1)
    end
  end)
end)

describe("a response", function()
  local function judge(changes, response)
    local definition = {}
    for name, value in pairs(DEFINITION) do definition[name] = value end
    for name, value in pairs(changes) do definition[name] = value end
    return waiter.judge(definition, response)
  end

  it("with an empty list is success for what shall be gone, without a list it is not", function()
    local gone = { gone = true, success = {} }
    assert.equal("success", judge(gone, things()).verdict)
    assert.equal("waiting", judge(gone, {}).verdict)
    assert.equal("waiting", judge(gone, { Things = "none" }).verdict)
    assert.equal("waiting", judge(gone, things "working").verdict)
    assert.equal("failure", judge(gone, things("working", "failed")).verdict)
    assert.equal("success", judge({ gone = true }, things "done").verdict)
    assert.equal("waiting", judge({}, things()).verdict)
  end)

  it("is success only when a number is above zero in every item, if that is asked", function()
    local function points(...)
      local list = {}
      for i, point in ipairs { ... } do list[i] = { Status = "working", Point = point } end
      return { Things = list }
    end
    local positive = { positive = "Point", success = {} }
    assert.equal("success", judge(positive, points(1, 5.0, "7")).verdict)
    for _, response in ipairs {
      points(1, 0), points(1, false), points(1, "7x"), points(-1), things "working", things(),
    } do
      assert.equal("waiting", judge(positive, response).verdict)
    end
    assert.equal("working (no Point)", judge(positive, points(false)).state)
    local failed = points(1)
    failed.Things[1].Status = "failed"
    assert.equal("failure", judge(positive, failed).verdict)
  end)

  it("is success only when what lies inside is done too, if that is asked", function()
    local nested = { nested = {
      items = "Parts", field = "Disk", success = { "made" }, failure = { "lost" },
      transient = { "making" },
    } }
    local function parts(...)
      local list = {}
      for i, word in ipairs { ... } do list[i] = { Disk = word } end
      return { Things = { { Status = "done", Parts = list } } }
    end
    assert.equal("success", judge(nested, parts("made", "made")).verdict)
    local seen = judge(nested, parts("made", "making"))
    assert.equal("waiting", seen.verdict)
    assert.equal("done (Disk made 1/2, making 1/2)", seen.state)
    assert.equal("failure", judge(nested, parts("made", "lost")).verdict)
    seen = judge(nested, parts("made", "NO_STOCK"))
    assert.equal("waiting", seen.verdict)
    assert.same({ "NO_STOCK" }, seen.unknown)
    assert.equal("waiting", judge(nested, parts()).verdict)
    assert.equal("waiting", judge(nested, things "done").verdict)
  end)

  it("may have its list further inside", function()
    local deep = { items = "Outer.Things" }
    assert.equal("success", judge(deep, { Outer = things "done" }).verdict)
    assert.equal("waiting", judge(deep, things "done").verdict)
  end)
end)
