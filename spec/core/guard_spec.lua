-- The last look before a request leaves: until when it may, and what its connection has to say.

local core = require "alicloud.core"
local transport = require "alicloud.transport"
local server_module = require "spec.server"
local child = require "spec.child"
local behaviour = require "spec.server.behaviour"
local exchange = require "spec.server.exchange"
local posix = require "spec.posix"
local reply = require "spec.server.reply"
local scratch = require "spec.scratch"
local tls = require "spec.server.tls"

local request, call, outcome = exchange.request, exchange.call, exchange.outcome

-- A SOCKS5 proxy (RFC 1928) for IPv4 addresses: `before` is called when the tunnel is asked for,
-- `behind` is said together with the word that it stands, then `behave` takes over.
local function socks(before, behind, behave)
  return function(connection)
    connection:wait_for(3)
    connection:send "\5\0"
    connection:wait_for(3 + 10)
    before(connection)
    connection.before_request = #connection.received
    connection.consumed = #connection.received
    connection:send("\5\0\0\1\0\0\0\0\0\0" .. behind)
    behave(connection)
  end
end

local function nothing() end

local STRAY = reply.http('{"RequestId":"stray"}')
local TIMEOUT = "HTTP/1.1 408 Request Time-out\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

describe("a request that may leave until a time", function()
  local peers = exchange.peers(before_each, after_each)

  it("leaves before it", function()
    local result = peers:send { send_by = core.boottime() + 60 }
    assert.are.equal("accepted", (outcome(result)))
  end)

  it("does not leave after it, nor is a connection opened", function()
    for _, late in ipairs { core.boottime() - 0.001, 0, -1, -math.huge, 0 / 0 } do
      local op <close> = peers:submit { send_by = late, mutating = true }
      assert.is_true(op:done())
      assert.is_false(op:result().sent)
      local class, fields = outcome(op:result())
      assert.are.same({ "not_sent", "Client.TooLate", "timeout", false },
        { class, fields.code, fields.kind, fields.retryable })
    end
    peers.server:step()
    assert.are.equal(0, #peers.server.connections)
    assert.are.equal(0, peers.client:stats().requests)
  end)

  it("does not leave after it when the way there took too long", function()
    local send_by
    peers.server:play(socks(function(connection)
      while core.boottime() <= send_by do connection:pause() end
    end, "", function(connection) connection:hang() end))
    local proxied <close> = transport.new { proxy = "socks5://127.0.0.1:" .. peers.server.port }
    -- What begins after it has no connection at all.
    send_by = core.boottime() + 0.5
    local result = call(peers.server, proxied, request("http://192.0.2.1",
      { plain_http = true, mutating = true, send_by = send_by }))
    assert.are.equal("too_late", result.failure)
    assert.is_false(result.sent)
    assert.are.equal("not_sent", (outcome(result)))
    local connection = peers.server.connections[1]
    exchange.run_until(peers.server, proxied, function() return connection.closed end)
    assert.are.equal(connection.before_request, #connection.received)
    assert.are.equal(1, #peers.server.connections)
  end)

  it("is not sent a second time after it, and that it was sent stays true", function()
    local send_by
    peers.server:play(function(connection)
      connection:read_request()
      connection:send(reply.http())
      connection:wait_for(#connection.received + 1)
      while core.boottime() <= send_by do connection:pause() end
      connection:rst()
    end, behaviour.answer(reply.http()))
    peers:send()
    -- It must be sent once before that.
    send_by = core.boottime() + 2
    -- libcurl would try it again by itself, over a fresh connection.
    local result = peers:send { send_by = send_by }
    assert.are.same({ "too_late", true }, { result.failure, result.sent })
    assert.are.equal("unknown", (outcome(result)))
    assert.are.equal(2, peers.server:count "POST")
  end)

  it("may be a signed one", function()
    local function submit(send_by)
      local signer = core.signer { method = "POST", scheme = "http", action = "A", version = "1",
        host = peers.server.url:match "//(.*)" }
      local signed = signer(nil, nil, 1767323045, "n", "made-up", "made-up-secret")
      return peers.client:submit(signed, 30, true, false, send_by)
    end
    local late <close>, done = submit(core.boottime() - 1)
    assert.is_true(done)
    assert.are.equal("too_late", late:result().failure)
    local soon <close> = submit(core.boottime() + 60)
    peers:run_until(function() return soon:done() end)
    assert.are.equal(200, soon:result().status)
  end)

  it("is told it in seconds", function()
    for _, wrong in ipairs { "1", true, {} } do
      assert.is_false(pcall(peers.submit, peers, { send_by = wrong }))
    end
  end)
end)

local function sockets()
  return child.open_descriptors "socket:"
end

-- The descriptor of the only connection that the client has open, found by what was open before.
local function new_socket(before, server)
  local theirs = {}
  for _, connection in ipairs(server and server.connections or {}) do
    theirs[connection.socket:getfd()] = true
  end
  for fd in pairs(sockets()) do
    if not before[fd] and not theirs[fd] then return fd end
  end
  error "no connection is open"
end

describe("an idle connection that says something", function()
  local peers = exchange.peers(before_each, after_each)
  local before

  before_each(function()
    child.settle()
    before = sockets()
  end)

  local function first_then(say)
    peers:send()
    local fd = new_socket(before, peers.server)
    local connection = peers.server.connections[1]
    say(connection)
    assert.is_true(core.poll(fd, "r", 10))
    return connection
  end

  for name, stray in pairs { ["a second answer"] = STRAY, ["that it timed out"] = TIMEOUT,
    ["half an answer"] = STRAY:sub(1, 20), ["a byte"] = "\0", ["an empty line"] = "\r\n" } do
    it("is not asked any more: " .. name, function()
      local connection = first_then(function(connection) connection.socket:send(stray) end)
      local result = peers:send()
      assert.are.equal(reply.body, result.body)
      assert.are.equal("accepted", (outcome(result)))
      assert.are.same({ 2, 1 }, { #peers.server.connections, #connection.requests })
      assert.are.equal(1, result.stats.new_connections)
      assert.are.equal(0, peers.client:stats().reused)
      -- The one that came instead is kept.
      assert.are.equal(0, peers:send().stats.new_connections)
    end)
  end

  it("or is closed is not asked any more", function()
    local connection = first_then(function(connection) connection:half_close() end)
    assert.are.equal("accepted", (outcome(peers:send())))
    assert.are.same({ 2, 1 }, { #peers.server.connections, #connection.requests })
  end)

  it("among many is told from them", function()
    peers.server:play(behaviour.answer(reply.http()))
    local ops = {}
    for i = 1, 20 do ops[i] = peers:submit() end
    peers:run_until(function() return peers.client:stats().in_flight == 0 end)
    local stray = {}
    for i = 1, 20, 2 do
      peers.server.connections[i].socket:send(STRAY)
      stray[i] = true
    end
    for fd in pairs(sockets()) do if not before[fd] then core.poll(fd, "r", 0.01) end end
    for i = 1, 20 do ops[i] = peers:submit() end
    peers:run_until(function() return peers.client:stats().in_flight == 0 end)
    for _, op in ipairs(ops) do assert.are.equal(reply.body, op:result().body) end
    for i = 1, 20 do
      assert.are.equal(stray[i] and 1 or 2, #peers.server.connections[i].requests, i)
    end
  end)
end)

describe("a fresh connection that says something before it was asked", function()
  local server

  before_each(function() server = server_module.new() end)
  after_each(function() server:close() end)

  local function ask(...)
    server:play(...)
    local client <close> = transport.new { proxy = "socks5://127.0.0.1:" .. server.port }
    return call(server, client, request("http://192.0.2.1", { plain_http = true, mutating = true }))
  end

  it("is not asked, but another one", function()
    local result = ask(socks(nothing, STRAY, function(connection) connection:hang() end),
      socks(nothing, "", behaviour.answer(reply.http())))
    assert.are.equal(reply.body, result.body)
    assert.are.equal(2, result.stats.new_connections)
    local connection = server.connections[1]
    assert.are.equal(connection.before_request, #connection.received)
  end)

  it("is not asked a third time", function()
    local result = ask(socks(nothing, STRAY, function(connection) connection:hang() end))
    assert.are.same({ "closed", false, 2 }, { result.failure, result.sent, #server.connections })
    assert.are.equal("not_sent", (outcome(result)))
    for _, connection in ipairs(server.connections) do
      assert.are.equal(connection.before_request, #connection.received)
    end
  end)
end)

describe("an idle connection over TLS", function()
  local dir, authority, certificate

  setup(function()
    dir = scratch.directory()
    authority = tls.authority(dir, "good")
    certificate = authority:issue("right", { san = "IP:127.0.0.1" })
  end)

  local HEAD = ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"):format(#reply.body)

  -- What the server says piece by piece, and what each of the calls gets.
  local function talk(version, script)
    local server <close> = tls.speak(certificate, version)
    local client <close> = transport.new { ca_file = authority.file, proxy = "none" }
    child.settle()
    local before, bodies = sockets(), {}
    for i, pieces in ipairs(script) do
      local op <close> = client:submit(request(server.url))
      exchange.run_until(nil, client, function() return server:asked() == i end)
      for _, piece in ipairs(pieces) do
        if piece == true then
          exchange.run_until(nil, client, function() return op:done() end)
        else
          server:say(piece)
          core.poll(nil, "r", 0.05)
        end
      end
      exchange.run_until(nil, client, function() return op:done() end)
      bodies[i] = op:result().body or op:result().detail
      if pieces.stray then assert.is_true(core.poll(new_socket(before), "r", 10)) end
    end
    return bodies, client:stats()
  end

  for _, version in ipairs { "-tls1_2", "-tls1_3" } do
    it("is kept while it is silent, " .. version, function()
      local answer = { reply.http() }
      local bodies, stats = talk(version, { answer, answer, answer })
      assert.are.same({ reply.body, reply.body, reply.body }, bodies)
      assert.are.same({ 1, 2 }, { stats.connections, stats.reused })
    end)

    it("is not asked any more when it says something, " .. version, function()
      local bodies, stats = talk(version,
        { { reply.http(), true, STRAY, stray = true }, { reply.http() } })
      assert.are.same({ reply.body, reply.body }, bodies)
      assert.are.same({ 2, 0 }, { stats.connections, stats.reused })
    end)

    it("is not asked any more when it said it in the record of the answer, " .. version, function()
      local bodies, stats = talk(version, { { HEAD, reply.body .. STRAY }, { reply.http() } })
      assert.are.same({ reply.body, reply.body }, bodies)
      assert.are.same({ 2, 0 }, { stats.connections, stats.reused })
    end)
  end
end)

describe("the descriptor of a transport", function()
  local peers = exchange.peers(before_each, after_each)

  it("is silent when a connection is gone that a forked child still holds", function()
    child.settle()
    local before = sockets()
    peers:send()
    local fd = new_socket(before, peers.server)
    local pid = child.start(function() core.poll(nil, "r", 60) end)
    peers.server.connections[1]:half_close()
    assert.is_true(core.poll(fd, "r", 10))
    assert.are.equal("accepted", (outcome(peers:send())))
    assert.are.equal(2, #peers.server.connections)
    assert.is_false(core.poll(peers.client:pollfd(), "r", 0))
    posix.kill(pid, "KILL")
    posix.wait(pid)
  end)
end)

describe("a change that must leave by a moment", function()
  local peers = exchange.peers(before_each, after_each)
  local ended

  -- Whoever closes in good order is still connected to on the other side.
  local function notice_end(connection)
    connection:read_request()
    connection:wait_for(math.huge)
    ended = connection.socket:getpeername() and "in order" or "reset"
    connection:finish("peer")
  end

  before_each(function() ended = nil end)

  local function windowed(changes)
    changes.send_by, changes.mutating = core.boottime() + 60, true
    return changes
  end

  it("is reset when it is given up without an answer", function()
    for way, give_up in pairs {
      timeout = function(op) peers:run_until(function() return op:done() end) end,
      cancelled = function(op) op:cancel() end,
      closed = function() peers.client:close() end,
    } do
      ended = nil
      peers.server:play(notice_end)
      -- It must be sent before its time is over.
      local op <close> = peers:submit(windowed { timeout = way == "timeout" and 2 or 60 })
      local count = peers.server:count "POST"
      peers:run_until(function() return peers.server:count "POST" > count end)
      give_up(op)
      assert.is_true(op:result().sent)
      while not ended do peers.server:step() end
      assert.equal("reset", ended, way)
      if way == "closed" then peers.client = transport.new { proxy = "none" } end
    end
  end)

  it("is reset when its process is killed", function()
    peers.server:play(notice_end)
    local pid = child.start(function()
      local own <close> = transport.new { proxy = "none" }
      local op <close> = own:submit(peers:request(windowed { timeout = 60 }))
      while not op:done() do
        core.poll(own:pollfd(), own:events(), 1)
        own:step()
      end
    end)
    while peers.server:count "POST" == 0 do peers.server:step() end
    posix.kill(pid, "KILL")
    posix.wait(pid)
    while not ended do peers.server:step() end
    assert.equal("reset", ended)
  end)

  it("ends in good order once it is answered, as does one without a moment", function()
    for _, changes in ipairs { windowed {}, { mutating = true } } do
      ended = nil
      peers.server:play(function(connection)
        connection:read_request()
        connection:send(reply.http())
        connection:wait_for(math.huge)
        ended = connection.socket:getpeername() and "in order" or "reset"
        connection:finish("peer")
      end)
      assert.are.equal("accepted", (outcome(peers:send(changes))))
      peers:run_until(function() return ended ~= nil end)
      assert.equal("in order", ended, changes.send_by and "windowed" or "plain")
    end
  end)
end)
