-- The proxy that loses, in front of a server that counts what has arrived.
local behaviour = require "spec.server.behaviour"
local exchange = require "spec.server.exchange"
local lossies = require "spec.etcd.lossy"
local reply = require "spec.server.reply"
local server_module = require "spec.server"
local transport = require "alicloud.transport"

local CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
  .. "5\r\nfirst\r\n6;x=y\r\nsecond\r\n0\r\n\r\n"

describe("the proxy that loses", function()
  local server, client

  before_each(function()
    server = server_module.new(behaviour.answer(reply.http()))
    client = transport.new {}
  end)

  after_each(function()
    client:close()
    server:close()
  end)

  local function ask(proxy, timeout)
    return exchange.call(server, client, { method = "POST", url = proxy.address .. "/v3/kv/txn",
      body = "{}", timeout = timeout or 10, mutating = false })
  end

  -- What the client sees and how often the request has arrived.
  local expected = {
    pass = { 200, 1 }, swallow = { 0, 1 }, cut = { 0, 1 }, refuse = { 0, 0 }, late = { 200, 1 },
    mute = { 0, 1, timeout = 0.3 }, lose = { 0, 0, timeout = 0.3 },
  }
  for verdict, seen in pairs(expected) do
    it("knows the verdict " .. verdict, function()
      local proxy <close> = lossies.start(server.url, {
        lateness = 0.05, choose = function() return verdict end,
      })
      local answer = ask(proxy, seen.timeout)
      -- A head that was cut is a 200 without a body.
      assert.equal(seen[1], answer.body == reply.body and answer.status or 0)
      -- On a busy machine the client may have given up before the proxy has read.
      exchange.run_until(server, client, function()
        return proxy:count(verdict, "/v3/kv/txn") == 1 and server:count "POST" >= seen[2]
      end)
      assert.equal(seen[2], server:count "POST")
    end)
  end

  it("delivers late what nobody waits for any more", function()
    local proxy <close> = lossies.start(server.url, {
      lateness = 0.4, choose = function() return "late" end,
    })
    assert.truthy(ask(proxy, 0.2).failure)
    exchange.run_until(server, client, function() return server:count "POST" == 1 end)
  end)

  it("delivers it when it is told to", function()
    local proxy <close> = lossies.start(server.url, {
      lateness = math.huge, choose = function() return "late" end,
    })
    assert.truthy(ask(proxy, 0.1).failure)
    exchange.run_until(server, client, function() return proxy:count "late" == 1 end)
    assert.equal(0, server:count "POST")
    proxy:deliver()
    exchange.run_until(server, client, function() return proxy:count "delivered" == 1 end)
    assert.equal(1, server:count "POST")
  end)

  it("passes on what comes in chunks, and more than one request on a connection", function()
    server:play(behaviour.answer(CHUNKED))
    local proxy <close> = lossies.start(server.url)
    assert.equal("firstsecond", ask(proxy).body)
    assert.equal("firstsecond", ask(proxy).body)
    assert.equal(1, client:stats().connections)
  end)

  it("decides by its seed, and not while it is calm", function()
    local function verdicts(seed)
      local proxy <close> = lossies.start(server.url, { seed = seed, rates = { refuse = 0.5 } })
      for _ = 1, 20 do ask(proxy) end
      local list = {}
      for i, entry in ipairs(proxy:log()) do list[i] = entry.verdict end
      proxy:be_calm(true)
      for _ = 1, 5 do assert.equal(200, ask(proxy).status) end
      return table.concat(list, " ")
    end
    local first = verdicts(7)
    assert.truthy(first:find "refuse" and first:find "pass")
    assert.equal(first, verdicts(7))
    assert.are_not.equal(first, verdicts(8))
  end)

  it("gives no answer where the member gives none", function()
    server:play(behaviour.cut_request(10, "rst"))
    local proxy <close> = lossies.start(server.url)
    assert.truthy(ask(proxy).failure)
  end)
end)
