local alicloud = require "alicloud"
local adapter = require "alicloud.net.adapter"
local core = require "alicloud.core"
local helper = require "spec.helper"

local function send(give)
  return adapter.foreign({ send = give }).send { timeout = 10 }
end

local function returning(...)
  local values = table.pack(...)
  return send(function() return table.unpack(values, 1, values.n) end)
end

describe("a foreign transport", function()
  it("answers with status, headers and body; header names become lower-case", function()
    assert.same({
      status = 200,
      headers = { ["x-acs-request-id"] = "R", ["x-two"] = "a, b", ["content-length"] = "2" },
      body = "{}",
    }, returning {
      status = 200,
      headers = { ["X-Acs-Request-Id"] = "R", ["X-Two"] = { "a", "b" }, ["Content-Length"] = 2 },
      body = "{}",
      extra = "ignored",
    })
  end)

  it("joins what two spellings of a name say", function()
    for _, second in ipairs { "content-encoding", "CONTENT-ENCODING", "Content-encoding" } do
      local answer = returning { status = 200, headers = { ["Content-Encoding"] = "gzip",
        [second] = "identity" } }
      local first, other = answer.headers["content-encoding"]:match("^(%a+), (%a+)$")
      assert.truthy(first ~= other and (first == "gzip" or other == "gzip"))
    end
  end)

  it("may leave out headers and body", function()
    assert.same({ status = 204, headers = {}, body = "" }, returning { status = 204 })
  end)

  it("may report a failure in our words", function()
    assert.same({ failure = "connect", sent = false, detail = "refused" },
      returning { failure = "connect", sent = false, detail = "refused" })
    assert.is_true(returning({ failure = "timeout" }).sent)
    assert.is_true(returning({ failure = "timeout", sent = "maybe" }).sent)
  end)

  it("is not asked once the time is over until which the request may leave", function()
    local asked = 0
    local made = adapter.foreign { send = function(request)
      asked = asked + 1
      return { status = 200, body = tostring(request.send_by) }
    end }
    local late = made.send { send_by = core.boottime() - 1 }
    assert.same({ "too_late", false, 0 }, { late.failure, late.sent, asked })
    local soon = core.boottime() + 100
    assert.equal(tostring(soon), made.send { send_by = soon }.body)
    local signed = core.signer { host = "h.example" }(nil, nil, 0, "n")
    local _, err = made.send_signed(signed, { send_by = 0 }, 10)
    assert.same({ "Client.TooLate", "not_sent", false }, { err.code, err.outcome, err.retryable })
    assert.equal(1, asked)
  end)

  it("that returns nil, err counts as sent unless it says otherwise", function()
    for _, case in ipairs {
      { "went wrong", true }, { { message = "m" }, true }, { { message = "m", sent = true }, true },
      { { message = "m", sent = "no" }, false }, { { message = "m", sent = false }, false },
      { nil, true }, { 42, true },
    } do
      local answer = returning(nil, case[1])
      assert.equal("other", answer.failure)
      assert.equal(case[2], answer.sent)
    end
    assert.equal("m", returning(nil, { message = "m" }).detail)
    assert.equal("went wrong", returning(false, "went wrong").detail)
  end)

  it("may give a status as a float, as a reader of JSON does", function()
    local answer = returning { status = 403.0, body = "{}" }
    assert.same({ 403, "integer" }, { answer.status, math.type(answer.status) })
  end)

  it("that raises or returns rubbish becomes a failure of unknown outcome", function()
    for _, rubbish in ipairs {
      "text", 7, true, print, {}, { status = "200" }, { status = 99 }, { status = 1000 },
      { status = 200.5 }, { status = 0 / 0 }, { status = 200, body = {} },
      { status = 200, headers = "x" }, { status = 200, headers = { "x" } },
      { status = 200, headers = { a = { {} } } }, { failure = 7 },
      { status = 200, headers = setmetatable({}, { __pairs = function() error "trap" end }) },
      setmetatable({}, { __index = function() error "trap" end }),
      { failure = "timeout", headers = { "x" }, body = 5, status = "x", sent = 3 },
    } do
      local answer = returning(rubbish)
      assert.is_string(answer.failure)
      assert.is_true(answer.sent)
      assert.is_nil(answer.status)
    end
    local raised = send(function() error("boom\27[2J") end)
    assert.equal("other", raised.failure)
    assert.is_true(raised.sent)
    assert.matches("boom\\x1b", raised.detail)
    assert.equal("other", send(function() error({}) end).failure)
    assert.equal("other", send(function() error() end).failure)
  end)

  it("does not eat an interrupt", function()
    local ok, raised = pcall(send, function() error("interrupted!", 0) end)
    assert.is_false(ok)
    assert.equal("interrupted!", raised)
  end)
end)

