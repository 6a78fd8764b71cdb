-- What the transport will not do: which hosts, protocols, headers, methods and proxies it takes.

local transport = require "alicloud.transport"
local server_module = require "spec.server"
local behaviour = require "spec.server.behaviour"
local exchange = require "spec.server.exchange"
local posix = require "spec.posix"
local reply = require "spec.server.reply"

local request, call, outcome = exchange.request, exchange.call, exchange.outcome

describe("the policy of alicloud.transport", function()
  local peers = exchange.peers(before_each, after_each)

  it("takes plain HTTP to another machine for misuse", function()
    for _, host in ipairs { "192.0.2.1", "127.0.0.1.example.invalid", "127.evil.invalid",
                            "localhost.example.invalid" } do
      local ok, message = pcall(peers.client.submit, peers.client, request("http://" .. host))
      assert.is_false(ok, host)
      assert.truthy(message:find("loopback", 1, true))
    end
    assert.are.equal(0, peers.client:stats().requests)
  end)

  it("allows plain HTTP to another machine when it is asked for", function()
    local result = call(nil, peers.client,
      request("http://192.0.2.1", { timeout = 0.05, plain_http = true }))
    assert.is_string(result.failure)
    assert.is_false(result.sent)
  end)

  it("takes other protocols for misuse or refuses them", function()
    for _, url in ipairs { "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/" } do
      local raised, result = pcall(function()
        return call(nil, peers.client, { method = "GET", url = url, headers = {}, timeout = 1 })
      end)
      assert.truthy(not raised or (result.failure and result.sent == false), url)
      assert.falsy(raised and result.body and result.body:find("root:", 1, true))
    end
  end)

  it("sends the path that was signed, dots and all", function()
    peers:send { url = peers.server.url .. "/a/../b/./c?d=1" }
    assert.truthy(peers.server:received():find("^POST /a/%.%./b/%./c%?d=1 HTTP"))
  end)

  it("sends a header whose value is blank as an empty one", function()
    peers:send { headers = { ["x-acs-a"] = "   " } }
    assert.truthy(peers.server:received():find("\r\nx%-acs%-a:%s*\r\n"))
  end)

  it("leaves the framing of a message to nobody else", function()
    for _, name in ipairs { "Content-Length", "transfer-encoding", "Connection", "Expect",
      "x-a: b, c", "", "x a" } do
      local ok, message = pcall(peers.client.submit, peers.client,
        request("http://127.0.0.1:1", { headers = { [name] = "3" } }))
      assert.is_false(ok, name)
      assert.truthy(message:find("submit: header", 1, true), message)
    end
  end)

  it("names one host to everybody on the way", function()
    local ok, message = pcall(peers.client.submit, peers.client,
      request(peers.server.url, { headers = { Host = "a.example", host = "b.example" } }))
    assert.is_false(ok)
    assert.truthy(message:find("submit: header 'host'", 1, true), message)
  end)

  it("takes no method whose answer has another shape", function()
    for _, method in ipairs { "HEAD", "CONNECT", "post" } do
      assert.is_false(pcall(peers.client.submit, peers.client,
        request("http://127.0.0.1:1", { method = method })))
    end
  end)

  it("takes a URL in one meaning", function()
    for _, url in ipairs { "https://user@h.example/", "https://user:word@h.example/",
      "http://localhost\\@h.example/", "https://h.example/a#b", "https://h.example/?a#b",
      "https://h.example,i.example/", "https://{a,b}.example/", "https://", "https:///path" } do
      local ok, message = pcall(peers.client.submit, peers.client, { method = "GET", url = url })
      assert.is_false(ok, url)
      assert.matches("submit: .*URL", message)
    end
  end)

  it("takes no empty or cut names of certificate stores and proxies", function()
    for _, name in ipairs { "ca_file", "ca_path", "client_cert", "client_key", "proxy",
      "no_proxy" } do
      assert.is_false(pcall(transport.new, { [name] = "" }))
      assert.is_false(pcall(transport.new, { [name] = "a\0b" }))
    end
    -- A key in a token is another thing than a file.
    for _, name in ipairs { "client_cert", "client_key", "ca_file" } do
      assert.is_false(pcall(transport.new, { [name] = "PKCS11:token=x" }))
    end
  end)

  it("takes proxies and exceptions in one form", function()
    for _, proxy in ipairs { "none", "p.example", "p.example:3128", "http://p.example/",
      "HTTPS://u:w%40@p.example:1", "socks5h://127.0.0.1:1080", "[::1]:8080", "socks5://[::1]" } do
      transport.new { proxy = proxy }:close()
    end
    for _, proxy in ipairs { "socks4://p", "ftp://p", "unix:/run/socket", "http://",
      "socks5h://localhost/run/socket", "p.example:0", "p.example:65536", "p:x", "p:8x", "u/v@p",
      "[::1", "[::1]x80", "[::x]", "a b", "p.example:1:2", "://p", "u:canary@p:canary" } do
      local ok, message = pcall(transport.new, { proxy = proxy })
      assert.is_false(ok, proxy)
      assert.matches("option 'proxy': allowed: ", message)
      assert.falsy(message:find("canary", 1, true))
    end
    for _, list in ipairs { "*", "a.example", ".b.example, 10.0.0.0/8,[::1]",
      "a_b  c,,2001:db8::/32", "a.example," } do
      transport.new { no_proxy = list }:close()
    end
    -- To libcurl a star means something alone only, and a host has neither scheme nor port.
    for _, list in ipairs { "*.example", "a,*", "a;b", "http://a.example", "a, b.example:80",
      "10.0.0.0/x", "10.0.0.0/", "a.example/8", "a/b", "a\tb" } do
      local ok, message = pcall(transport.new, { no_proxy = list })
      assert.is_false(ok, list)
      assert.matches("option 'no_proxy': allowed: ", message)
    end
  end)

  it("knows loopback by its address", function()
    for _, host in ipairs { "127.0.0.256", "127...", "127.0.0.1.example", "0x7f.1", "127.1",
      "user@127.0.0.1", "localhost.example" } do
      local request_to = { method = "GET", url = "http://" .. host .. "/" }
      assert.is_false(pcall(peers.client.submit, peers.client, request_to), host)
    end
  end)

  it("refuses control characters in header, method and URL", function()
    local bad = {
      { headers = { ["X-A"] = "1\r\nX-B: 2" } },
      { headers = { ["X-A\r\nX-B"] = "1" } },
      { headers = { ["X-A"] = "1\0" } },
      { method = "POST / HTTP/1.1\r\nX-B: 2\r\n\r\n" },
      { url = peers.server.url .. "/\r\nX-B: 2" },
    }
    for index, changes in ipairs(bad) do
      assert.has_error(function() peers:submit(changes) end, nil, index)
    end
    peers.server:step()
    assert.are.equal("", peers.server:received())
  end)

  it("answers a mistyped option with the nearest one", function()
    local ok, message = pcall(transport.new, { conect_timeout = 1 })
    assert.is_false(ok)
    assert.truthy(message:find("connect_timeout", 1, true))
    ok, message = pcall(peers.submit, peers, { timout = 1 })
    assert.is_false(ok)
    assert.truthy(message:find("timeout", 1, true))
  end)

  describe("a proxy", function()
    local proxied

    before_each(function()
      proxied = transport.new { proxy = peers.server.url }
    end)

    after_each(function()
      proxied:close()
    end)

    local function through_proxy(behave)
      peers.server:play(behave)
      return call(peers.server, proxied, request("https://api.invalid", { mutating = true }))
    end

    it("that refuses the tunnel got nothing of the request", function()
      local result = through_proxy(behaviour.answer_and_close(
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "fin"))
      assert.are.equal("proxy_refused", result.failure)
      assert.is_false(result.sent)
      assert.are.equal("it answered HTTP 403 to a CONNECT to api.invalid", result.detail)
      local class, fields = outcome(result)
      assert.are.equal("not_sent", class)
      assert.are.equal("Client.Proxy.Refused", fields.code)
      assert.is_false(fields.retryable)
      assert.truthy(peers.server:received():find("^CONNECT api%.invalid:443 "))
      assert.falsy(peers.server:received():lower():find("authorization: acs3", 1, true))
    end)

    it("that is not there is not taken for the host", function()
      local absent = transport.new { proxy = ("127.0.0.1:%d"):format(server_module.closed_port()) }
      local result = call(nil, absent, request("https://api.invalid"))
      absent:close()
      assert.are.equal("proxy", result.failure)
      assert.matches("Failed to connect to .*127%.0%.0%.1", result.detail)
      assert.is_false(result.sent)
    end)

    it("whose address cannot be read is not quoted", function()
      for _, proxy in ipairs { "http://ops:canary@host:port", "canary://ops@host" } do
        posix.setenv("https_proxy", proxy)
        local unreadable = transport.new {}
        local result = call(nil, unreadable, request("https://api.invalid"))
        unreadable:close()
        posix.setenv("https_proxy", nil)
        assert.are.equal("proxy", result.failure)
        assert.falsy(result.detail:find("canary", 1, true))
      end
    end)

    it("that cannot reach the host may be asked again", function()
      local result = through_proxy(behaviour.answer_and_close(
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "fin"))
      assert.are.equal("proxy", result.failure)
      local class, fields = outcome(result)
      assert.are.equal("not_sent", class)
      assert.is_true(fields.retryable)
    end)

    it("that closes during the tunnel got nothing of the request", function()
      local result = through_proxy(behaviour.answer_and_close("", "fin"))
      assert.are.equal("proxy", result.failure)
      assert.is_false(result.sent)
      assert.are.equal("not_sent", (outcome(result)))
    end)

    -- { what it does, code, what the message tells }
    local garbled = {
      { "resets", behaviour.answer_and_close("", "rst"), "reset by peer" },
      { "speaks another language", behaviour.answer_and_close("220 a\r\n220 b\r\n", "fin"), "." },
      { "speaks none", behaviour.answer_and_close("\0\1\2\r\n\r\n", "fin"), "." },
      { "says nothing", behaviour.hang, "timed out" },
    }
    for _, row in ipairs(garbled) do
      it("that " .. row[1] .. " is not taken for the host", function()
        peers.server:play(row[2])
        local result = call(peers.server, proxied,
          request("https://api.invalid", { timeout = row[3] == "timed out" and 0.2 or 30 }))
        assert.are.equal("proxy", result.failure, result.detail)
        assert.is_false(result.sent)
        assert.matches(row[3], result.detail)
      end)
    end

    it("that wants a name and a password says so", function()
      local result = through_proxy(behaviour.answer_and_close("HTTP/1.1 407 Who\r\n"
        .. "Proxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n", "fin"))
      assert.are.equal("proxy_refused", result.failure)
      assert.are.equal("it answered HTTP 407 to a CONNECT to api.invalid", result.detail)
    end)

    it("whose name is not found is not taken for the host", function()
      for _, scheme in ipairs { "http", "https", "socks5h" } do
        local lost = transport.new { proxy = scheme .. "://proxy.invalid:3128" }
        local result = call(nil, lost, request("https://api.invalid"))
        lost:close()
        assert.are.equal("proxy", result.failure)
        assert.matches("Could not resolve [a-z]+: proxy%.invalid", result.detail)
      end
    end)

    describe("named by the environment", function()
      local names = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" }

      before_each(function()
        for _, name in ipairs(names) do posix.setenv(name, peers.server.url) end
      end)

      after_each(function()
        for _, name in ipairs(names) do posix.setenv(name, nil) end
      end)

      local function through(with)
        local result = call(peers.server, with, request("https://" .. ("a"):rep(64) .. ".invalid"))
        with:close()
        return result
      end

      it("is used for other machines", function()
        peers.server:play(behaviour.answer_and_close("HTTP/1.1 403 Forbidden\r\n\r\n", "fin"))
        assert.are.equal("proxy_refused", through(transport.new {}).failure)
        assert.are.equal(1, #peers.server.connections)
      end)

      it("is not used where there shall be none", function()
        assert.are.equal("resolve", through(transport.new { proxy = "none" }).failure)
        assert.are.equal(0, #peers.server.connections)
      end)

      it("is never used for loopback", function()
        posix.setenv("http_proxy", "http://127.0.0.1:1")
        posix.setenv("all_proxy", "http://127.0.0.1:1")
        assert.are.equal("accepted", (outcome(peers:against(behaviour.answer(reply.http())))))
      end)
    end)
  end)
end)
