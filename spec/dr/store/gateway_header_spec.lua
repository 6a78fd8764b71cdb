-- What the head of an answer says: of which store it is, and of which time.

local core = require "alicloud.core"
local gateways = require "alicloud.dr.store.gateway"
local virtual = require "spec.loop.virtual"

-- A gateway whose members answer what `answer` returns for the n'th request, after so many seconds.
local function gateway_of(answer)
  local loop = virtual.new()
  local gateway = gateways.open { name = "store", members = { "http://127.0.0.1:1" }, loop = loop }
  local n = 0
  gateway.adapter = { send = function()
    n = n + 1
    local header, seconds = answer(n)
    loop.sleep(seconds or 0)
    return { status = 200, headers = {}, body = core.encode { header = header } }
  end }
  return gateway, loop
end

local function header(revision, term, cluster)
  return { revision = tostring(revision), raft_term = tostring(term or 2),
    cluster_id = cluster or "17" }
end

describe("the head of an answer", function()
  it("that crosses a later one on its way is of no older store", function()
    local gateway, loop = gateway_of(function(n)
      if n == 1 then return header(10, 2), 3 end
      return header(11, 3), 1
    end)
    local first = loop.spawn(function() return gateway:ask("kv/range", {}) end)
    local second = loop.spawn(function() return gateway:ask("kv/range", {}) end)
    assert.is_table((second:result()))
    assert.is_table((first:result()))
    assert.same({ 11, 3 }, { gateway.revision, gateway.term })
  end)

  it("that knows less than was seen before it was asked for is of a restored store", function()
    local gateway = gateway_of(function(n) return header(n == 1 and 11 or 10) end)
    assert(gateway:ask("kv/range", {}))
    local answer, err = gateway:ask("kv/txn", {})
    assert.is_nil(answer)
    assert.equal("Client.JournalRolledBack", err.code)
  end)

  it("of a leader that was deposed counts for nothing", function()
    local gateway = gateway_of(function(n) return header(11, n == 1 and 3 or 2) end)
    assert(gateway:ask("lease/keepalive", {}))
    local answer, err = gateway:ask("lease/keepalive", {})
    assert.is_nil(answer)
    assert.same({ "unknown", true }, { err.outcome, err.retryable })
  end)

  it("of another cluster ends it", function()
    local gateway = gateway_of(function(n) return header(11, 2, n == 1 and "17" or "18") end)
    assert(gateway:ask("kv/range", {}))
    local answer, err = gateway:ask("kv/range", {})
    assert.is_nil(answer)
    assert.equal("Client.OtherCluster", err.code)
  end)

  it("may be absent", function()
    local gateway = gateway_of(function(n) return n == 1 and header(11) or {} end)
    assert(gateway:ask("kv/range", {}))
    assert(gateway:ask("maintenance/alarm", {}))
    assert.same({ 11, 2 }, { gateway.revision, gateway.term })
  end)
end)
