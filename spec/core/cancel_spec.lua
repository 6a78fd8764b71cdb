-- What a cancelled operation tells: nothing was sent as long as there is no connection to send on,
-- its TLS and the tunnel of its proxy included; after that, something may have been.

local core = require "alicloud.core"
local transport = require "alicloud.transport"
local socket = require "socket"
local server_module = require "spec.server"
local behaviour = require "spec.server.behaviour"
local exchange = require "spec.server.exchange"
local posix = require "spec.posix"
local reply = require "spec.server.reply"

-- What the operation tells, and what the core makes of it, once it is cancelled.
local function cancelled(op)
  assert.is_false(op:done())
  op:cancel()
  assert.is_true(op:done())
  local result = op:result()
  assert.equal("cancelled", result.failure)
  local _, fields = core.read(op)
  assert.equal(result.sent and "unknown" or "not_sent", fields.outcome)
  op:cancel()
  assert.equal(result.sent, op:result().sent)
  return result.sent
end

-- A port of this machine whose queue is full: the kernel answers nobody who knocks.
local function full_queue()
  local listener = assert(socket.tcp())
  assert(listener:bind("127.0.0.1", 0))
  assert(listener:listen(0))
  local _, port = listener:getsockname()
  local waiting = { listener }
  for _ = 1, 4 do
    local one = socket.tcp()
    one:settimeout(0)
    one:connect("127.0.0.1", port)
    waiting[#waiting + 1] = one
  end
  return setmetatable({ port = math.tointeger(port) }, { __close = function()
    for _, one in ipairs(waiting) do one:close() end
  end })
end

-- What a peer got that began with `greeting`, once it has enough of it.
local function after(greeting, n)
  return function(connection)
    connection:wait_for(n or 1)
    if greeting then connection:send(greeting) end
    connection:hang()
  end
end

describe("an operation that is cancelled", function()
  -- Its transport and request, cancelled once the server has read so much in all.
  local function at(behave, bytes, given)
    local server <close> = server_module.new(behave)
    local proxied = given.proxy and { proxy = given.proxy:format(server.port) }
    local client <close> = transport.new(proxied or {})
    local url = given.url and given.url:format(server.port)
    local op <close> = client:submit(exchange.request(server.url, { url = url, mutating = true,
      plain_http = true, body = given.body }))
    exchange.run_until(server, client, function()
      local one = server.connections[1]
      return one ~= nil and #one.received >= bytes
    end)
    return cancelled(op), server.connections[1].received
  end

  it("has sent nothing while nobody has answered its knock", function()
    local full <close> = full_queue()
    local client <close> = transport.new { connect_timeout = 60 }
    local op <close> = client:submit(exchange.request("http://127.0.0.1:" .. full.port,
      { mutating = true }))
    for _ = 1, 3 do
      core.poll(client:pollfd(), "r", 0.01)
      client:step()
    end
    assert.is_false(cancelled(op))
  end)

  it("has sent nothing where its transport is closed meanwhile", function()
    local full <close> = full_queue()
    local client = transport.new { connect_timeout = 60 }
    local op <close> = client:submit(exchange.request("http://127.0.0.1:" .. full.port))
    client:close()
    assert.same({ "cancelled", false }, { op:result().failure, op:result().sent })
  end)

  it("has sent nothing while its host or its proxy is looked up", function()
    local slow = (os.getenv "ALICLOUD_BUILD" or "build") .. "/spec/slow_dns.so"
    local pid, output = posix.spawn { "env",
      "LD_PRELOAD=" .. (os.getenv "LD_PRELOAD" or "") .. " " .. slow, "lua5.4", "-e", [[
        local core, transport = require "alicloud.core", require "alicloud.transport"
        for _, proxy in ipairs { "none", "http://slow.invalid:8080" } do
          local client <close> = transport.new { proxy = proxy }
          local op <close> = client:submit { method = "POST", url = "https://other.invalid/",
            timeout = 60, mutating = true }
          core.poll(client:pollfd(), "r", 0.02)
          client:step()
          op:cancel()
          print(op:result().failure, op:result().sent)
        end]] }
    local said = output:read "a"
    output:close()
    posix.wait(pid)
    assert.equal(("cancelled\tfalse\n"):rep(2), said)
  end)

  it("has sent nothing while TLS is agreed on", function()
    local sent, got = at(behaviour.hang, 100, { url = "https://127.0.0.1:%d/" })
    assert.is_false(sent)
    assert.equal("\x16\x03", got:sub(1, 2))
  end)

  it("has sent nothing while its proxy opens the tunnel, and TLS is agreed on in it", function()
    local given = { proxy = "http://127.0.0.1:%d", url = "https://h.example/" }
    local sent, got = at(behaviour.hang, 50, given)
    assert.is_false(sent)
    assert.matches("^CONNECT h%.example:443 ", got)
    sent, got = at(function(connection)
      connection:read_request()
      connection:send "HTTP/1.1 200 OK\r\n\r\n"
      connection:hang()
    end, 300, given)
    assert.is_false(sent)
    assert.matches("\r\n\r\n\x16\x03", got)
  end)

  it("has sent nothing while a proxy of another kind greets it", function()
    assert.is_false((at(after(), 3, { proxy = "socks5h://127.0.0.1:%d",
      url = "http://h.example/" })))
    assert.is_false((at(after("\5\0", 3), 8, { proxy = "socks5h://127.0.0.1:%d",
      url = "http://h.example/" })))
    assert.is_false((at(behaviour.hang, 100, { proxy = "https://127.0.0.1:%d",
      url = "http://h.example/" })))
  end)

  it("may have sent what its host or its proxy was given, whole or in part", function()
    local sent, got = at(behaviour.hang, 1, {})
    assert.is_true(sent)
    assert.matches("^POST / ", got)
    sent, got = at(behaviour.hang, 1, { proxy = "http://127.0.0.1:%d",
      url = "http://h.example/x" })
    assert.is_true(sent)
    assert.matches("^POST http://h%.example/x ", got)
    assert.is_true((at(after(nil, 10), 10, { body = ("x"):rep(4000000) })))
  end)

  it("may have sent what an answer has begun to", function()
    local server <close> = server_module.new(function(connection)
      connection:read_request()
      connection:send "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nten bytes."
      connection:hang()
    end)
    local client <close> = transport.new {}
    local op <close> = client:submit(exchange.request(server.url))
    exchange.run_until(server, client, function() return #server:requests() == 1 end)
    client:step()
    assert.is_true(cancelled(op))
    assert.is_nil(op:result().status)
  end)

  it("may have sent what left over a connection kept alive, also before a step", function()
    local server <close> = server_module.new(behaviour.answer(reply.http()))
    local client <close> = transport.new {}
    exchange.call(server, client, exchange.request(server.url))
    local op <close> = client:submit(exchange.request(server.url))
    assert.is_true(cancelled(op))
    -- One that must have a connection of its own has none yet.
    local change <close> = client:submit(exchange.request(server.url, { mutating = true }))
    assert.is_false(cancelled(change))
  end)

  it("has sent nothing where a connection kept alive was not fit to be used", function()
    local server <close> = server_module.new(behaviour.answer(reply.http() .. reply.http()))
    local client <close> = transport.new {}
    exchange.call(server, client, exchange.request(server.url))
    local op <close> = client:submit(exchange.request(server.url))
    assert.is_false(cancelled(op))
    server:step()
    assert.equal(1, #server:requests())
  end)
end)
