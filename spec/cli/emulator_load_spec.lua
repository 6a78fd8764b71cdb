-- A fleet's day against the quotas.

local desks = require "spec.cli.desk"
local load = require "alicloud.cli.emulator_load"
local emulator = require "alicloud.emulator"
local scratch = require "spec.scratch"

local FAILOVER = '{"at":%g,"action":"FailoverDiskReplicaGroup","count":%d,"over":%g}\n'

local function replay(text, assume)
  return load.replay(assert(load.read(text)), emulator.new { assume = assume })
end

describe("emulator --load", function()
  local desk

  before_each(function() desk = desks.new { env = {} } end)

  local function run(text, ...)
    return desk:run("emulator", "--load", scratch.file(text), ...)
  end

  it("counts what the account would have refused, and what a client would have waited", function()
    local row = replay(FAILOVER:format(0, 100, 0), { throttle = "second" })[1]
    assert.equal("ebs:FailoverDiskReplicaGroup", row.operation)
    assert.same({ 100, 100, 60, 40 }, { row.calls, row.most, row.throttled, row.quota })
    -- Three quarters of the quota are ours: 30 at once, and 30 more with each second.
    assert.is_true(math.abs(row.longest_wait - 3) < 0.001)
    assert.is_true(math.abs(row.waited - (30 + 60 + 30)) < 0.01)
  end)

  it("takes a whole number that is written with a point", function()
    local text = '{"at":0.0,"action":"FailoverDiskReplicaGroup","count":%s}'
    for _, count in ipairs { "20", "20.0", "2e1" } do
      assert.equal(20, #assert(load.read(text:format(count))), count)
    end
    assert.matches("count: got 20.5; allowed: a whole number", select(2, load.read(
      text:format "20.5")))
  end)

  it("finds nothing to refuse in what keeps to the quota", function()
    local row = replay(FAILOVER:format(0, 300, 10), { throttle = "minute" })[1]
    assert.same({ 0, 30 }, { row.throttled, row.most })
    assert.is_true(row.longest_wait < 1.1)
  end)

  it("lets a client wait for the quota that the emulator is given", function()
    local row = replay(FAILOVER:format(0, 100, 0), { throttle = "second", throttle_limit = 100 })[1]
    assert.same({ 0, 100 }, { row.throttled, row.quota })
    -- What the account has for all operations of a region holds as before: 60 a second for us.
    assert.is_true(row.longest_wait < 1.01)
  end)

  it("blocks until the next full minute of the file", function()
    local text = FAILOVER:format(50, 41, 0) .. FAILOVER:format(55, 1, 0)
      .. FAILOVER:format(60, 1, 0)
    assert.equal(2, replay(text, { throttle = "minute" })[1].throttled)
    assert.equal(1, replay(text, { throttle = "second" })[1].throttled)
  end)

  it("takes the lines of a recording, whose other lines tell nothing of calls", function()
    local calls = assert(load.read('{"v":1,"n":0,"at":"2026-11-30T12:46:19.493Z","tool":"x"}\n\n'
      .. '{"n":1,"at":"2026-11-30T12:46:19.582Z","product":"ecs","action":"DescribeDisks",'
      .. '"attempt":1,"region":"cn-beijing","ms":4}\n'))
    assert.is_true(math.abs(calls[1].at - 1796042779.582) < 0.001)
    assert.equal(1, #calls)
    assert.equal("ecs", calls[1].line.product)
  end)

  it("names the line that cannot be read", function()
    for text, message in pairs {
      ["{"] = "line 1: no JSON object", ['\n{"at":1,"action":"Nope"}'] = "line 2: action: got Nope",
      ['{"at":"x","action":"StopInstance"}'] = "line 1: at:", [""] = "holds no call",
      ['{"at":1,"product":"ecs","action":"StopInstance","count":0}'] = "line 1: count:",
      ['{"at":1,"product":"ecs","action":"StopInstance","over":-1}'] = "line 1: over: got -1",
      ['{"at":-1,"product":"ecs","action":"StopInstance"}'] = "line 1: at: got -1; allowed:",
      ['{"at":1,"product":"oss","action":"StopInstance"}'] = "line 1: product: got oss",
      ['{"at":1,"action":"StopInstance"}'] = 'ecs has it: "product": "ecs"',
      ['{"at":1,"product":"ecs","action":"StopInstance","region":"a b"}'] = "line 1: region: got",
      ['{"at":1,"product":"ecs","action":"StopInstance","regoin":"x"}'] = "line 1: no field regoin",
      ['{"at":1,"product":["ecs"],"action":{}}'] = "line 1: product: got",
    } do
      local ran = run(text)
      assert.equal(2, ran.code)
      assert.matches(message, ran.err, 1, true)
    end
  end)

  it("refuses what it has no use for, and takes what says which quotas hold", function()
    local day = FAILOVER:format(0, 1, 0)
    for _, words in ipairs { { "--port", "0" }, { "--host", "127.0.0.1" }, { "--world", "w.lua" },
      { "--world-from", "w" }, { "--faults", "f.lua" }, { "--region-ports" }, { "--any-key" },
      { "--ecs-role", "r" }, { "--step", "1" }, { "--speed", "60" }, { "--skew", "1" },
      { "--seed", "1" }, { "--hostile", "stale_read=5" }, { "--until-eof" },
      { "--list-scenarios" }, { "--list-assumptions" } } do
      local ran = run(day, table.unpack(words))
      assert.equal(2, ran.code)
      assert.equal(("alicloud-dr emulator: --load: cannot be given together with %s\n"):format(
        words[1]), ran.err)
    end
    assert.equal("Client.Usage", run(day, "--port", "8080", "--json").object.error.code)
    local ran = run(day, "--scenario", "blocked-minute")
    assert.matches("throttle=minute", ran.out, 1, true)
  end)

  it("shows a line for each operation, and the same as JSON", function()
    local day = FAILOVER:format(0, 100, 0) .. FAILOVER:format(60, 1, 0)
    local ran = run(day)
    assert.equal(0, ran.code, ran.err)
    assert.matches("101 calls in 60 s; the emulator assumes throttle=second", ran.out, 1, true)
    assert.matches("\n  cn%-shanghai: .*ebs:FailoverDiskReplicaGroup +101 +100/40 +60 ", ran.out)
    for line in ran.out:gmatch "[^\n]+" do assert.is_true(#line <= 80, line) end
    local object = run(day, "--assume", "throttle=off", "--json").object
    assert.same({ 0, 101, "off" },
      { object.load[1].throttled, object.calls, object.throttle })
  end)
end)
