-- Commands whose answers come from a recording: what they print is what was printed then, without a
-- key, a byte that leaves, or a trace in the places of real runs.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local noted = require "spec.conformance.noted"
local scratch = require "spec.scratch"
local transports = require "alicloud.emulator.transport"

-- A desk whose exchanges are written down.
local function recording_desk(given)
  local desk, file, directory = desks.room(nil, given)
  local emu = desk.bench.emu
  local recorder = noted.new(transports.new(emu, true), emu.runtime.time)
  desk.given.transport = recorder.transport
  return desk, recorder, file, directory
end

-- Another machine: no keys, no region, and a transport that must not be used.
local function replaying_desk(given)
  local sent = {}
  local desk = desks.new(given)
  desk.env = { TMPDIR = scratch.directory(), USER = "operator" }
  desk.given.transport = { send = function(request)
    sent[#sent + 1] = request
    error "a replay has sent something"
  end }
  return desk, sent
end

local function file_of(recorder)
  return scratch.file(recorder:text(), ".jsonl")
end

describe("a reading command with --replay", function()
  it("prints what it printed then, without keys and without a region", function()
    for _, words in ipairs {
      { "status" }, { "status", "pg-orders" }, { "precheck", "pg-orders", "--max-rpo", "20m" },
      { "readiness" }, { "precheck", "pg-gone" }, { "status", "--json" },
      { "call", "DescribeRegions" },
    } do
      local desk, recorder = recording_desk()
      words[#words + 1] = "--region"
      words[#words + 1] = "cn-shanghai"
      local then_ = desk:run(table.unpack(words))
      local other, sent = replaying_desk()
      table.move({ "--replay", file_of(recorder), "--replay-mode", "strict" }, 1, 4, #words + 1,
        words)
      local now = other:run(table.unpack(words))
      assert.equal(then_.out, now.out)
      assert.equal(then_.err, now.err:match "^alicloud%-dr: a replay of .-nothing is sent\n(.*)$")
      assert.equal(then_.code, now.code)
      assert.equal(0, #sent)
    end
  end)

  it("takes the recording's region where that has but one", function()
    local path = scratch.file(noted.text { noted.exchange(1, "DescribeDiskReplicaGroups",
      { RegionId = "cn-beijing", Site = "production", MaxResults = "100" },
      { ReplicaGroups = core.array {} }),
      noted.exchange(2, "DescribeDiskReplicaGroups",
      { RegionId = "cn-beijing", Site = "backup", MaxResults = "100" },
      { ReplicaGroups = core.array {} }) }, ".jsonl")
    local ran = replaying_desk():run("status", "--replay", path)
    assert.matches("in cn%-beijing", ran.out)
  end)

  it("takes the region of the first request, where the recording has several", function()
    local path = scratch.file(noted.text { noted.exchange(1, "DescribeDiskReplicaGroups",
      { RegionId = "cn-shanghai", Site = "backup", MaxResults = "100" },
      { ReplicaGroups = core.array {} }), noted.exchange(2, "DescribeDiskReplicaGroups",
      { RegionId = "cn-shanghai", Site = "production", MaxResults = "100" },
      { ReplicaGroups = core.array {} }), noted.exchange(3, "DescribeDiskReplicaGroups",
      { RegionId = "cn-beijing" }, { ReplicaGroups = core.array {} }) }, ".jsonl")
    local ran = replaying_desk():run("status", "--replay", path)
    assert.equal(0, ran.code, ran.err)
    assert.matches("in cn%-shanghai", ran.out)
  end)

  it("says which ids the recording has", function()
    local desk, recorder = recording_desk()
    desk:run("status", "pg-orders", "--region", "cn-shanghai")
    local ran = replaying_desk():run("status", "pg-mine", "--region", "cn-shanghai", "--replay",
      file_of(recorder))
    assert.equal(1, ran.code)
    assert.matches("does not know pg%-mine: ids in it are pair%-orders%-1", ran.err)
  end)

  it("tells, in strict mode, what was not asked for", function()
    local desk, recorder = recording_desk()
    desk:run("status", "pg-orders", "--region", "cn-shanghai")
    local ran = replaying_desk():run("call", "DescribeDiskReplicaGroups", "GroupIds=pg-orders",
      "--region", "cn-shanghai", "--replay", file_of(recorder), "--replay-mode", "strict")
    assert.matches("replay: .*not recorded", ran.err)
    assert.matches("replay: line 2 was not asked for", ran.err)
  end)

  it("refuses a file that is no recording, and what would reach others", function()
    local desk = replaying_desk()
    local ran = desk:run("status", "--replay", scratch.file "{}\n")
    assert.equal(2, ran.code)
    assert.matches("%-%-replay: .*line 1: it is none of a recording: v: got nothing; allowed: 1",
      ran.err)
    local path = scratch.file(noted.text { noted.exchange(1, "DescribeRegions",
      { RegionId = "cn-shanghai" }, {}) }, ".jsonl")
    for option, value in pairs { ["--anchor"] = "true", ["--sign"] = "key", ["--store"] =
      "etcd+https://h/p" } do
      ran = desk:run("run", "failover", "group=pg-1", "region=cn-shanghai", option, value,
        "--replay", path)
      assert.equal(2, ran.code)
      assert.matches("%-%-replay: cannot be given together with %" .. option, ran.err)
    end
  end)
end)

describe("a change with --replay", function()
  it("comes to what it came to then", function()
    local desk, recorder = recording_desk()
    local words = { "failover", "pg-orders", "--region", "cn-shanghai", "--yes", "--client-token",
      "token-of-the-spec" }
    local then_ = desk:run(table.unpack(words))
    assert.equal(0, then_.code)
    table.move({ "--replay", file_of(recorder) }, 1, 2, #words + 1, words)
    local now = replaying_desk():run(table.unpack(words))
    assert.equal(then_.out, now.out)
    assert.equal(0, now.code)
  end)

  it("is refused as not sent where it was not recorded", function()
    local desk, recorder = recording_desk()
    desk:run("precheck", "pg-orders", "--region", "cn-shanghai")
    local ran = replaying_desk():run("failover", "pg-orders", "--region", "cn-shanghai", "--yes",
      "--json", "--replay", file_of(recorder))
    assert.equal(1, ran.code)
    assert.equal("Client.NotRecorded", ran.object.error.code)
    assert.equal("not_sent", ran.object.error.outcome)
  end)
end)

describe("a run with --replay", function()
  local WORDS = { "--region", "cn-shanghai", "--yes", "max_rpo=20m" }

  local function run(desk, file, ...)
    local words = table.move(WORDS, 1, #WORDS, 3, { "run", file })
    return desk:run(table.unpack(table.move({ ... }, 1, select("#", ...), #words + 1, words)))
  end

  local function recorded_run()
    local desk, recorder, file, directory = recording_desk()
    local journal = directory .. "/then.jsonl"
    assert.equal(0, run(desk, file, "--journal", journal).code)
    return file_of(recorder), file, journal, directory
  end

  -- What a killed process has left of a journal.
  local function cut(journal)
    local path, lines = journal .. ".cut", {}
    for line in scratch.read(journal):gmatch "[^\n]+\n" do
      if #lines < 3 then lines[#lines + 1] = line end
    end
    assert(core.write_file(path, table.concat(lines), "private"))
    return path
  end

  it("has a journal of its own, which says that nothing has happened", function()
    local recording, file = recorded_run()
    local desk = replaying_desk()
    local ran = run(desk, file, "--json", "--replay", recording)
    assert.equal(0, ran.code, ran.err)
    local own = ran.object.journal
    assert.equal(desk.env.TMPDIR, own:sub(1, #desk.env.TMPDIR))
    assert.matches('"replay":"' .. recording:gsub("%p", "%%%0"), scratch.read(own))
    assert.matches("nothing of it has happened", desk:run("report", own).out)
    assert.matches("stands +a replay of .*nothing of it has happened", desk:run("explain", own).out)
    assert.matches("a replay: nothing has", desk:run("runs", (own:match "^(.*)/")).out)
  end)

  it("goes on with no real run, and a real run with none of it", function()
    local recording, file, journal, directory = recorded_run()
    local ran = run(replaying_desk(), file, "--replay", recording, "--journal", cut(journal))
    assert.equal(1, ran.code)
    assert.matches("real run; a replay does not go on with it", ran.err)
    local own = directory .. "/own.jsonl"
    assert.equal(0, run(replaying_desk(), file, "--replay", recording, "--journal", own).code)
    local desk = desks.new()
    for _, words in ipairs { { "resume", cut(own), "--yes" },
      { "run", file, "--region", "cn-shanghai", "max_rpo=20m", "--yes", "--journal", cut(own) } } do
      ran = desk:run(table.unpack(words))
      assert.equal(1, ran.code)
      assert.matches("replay of .*, of which nothing has happened", ran.err)
    end
    assert.equal(0, #desk.bench.emu:ledger())
    assert.is_truthy(desk:run("explain", cut(own)).out:find(("alicloud-dr resume %s --replay %s\n")
      :format(cut(own), recording), 1, true))
    ran = replaying_desk():run("resume", "etcd+https://h/p#run", "--yes", "--replay", recording)
    assert.equal(2, ran.code)
    assert.matches("a path of this machine", ran.err)
    ran = replaying_desk():run("resume", cut(own), "--yes", "--replay", recording)
    assert.equal(0, ran.code, ran.err)
  end)

  it("starts no program of the playbook", function()
    local desk, recorder, _, directory = recording_desk()
    local touched = directory .. "/touched"
    local file = directory .. "/stop.lua"
    scratch.write(file, ([[
      local dr = require "alicloud.dr"
      return dr.playbook("stop", function(run)
        local orders = run:group("pg-orders", { region = "cn-shanghai" })
        run:step("check", function() return orders:precheck { max_rpo = "1d" } end)
        run:step("stop", function() return run:program "touch %s" end)
      end)]]):format(touched))
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--yes")
    assert.equal(0, ran.code, ran.err)
    assert(os.remove(touched))
    ran = replaying_desk():run("run", file, "--region", "cn-shanghai", "--yes", "--replay",
      file_of(recorder))
    assert.equal(0, ran.code, ran.err)
    assert.matches("not started in a replay: touch", ran.err)
    assert.is_nil(core.look(touched))
  end)
end)
