-- What a recorder takes down, from whatever carries the requests, and that it hurts nobody.

local alicloud = require "alicloud"
local bench = require "spec.conformance.recording.bench"
local core = require "alicloud.core"
local cqueues = require "cqueues"
local cqueues_loops = require "alicloud.loop.cqueues"
local credentials = require "alicloud.credentials"
local emulator = require "alicloud.emulator"
local luv_loops = require "alicloud.loop.luv"
local process = require "spec.process"
local recorder = require "alicloud.conformance.recording.recorder"
local runtimes = require "alicloud.base.runtime"
local scratch = require "spec.scratch"
local server = require "alicloud.emulator.server"
local uv = require "spec.kept" "luv"

local function options_of(emu, more)
  local given = { region = "cn-shanghai", runtime = emu.runtime, transport = emu.transport,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret }
  for name, value in pairs(more or {}) do given[name] = value end
  return given
end

-- Few words for each line.
local function words_of(path)
  local words = {}
  for _, line in ipairs(bench.lines(path)) do
    local came = line.response and line.response.status
      or line.failure and ("%s sent=%s"):format(line.failure.kind, line.failure.sent)
    words[#words + 1] = line.n == 0 and "head " .. line.command
      or ("%d %s %s #%d %s"):format(line.n, line.action, line.mutating and "changes" or "reads",
        line.attempt, came)
  end
  return words
end

local BUSY = { { match = { action = "DescribeRegions", count = 1 },
  effect = { error = { code = "Throttling", status = 429 } } } }
local TWICE = { "head ", "1 DescribeRegions reads #1 429", "2 DescribeRegions reads #2 200" }

describe("a recorder takes down every attempt", function()
  it("of the emulator in the process, as bytes and as values", function()
    for _, wire in ipairs { true, false } do
      local emu = emulator.new { faults = BUSY, wire = wire }
      local recording, path = bench.open()
      local client <close> = alicloud.client(options_of(emu, { recorder = recording }))
      assert(client:call "ebs:DescribeRegions")
      recording:close()
      assert.same(TWICE, words_of(path))
      assert.is_table(bench.lines(path)[3].response.json.Regions)
    end
  end)

  it("over a socket", function()
    local emu = emulator.new { faults = BUSY }
    local listening <close> = assert(server.start(emu))
    local recording, path = bench.open()
    local given = options_of(emu, { recorder = recording, endpoint = listening.url,
      loop = listening:loop() })
    given.transport = nil
    given.runtime = runtimes.new { time = emu.runtime.time, getenv = function() end }
    local client <close> = alicloud.client(given)
    assert(client:call "ebs:DescribeRegions")
    local lines = bench.lines(path)
    assert.same(TWICE, words_of(path))
    assert.equal("alicloud-dr", lines[3].response.headers["x-emulator"])
    assert.equal((listening.url:gsub("^http://", "")), lines[3].request.host)
    assert.equal(lines[3].response.json.RequestId,
      lines[3].response.headers["x-acs-request-id"])
  end)

  it("of several calls at once, in loops of a program's own", function()
    local emu <close> = process.start_emulator()
    local start = emu.start
    local function ask(loop, recording)
      local client = alicloud.client { region = "cn-shanghai", endpoint = start.endpoint,
        loop = loop, access_key_id = start.access_key_id,
        access_key_secret = start.access_key_secret, recorder = recording,
        runtime = { getenv = function() end } }
      local first, second = client:start "ebs:DescribeRegions",
        client:start("ebs:DescribeDiskReplicaGroups", {})
      assert(first:result())
      assert(second:result())
      client:close()
    end
    local in_cqueues, cqueues_path = bench.open()
    local controller = cqueues.new()
    controller:wrap(function() ask(cqueues_loops.new(), in_cqueues) end)
    assert(controller:loop(60))
    local in_luv, luv_path = bench.open()
    local done
    coroutine.wrap(function()
      ask(luv_loops.new(), in_luv)
      done = true
    end)()
    uv.run()
    assert.is_true(done)
    for _, path in ipairs { cqueues_path, luv_path } do
      local words = words_of(path)
      table.sort(words, function(a, b) return a:gsub("^%d ", "") < b:gsub("^%d ", "") end)
      assert.equal(3, #words)
      assert.truthy(words[1]:find "DescribeDiskReplicaGroups reads #1 200")
      assert.truthy(words[2]:find "DescribeRegions reads #1 200")
    end
  end)

  it("that got no answer, also where it never left", function()
    local answers = { { failure = "timeout", sent = true, detail = "after 10 s" },
      { failure = "connect", sent = false, detail = "refused" } }
    local recording, path = bench.open()
    local runtime = emulator.new {}.runtime
    local client <close> = alicloud.client { region = "cn-shanghai", access_key_id = "k",
      access_key_secret = "s", retries = 1, recorder = recording, runtime = runtime,
      transport = { send = function() return table.remove(answers, 1) end } }
    assert.is_nil(client:call "ebs:DescribeRegions")
    assert.same({ "head ", "1 DescribeRegions reads #1 timeout sent=true",
      "2 DescribeRegions reads #2 connect sent=false" }, words_of(path))
  end)

  it("that Ctrl-C has cut short", function()
    local recording, path = bench.open()
    local client <close> = alicloud.client { region = "cn-shanghai", access_key_id = "k",
      access_key_secret = "s", recorder = recording,
      transport = { send = function() error("interrupted!", 0) end } }
    assert.is_false(pcall(client.call, client, "ebs:FailoverDiskReplicaGroup",
      { ReplicaGroupId = "pg-x" }))
    assert.same({ "head ", "1 FailoverDiskReplicaGroup changes #1 cancelled sent=true" },
      words_of(path))
  end)

  it("that a transport of values refused by itself", function()
    local recording, path = bench.open()
    local refusal = { kind = "api", code = "NoSuchResource", message = "no group pg-secret-1",
      outcome = "rejected", status = 404, request_id = "r" }
    local client <close> = alicloud.client { region = "cn-shanghai", access_key_id = "k",
      access_key_secret = "s", recorder = recording,
      transport = { send = function() end, perform = function() return { err = refusal } end } }
    assert.is_nil(client:call("ebs:DescribeDiskReplicaGroups", { GroupIds = "pg-secret-1" }))
    assert.same({ Code = "NoSuchResource", Message = "no group pg-001", RequestId = "request-001" },
      bench.lines(path)[2].response.json)
  end)

  it("but not those that ask for keys", function()
    local emu = emulator.new {}
    local recording, path = bench.open()
    local given = options_of(emu, { recorder = recording })
    given.access_key_id, given.access_key_secret = nil, nil
    given.credentials = credentials.role { role_arn = "acs:ram::123456789012:role/dr",
      source = credentials.static { access_key_id = emu.access_key_id,
        access_key_secret = emu.access_key_secret } }
    local client <close> = alicloud.client(given)
    assert(client:call "ebs:DescribeRegions")
    assert.same({ "head ", "1 DescribeRegions reads #1 200" }, words_of(path))
  end)
end)

describe("a recorder hurts no call", function()
  it("whatever it raises or returns", function()
    local emu = emulator.new {}
    for _, take in ipairs { error, function() return nil, 5 end, function() error {} end } do
      local client <close> = alicloud.client(options_of(emu, { recorder = { exchange = take } }))
      assert(client:call "ebs:DescribeRegions")
    end
  end)

  it("where its file cannot be written any more, and says so once", function()
    local emu, warned = emulator.new {}, {}
    local recording, path = bench.open { warn = function(text) warned[#warned + 1] = text end }
    local client <close> = alicloud.client(options_of(emu, { recorder = recording }))
    assert(client:call "ebs:DescribeRegions")
    recording.file:close()
    recording.file = { append = function() return nil, "No space left on device" end,
      close = function() end }
    assert(client:call "ebs:DescribeRegions")
    assert(client:call "ebs:DescribeRegions")
    recording:close()
    assert.same({ "the recording ends here, and the command goes on: No space left on device" },
      warned)
    assert.equal(2, #bench.lines(path))
  end)

  it("and is refused where it is none", function()
    local ok, message = pcall(alicloud.client, { recorder = {} })
    assert.is_false(ok)
    assert.truthy(message:find("option recorder: got a table; allowed: a table with the function "
      .. "exchange", 1, true))
  end)
end)

describe("the file of a recording", function()
  it("is its owner's alone, and has each line as soon as it is known", function()
    local recording, path = bench.open()
    recording:exchange(bench.exchange())
    assert.equal(2, #bench.lines(path))
    assert.equal(384, core.look(path).mode)
    recording:close()
    assert.equal(2, #bench.lines(path))
  end)

  it("is gone on with under other pseudonyms, in place of a line that a kill has cut", function()
    local recording, path = bench.open()
    recording:exchange(bench.exchange { params = { ReplicaGroupId = "pg-a", GroupName = "x" } })
    recording:close()
    local file <close> = assert(io.open(path, "ab"))
    file:write '{"v":1,"n":2,"at'
    file:close()
    recording = bench.open(nil, path)
    recording:exchange(bench.exchange { params = { ReplicaGroupId = "pg-b" } })
    recording:close()
    local text = scratch.read(path)
    assert.is_nil(text:find('{"v":1,"n":2,"at\n', 1, true))
    local numbers = {}
    for i, line in ipairs(bench.lines(path)) do numbers[i] = line.n end
    assert.same({ 0, 1, 0, 1 }, numbers)
    assert.truthy(text:find("pg-002", 1, true))
  end)

  it("has the same pseudonyms where the key to them was kept", function()
    local map = scratch.path ".json"
    local recording, path = bench.open { keep_map = map }
    recording:exchange(bench.exchange { params = { ReplicaGroupId = "pg-a" } })
    recording:close()
    assert.equal(384, core.look(map).mode)
    assert.equal("pg-001", core.decode(scratch.read(map)).originals["pg-a"])
    recording = bench.open({ keep_map = map }, path)
    recording:exchange(bench.exchange { params = { ReplicaGroupId = "pg-b", PairId = "pg-a" } })
    recording:close()
    assert.same({ ReplicaGroupId = "pg-002", PairId = "pg-001" },
      bench.lines(path)[4].request.params)
  end)

  it("is not opened where it is something else, or another command has it", function()
    local recording <close>, path = bench.open()
    local other, message = recorder.open(path)
    assert.is_nil(other)
    assert.equal(path .. ": another command records into it", message)
    local foreign = scratch.file '{"seq":1}\n'
    assert.equal(foreign .. ": it is there and is no recording", select(2, recorder.open(foreign)))
    assert.equal('{"seq":1}\n', scratch.read(foreign))
    assert.is_nil(recorder.open(scratch.path() .. "/nowhere/x"))
    assert.is_nil(recorder.open(scratch.path(), { keep_map = foreign }))
    recording:exchange(bench.exchange())
  end)

  it("marks differences, and leaves request ids out if it is told to", function()
    local recording, path = bench.open { drop_request_ids = true, command = { "status" } }
    local id = "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E"
    recording:exchange(bench.exchange { json = { RequestId = id, Message = "see " .. id } })
    recording:difference("status_words", "pg-a: a status \"sleeping\" is unknown")
    recording:close()
    local lines = bench.lines(path)
    assert.same({ RequestId = "request-001", Message = "see request-001" }, lines[2].response.json)
    assert.same({ assumption = "status_words", text = 'pg-001: a status "text-001" is unknown' },
      lines[3].difference)
    assert.same({ "status", 0, 1, 2 }, { lines[1].command, lines[1].n, lines[2].n, lines[3].n })
  end)

  it("marks what a client has noted, each once", function()
    local emu, warned = emulator.new {}, 0
    local recording, path = bench.open()
    local runtime = {}
    for name, value in pairs(emu.runtime) do runtime[name] = value end
    runtime.warn = function() warned = warned + 1 end
    local client <close> = alicloud.client(options_of(emu, { recorder = recording,
      runtime = runtime }))
    client:with({ region = "cn-hangzhou" }).differences:note("state_order", "pg-a went back")
    client.differences:note("state_order", "pg-a went back")
    recording:close()
    assert.same({ assumption = "state_order", text = "pg-001 went back" },
      bench.lines(path)[2].difference)
    assert.equal(2, #bench.lines(path))
    assert.equal(1, warned)
  end)

  it("takes a bad option for what it is", function()
    assert.error_matches(function() recorder.open("x", { keepmap = "y" }) end,
      'recorder.open: unknown option "keepmap"; did you mean "keep_map"')
  end)
end)

describe("the key to pseudonyms", function()
  it("never takes the place of its recording, however that is called", function()
    local path = scratch.path ".jsonl"
    local other = path:gsub("/([^/]+)$", "/./%1")
    local recording, message = recorder.open(path, { keep_map = other })
    assert.is_nil(recording)
    assert.truthy(message:find(other, 1, true), message)
  end)
end)
