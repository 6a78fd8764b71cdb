-- `alicloud-dr bugreport`: what is in the file, what is not, and who agrees to it.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local reading = require "alicloud.conformance.recording.reading"
local noted = require "spec.conformance.noted"
local scratch = require "spec.scratch"

local function desk_of(given)
  local desk, file, directory = desks.room(nil, given)
  desk.env.HOME = directory
  return desk, file, directory
end

local RECORDING = noted.text { noted.exchange(1, "DescribeDiskReplicaGroups",
  { RegionId = "cn-shanghai", GroupIds = "pg-001", Site = "backup" },
  { ReplicaGroups = core.array { { ReplicaGroupId = "pg-001", Status = "normal" } } }) }

local function mode_of(path)
  local pipe <close> = assert(io.popen(("stat -c %%a '%s'"):format(path)))
  return pipe:read "l"
end

describe("alicloud-dr bugreport", function()
  it("writes versions, platform and settings, for its user alone", function()
    local desk, _, directory = desk_of()
    desk.env.ALIBABA_CLOUD_REGION_ID = "cn-shanghai"
    desk.env.ALIBABA_CLOUD_ENDPOINT = "http://secret.example.com"
    local path = directory .. "/report.txt"
    local ran = desk:run("bugreport", "--output", path, "--yes")
    assert.equal(0, ran.code, ran.err)
    local text = scratch.read(path)
    assert.matches("^alicloud%-dr bug report 1\nmade 2026", text)
    for _, part in ipairs { "== versions", "openssl", "== platform", "processors",
      "== configuration", "ALIBABA_CLOUD_REGION_ID=cn-shanghai",
      "ALIBABA_CLOUD_ACCESS_KEY_ID (set)", "~/.aliyun/config.json is not there" } do
      assert.truthy(text:find(part, 1, true), part)
    end
    assert.not_matches("secret%.example", text)
    assert.not_matches("emulator%-secret", text)
    assert.is_nil(text:find(core.process().host, 1, true))
    assert.equal("600", mode_of(path))
  end)

  it("holds a recording, which can be played from it", function()
    local desk, _, directory = desk_of()
    local recording, path = scratch.file(RECORDING), directory .. "/report.txt"
    local ran = desk:run("bugreport", "--recording", recording, "--output", path, "--yes",
      "--json")
    assert.equal(0, ran.code, ran.err)
    assert.equal("recording (1 exchanges, 0 lines were left out)",
      ran.object.sections[4].title)
    ran = desk:run("call", "DescribeDiskReplicaGroups", "GroupIds=pg-001", "Site=backup",
      "--replay", path)
    assert.equal(0, ran.code, ran.err)
    assert.matches("pg%-001", ran.out)
    local recording_again = assert(reading.open(path))
    assert.equal("DescribeDiskReplicaGroups", recording_again.exchanges[1].action)
  end)

  it("holds the tail of a journal without the names of anybody", function()
    local desk, file, directory = desk_of()
    local journal, path = directory .. "/run.jsonl", directory .. "/report.txt"
    assert.equal(0, desk:run("run", file, "--region", "cn-shanghai", "--yes", "max_rpo=20m",
      "--journal", journal, "--as", "alice", "--incident", "INC-4711").code)
    local ran = desk:run("bugreport", journal, "--output", path, "--yes", "--json")
    assert.equal(0, ran.code, ran.err)
    local text = scratch.read(path)
    for _, private in ipairs { "pg-orders", "alice", "INC-4711", directory, "orders",
      core.process().host } do
      assert.is_nil(text:find(private, 1, true), private)
    end
    for _, part in ipairs { '"type":"run"', '"type":"intent"', '"outcome":"accepted"',
      '"type":"finished"', '"status":"failovered"', '"step":"promote"', "pg%-001" } do
      assert.matches(part, text)
    end
    local dropped = ran.object.sections[4].dropped
    assert.equal(0, dropped)
  end)

  it("has no canary in it, wherever one was", function()
    local desk, _, directory = desk_of()
    local canary = "Kanarie7Vogel"
    local file, journal = directory .. "/canary.lua", directory .. "/run.jsonl"
    scratch.write(file, ([[
      local dr = require "alicloud.dr"
      return dr.playbook("NAME of C", { params = {
        { name = "word", type = "text", help = "any" } } }, function(run)
        local orders = run:group("pg-orders", { region = "cn-shanghai" })
        run:note("a C b64", { C = "C", list = { "C" } })
        run:step("C step", function() return orders:precheck { max_rpo = "1d" } end)
        run:step("nothing", function() end)
        run:step("say", function() return run:program "echo C hex" end)
        run:step("fail", function() return nil, "C is no good: 'C' \"C\" C%%2DC" end)
      end)]]):gsub("b64", core.base64(canary)):gsub("hex", core.hex(canary))
      :gsub("%f[%w]C%f[%W]", canary))
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--yes", "word=" .. canary,
      "--journal", journal, "--as", canary, "--incident", canary, "--skip",
      "nothing=" .. canary, "--outage-at", "70m", "--endpoint", canary .. ".example:80",
      "--no-proxy", canary .. ".example", "--resolve", canary .. ".example=10.0.0.1")
    assert.equal(1, ran.code, ran.err)
    assert.truthy(scratch.read(journal):find(canary, 1, true))
    desk.env.https_proxy = ("http://%s:%s@%s.example:80"):format(canary, canary, canary)
    desk.env.ALIBABA_CLOUD_PROFILE, desk.env.ALIBABA_CLOUD_REGION_ID = canary, "c " .. canary
    local path = directory .. "/report.txt"
    ran = desk:run("bugreport", journal, "--output", path, "--yes", "--online")
    assert.equal(0, ran.code, ran.err)
    local text = scratch.read(path)
    for _, spelled in ipairs { canary, core.base64(canary), core.hex(canary) } do
      assert.is_nil(text:lower():find(spelled:lower(), 1, true), spelled)
    end
  end)

  it("leaves a line out that holds a key of this machine, however it is spelled", function()
    local secret = "emulator-secret"
    for _, spelled in ipairs { secret, core.percent_encode(secret .. "&"), core.base64(secret),
      (secret:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) } do
      local desk, _, directory = desk_of()
      local path = directory .. "/report.txt"
      local recording = scratch.file(noted.text { noted.exchange(1, "DescribeRegions",
        { RegionId = "cn-shanghai" }, { Note = "x " .. spelled }) })
      local ran = desk:run("bugreport", "--recording", recording, "--output", path, "--yes",
        "--json")
      assert.equal(0, ran.code, ran.err)
      assert.equal(1, ran.object.sections[4].dropped, spelled)
      assert.is_nil(scratch.read(path):find(spelled, 1, true))
    end
  end)

  it("shows what is in it and asks", function()
    local desk, _, directory = desk_of { input_tty = true, typed = { "no", "yes" } }
    local path = directory .. "/report.txt"
    local ran = desk:run("bugreport", "--output", path)
    assert.equal(1, ran.code)
    assert.matches("configuration", ran.err)
    assert.matches("Type yes to write .*sent nowhere", ran.err)
    assert.is_nil(core.look(path))
    assert.equal(0, desk:run("bugreport", "--output", path).code)
    assert.truthy(core.look(path))
  end)

  it("refuses without a terminal and without --yes, and leaves files alone", function()
    local desk, _, directory = desk_of()
    local path = directory .. "/report.txt"
    assert.equal(2, desk:run("bugreport", "--output", path).code)
    scratch.write(path, "mine")
    local ran = desk:run("bugreport", "--output", path, "--yes")
    assert.equal(2, ran.code)
    assert.equal("mine", scratch.read(path))
    ran = desk:run("bugreport", "--recording", path, "--output", path .. "2", "--yes")
    assert.equal(2, ran.code)
    assert.matches("%-%-recording: .*it holds no exchange", ran.err)
    ran = desk:run("bugreport", directory .. "/none.jsonl", "--output", path .. "2", "--yes")
    assert.equal(2, ran.code)
    assert.matches(": journal: .*/none%.jsonl: no such file", ran.err)
    ran = desk:run("bugreport", "etcd+http://dr1/night#run", "--output", path .. "2", "--yes")
    assert.equal(2, ran.code)
    assert.matches(": journal: must be a path", ran.err)
  end)

  it("asks nobody, unless that is wished", function()
    local desk, _, directory = desk_of()
    local sent = 0
    desk.given.transport = { send = function() sent = sent + 1 end }
    assert.equal(0, desk:run("bugreport", "--output", directory .. "/1", "--yes").code)
    assert.not_matches("provider ", scratch.read(directory .. "/1"))
    assert.equal(0, desk:run("bugreport", "--output", directory .. "/2", "--yes",
      "--online").code)
    assert.matches("provider ", scratch.read(directory .. "/2"))
    assert.equal(0, sent)
  end)

  it("works where no client can be made, and says why", function()
    local desk, _, directory = desk_of()
    desk.env.ALIBABA_CLOUD_REGION_ID = "not a region"
    assert.equal(0, desk:run("bugreport", "--output", directory .. "/1", "--yes", "--online").code)
    local text = scratch.read(directory .. "/1")
    assert.matches("ALIBABA_CLOUD_REGION_ID %(set%)", text)
    assert.matches("no client can be made %(ALIBABA_CLOUD_REGION_ID%): ", text)
  end)
end)
