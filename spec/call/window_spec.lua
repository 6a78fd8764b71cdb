-- Changes that must leave by a moment: what is late is not sent, and announced anew.

local core = require "alicloud.core"
local alicloud = require "alicloud"
local behaviour = require "spec.server.behaviour"
local helper = require "spec.helper"
local reply = require "spec.server.reply"
local servers = require "spec.server"

local ok, refuse, broken = helper.ok, helper.refuse, helper.broken

local GROUP = { ReplicaGroupId = "pg-orders" }
local FAILOVER = "FailoverDiskReplicaGroup"

-- A client whose changes have to leave within four seconds; `meanwhile` is called with the number
-- of the attempt and the clock when one was announced.
local function windowed(answers, meanwhile, overrides)
  local told = {}
  local client, transport, control
  local given = { witness = {
    before = function(call)
      told[#told + 1] = "call"
      local send_by = client.runtime.boottime() + 4
      if meanwhile then meanwhile(call.attempt, control, call) end
      return true, send_by
    end,
    after = function(_, result, failure)
      told[#told + 1] = result and "accepted" or failure.outcome .. " " .. failure.code
    end,
  } }
  for name, value in pairs(overrides or {}) do given[name] = value end
  client, transport, control = helper.client(answers, given)
  return client, told, transport, control
end

describe("a change that leaves only within so many seconds", function()
  local WITHIN = { leave_within = 3 }

  it("is not sent where its turn comes later, and is told when that is", function()
    local client, transport = helper.client({ ok() },
      { rate = { actions = { FailoverDiskReplicaGroup = 0.1 }, reserve = 0 } })
    assert(client:call(FAILOVER, GROUP, WITHIN))
    local _, err = client:call(FAILOVER, GROUP, WITHIN)
    assert.same({ "Client.TooLate", "not_sent", true, 1 },
      { err.code, err.outcome, err.retryable, err.attempts })
    assert.is_true(err.retry_after > 9 and err.retry_after < 10.1, err.retry_after)
    assert.equal(1, #transport.requests)
  end)

  it("is not sent where to announce it takes longer", function()
    local client, told, transport = windowed({}, function(_, control)
      control.elapsed = control.elapsed + 3.5
    end)
    local _, err = client:call(FAILOVER, GROUP, WITHIN)
    assert.equal("Client.TooLate", err.code)
    assert.same({ "call", "not_sent Client.TooLate" }, told)
    assert.equal(0, #transport.requests)
  end)
end)

describe("a change that must leave by a moment", function()
  it("leaves before it, with the moment by the machine's clock", function()
    local client, told, transport = windowed { ok() }
    assert(client:call(FAILOVER, GROUP))
    assert.same({ "call", "accepted" }, told)
    local left = transport.requests[1].send_by - core.boottime()
    assert.is_true(left > 3 and left <= 4, left)
    assert.equal(30, transport.requests[1].timeout)
  end)

  it("is not sent once it is over, but announced anew", function()
    for _, pause in ipairs { "elapsed", "asleep" } do
      local client, told, transport = windowed({ ok() }, function(attempt, control)
        if attempt == 1 then control[pause] = control[pause] + 4.5 end
      end)
      local result = assert(client:call(FAILOVER, GROUP))
      assert.same({ "call", "not_sent Client.TooLate", "call", "accepted" }, told, pause)
      assert.equal(1, #transport.requests)
      assert.equal(2, alicloud.meta(result).attempts)
    end
  end)

  it("costs no attempt and nothing of the budget", function()
    local client, told, transport = windowed({ refuse(500, "InternalError"), ok() },
      function(attempt, control)
        if attempt <= 5 then control.elapsed = control.elapsed + 5 end
      end, { retries = 1, retry = { budget = 14 } })
    assert(client:call(FAILOVER, GROUP))
    assert.equal(2, #transport.requests)
    assert.equal(14, #told)
  end)

  it("ends with the time for the call, not sent", function()
    local client, _, transport = windowed({}, function(_, control)
      control.elapsed = control.elapsed + 5
    end)
    local result, err = client:call(FAILOVER, GROUP)
    assert.is_nil(result)
    assert.same({ "Client.TooLate", "not_sent", "deadline", true },
      { err.code, err.outcome, err.stopped, err.retryable })
    assert.same({}, transport.requests)
  end)

  it("stays in doubt where an attempt before it is", function()
    local client, told = windowed({ broken("closed", true) }, function(attempt, control)
      if attempt > 1 then control.elapsed = control.elapsed + 5 end
    end, { deadline = 9 })
    local _, err = client:call(FAILOVER, GROUP)
    assert.equal("unknown", err.outcome)
    assert.equal("call unknown Client.Closed call not_sent Client.TooLate",
      table.concat(told, " ", 1, 4))
  end)

  it("is not sent where announcing it took all the time for the call", function()
    for _, moment in ipairs { 4, false } do
      local client, transport, control
      local told
      client, transport, control = helper.client({ ok() }, { deadline = 3, witness = {
        before = function()
          control.elapsed = control.elapsed + 3
          return true, moment and client.runtime.boottime() + moment or nil
        end,
        after = function(_, _, failure) told = failure.outcome .. " " .. failure.code end,
      } })
      local _, err = client:call(FAILOVER, GROUP)
      assert.same({ "Client.Deadline", "not_sent" }, { err.code, err.outcome })
      assert.equal("not_sent Client.Deadline", told)
      assert.same({}, transport.requests)
    end
  end)

  it("has no longer for its answer than whoever goes on with the work waits", function()
    local client, _, transport = windowed({ ok() }, nil, { write_timeout = 50 })
    assert(client:call(FAILOVER, GROUP))
    assert.equal(require "alicloud.dr.store.shared".EXCHANGE, transport.requests[1].timeout)
  end)

  it("is no concern of a transport that takes values, nor of reading", function()
    local performed = 0
    local client, told = windowed({}, function(attempt, control)
      if attempt == 1 then control.elapsed = control.elapsed + 5 end
    end, { transport = { send = function() end, perform = function()
      performed = performed + 1
      return { result = { RequestId = "R" }, request_id = "R", status = 200 }
    end } })
    assert(client:call("DescribeRegions", {}))
    assert(client:call(FAILOVER, GROUP))
    assert.equal(2, performed)
    assert.same({ "call", "not_sent Client.TooLate", "call", "accepted" }, told)
  end)

  it("takes nothing but a number for a moment", function()
    for _, more in ipairs { "soon", true, {} } do
      local client, transport = helper.client({ ok() }, { witness = {
        before = function() return true, more end, after = function() end } })
      assert(client:call(FAILOVER, GROUP))
      assert.is_nil(transport.requests[1].send_by)
    end
  end)
end)

describe("a change that must leave by a moment, over a socket", function()
  -- A SOCKS5 proxy that lets a tunnel stand only after the moment.
  local function slow_tunnel(send_by)
    return function(connection)
      connection:wait_for(3)
      connection:send "\5\0"
      connection:wait_for(3 + 10)
      while core.boottime() <= send_by() do connection:pause() end
      connection.before_request = #connection.received
      connection:send "\5\0\0\1\0\0\0\0\0\0"
      connection:hang()
    end
  end

  local function fast_tunnel(connection)
    connection:wait_for(3)
    connection:send "\5\0"
    connection:wait_for(3 + 10)
    connection.consumed = #connection.received
    connection:send "\5\0\0\1\0\0\0\0\0\0"
    behaviour.answer(reply.http('{"RequestId":"R"}'))(connection)
  end

  it("does not arrive where the way took too long, and goes a second way", function()
    local server <close> = servers.new()
    local send_by, told = nil, {}
    server:play(slow_tunnel(function() return send_by end), fast_tunnel)
    local client = alicloud.client { region = "cn-shanghai", plain_http = true,
      endpoint = "http://192.0.2.1", proxy = "socks5://127.0.0.1:" .. server.port,
      access_key_id = "LTAIexample0000abcd", access_key_secret = "spec-secret",
      witness = {
        before = function()
          told[#told + 1] = "call"
          send_by = core.boottime() + (#told == 1 and 0.2 or 20)
          return true, send_by
        end,
        after = function(_, result, failure)
          told[#told + 1] = result and "accepted" or failure.outcome .. " " .. failure.code
        end,
      } }
    local future = client:start(FAILOVER, GROUP)
    while not future:done() do
      server:step()
      client.loop.sleep(0.005)
    end
    assert(future:result())
    assert.same({ "call", "not_sent Client.TooLate", "call", "accepted" }, told)
    local first = server.connections[1]
    assert.equal(first.before_request, #first.received)
    assert.equal(2, #server.connections)
  end)
end)
