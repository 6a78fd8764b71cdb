-- A witness knows of every attempt to change something before it leaves.

local helper = require "spec.helper"

local ok, refuse, broken = helper.ok, helper.refuse, helper.broken

local GROUP = { ReplicaGroupId = "pg-orders" }

-- What the witness was told, in the order in which things happened on both sides of the seam.
local function watched(answers, before)
  local told = {}
  local scripted = {}
  for i, answer in ipairs(answers) do
    scripted[i] = function()
      told[#told + 1] = { "sent" }
      return type(answer) == "function" and answer() or answer
    end
  end
  local client, transport = helper.client(scripted, { witness = {
    before = before or function(call)
      told[#told + 1] = { "before", call }
      return true
    end,
    after = function(call, result, failure)
      told[#told + 1] = { "after", call, result, failure }
    end,
  } })
  return client, told, transport
end

local function names(told)
  local list = {}
  for i, entry in ipairs(told) do list[i] = entry[1] end
  return table.concat(list, " ")
end

describe("a witness", function()
  it("is told of an attempt that an interrupt has met on its way", function()
    local client, told = watched { function() error("interrupted!", 0) end }
    assert.equal("interrupted!", helper.raised(client.call, client, "FailoverDiskReplicaGroup",
      GROUP))
    assert.equal("before sent after", names(told))
    assert.equal("unknown", told[3][4].outcome)
  end)

  it("is told of each attempt before it leaves, and of its answer", function()
    local client, told = watched { refuse(500, "InternalError"), ok() }
    assert(client:call("FailoverDiskReplicaGroup", GROUP))
    assert.equal("before sent after before sent after", names(told))
    local first, second = told[1][2], told[4][2]
    assert.equal("FailoverDiskReplicaGroup", first.action)
    assert.equal("cn-shanghai", first.region)
    assert.equal(1, first.attempt)
    assert.equal(2, second.attempt)
    assert.equal(first.client_token, second.client_token)
    assert.equal(first.digest, second.digest)
    assert.equal("unknown", told[3][4].outcome)
    assert.equal("REQ-OK", told[6][3].RequestId)
  end)

  it("sees another digest for other parameters", function()
    local client, told = watched { ok(), ok() }
    assert(client:call("FailoverDiskReplicaGroup", GROUP, { client_token = "t" }))
    assert(client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-other" },
      { client_token = "t" }))
    assert.not_equal(told[1][2].digest, told[4][2].digest)
  end)

  it("is not asked about reading", function()
    local client, told = watched { ok() }
    assert(client:call("DescribeRegions", {}))
    assert.equal("sent", names(told))
  end)

  it("that cannot write stops the call before a byte leaves", function()
    for _, before in ipairs {
      function() return nil, "disk full" end,
      function() error "disk full" end,
      function() end,
    } do
      local client, told = watched({ ok() }, before)
      local result, err = client:call("FailoverDiskReplicaGroup", GROUP)
      assert.is_nil(result)
      assert.equal("journal", err.kind)
      assert.equal("Client.JournalFailed", err.code)
      assert.equal("not_sent", err.outcome)
      assert.equal("", names(told))
    end
  end)

  it("that cannot write any more leaves an earlier attempt in doubt", function()
    local count = 0
    local client, _, transport = watched({ broken("timeout", true), ok() }, function()
      count = count + 1
      if count == 1 then return true end
      return nil, "disk full"
    end)
    local _, err = client:call("FailoverDiskReplicaGroup", GROUP)
    assert.equal("Client.JournalFailed", err.code)
    assert.equal("unknown", err.outcome)
    assert.equal(1, #transport.requests)
  end)

  it("that fails afterwards changes nothing", function()
    local client = helper.client({ ok() }, { witness = {
      before = function() return true end, after = function() error "disk full" end,
    } })
    assert.equal("REQ-OK", assert(client:call("FailoverDiskReplicaGroup", GROUP)).RequestId)
  end)

  it("needs both functions", function()
    assert.matches("option witness: got a table; allowed: a table with the functions before "
      .. "and after", helper.raised(helper.client, {}, { witness = { before = print } }))
  end)
end)
