-- A recording is played: the same calls get the same answers, and whatever was not recorded is
-- refused before it is sent.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local emulators = require "alicloud.emulator"
local reading = require "alicloud.conformance.recording.reading"
local noted = require "spec.conformance.noted"
local replays = require "alicloud.conformance.replay"
local scratch = require "spec.scratch"

local function client_of(options, more)
  local given = { region = "cn-shanghai", access_key_id = "emulator",
    access_key_secret = "emulator-secret" }
  for _, list in ipairs { options, more or {} } do
    for name, value in pairs(list) do given[name] = value end
  end
  return alicloud.client(given)
end

-- A failover in an emulator, its events, and the text of what went by.
local function recorded(given)
  local emulator = emulators.new(given or {})
  local recorder = noted.new(emulator.transport, emulator.runtime.time)
  local client = client_of { transport = recorder.transport, runtime = emulator.runtime }
  local events = {}
  local result, err = dr.group(client, "pg-orders"):failover {
    progress = function(event) events[#events + 1] = event end }
  return recorder:text(), result, err, events
end

local function play(text, mode)
  return replays.new(assert(reading.read(text, "rec.jsonl")), mode)
end

local function played(replay)
  local events = {}
  local result, err = dr.group(client_of(replay:options(), { region = "cn-shanghai" }),
    "pg-orders"):failover { progress = function(event) events[#events + 1] = event end }
  return result, err, events
end

-- Without what is new in every run.
local function plain(value)
  if type(value) == "number" and value ~= math.floor(value) then
    return math.floor(value * 100 + 0.5) / 100
  end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, each in pairs(value) do
    if key ~= "client_token" then copy[key] = plain(each) end
  end
  return copy
end

local function describe_line(n, id, status, more)
  return noted.exchange(n, "DescribeDiskReplicaGroups", { RegionId = "cn-shanghai",
    GroupIds = id, Site = "backup" }, { ReplicaGroups = core.array { { ReplicaGroupId = id,
    Status = status } } }, more)
end

describe("a strict replay", function()
  it("gives the results and events of the recording", function()
    local text, result, _, events = recorded()
    local replay = play(text, "strict")
    local again, err, events_again = played(replay)
    assert(again, err)
    assert.same(plain(result), plain(again))
    assert.same(plain(events), plain(events_again))
    assert.is_true(#events > 3)
    assert(replay:finish())
  end)

  it("gives the errors of the recording, with what they say of the effect", function()
    for _, fault in ipairs {
      { error = { code = "Forbidden.RAM", status = 403 } },
      { error = { code = "InternalError", status = 500 } },
      { error = { code = "IncorrectStatus", status = 409 } }, { drop = true },
    } do
      local text, result, err = recorded { faults = { { effect = fault,
        match = { action = "FailoverDiskReplicaGroup" } } } }
      local replay = play(text, "strict")
      local again, err_again = played(replay)
      assert.equal(result == nil, again == nil)
      for _, field in ipairs(err and { "kind", "code", "message", "outcome", "attempts",
        "request_id", "status", "hint", "elapsed", "stopped" } or {}) do
        local was, is = err[field], err_again[field]
        if type(was) == "string" then
          was, is = was:gsub(err.client_token, "T"), is:gsub(err_again.client_token, "T")
        end
        assert.same(plain(was), plain(is), field)
      end
      assert(replay:finish())
    end
  end)

  it("refuses what is not next as not sent, and names the line", function()
    local replay = play(noted.text { describe_line(1, "pg-001", "normal"),
      describe_line(2, "pg-002", "normal") }, "strict")
    local client = client_of(replay:options())
    local ask = { GroupIds = "pg-002", Site = "backup" }
    local _, err = client:call("DescribeDiskReplicaGroups", ask)
    assert.equal("Client.NotRecorded", err.code)
    assert.equal("not_sent", err.outcome)
    assert.equal(1, err.attempts)
    assert.matches("pg%-002 in cn%-shanghai was not recorded", err.message)
    assert.matches("line 2 has DescribeDiskReplicaGroups of pg%-001", err.hint)
    ask.GroupIds = "pg-001"
    assert(client:call("DescribeDiskReplicaGroups", ask))
    local ok, message, left = replay:finish()
    assert.is_nil(ok)
    assert.matches("line 3 was not asked for: DescribeDiskReplicaGroups of pg%-002", message)
    assert.equal(1, #left)
  end)

  it("plays one of several commands that a file is of", function()
    local first = noted.text { describe_line(1, "pg-001", "normal") }
    local second = noted.text { describe_line(1, "pg-002", "stopped"),
      describe_line(2, "pg-002", "normal") }
    local replay = play(first .. second, "strict")
    local client = client_of(replay:options())
    for _, status in ipairs { "stopped", "normal" } do
      local answer = assert(client:call("DescribeDiskReplicaGroups", { GroupIds = "pg-002",
        Site = "backup" }))
      assert.equal(status, answer.ReplicaGroups[1].Status)
    end
    assert(replay:finish())
  end)

  it("plays failures on the way", function()
    local replay = play(noted.text { noted.exchange(1, "FailoverDiskReplicaGroup", {
      RegionId = "cn-shanghai", ReplicaGroupId = "pg-001" }, { failure = { kind = "timeout",
      sent = true, detail = "no answer" } }, { ms = 30000 }) }, "strict")
    local runtime = replay:runtime()
    local before = runtime.time()
    local _, err = client_of(replay:options(), { retries = 0 }):call("FailoverDiskReplicaGroup",
      { ReplicaGroupId = "pg-001" })
    assert.equal("Client.Timeout", err.code)
    assert.equal("unknown", err.outcome)
    assert.equal(30, runtime.time() - before)
  end)
end)

describe("a lenient replay", function()
  local function ask(client, id)
    local answer, err = client:call("DescribeDiskReplicaGroups", { GroupIds = id,
      Site = "backup" })
    return answer and answer.ReplicaGroups[1].Status, err
  end

  it("takes readings in any order and repeats the last answer", function()
    local replay = play(noted.text { describe_line(1, "pg-001", "normal"),
      describe_line(2, "pg-001", "failovering"), describe_line(3, "pg-002", "stopped") },
      "lenient")
    local client = client_of(replay:options())
    assert.equal("stopped", ask(client, "pg-002"))
    assert.equal("normal", ask(client, "pg-001"))
    assert.equal("failovering", ask(client, "pg-001"))
    assert.equal("failovering", ask(client, "pg-001"))
    assert.equal("stopped", ask(client, "pg-002"))
    assert(replay:finish())
  end)

  it("takes several ids in any order", function()
    local line = describe_line(1, "pg-002,pg-001", "normal")
    local client = client_of(play(noted.text { line }, "lenient"):options())
    assert.equal("normal", ask(client, "pg-001,pg-002"))
    assert.is_nil(ask(client, "pg-001"))
  end)

  it("answers a change as often as it was made, and only with its parameters", function()
    local reverse = { RegionId = "cn-shanghai", ReplicaGroupId = "pg-001",
      ReverseReplicate = "true" }
    local client = client_of(play(noted.text {
      noted.exchange(1, "ReprotectDiskReplicaGroup", reverse, {}) }, "lenient"):options())
    local _, err = client:call("ReprotectDiskReplicaGroup", { ReplicaGroupId = "pg-001",
      ReverseReplicate = false })
    assert.equal("Client.NotRecorded", err.code)
    assert.matches("elsewhere: line 2: ReprotectDiskReplicaGroup of pg%-001", err.hint)
    assert(client:call("ReprotectDiskReplicaGroup", { ReplicaGroupId = "pg-001",
      ReverseReplicate = true }))
    _, err = client:call("ReprotectDiskReplicaGroup", { ReplicaGroupId = "pg-001",
      ReverseReplicate = true })
    assert.equal("not_sent", err.outcome)
    assert.matches("1 times, at last in line 2", err.hint)
  end)

  it("tells who types an id of the account which ids the recording has", function()
    local client = client_of(play(noted.text { describe_line(1, "pg-001", "normal") },
      "lenient"):options())
    local _, err = ask(client, "pg-orders")
    assert.matches("does not know pg%-orders: ids in it are pg%-001$", err.hint)
  end)

  it("has no answer for a change that was not recorded", function()
    local client = client_of(play(noted.text { describe_line(1, "pg-001", "normal") },
      "lenient"):options())
    local _, err = client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-001" })
    assert.equal("Client.NotRecorded", err.code)
    assert.equal("not_sent", err.outcome)
    assert.matches("no such action at all", err.hint)
  end)
end)

describe("the clock of a replay", function()
  it("follows the recording, and a wait takes no time", function()
    local replay = play(noted.text { describe_line(1, "pg-001", "normal"),
      describe_line(9, "pg-001", "failovered") }, "strict")
    local options = replay:options()
    local client = client_of(options)
    local start, real = options.runtime.time(), core.monotonic()
    assert.equal(1795316401, start)
    client:call("DescribeDiskReplicaGroups", { GroupIds = "pg-001", Site = "backup" })
    options.runtime.sleep(5)
    client:call("DescribeDiskReplicaGroups", { GroupIds = "pg-001", Site = "backup" })
    assert.equal(8.02, plain(options.runtime.time() - start))
    assert.is_true(core.monotonic() - real < 5)
  end)

  it("is none that a client has to be told apart by: two replays draw the same", function()
    local text = recorded()
    local one, two = play(text):runtime(), play(text):runtime()
    assert.equal(one.random_hex(16), two.random_hex(16))
  end)
end)

describe("a transport of a replay", function()
  it("takes signed requests too", function()
    local replay = play(noted.text { describe_line(1, "pg-001", "normal") }, "strict")
    local client = client_of({ transport = { send = replay.send } })
    local signed = assert(client:prepare("DescribeDiskReplicaGroups", { GroupIds = "pg-001",
      Site = "backup" }))
    local answer = assert(replay.send { method = signed.method, url = signed.url,
      host = signed.host, headers = signed.headers, body = signed.body,
      action = "DescribeDiskReplicaGroups" })
    assert.matches("pg%-001", answer.body)
    local _, err = client:call("DescribeDiskReplicaGroups", { GroupIds = "pg-001" })
    assert.equal("not_sent", err.outcome)
  end)
end)

describe("the file of a recording", function()
  local function fault(text)
    local _, err = reading.read(text, "rec.jsonl")
    assert.equal("Client.BadRecording", err.code)
    return err.message
  end

  it("is refused with the line that is wrong", function()
    local good = noted.text { describe_line(1, "pg-001", "normal") }
    assert.matches("^rec.jsonl, line 3: it is no JSON", fault(good .. "{oops\n"))
    assert.matches("^rec.jsonl, line 1: it is none of a recording: v: got 7 %(number%); allowed: 1",
      fault(good:gsub('"v":1', '"v":7', 1)))
    assert.matches('line 2: response.status: got "200"; allowed',
      fault((good:gsub('"status":200', '"status":"200"', 1))))
    assert.matches("line 2: at: got",
      fault((good:gsub('"at":"[^"]*","attempt', '"at":"now","attempt'))))
    assert.matches("it holds no exchange", fault(good:match "^[^\n]*\n"))
  end)

  it("may end in the middle of a line", function()
    local good = noted.text { describe_line(1, "pg-001", "normal") }
    assert.equal(1, #assert(reading.read(good .. '{"v":1,"n":2,"at":"2026-1', "r")).exchanges)
  end)

  it("has marks and gaps besides exchanges", function()
    local recording = assert(reading.read(noted.text { describe_line(1, "pg-001", "normal"),
      { v = 1, n = 2, at = noted.moment(0), difference = { assumption = "x", text = "y" } },
      { v = 1, n = 3, at = noted.moment(0), dropped = "redaction could not be proved" } }, "r"))
    assert.equal("x", recording.differences[1].assumption)
    assert.equal(1, recording.dropped)
  end)

  it("is opened by its path, and one that is not there is refused", function()
    local path = scratch.file(noted.text { describe_line(1, "pg-001", "normal") }, ".jsonl")
    assert.equal("lenient", assert(replays.open(path, { mode = "lenient" })).mode)
    local _, err = replays.open(path .. ".gone")
    assert.equal("Client.BadRecording", err.code)
    assert.has_error(function() replays.open(path, { mode = "loose" }) end)
  end)
end)
