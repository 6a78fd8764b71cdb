-- Every way in which a connection can go wrong, and what may be said of the call afterwards.

local server_module = require "spec.server"
local behaviour = require "spec.server.behaviour"
local exchange = require "spec.server.exchange"
local reply = require "spec.server.reply"

local request, call, outcome = exchange.request, exchange.call, exchange.outcome

describe("alicloud.transport and core.read together", function()
  local peers = exchange.peers(before_each, after_each)

  -- What holds however a call ends: "not sent" and "accepted" are claims about the server.
  local function assert_honest(result, answer_was_complete, label)
    local class = outcome(result)
    if peers.server:received() ~= "" then
      assert.are_not.equal("not_sent", class, label)
      assert.is_not_false(result.sent, label)
    end
    if not answer_was_complete then
      assert.are_not.equal("accepted", class, label)
      assert.are_not.equal("rejected", class, label)
    end
    return class
  end

  describe("an answer that is cut", function()
    -- `spare` is what may be missing from a whole answer: of the empty line after the last chunk
    -- libcurl waits for the CR only.
    local framings = {
      { name = "with Content-Length", bytes = reply.http(), spare = 0 },
      { name = "in chunks", bytes = reply.chunked(), spare = 1 },
      { name = "of HTTP/1.0", bytes = reply.http10(), spare = 0 },
    }

    for _, framing in ipairs(framings) do
      for _, how in ipairs { "fin", "rst" } do
        local name = framing.name .. " by " .. how .. " at every byte is accepted only when whole"
        it(name, function()
          local length = #framing.bytes
          for n = 0, length do
            local label = "at byte " .. n
            local mutating = n % 2 == 0
            local result = peers:against(behaviour.answer_and_close(framing.bytes:sub(1, n), how),
              { mutating = mutating })
            local whole = n >= length - framing.spare
            local class = assert_honest(result, whole, label)
            if not whole then
              assert.are.equal("unknown", class, label)
            elseif n == length and how == "fin" then
              assert.are.equal("accepted", class, label)
            else
              -- A reset may overtake the last bytes.
              assert.truthy(class == "accepted" or class == "unknown", label)
            end
            if mutating then assert.are.equal(1, peers.server:count("POST"), label) end
          end
        end)
      end
    end

    it("is rejected only when the whole error is there", function()
      local bytes = reply.error("403 Forbidden", "OperationDenied")
      for n = 0, #bytes do
        local result = peers:against(behaviour.answer_and_close(bytes:sub(1, n), "fin"),
          { mutating = true })
        local class = assert_honest(result, n == #bytes, "at byte " .. n)
        assert.are.equal(n == #bytes and "rejected" or "unknown", class, "at byte " .. n)
      end
    end)
  end)

  describe("a request that is cut", function()
    local length

    before_each(function()
      peers:against(behaviour.answer(reply.http()), { mutating = true, body = "Name=value" })
      length = #peers.server:received()
    end)

    for _, how in ipairs { "rst", "fin" } do
      it("is unknown from the first byte the server got, by " .. how, function()
        for n = 1, length do
          local result = peers:against(behaviour.cut_request(n, how),
            { mutating = true, body = "Name=value" })
          assert.are.equal("unknown", assert_honest(result, false, "after byte " .. n))
          assert.are.equal(1, #peers.server.connections, "after byte " .. n)
        end
      end)
    end

    it("is not called sent or refused by a server that closes at once", function()
      local result = peers:against(behaviour.cut_request(0, "rst"), { mutating = true })
      local class = assert_honest(result, false)
      assert.truthy(class == "unknown" or class == "not_sent")
    end)
  end)

  describe("a server that", function()
    -- The request must be sent before its time is over, on a machine that is busy too.
    local rows = {
      { "is silent", behaviour.hang, failure = "timeout", timeout = 1 },
      { "closes its side and waits", behaviour.half_close },
      { "dribbles", behaviour.dribble("HTTP/1.1 200 OK\r\n", "X"), timeout = 1 },
      { "announces too long a body",
        bytes = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" .. reply.body },
      { "announces too short a body",
        bytes = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" .. reply.body },
      { "announces two lengths",
        bytes = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\nContent-Length: 30\r\n\r\n"
          .. reply.body },
      { "announces a negative length",
        bytes = "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" .. reply.body },
      { "sends a chunk size that is none",
        bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" .. reply.body },
      { "sends a huge chunk size",
        bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"
          .. reply.body },
      { "leaves the last chunk out", bytes = reply.chunked():sub(1, -6) },
      { "speaks something else", bytes = "SSH-2.0-OpenSSH_9.2\r\n" },
      { "sends the body without a header", bytes = reply.body },
      { "sends bytes of no protocol", bytes = "\0\1\2\3\255\254 garbage\r\n\r\n" },
      { "compresses unasked",
        bytes = reply.http("\31\139\8\0\0\0\0\0\0\3\171\86\10\74\45\44\77\45\46\81\178\2\0",
          { headers = "Content-Encoding: gzip\r\n" }) },
      { "has nothing to say", bytes = "HTTP/1.1 204 No Content\r\n\r\n" },
      { "has a status of its own", bytes = reply.http(nil, { status = "999 Odd" }) },
      { "is a captive portal", bytes = reply.http("<html>Log in</html>") },
      { "is a proxy that refuses",
        bytes = reply.http("<html>403</html>", { status = "403 Forbidden" }) },
      { "fails", bytes = reply.error("500 Internal Server Error", "InternalError") },
      { "times out behind a gateway",
        bytes = reply.error("504 Gateway Timeout", "RequestTimeout") },
      { "redirects", bytes = reply.http("", {
        status = "302 Found", headers = "Location: http://127.0.0.1:1/\r\n" }) },
    }
    for _, row in ipairs(rows) do
      it(row[1] .. " leaves the outcome unknown", function()
        local behave = row[2] or behaviour.answer_and_close(row.bytes, "fin")
        local result = peers:against(behave, { mutating = true, timeout = row.timeout })
        local class, fields = outcome(result)
        assert.are.equal("unknown", class)
        assert.are_not.equal("", fields.message or "")
        assert.are.equal(row.failure or result.failure, result.failure)
        assert.are.equal(1, peers.server:count("POST"))
      end)
    end

    it("refuses the connection was not sent anything", function()
      local url = ("http://127.0.0.1:%d"):format(server_module.closed_port())
      local result = call(nil, peers.client, request(url, { mutating = true }))
      assert.are.equal("connect", result.failure)
      assert.is_false(result.sent)
      assert.are.equal("not_sent", (outcome(result)))
    end)

    it("has a name that does not resolve was not sent anything", function()
      -- A label over 63 bytes never reaches a name server.
      local url = "https://" .. ("a"):rep(64) .. ".invalid"
      local result = call(nil, peers.client, request(url, { mutating = true }))
      assert.are.equal("resolve", result.failure)
      assert.are.equal("not_sent", (outcome(result)))
      assert.truthy(result.detail:find("aaaa", 1, true))
    end)

    it("answers as HTTP/1.0 is understood", function()
      local result = peers:against(behaviour.answer_and_close(reply.http10(), "fin"))
      assert.are.equal("accepted", (outcome(result)))
    end)

    it("sends hints first is understood", function()
      local result = peers:against(behaviour.answer("HTTP/1.1 100 Continue\r\n\r\n"
        .. "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" .. reply.http()))
      assert.are.equal("accepted", (outcome(result)))
      assert.are.equal(200, result.status)
      assert.is_nil(result.headers.link)
    end)

    it("appends a trailer has said nothing with it", function()
      local head = "HTTP/1.1 %s\r\nContent-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      for _, body in ipairs { "", "11\r\n{\"RequestId\":\"r\"}\r\n" } do
        for _, trailer in ipairs { "", "x-acs-retry-after: 1000\r\nx-acs-request-id: r\r\n",
          "HTTP/1.1 200 OK: x\r\n", "HTTP/9x: y\r\n", "content-encoding: identity\r\n" } do
          for _, status in ipairs { "200 OK", "408 Request Timeout" } do
            local result = peers:against(behaviour.answer_and_close(
              head:format(status) .. body .. "0\r\n" .. trailer .. "\r\n", "fin"))
            assert.are.same({ ["content-encoding"] = "x", ["transfer-encoding"] = "chunked" },
              result.headers)
            assert.are.equal(tonumber(status:match "%d+"), result.status)
            assert.are.equal("unknown", (outcome(result)))
          end
        end
      end
    end)

    it("does not say where its answer ends has said nothing with it", function()
      local head = "HTTP/1.1 %s\r\nContent-Length: %s\r\n\r\n"
      local error_body = reply.error("403 Forbidden", "OperationDenied"):match "\r\n\r\n(.*)$"
      for status, body in pairs { ["200 OK"] = reply.body, ["403 Forbidden"] = error_body } do
        local n = ("%d"):format(#body)
        for _, length in ipairs { n .. "x", "+" .. n, n .. ", 3", n .. "\r\nContent-Length: 900",
          "900\r\ncontent-length: " .. n, ("9"):rep(23), "0x" .. n, "-1", "" } do
          local result = peers:against(behaviour.answer_and_close(
            head:format(status, length) .. body, "fin"))
          assert.are.equal("unknown", (outcome(result)), length)
        end
        local twice = peers:against(behaviour.answer(
          head:format(status, n .. "\r\nContent-Length: " .. n) .. body))
        assert.are_not.equal("unknown", (outcome(twice)))
      end
    end)

    it("folds and pads its headers is understood", function()
      local result = peers:against(behaviour.answer("HTTP/1.1 200 OK\r\n"
        .. "X-A:  1 \r\nX-B: 2\r\n  3\r\nX-A: 4\r\nContent-Length: 0\r\n\r\n"))
      assert.are.equal("1, 4", result.headers["x-a"])
      assert.are.equal("2 3", result.headers["x-b"])
    end)

    -- 8.14 and later take it for a field of its own.
    it("begins its headers with a folded line adds nothing to what it said before", function()
      for _ = 1, 2 do
        assert.equal("accepted", (outcome(peers:against(behaviour.answer(reply.http())))))
        local folded = reply.http():gsub("\r\n", "\r\n X: 1\r\n", 1)
        local result = peers:against(behaviour.answer(folded))
        assert.truthy(result.failure == "malformed" or result.headers.x == "1")
      end
    end)

    it("throttles has rejected the call", function()
      local result = peers:against(behaviour.answer(reply.error("429 Too Many Requests",
        "Throttling.User", "x-acs-retry-after: 1500\r\n")), { mutating = true })
      local class, fields = outcome(result)
      assert.are.equal("rejected", class)
      assert.are.equal(1.5, fields.retry_after)
    end)
  end)

  it("never follows a redirect, so that a signature stays with its host", function()
    local other <close> = server_module.new(behaviour.answer(reply.http()))
    local result = peers:against(behaviour.answer(reply.http("", {
      status = "307 Temporary Redirect", headers = "Location: " .. other.url .. "/\r\n" })))
    other:step()
    assert.are.equal(307, result.status)
    assert.are.equal(0, #other.connections)
  end)
end)
