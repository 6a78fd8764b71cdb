local helper = require "spec.helper"
local alicloud = require "alicloud"

local KEYS = { access_key_id = "LTAI-spec", access_key_secret = "secret" }

-- A transport whose answers take time on the virtual clock.
local function slow_client(seconds)
  local runtime, control = helper.runtime()
  local client
  local sent = {}
  client = alicloud.client {
    region = "cn-shanghai", credentials = KEYS, runtime = runtime,
    transport = { send = function(request)
      sent[#sent + 1] = request.action
      client.loop.sleep(seconds)
      return { status = 200, headers = {}, body = '{"RequestId":"R' .. #sent .. '"}' }
    end },
  }
  return client, control, sent
end

describe("client:start", function()
  it("raises a mistake at once, like call", function()
    local client = slow_client(1)
    assert.error_matches(function() client:start("FailoverDiskReplicaGroup", { Nope = 1 }) end,
      "Nope")
  end)

  it("carries several calls at a time", function()
    local client, control, sent = slow_client(2)
    local futures = {}
    for i = 1, 8 do futures[i] = client:start "DescribeRegions" end
    assert.same({}, sent)
    for _, future in ipairs(futures) do
      assert.is_truthy(future:result().RequestId)
      assert.is_true(future:done())
    end
    assert.equal(8, #sent)
    assert.equal(2, control.elapsed)
  end)

  it("goes on while another call of the family is waited for", function()
    local client, control = slow_client(3)
    local future = client:start "DescribeRegions"
    assert.is_table(client:with { timeout = 5 }:call "DescribeRegions")
    assert.equal(3, control.elapsed)
    assert.is_true(future:done())
  end)

  it("knows nothing of a change that was cancelled after it may have left", function()
    local client = slow_client(10)
    local future = client:start("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-1" })
    client.loop.sleep(1)
    assert.is_true(future:cancel())
    local result, err = future:result()
    assert.is_nil(result)
    assert.equal("cancelled", err.kind)
    assert.equal("unknown", err.outcome)
    assert.equal(1, err.attempts)
    assert.is_string(err.client_token)
    assert.matches("done", tostring(future))
  end)

  it("knows that what had not begun was not sent", function()
    local client, _, sent = slow_client(10)
    local result, err
    do
      local future <close> = client:start("FailoverDiskReplicaGroup",
        { ReplicaGroupId = "pg-1" })
      future:cancel()
      result, err = future:result()
    end
    assert.is_nil(result)
    assert.equal("not_sent", err.outcome)
    assert.same({}, sent)
  end)

  it("knows that what was refused, and waits to be sent again, was refused", function()
    local runtime = helper.runtime()
    local client = alicloud.client {
      region = "cn-shanghai", credentials = KEYS, runtime = runtime, rate = false,
      transport = { send = function()
        return { status = 400, headers = { ["x-acs-request-id"] = "R1" }, body =
          '{"RequestId":"R1","Code":"Throttling.User","Message":"too often"}' }
      end },
    }
    local future = client:start("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-1" })
    client.loop.sleep(0.01)
    assert.is_false(future:done())
    future:cancel()
    local _, err = future:result()
    assert.same({ "cancelled", "rejected" }, { err.kind, err.outcome })
    assert.equal("FailoverDiskReplicaGroup", err.action)
  end)

  it("raises what is known, where a call is made in a scope that is cancelled", function()
    local client, control, sent = slow_client(10)
    local raised, told = nil, {}
    local own = client:with { witness = {
      before = function() return true end,
      after = function(_, _, answer) told[#told + 1] = answer.outcome end,
    } }
    local result, err = client.loop.scope(function()
      raised = select(2, pcall(own.call, own, "FailoverDiskReplicaGroup",
        { ReplicaGroupId = "pg-1" }))
      told.late = select(2, pcall(own.call, own, "FailoverDiskReplicaGroup",
        { ReplicaGroupId = "pg-2" }))
      client.loop.checkpoint()
    end, { timeout = 4 })
    assert.is_nil(result)
    assert.equal("Client.ScopeTimeout", err.code)
    assert.same({ "cancelled", "unknown", "FailoverDiskReplicaGroup" },
      { raised.kind, raised.outcome, raised.action })
    assert.same({ "unknown" }, { table.unpack(told) })
    assert.same({ "cancelled", "not_sent" }, { told.late.kind, told.late.outcome })
    assert.equal(1, #sent)
    assert.equal(4, control.elapsed)
  end)

  it("keeps the answer that came with the cancellation", function()
    local client = slow_client(2)
    local result = client.loop.scope(function(scope)
      client.loop.spawn(function()
        client.loop.sleep(2)
        scope:cancel()
      end)
      return client:call "DescribeRegions"
    end)
    assert.is_table(result)
  end)
end)
