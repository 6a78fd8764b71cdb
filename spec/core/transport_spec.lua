local core = require "alicloud.core"
local transport = require "alicloud.transport"
local server_module = require "spec.server"
local behaviour = require "spec.server.behaviour"
local exchange = require "spec.server.exchange"
local reply = require "spec.server.reply"

local request, call, outcome = exchange.request, exchange.call, exchange.outcome

describe("alicloud.transport", function()
  local peers = exchange.peers(before_each, after_each)

  describe("one call", function()
    it("sends what it was given and returns status, lower-case header names and body", function()
      local result = peers:against(
        behaviour.answer(reply.http(nil, { headers = "X-Acs-Trace: t1\r\n" })),
        { method = "POST", body = "Name=a%20b", headers = { ["X-Spec"] = "yes" } })
      assert.are.equal(200, result.status)
      assert.are.equal(reply.body, result.body)
      assert.are.equal("t1", result.headers["x-acs-trace"])
      local sent = peers.server:requests()[1]
      assert.truthy(sent:find("^POST / HTTP/1%.1\r\n"))
      assert.truthy(sent:find("\r\nX-Spec: yes\r\n", 1, true))
      assert.truthy(sent:find("\r\n\r\nName=a%20b", 1, true))
    end)

    it("adds no header that the signature does not know of", function()
      peers:against(behaviour.answer(reply.http()), { body = "" })
      local sent = peers.server:requests()[1]:lower()
      for _, name in ipairs { "expect", "cookie", "accept-encoding", "transfer-encoding" } do
        assert.falsy(sent:find("\r\n" .. name .. ":", 1, true), name)
      end
      assert.falsy(sent:find("x-www-form-urlencoded", 1, true))
    end)

    it("reports its own statistics", function()
      local result = peers:against(behaviour.answer(reply.http()))
      assert.are.equal(1, result.stats.new_connections)
      assert.is_true(result.stats.elapsed >= 0)
      local totals = peers.client:stats()
      assert.are.equal(1, totals.requests)
      assert.are.equal(1, totals.connections)
      assert.is_true(totals.bytes_received >= #reply.body)
      assert.are.equal(0, totals.in_flight)
    end)

    it("keeps the connections of many that end together for the next ones", function()
      peers.server:play(behaviour.answer(reply.http()))
      for _ = 1, 3 do
        local ops = {}
        for index = 1, 80 do ops[index] = peers:submit() end
        peers:run_until(function()
          return peers.client:stats().in_flight == 0
        end)
        for _, op in ipairs(ops) do assert.are.equal(200, op:result().status) end
      end
      assert.are.equal(80, peers.client:stats().connections)
      assert.are.equal(160, peers.client:stats().reused)
    end)

    it("counts bytes and reused connections over all calls", function()
      peers.server:play(behaviour.answer(reply.http()))
      for _, body in ipairs { "", "Name=value", ("x"):rep(100 * 1024) } do
        peers:send { body = body }
      end
      local refused = ("http://127.0.0.1:%d"):format(server_module.closed_port())
      call(nil, peers.client, request(refused))
      local totals = peers.client:stats()
      assert.are.equal(4, totals.requests)
      assert.are.equal(1, totals.connections)
      assert.are.equal(2, totals.reused)
      assert.are.equal(#peers.server:received(), totals.bytes_sent)
      assert.are.equal(3 * #reply.http(), totals.bytes_received)
    end)

    it("says the method of each request, whatever the one before was", function()
      peers.server:play(behaviour.answer(reply.http()))
      local methods = { "GET", "GET", "POST", "POST", "GET", "PUT", "GET", "DELETE", "GET", "GET" }
      for index, method in ipairs(methods) do
        local body = (method == "POST" or method == "PUT") and "Name=value" or nil
        call(peers.server, peers.client,
          { method = method, url = peers.server.url .. "/", body = body })
        local sent = peers.server:requests()[index]
        assert.are.equal(method .. " / HTTP/1.1", sent:match("^[^\r]*"), "request " .. index)
        assert.are.equal(body or "", sent:match("\r\n\r\n(.*)$"))
        assert.is_nil(method == "GET" and sent:lower():match("content%-length") or nil)
      end
    end)

    it("runs beside others", function()
      peers.server:play(behaviour.answer(reply.http()))
      local ops = {}
      for index = 1, 40 do ops[index] = peers:submit() end
      peers:run_until(function()
        for _, op in ipairs(ops) do
          if not op:done() then return false end
        end
        return true
      end)
      for _, op in ipairs(ops) do assert.are.equal("accepted", (outcome(op:result()))) end
    end)

    it("is told by one descriptor when there is something to do", function()
      peers.server:play(behaviour.answer(reply.http()))
      local op = peers:submit()
      assert.is_true(peers.client:pollfd() >= 0)
      assert.are.equal("r", peers.client:events())
      assert.is_number(peers.client:timeout())
      -- Sleeping on the descriptor for the announced time is enough: no step is missed.
      local fd = peers.client:pollfd()
      for _ = 1, 10000 do
        peers.server:step()
        core.poll(peers.client:pollfd(), "r", math.min(peers.client:timeout() or 0, 0.01))
        peers.client:step()
        if op:done() then break end
      end
      assert.is_true(op:done())
      assert.are.equal(fd, peers.client:pollfd())
    end)

    it("tells at once what ended while it was submitted, also after another was cancelled",
      function()
        peers.server:play(behaviour.hang)
        local silent = peers:submit()
        peers:run_until(function() return #peers.server:requests() == 1 end)
        local hopeless = peers.client:submit { method = "GET", url = "http://127.0.0.1:99999/" }
        assert.are.equal(0, peers.client:timeout())
        silent:cancel()
        assert.are.equal(0, peers.client:timeout())
        assert.are.equal(1, peers.client:step())
        assert.is_true(hopeless:done())
      end)
  end)

  describe("connections", function()
    it("are kept alive for reads", function()
      peers.server:play(behaviour.answer(reply.http()))
      for _ = 1, 5 do peers:send() end
      assert.are.equal(1, #peers.server.connections)
      assert.are.equal(5, #peers.server.connections[1].requests)
    end)

    it("are fresh for every mutating call", function()
      peers.server:play(behaviour.answer(reply.http()))
      peers:send()
      for _ = 1, 3 do peers:send { mutating = true } end
      assert.are.equal(4, #peers.server.connections)
      for _, connection in ipairs(peers.server.connections) do
        assert.are.equal(1, #connection.requests)
      end
    end)

    for _, how in ipairs { "fin", "rst" } do
      it("that die by " .. how .. " while kept alive cost a read nothing", function()
        peers.server:play(behaviour.answer_then_die(reply.http(), how),
          behaviour.answer(reply.http()))
        peers:send()
        assert.are.equal("accepted", (outcome(peers:send())))
        assert.are.equal(2, #peers.server.connections)
      end)

      it("that die by " .. how .. " never make a second mutating POST", function()
        peers.server:play(behaviour.answer_then_die(reply.http(), how),
          behaviour.cut_request(1, how), behaviour.answer(reply.http()))
        peers:send()
        local result = peers:send { mutating = true }
        assert.are.equal("unknown", (outcome(result)))
        assert.are.equal(2, peers.server:count("POST"))
        assert.are.equal(2, #peers.server.connections)
      end)
    end

    it("of a mutating call are not offered to the next read", function()
      peers.server:play(behaviour.answer_then_die(reply.http(), "rst"),
        behaviour.answer(reply.http()))
      peers:send { mutating = true }
      peers:send()
      assert.are.equal(1, #peers.server.connections[1].requests)
      assert.are.equal(1, #peers.server.connections[2].requests)
    end)
  end)

  for _, version in ipairs { "http/1.1", "HTTP/x", "HTTP/}1.1", "Http/1.1", "HTTP/2", "HTTP/3",
    "HTTP/1", "HTTP/1.1 ", "HTTP/1.1\t", "HTTP/1.1 200\t", "HTTP/1.1 2000" } do
    it("does not take a status line that begins with " .. version .. " for success", function()
      local answer = reply.http():gsub("^HTTP/1.1 200 OK", version .. " 500 Error")
      local result = peers:against(behaviour.answer(answer))
      assert.equal("malformed", result.failure)
      assert.equal("unknown", (outcome(result)))
    end)
  end

  describe("caps", function()
    before_each(function()
      peers.client:close()
      peers.client = transport.new { max_body = 4096, max_headers = 2048 }
    end)

    local padded = ('{"RequestId":"r","Pad":"%s"}'):format(("x"):rep(4096 - 26))

    it("let a body of exactly the maximum through", function()
      assert.are.equal(4096, #padded)
      assert.are.equal("accepted", (outcome(peers:against(behaviour.answer(reply.http(padded))))))
      local chunked = peers:against(behaviour.answer(reply.chunked(padded)))
      assert.are.equal("accepted", (outcome(chunked)))
    end)

    local endless_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    local rows = {
      { "a body one byte longer", behaviour.answer(reply.http(padded .. " ")) },
      { "a chunked body one byte longer", behaviour.answer(reply.chunked(padded, " ")) },
      { "a body without end",
        behaviour.dribble(endless_head, ("400\r\n%s\r\n"):format(("x"):rep(1024))) },
      { "headers without end", behaviour.dribble("HTTP/1.1 200 OK\r\n", "X-Pad: yes\r\n") },
      -- libcurl gives up on a line of 100 KiB before it hands over any of it, and has a code for
      -- that since 8.6.
      { "one header line without end", or_failure = "malformed",
        behaviour.dribble("HTTP/1.1 200 OK\r\nX-Pad: ", ("x"):rep(1024)) },
      { "hints without end", behaviour.dribble("", "HTTP/1.1 103 Early Hints\r\n\r\n") },
    }
    for _, row in ipairs(rows) do
      it("stop " .. row[1], function()
        local result = peers:against(row[2], { mutating = true })
        if result.failure ~= row.or_failure then
          assert.are.equal("too_large", result.failure)
        end
        assert.is_true(result.sent)
        assert.are.equal("unknown", (outcome(result)))
        assert.is_true(#(result.body or "") <= 4096)
      end)
    end
  end)

  describe("deadlines", function()
    it("end a call in the middle of an answer", function()
      local result = peers:against(behaviour.dribble(reply.http():sub(1, 60)), { timeout = 1 })
      assert.are.equal("timeout", result.failure)
      assert.is_true(result.sent)
    end)

    it("end a call on time though another one sets out meanwhile", function()
      local silent <close> = server_module.new(behaviour.hang)
      local both <close> = transport.new {}
      local first = both:submit(request(silent.url, { timeout = 0.2 }))
      local ends = core.monotonic() + 25
      while core.monotonic() < ends - 24.9 do
        both:step()
        silent:step()
      end
      local second <close> = both:submit(request(silent.url, { timeout = 30 }))
      while not first:done() and core.monotonic() < ends do
        both:step()
        silent:step()
        both:wait(0.05)
      end
      assert.are.equal("timeout", first:result().failure)
      assert.is_false(second:done())
      assert.is_true(core.monotonic() < ends - 5)
      assert.are.equal(first:ticket(), both:ended())
      assert.is_nil(both:ended())
    end)

    it("end a connection that is never made, and nothing was sent", function()
      -- A full backlog leaves further connections half open.
      local socket = require "socket"
      local full = assert(socket.tcp())
      assert(full:bind("127.0.0.1", 0))
      assert(full:listen(0))
      local _, port = full:getsockname()
      local waiting = {}
      for index = 1, 4 do
        waiting[index] = socket.tcp()
        waiting[index]:settimeout(0)
        waiting[index]:connect("127.0.0.1", port)
      end
      local result = call(nil, peers.client, request(("http://127.0.0.1:%d"):format(port),
        { connect_timeout = 0.1, mutating = true }))
      assert.are.equal("timeout", result.failure)
      assert.is_false(result.sent)
      assert.are.equal("not_sent", (outcome(result)))
      for _, other in ipairs(waiting) do other:close() end
      full:close()
    end)

    it("end a TLS handshake that is never answered, and nothing was sent", function()
      peers.server:play(function(connection) connection:hang() end)
      local url = peers.server.url:gsub("^http", "https")
      local result = call(peers.server, peers.client,
        request(url, { connect_timeout = 0.1, mutating = true }))
      assert.are.equal("timeout", result.failure)
      assert.is_false(result.sent)
    end)
  end)

  describe("a call in flight", function()
    local op

    before_each(function()
      peers.server:play(behaviour.hang)
      op = peers:submit { mutating = true }
      peers:run_until(function() return #peers.server:requests() == 1 end)
    end)

    it("has no result yet", function()
      assert.is_false(op:done())
      assert.are.equal(1, peers.client:stats().in_flight)
    end)

    it("can be cancelled, and that it was sent is not forgotten", function()
      op:cancel()
      assert.is_true(op:done())
      local result = op:result()
      assert.are.equal("cancelled", result.failure)
      assert.is_true(result.sent)
      assert.are.equal("unknown", (outcome(result)))
      assert.are.equal(0, peers.client:stats().in_flight)
    end)

    it("is cancelled when its variable goes out of scope", function()
      do local _guard <close> = op end
      assert.is_true(op:done())
    end)

    it("is dropped by closing the transport", function()
      peers.client:close()
      assert.is_true(op:done())
      assert.are.equal("unknown", (outcome(op:result())))
    end)

    it("survives the loss of every reference to it", function()
      op = nil
      collectgarbage()
      collectgarbage()
      peers.client:step()
      peers.client = nil
      collectgarbage()
      collectgarbage()
      peers.client = transport.new {}
      assert.are.equal("accepted", (outcome(peers:against(behaviour.answer(reply.http())))))
    end)

    it("may be cancelled before its transport took a step", function()
      local fresh = peers:submit()
      fresh:cancel()
      local result = fresh:result()
      assert.is_false(result.sent)
      assert.are.equal("not_sent", (outcome(result)))
    end)
  end)

  it("may be closed twice and is then refused", function()
    peers.client:close()
    peers.client:close()
    assert.has_error(function() peers:submit() end)
  end)
end)
