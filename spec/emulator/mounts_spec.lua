-- One model under two mounts: the project's own client meets the same behaviour in the process and
-- behind a socket, for every signature that it can make.

local alicloud = require "alicloud"
local core = require "alicloud.core"
local emulator = require "alicloud.emulator"
local runtimes = require "alicloud.base.runtime"
local server = require "alicloud.emulator.server"

local function client_options(emu, algorithm)
  return {
    region = "cn-shanghai", algorithm = algorithm,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
  }
end

local mounts = {}

mounts["in-process"] = function(options, algorithm)
  local emu = emulator.new(options)
  local given = client_options(emu, algorithm)
  given.transport, given.runtime = emu.transport, emu.runtime
  local client = alicloud.client(given)
  return { emu = emu, client = client, close = function() client:close() end }
end

mounts.http = function(options, algorithm)
  local emu = emulator.new(options)
  local listening = assert(server.start(emu))
  local given = client_options(emu, algorithm)
  given.endpoint, given.loop = listening.url, listening:loop()
  given.runtime = runtimes.new {
    time = emu.runtime.time, random = emu.runtime.random, random_hex = emu.runtime.random_hex,
    getenv = function() return nil end,
  }
  local client = alicloud.client(given)
  return { emu = emu, client = client, listening = listening, close = function()
    client:close()
    listening:close()
  end }
end

local function words(value, err)
  return value and value.RequestId or err.code or err.kind
end

-- Everything that a client learns from a failover with a lost answer, in words.
local function rehearse(mount)
  local ebs, emu, transcript = mount.client:service "ebs", mount.emu, {}
  local function note(...) transcript[#transcript + 1] = words(...) end
  emu:fault { match = { action = "FailoverDiskReplicaGroup", nth = 1 }, when = "after",
    effect = { error = { code = "RequestTimeout" } } }
  note(ebs:DescribeRegions { ResourceType = "ear" })
  note(ebs:FailoverDiskReplicaGroup { ReplicaGroupId = "pg-orders", ClientToken = "intent-1" })
  note(ebs:FailoverDiskReplicaGroup { ReplicaGroupId = "pg-ledger" })
  note(ebs:FailoverDiskReplicaGroup { ReplicaGroupId = "pg-nowhere" })
  for _ = 1, 6 do
    local body = ebs:must("DescribeDiskReplicaPairs",
      { ReplicaGroupId = "pg-orders", Site = "backup" })
    for _, pair in ipairs(body.ReplicaPairs) do transcript[#transcript + 1] = pair.Status end
    emu:advance(10)
  end
  local body = ebs:must("DescribeDiskReplicaGroups", { GroupIds = "pg-orders", Site = "backup" })
  transcript[#transcript + 1] = body.ReplicaGroups[1].Status
  return transcript
end

describe("the client", function()
  for name, mount in pairs(mounts) do
    for _, algorithm in ipairs { "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "HMAC-SHA1" } do
      it(("fails a group over %s with %s, once"):format(name, algorithm), function()
        local mounted = mount({}, algorithm)
        local transcript = rehearse(mounted)
        assert.equal("failovered", transcript[#transcript])
        assert.equal(1, #mounted.emu:ledger())
        assert.equal("intent-1", mounted.emu:ledger()[1].client_token)
        mounted.close()
      end)
    end

    it("reads records " .. name .. " page by page", function()
      local groups = {}
      for number = 1, 23 do
        groups[number] = { id = "pg-" .. number, pairs = 1, source = "cn-hangzhou/a",
          destination = "cn-shanghai/b" }
      end
      local mounted = mount { world = { groups = groups } }
      local count = 0
      for group in mounted.client:service("ebs"):each("DescribeDiskReplicaGroups",
        { Site = "backup", MaxResults = 5 }) do
        count = count + 1
        assert.equal("pg-" .. count, group.ReplicaGroupId)
      end
      assert.equal(23, count)
      mounted.close()
    end)

    it("learns " .. name .. " that an answer was lost, and that the work was done", function()
      local mounted = mount {}
      mounted.emu:fault { match = { action = "FailoverDiskReplicaGroup" }, when = "after",
        effect = { drop = true } }
      local _, err = mounted.client:call("FailoverDiskReplicaGroup",
        { ReplicaGroupId = "pg-orders" }, { retries = 0 })
      assert.equal("unknown", err.outcome)
      assert.equal(1, #mounted.emu:ledger())
      mounted.close()
    end)

    it("waits " .. name .. " until the group is open", function()
      local mounted = mount {}
      local ebs = mounted.client:service "ebs"
      ebs:must("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
      assert.is_table((ebs:wait("group_failovered",
        { GroupIds = "pg-orders", Site = "backup" }, { timeout = 600 })))
      assert.equal("failovered", mounted.emu:group("pg-orders").status)
      mounted.close()
    end)
  end

  it("learns the same on both mounts, to the last RequestId", function()
    local transcripts = {}
    for name, mount in pairs(mounts) do
      local mounted = mount {}
      transcripts[name] = rehearse(mounted)
      mounted.close()
    end
    assert.same(transcripts["in-process"], transcripts.http)
  end)

  it("corrects a clock that is wrong from the Date of the answer", function()
    local emu = emulator.new { assume = { wall_clock = "refuse" } }
    local given, late = client_options(emu), {}
    for name, value in pairs(emu.runtime) do late[name] = value end
    late.time = function() return emu:now() - 7200 end
    given.transport, given.runtime = emu.transport, late
    local client = alicloud.client(given)
    assert.is_table((client:call("DescribeRegions", {})))
    assert.equal("InvalidTimeStamp.Expired", emu:requests()[1].code)
    assert.equal(200, emu:requests()[2].status)
    client:close()
  end)
end)

describe("a client with the machine's clock", function()
  it("is served on both mounts, whatever the model's clock says", function()
    for _, now in ipairs { 0, core.time() - 86400, core.time() + 400 * 86400 } do
      local emu = emulator.new { now = now }
      local listening <close> = assert(server.start(emu))
      for _, way in ipairs { { transport = emu.transport },
        { endpoint = listening.url, loop = listening:loop() } } do
        local client <close> = alicloud.client { region = "cn-shanghai", transport = way.transport,
          endpoint = way.endpoint, loop = way.loop, access_key_id = emu.access_key_id,
          access_key_secret = emu.access_key_secret }
        assert(client:call("DescribeRegions", {}))
      end
    end
  end)
end)

describe("two runs with one seed", function()
  local function transcript_of(seed)
    local emu = emulator.new { seed = seed }
    local all = {}
    local recorder = { send = function(request)
      local exchange = emu.transport.send(request)
      local names = {}
      for name, value in pairs(exchange.headers or {}) do
        names[#names + 1] = name .. ":" .. value
      end
      table.sort(names)
      all[#all + 1] = table.concat({ request.url, exchange.status or exchange.failure,
        table.concat(names, "\n"), exchange.body or "" }, "\n")
      return exchange
    end }
    local given = client_options(emu)
    given.transport, given.runtime = recorder, emu.runtime
    local client = alicloud.client(given)
    rehearse { client = client, emu = emu }
    return all
  end

  it("give the same bytes", function()
    local first = transcript_of(7)
    assert.is_true(#first >= 10)
    assert.same(first, transcript_of(7))
  end)

  it("differ when the seed differs", function()
    assert.not_same(transcript_of(7), transcript_of(8))
  end)
end)
