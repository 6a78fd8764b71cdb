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
end)