describe("a foreign transport that takes values", function()
  local function perform(give)
    return adapter.foreign({ send = error, perform = give }).perform { timeout = 10 }
  end

  it("answers with a result, as it is", function()
    local answer = { result = { RequestId = "R" }, request_id = "R", status = 200, date = 7 }
    assert.equal(answer, perform(function() return answer end))
  end)

  it("may answer as one that takes bytes does", function()
    assert.same({ status = 403, headers = {}, body = "{}" },
      perform(function() return { status = 403, body = "{}" } end))
    assert.same({ failure = "connect", sent = false },
      perform(function() return { failure = "connect", sent = false } end))
  end)

  it("may answer with a failure that was judged already, which is not asked again", function()
    local err = { kind = "throttled", code = "Throttling", message = "slowly", outcome = "rejected",
      request_id = "R", retry_after = 1 }
    local asked = {}
    local client = alicloud.client { region = "cn-shanghai", access_key_id = "a",
      access_key_secret = "b", transport = { send = error, perform = function(request)
        asked[#asked + 1] = request
        return { err = err }
      end } }
    local result, told = client:call("ebs:DescribeRegions", {}, { region = "cn-hangzhou" })
    assert.is_nil(result)
    assert.equal(1, #asked)
    assert.equal("cn-hangzhou", asked[1].region)
    for name, value in pairs(err) do assert.equal(value, told[name], name) end
    assert.equal("DescribeRegions", told.action)
  end)

  it("that raises or returns rubbish becomes a failure of unknown outcome", function()
    for _, give in ipairs {
      function() error "broken" end, function() return { result = {} } end,
      function() return { err = {} } end, function() return { err = { kind = "api" } } end,
      function() return { result = {}, request_id = "R", status = "200" } end,
      function() return 7 end, function() end,
    } do
      local answer = perform(give)
      assert.equal("other", answer.failure)
      assert.is_true(answer.sent)
    end
  end)

  it("is one only if it says so", function()
    assert.is_nil(adapter.foreign({ send = error }).perform)
  end)
end)

describe("the built-in transport", function()
  local loaded, opened, log

  -- Stands where the C module stands and completes after a number of steps.
  local function fake(steps)
    opened, log = {}, { submitted = {}, waits = 0, cancelled = 0, closed = 0 }
    return {
      new = function(settings)
        opened[#opened + 1] = settings
        local pending = 0
        return {
          submit = function(_, request)
            log.submitted[#log.submitted + 1] = request
            pending = steps
            return setmetatable({
              done = function() return pending <= 0 end,
              result = function() return { status = 200, headers = {}, body = "{}" } end,
            }, { __close = function() log.cancelled = log.cancelled + 1 end })
          end,
          step = function() pending = pending - 1 end,
          close = function() log.closed = log.closed + 1 end,
        }
      end,
    }
  end

  local function loop_of(control, wait)
    return {
      now = function() return control.elapsed end,
      sleep = function() end,
      wait = wait or function(pollable, deadline)
        log.waits = log.waits + 1
        pollable:step()
        control.elapsed = math.min(deadline, control.elapsed + 1)
      end,
    }
  end

  local REQUEST = {
    method = "POST", url = "https://h/", host = "h", headers = { a = "b" }, timeout = 10,
    mutating = true, action = "X", plain_http = false, send_by = 7.5,
  }

  before_each(function() loaded = package.loaded["alicloud.transport"] end)
  after_each(function() package.loaded["alicloud.transport"] = loaded end)

  it("is opened at the first request, once", function()
    local settings = { connect_timeout = 5 }
    package.loaded["alicloud.transport"] = fake(1)
    local made = adapter.builtin(settings, loop_of { elapsed = 0 })
    assert.equal(0, #opened)
    made.send(REQUEST)
    made.send(REQUEST)
    assert.same({ settings }, opened)
    made.close()
    made.close()
    assert.equal(1, log.closed)
  end)

  it("gets the request whole", function()
    package.loaded["alicloud.transport"] = fake(1)
    adapter.builtin({}, loop_of { elapsed = 0 }).send(REQUEST)
    assert.same({
      method = "POST", url = "https://h/", headers = { a = "b" }, timeout = 10, mutating = true,
      plain_http = false, send_by = 7.5,
    }, log.submitted[1])
  end)

  it("is told until when what was signed may leave", function()
    local given
    package.loaded["alicloud.transport"] = { new = function()
      return { submit = function(_, ...)
        given = table.pack(...)
        error "enough"
      end }
    end }
    local made = adapter.builtin({}, loop_of { elapsed = 0 })
    pcall(made.send_signed, "signed", { mutating = true, send_by = 7.5 }, 10, false)
    assert.same({ "signed", 10, true, false, 7.5, n = 5 }, given)
  end)

  it("is waited for, by a loop that steps it, until the operation is done", function()
    package.loaded["alicloud.transport"] = fake(8)
    adapter.builtin({}, loop_of { elapsed = 0 }).send(REQUEST)
    assert.equal(8, log.waits)
  end)

  it("is let go of by the loop before it is closed, and not opened again", function()
    package.loaded["alicloud.transport"] = fake(1)
    local loop, released = loop_of { elapsed = 0 }, {}
    loop.release = function(pollable) released[#released + 1] = pollable.step and log.closed end
    local made = adapter.builtin({}, loop)
    made.send(REQUEST)
    made.close()
    assert.same({ 0 }, released)
    local answer = made.send(REQUEST)
    assert.equal("cancelled", answer.failure)
    assert.is_false(answer.sent)
    assert.equal(1, #opened)
  end)

  it("is cancelled when an interrupt comes through", function()
    package.loaded["alicloud.transport"] = fake(8)
    local made = adapter.builtin({}, loop_of({ elapsed = 0 }, function()
      error("interrupted!", 0)
    end))
    assert.equal("interrupted!", helper.raised(made.send, REQUEST))
    assert.equal(1, log.cancelled)
  end)

  it("cannot hold a call for ever", function()
    package.loaded["alicloud.transport"] = fake(math.huge)
    local control = { elapsed = 0 }
    local answer = adapter.builtin({}, loop_of(control)).send(REQUEST)
    assert.equal("timeout", answer.failure)
    assert.is_true(answer.sent)
    assert.is_true(control.elapsed < 16)
    assert.equal(1, log.cancelled)
  end)

  it("that cannot be loaded is a failure before anything was sent", function()
    package.loaded["alicloud.transport"] = nil
    local cpath = package.cpath
    finally(function() package.cpath = cpath end)
    package.cpath = ""
    local answer = adapter.builtin({}, loop_of { elapsed = 0 }).send(REQUEST)
    assert.equal("other", answer.failure)
    assert.is_false(answer.sent)
    assert.matches("alicloud.transport cannot be opened", answer.detail)
  end)

  it("that refuses its settings is a failure before anything was sent", function()
    package.loaded["alicloud.transport"] = { new = function() error "no such CA file" end }
    local answer = adapter.builtin({}, loop_of { elapsed = 0 }).send(REQUEST)
    assert.is_false(answer.sent)
    assert.matches("cannot be opened: .*no such CA file", answer.detail)
  end)
end)
