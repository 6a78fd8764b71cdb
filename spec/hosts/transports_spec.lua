-- The worked examples of a transport that a host brings: what is recorded once is played again.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local emulators = require "alicloud.emulator"
local recorder = require "spec.hosts.transports.recorder"
local strict = require "spec.hosts.transports.strict"

local function client_of(transport, runtime)
  return alicloud.client { region = "cn-shanghai", transport = transport, runtime = runtime,
    access_key_id = "emulator", access_key_secret = "emulator-secret", retries = 0 }
end

-- A whole failover, written down.
local function record()
  local emulator, lines = emulators.new {}, {}
  local transport = recorder.new(emulator.transport, function(line) lines[#lines + 1] = line end)
  local result = assert(dr.group(client_of(transport, emulator.runtime), "pg-orders"):failover {})
  assert.equal("failovered", result.outcome)
  assert.equal(1, #emulator:ledger())
  return lines
end

describe("a recorder", function()
  it("writes every exchange down, and no secret", function()
    local lines = record()
    assert.is_true(#lines > 4)
    local text = table.concat(lines, "\n")
    assert.matches('"action":"FailoverDiskReplicaGroup"', text)
    for _, word in ipairs { "emulator%-secret", "[Ss]ignature", "ACS3", "[Aa]uthorization" } do
      assert.not_matches(word, text)
    end
  end)
end)

describe("a strict stub", function()
  it("plays a recording to the end", function()
    local stub = strict.new(record())
    local emulator = emulators.new {}
    local result = assert(dr.group(client_of(stub, emulator.runtime), "pg-orders"):failover {})
    assert.equal("failovered", result.outcome)
    assert.equal(0, #emulator:ledger())
    stub.finish()
  end)

  it("refuses what was not written down, before it is sent", function()
    local stub = strict.new(record())
    local _, err = client_of(stub):call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-2" })
    assert.equal("not_sent", err.outcome)
    local raised = select(2, pcall(stub.finish))
    assert.matches("asked for .*pg%-2.*, expected ", raised)
    assert.matches("never asked for ", raised)
  end)

  it("refuses the right request for another group", function()
    local stub = strict.new { [[{"request":{"action":"DescribeDiskReplicaGroups",
      "host":"ebs.cn-shanghai.aliyuncs.com","params":{"RegionId":"cn-shanghai","GroupIds":"pg-1"},
      "token":false},"answer":{"status":200,"headers":{},"body":"{\"RequestId\":\"R\"}"}}]] }
    local client = client_of(stub)
    local _, err = client:call("DescribeDiskReplicaGroups", { GroupIds = "pg-2" })
    assert.equal("not_sent", err.outcome)
    assert.is_table(client:call("DescribeDiskReplicaGroups", { GroupIds = "pg-1" }))
    assert.has_error(stub.finish)
  end)
end)
