-- `--record` on the command line, and `alicloud-dr record`: a whole life over a socket, recorded
-- with nothing left of the names, ids and keys of who lived it.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local reading = require "alicloud.conformance.recording.reading"
local process = require "spec.process"
local scratch = require "spec.scratch"

local SECRET = "Xq7-nobody-guesses-this"

-- What must not be left: of everything that names something a part that nothing else has.
local WORLD = [[{"regions":["cn-hangzhou","cn-shanghai"],"groups":[{
  "id":"pg-zebra7","name":"zebra shop 7","description":"of Zebra7 Ltd","pairs":[
    {"id":"pair-zebra7-a","name":"zebra7 disk","source_disk":"d-zebra7src",
     "destination_disk":"d-zebra7dst"}],
  "tags":{"zebra7-team":"zebra7 money"},"failover_seconds":20,"recover_point_age":60,
  "source":"cn-hangzhou/cn-hangzhou-g","destination":"cn-shanghai/cn-shanghai-b",
  "status":"normal"}]}]]

local PRIVATE = { "zebra", SECRET, "zebra7-key", core.base64 "zebra", core.hex "zebra" }

local LIFE = {
  "status", "readiness", "precheck pg-zebra7 --max-rpo 1d", "failover pg-zebra7 -y --max-rpo 1d",
  "reprotect pg-zebra7 -y", "status", "call ebs:DescribeDiskReplicaGroups GroupIds=pg-zebra7",
  "call ebs:FailoverDiskReplicaGroup ReplicaGroupId=pg-zebra7 -y", "whoami",
}

local function live(emulator, file, more)
  for _, words in ipairs(LIFE) do
    local line = ("ALIBABA_CLOUD_ACCESS_KEY_ID=zebra7-key ALIBABA_CLOUD_ACCESS_KEY_SECRET="
      .. "zebra7-key-secret alicloud-dr %s --record %s %s"):format(words, file, more or "")
    emulator:shell(line)
  end
  return scratch.read(file)
end

describe("a whole life on the command line", function()
  local emulator, file, map, text

  setup(function()
    emulator = process.start_emulator { arguments = "--any-key --world "
      .. scratch.file(WORLD, ".json") }
    file, map = scratch.path "-zebra.jsonl", scratch.path ".map"
    text = live(emulator, file, "--keep-map " .. map)
  end)

  teardown(function() emulator:stop() end)

  it("is written down, each command behind its own first line", function()
    local recording = assert(reading.open(file))
    assert.is_true(#recording.exchanges > 20, #recording.exchanges)
    assert.equal(0, recording.dropped)
    local heads = {}
    for line in text:gmatch "[^\n]+" do
      local entry = core.decode(line)
      if entry.n == 0 then heads[#heads + 1] = entry.command end
    end
    assert.equal(#LIFE, #heads)
    assert.truthy(heads[4]:find("failover pg-001 -y --max-rpo 1d --record text-", 1, true))
    local changes = {}
    for _, exchange in ipairs(recording.exchanges) do
      if exchange.mutating then changes[#changes + 1] = exchange.action end
    end
    assert.same({ "FailoverDiskReplicaGroup", "ReprotectDiskReplicaGroup",
      "FailoverDiskReplicaGroup" }, changes)
  end)

  it("has no id, name, key or tag left in it, nor in its HAR", function()
    local archive = scratch.path ".har"
    local said = emulator:shell(("alicloud-dr record %s --har %s"):format(file, archive))
    assert.truthy(said:find "exchanges")
    for _, what in ipairs(PRIVATE) do
      assert.is_nil(text:lower():find(what:lower(), 1, true), what)
      assert.is_nil(scratch.read(archive):lower():find(what:lower(), 1, true), what)
    end
  end)

  it("has the same group under the same pseudonym in every command", function()
    local groups = {}
    for id in text:gmatch '"ReplicaGroupId":"([^"]+)"' do groups[id] = true end
    assert.same({ ["pg-001"] = true }, groups)
    local originals = core.decode(scratch.read(map)).originals
    assert.equal("pg-001", originals["pg-zebra7"])
    assert.equal(384, core.look(map).mode)
    assert.equal(384, core.look(file).mode)
  end)

  it("ends as without a recording where that cannot be written", function()
    local said, ok = emulator:shell("alicloud-dr status --region cn-shanghai --record /proc/x/y")
    assert.is_true(ok)
    assert.truthy(said:find "warning: nothing is recorded: ")
  end)
end)

describe("the options of a recording", function()
  local function refused(...)
    local ran = desks.new():run("status", "--region", "cn-shanghai", ...)
    assert.equal(2, ran.code)
    return ran.err:gsub("%s+", " ")
  end

  it("are refused where they mean nothing", function()
    assert.truthy(refused("--keep-map", "x"):find("--keep-map: is about a recording; allowed: with "
      .. "--record", 1, true))
    assert.truthy(refused("--drop-request-ids"):find("--drop-request-ids: is about a recording", 1,
      true))
    assert.truthy(refused("--record", ""):find("--record: is empty", 1, true))
    assert.truthy(refused("--record", "x", "--keep-map", "x"):find(
      '--keep-map: got "x"; allowed: the name of another file than --record', 1, true))
  end)

  it("name no file that the command writes itself", function()
    local path = scratch.path ".jsonl"
    local other = path:gsub("/([^/]+)$", "//%1")
    for _, typed in ipairs { { "--record", other }, { "--record", "x", "--keep-map", other } } do
      local ran = desks.new():run("run", "failover", "group=pg-orders", "--region",
        "cn-shanghai", "--yes", "--journal", path, table.unpack(typed))
      assert.equal(2, ran.code, ran.err)
      assert.truthy(ran.err:find("another file than --journal", 1, true), ran.err)
      assert.is_nil(core.look(path))
    end
  end)

  it("do not change what a command says", function()
    local desk = desks.new()
    local plain = desk:run("status", "--region", "cn-shanghai")
    local recorded = desks.new():run("status", "--region", "cn-shanghai", "--record",
      scratch.path(), "--drop-request-ids")
    assert.same({ plain.code, plain.out, plain.err }, { recorded.code, recorded.out,
      recorded.err })
  end)
end)

describe("alicloud-dr record", function()
  local function run(...) return desks.new():run("record", ...) end

  it("says what is missing or wrong", function()
    assert.truthy(run("x").err:find("--har: is missing; allowed: the name of a file", 1, true))
    assert.equal(1, run(scratch.path(), "--har", scratch.path()).code)
    local recording = scratch.path()
    desks.new():run("status", "--region", "cn-shanghai", "--record", recording)
    assert.equal(2, run(recording, "--har", recording).code)
    local other = scratch.file(scratch.read(recording))
    assert.truthy(run(recording, "--har", other).err:find "it is a recording")
    assert.equal(1, run(recording, "--har", scratch.path() .. "/nowhere/x").code)
  end)

  it("tells programs what it has written", function()
    local recording, archive = scratch.path(), scratch.path ".har"
    desks.new():run("status", "--region", "cn-shanghai", "--record", recording)
    local ran = run(recording, "--har", archive, "--json")
    assert.equal(0, ran.code)
    assert.equal(archive, ran.object.har)
    assert.equal(0, ran.object.dropped)
    assert.equal(#core.decode(scratch.read(archive)).log.entries, ran.object.exchanges)
  end)
end)
