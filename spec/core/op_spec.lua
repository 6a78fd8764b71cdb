local core = require "alicloud.core"
local transport = require "alicloud.transport"
local behaviour = require "spec.server.behaviour"
local exchange = require "spec.server.exchange"
local reply = require "spec.server.reply"

local request, call = exchange.request, exchange.call

describe("an operation", function()
  local peers = exchange.peers(before_each, after_each)

  local function done(op)
    peers:run_until(function() return op:done() end)
    return op
  end

  it("has nothing to tell and nothing to do any more when it is closed", function()
    local op = done(peers:submit())
    do local _ <close> = op end
    assert.is_true(op:done())
    op:cancel()
    assert.has_error(function() op:result() end, "the operation is closed")
    assert.has_error(function() op:ticket() end, "the operation is closed")
    assert.has_error(function() core.read(op) end, "read: the operation is closed")
    assert.are.equal("alicloud.Op (closed)", tostring(op))
  end)

  it("may be closed twice, and after its transport", function()
    local ended = done(peers:submit())
    peers.server:play(behaviour.hang)
    local flying = peers:submit()
    peers.client:close()
    for _ = 1, 2 do
      do local _ <close> = ended end
      do local _ <close> = flying end
    end
    assert.is_true(ended:done() and flying:done())
  end)

  it("lets go of its request when it is closed in flight", function()
    peers.server:play(behaviour.hang)
    do
      local op <close> = peers:submit()
      peers:run_until(function() return #peers.server:requests() == 1 end)
      assert.is_false(op:done())
    end
    assert.are.equal(0, peers.client:stats().in_flight)
    assert.is_nil(peers.client:ended())
  end)

  it("knows nothing of the one before it in the same memory", function()
    local tickets = {}
    local answers = {
      reply.http(('{"RequestId":"%s"}'):format(("r"):rep(300)), { headers = "X-First: 1\r\n" }),
      reply.http('{"RequestId":"r"}'),
      reply.http(('{"RequestId":"%s"}'):format(("x"):rep(9000)), { headers = "X-Third: 3\r\n" }),
      reply.http(""),
    }
    for index, answer in ipairs(answers) do
      peers.server:play(behaviour.answer(answer))
      local op <close> = done(peers:submit())
      local result = op:result()
      assert.is_nil(tickets[op:ticket()])
      tickets[op:ticket()] = true
      assert.are.equal(answer:match "\r\n\r\n(.*)$", result.body)
      assert.are.equal(index == 1 and "1" or nil, result.headers["x-first"])
      assert.are.equal(index == 3 and "3" or nil, result.headers["x-third"])
      assert.is_nil(result.failure)
      assert.is_nil(result.detail)
    end
    peers.server:play(behaviour.hang)
    local late <close> = done(peers:submit { timeout = 0.05 })
    assert.are.equal("timeout", late:result().failure)
    assert.is_nil(late:result().body)
  end)

  -- The header lines of what the server got last, sorted. libcurl spells a Host in its own way.
  local function sent_lines()
    local sent, lines = peers.server:requests(), {}
    for line in sent[#sent]:match "\r\n(.*\r\n)\r\n":gmatch "([^\r\n]*)\r\n" do
      lines[#lines + 1] = line:gsub("^Host:", "host:")
    end
    table.sort(lines)
    return lines
  end

  it("sends every header as it was given, once, and none that was not", function()
    local headers = { Accept = "a/b", ["User-Agent"] = "u", ["x-acs-a"] = "1", ["X-Acs-B"] = "2",
      ["x-acs-empty"] = "", ["x-other"] = "3", authorization = "k", ["Content-Type"] = "t/u" }
    local host = peers.server.url:match "//(.*)"
    for _, left_out in ipairs { "none", "x-acs-empty", "Accept", "Content-Type", "User-Agent",
      "x-other" } do
      headers[left_out] = nil
      for _, given in ipairs { false, host } do
        headers.host = given or nil
        local expected = { "Content-Length: 3", not given and "host: " .. host or nil }
        for name, value in pairs(headers) do
          expected[#expected + 1] = value == "" and name .. ":" or name .. ": " .. value
        end
        peers:send { headers = headers, body = "b=c" }
        table.sort(expected)
        assert.are.same(expected, sent_lines())
      end
    end
  end)

  it("sends its headers also on a way that takes whole URLs", function()
    local headers = { ["user-agent"] = "u", host = peers.server.url:match "//(.*)", ["x-a"] = "1" }
    local proxied <close> = transport.new { proxy = peers.server.url }
    call(peers.server, proxied, request(peers.server.url,
      { url = "http://h.example/x?y", headers = headers, plain_http = true }))
    local got = peers.server:requests()
    assert.matches("^POST http://h%.example/x%?y HTTP/1%.1\r\n", got[#got])
    assert.matches("\r\nuser%-agent: u\r\n", got[#got])
    assert.matches("\r\nx%-a: 1\r\n", got[#got])
  end)

  it("shows a proxy nothing of the headers that go through its tunnel", function()
    local proxied <close> = transport.new { proxy = peers.server.url }
    local headers = { ["user-agent"] = "u", host = "h.example", authorization = "k" }
    local op <close> = proxied:submit(request(peers.server.url,
      { url = "https://h.example/x?y", headers = headers }))
    exchange.run_until(peers.server, proxied, function() return #peers.server:requests() == 1 end)
    local asked = peers.server:requests()[1]:lower()
    assert.matches("^connect h%.example:443 http/1%.1\r\nhost: h%.example:443\r\n", asked)
    assert.is_nil(asked:match "authorization" or asked:match "user%-agent: u" or asked:match "x%?y")
    op:cancel()
  end)

  it("keeps nothing of the terms of the one before it on the same handle", function()
    local function line(changes)
      peers:send(changes)
      local sent = peers.server:requests()
      return sent[#sent]:match "^[^\r]*", sent[#sent]:match "\r\n\r\n(.*)$"
    end
    assert.are.same({ "POST / HTTP/1.1", "A=b" }, { line { method = "POST", body = "A=b" } })
    assert.are.same({ "GET /x HTTP/1.1", "" },
      { line { method = "GET", url = peers.server.url .. "/x" } })
    assert.are.same({ "PUT / HTTP/1.1", "C" }, { line { method = "PUT", body = "C" } })
    assert.are.same({ "GET / HTTP/1.1", "" }, { line { method = "GET" } })
    assert.are.same({ "POST / HTTP/1.1", "" }, { line { method = "POST" } })

    local function opened(mutating)
      return peers:send { mutating = mutating }
        .stats.new_connections
    end
    assert.are.same({ 0, 1, 0, 1, 1, 0 }, { opened(false), opened(true), opened(false),
      opened(true), opened(true), opened(false) })

    peers.server:play(behaviour.hang)
    local short = peers:send { timeout = 0.05 }
    assert.are.equal("timeout", short.failure)
    peers.server:play(behaviour.answer(reply.http()))
    assert.are.equal(200, peers:send { timeout = 20 }.status)
  end)

  describe("of a signed request", function()
    local function sign()
      return core.signer { method = "POST", scheme = "http", path = "/", action = "A",
        host = peers.server.url:match "//(.*)", version = "1",
        headers = { ["user-agent"] = "a (b) c/1" },
      }({ X = "y" }, nil, 1767323045, "a-nonce", "made-up", "made-up-secret", nil,
        { ["x-acs-empty"] = "" })
    end

    it("sends the bytes that were signed", function()
      local op <close> = done((peers.client:submit(sign(), 30, true)))
      assert.are.equal("accepted", (exchange.outcome(op:result())))
      local lines = table.concat(sent_lines(), "\n")
      assert.matches("\nuser%-agent: a %(b%) c/1\n", lines)
      assert.matches("\nx%-acs%-empty:\n", lines)
      assert.matches("\nx%-acs%-signature%-nonce: a%-nonce", lines)
      assert.matches("^POST /%?X=y HTTP/1%.1\r\n", peers.server:requests()[1])
    end)

    it("has used it up, whatever became of it", function()
      local observer <close> = transport.new { observe = true }
      for _, with in ipairs { peers.client, observer } do
        local signed = sign()
        local op <close> = with:submit(signed, 2, true)
        for _ = 1, 2 do
          local ok, message = pcall(peers.client.submit, peers.client, signed, 2, true)
          assert.is_false(ok)
          assert.truthy(message:find("it was submitted already, or closed", 1, true), message)
        end
        assert.is_false(pcall(function() return signed.url end))
        op:cancel()
      end
      peers:run_until(function() return peers.client:stats().in_flight == 0 end)
      assert.is_true(#peers.server:requests() <= 1)
      local closed = transport.new {}
      closed:close()
      local signed = sign()
      assert.is_false(pcall(closed.submit, closed, signed, 2, true))
      assert.is_string(signed.url)
    end)

    it("still knows its texts, which explain a signature that the service does not take", function()
      local signed = sign()
      local texts = { string_to_sign = signed.string_to_sign,
        canonical_request = signed.canonical_request }
      peers.server:play(behaviour.answer(reply.http(core.encode { RequestId = "r",
        Code = "SignatureDoesNotMatch", Message = "Specified signature is not matched with our "
          .. "calculation. server string to sign is:" .. signed.string_to_sign },
        { status = "400 Bad Request" })))
      local op <close> = done((peers.client:submit(signed, 30, false)))
      local _, by_op = core.read(op, signed)
      local _, by_table = core.read(op:result(), texts)
      local _, without = core.read(op:result())
      assert.are.same(by_table, by_op)
      assert.are_not.same(without, by_op)
    end)
  end)

  it("is closed by its block also after a reading of it that raised", function()
    local kept
    do
      local op <close> = done(peers:submit())
      for _, options in ipairs { { bogus = 1 }, { max_bytes = "x" }, 7 } do
        local ok, message = pcall(function() core.read(op, options) end)
        assert.is_false(ok)
        if options ~= 7 then assert.matches("op_spec%.lua:%d+: read: ", message) end
      end
      kept = op
    end
    assert.are.equal("alicloud.Op (closed)", tostring(kept))
  end)

  describe("over a limit of size is done at once, and nothing of it was sent:", function()
    local function refused(changes, kind)
      changes.mutating = true
      local op <close> = peers:submit(changes)
      assert.is_true(op:done())
      local class, fields = exchange.outcome(op:result())
      peers.server:step()
      assert.are.equal(0, #peers.server.connections)
      assert.are.same({ "not_sent", "limit", "request_too_large", false },
        { class, fields.kind, fields.failure, fields.retryable })
      assert.matches(kind .. ": %d+ bytes, allowed: %d+", fields.message)
    end

    it("a body", function()
      refused({ body = ("x"):rep(4 * 1024 * 1024 + 1) }, "its body")
    end)

    it("a URL", function()
      local url = peers.server.url .. "/?"
      refused({ url = url .. ("x"):rep(512 * 1024) }, "its URL and header fields")
      refused({ url = url .. ("x"):rep(9000000) }, "its URL and header fields")
    end)

    it("a header, and many", function()
      refused({ headers = { ["x-a"] = ("x"):rep(512 * 1024) } }, "its URL and header fields")
      local many = {}
      for i = 1, 9000 do many["x-acs-header-" .. i] = ("x"):rep(60) end
      refused({ headers = many }, "its URL and header fields")
    end)
  end)

  it("of just the allowed size is sent", function()
    local url = peers.server.url .. "/?"
    local room = 512 * 1024 - #"POST" - #url
    for _, changes in ipairs { { url = url .. ("x"):rep(room), headers = {} },
      { url = url, headers = { ["x-a"] = ("x"):rep(room - #"x-a") }, body = "b" },
      { body = ("x"):rep(4 * 1024 * 1024) } } do
      assert.are.equal(200, peers:send(changes).status)
    end
  end)
end)
