local transport = require "alicloud.transport"
local server_module = require "spec.server"
local behaviour = require "spec.server.behaviour"
local exchange = require "spec.server.exchange"
local reply = require "spec.server.reply"
local tls = require "spec.server.tls"
local scratch = require "spec.scratch"

local outcome = exchange.outcome

describe("alicloud.transport over TLS", function()
  local dir, good, other, certificates

  setup(function()
    dir = scratch.directory()
    good = tls.authority(dir, "good")
    other = tls.authority(dir, "other")
    certificates = {
      right = good:issue("right", { san = "IP:127.0.0.1" }),
      expired = good:issue("expired", { san = "IP:127.0.0.1", to = -1 }),
      not_yet_valid = good:issue("early", { san = "IP:127.0.0.1", from = 1 }),
      wrong_host = good:issue("wrong-host", { san = "DNS:api.example" }),
      by_other = other:issue("right", { san = "IP:127.0.0.1" }),
    }
  end)

  -- One mutating call to a TLS server, trusting the good authority in one of the two ways.
  local function call(trust, certificate, ...)
    local server <close> = tls.serve(dir, certificate, ...)
    local client <close> = transport.new { [trust] = trust == "ca_file" and good.file or good.path }
    return exchange.call(nil, client, {
      method = "GET", url = server.url .. "/ok", headers = { ["user-agent"] = "u" }, timeout = 30,
      mutating = true,
    })
  end

  for _, trust in ipairs { "ca_path", "ca_file" } do
    describe("with " .. trust .. " alone", function()
      it("accepts a server that the authority vouches for", function()
        local result = call(trust, certificates.right)
        assert.is_nil(result.failure, result.detail)
        assert.are.equal(200, result.status)
        assert.are.equal(reply.body, result.body)
        assert.are.equal("accepted", (outcome(result)))
      end)

      local refused = {
        { "of an unknown authority", "by_other", "Untrusted" },
        { "that has expired", "expired", "Expired" },
        { "that is not valid yet", "not_yet_valid", "NotYetValid" },
        { "for another host", "wrong_host", "WrongHost" },
      }
      for _, row in ipairs(refused) do
        it("refuses a certificate " .. row[1] .. ", and nothing was sent", function()
          local result = call(trust, certificates[row[2]])
          assert.matches("^tls_", result.failure)
          assert.is_false(result.sent)
          assert.is_nil(result.body and result.body:match("RequestId"))
          local class, fields = outcome(result)
          assert.are.equal("not_sent", class)
          assert.are.equal("tls", fields.kind)
          assert.are.equal("Client.TLS." .. row[3], fields.code)
          assert.matches(": 127%.0%.0%.1:%d+", fields.message)
          assert.is_false(fields.retryable)
          assert.are.equal("never", fields.retry_class)
        end)
      end

      it("refuses TLS before 1.2, and nothing was sent", function()
        local result = call(trust, certificates.right, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        assert.are.equal("tls", result.failure)
        assert.is_false(result.sent)
        assert.matches("127%.0%.0%.1", result.detail)
      end)

      it("speaks TLS 1.2 and 1.3", function()
        for _, version in ipairs { "-tls1_2", "-tls1_3" } do
          local result = call(trust, certificates.right, version)
          assert.are.equal("accepted", (outcome(result)), version .. " " .. (result.detail or ""))
        end
      end)
    end)
  end

  it("trusts nobody with an empty hashed directory", function()
    local empty = dir .. "/empty"
    assert(os.execute(("mkdir -p '%s'"):format(empty)))
    local server <close> = tls.serve(dir, certificates.right)
    local client <close> = transport.new { ca_path = empty }
    local result = exchange.call(nil, client,
      { method = "GET", url = server.url .. "/ok", headers = {}, timeout = 30 })
    assert.are.equal("tls_untrusted", result.failure)
    assert.truthy(result.detail:find("held against " .. empty, 1, true), result.detail)
    assert.is_false(result.sent)
  end)

  it("trusts nobody with a file that is missing", function()
    local server <close> = tls.serve(dir, certificates.right)
    local made, client = pcall(transport.new, { ca_file = dir .. "/missing.pem" })
    if not made then return assert.truthy(client:find("missing.pem", 1, true)) end
    local result = exchange.call(nil, client,
      { method = "GET", url = server.url .. "/ok", headers = {}, timeout = 30 })
    assert.are.equal("tls", result.failure)
    assert.is_false(result.sent)
    client:close()
  end)

  it("trusts the system's roots by default, which do not know the spec's authority", function()
    local trust = transport.trust()
    assert.is_true((trust.ca_file ~= nil) ~= (trust.ca_path ~= nil), "one of the two, alone")
    local server <close> = tls.serve(dir, certificates.right)
    local client <close> = transport.new {}
    local result = exchange.call(nil, client,
      { method = "GET", url = server.url .. "/ok", headers = {}, timeout = 30 })
    assert.are.equal("tls_untrusted", result.failure)
    assert.truthy(result.detail:find(trust.ca_path or trust.ca_file, 1, true), result.detail)
    assert.is_false(result.sent)
  end)

  it("blames the server whose certificate it is, whatever became of the request before", function()
    local proxy <close> = tls.serve(dir, certificates.expired)
    local server <close> = tls.serve(dir, certificates.by_other)
    local client <close> = transport.new { ca_file = good.file, proxy = proxy.url }
    local function ask(url)
      local result = exchange.call(nil, client, { method = "GET", url = url, timeout = 30 })
      return result.failure .. " " .. result.detail
    end
    assert.matches("^proxy_tls .*, on the way to api%.example .*certificate has expired",
      ask "https://api.example/")
    assert.matches("^tls_untrusted 127%.0%.0%.1:", ask(server.url .. "/ok"))
  end)

  it("sends nothing in the clear to a peer that does not speak TLS", function()
    local server <close> = server_module.new(behaviour.answer("HTTP/1.1 400 Bad Request\r\n\r\n"))
    local client <close> = transport.new { ca_file = good.file }
    local op = client:submit {
      method = "POST", url = (server.url:gsub("^http", "https")) .. "/", headers = {},
      body = "Secret=1", timeout = 0.5, mutating = true,
    }
    exchange.run_until(server, client, function() return op:done() end)
    assert.is_false(op:result().sent)
    assert.falsy(server:received():find("Secret", 1, true))
    assert.are.equal("not_sent", (outcome(op:result())))
  end)

  it("that is cut at any byte of the handshake has sent nothing", function()
    for n = 0, 200, 10 do
      local server <close> = server_module.new(behaviour.cut_request(n, "rst"))
      local client <close> = transport.new { ca_file = good.file }
      local result = exchange.call(server, client, {
        method = "POST", url = (server.url:gsub("^http", "https")) .. "/", headers = {},
        body = "x", timeout = 30, mutating = true,
      })
      assert.is_false(result.sent)
      assert.are.equal("not_sent", (outcome(result)), "after byte " .. n)
    end
  end)

  describe("to a proxy", function()
    local function refused(proxy, with)
      local client <close> = transport.new { proxy = proxy, ca_file = (with or good).file }
      return exchange.call(nil, client, { method = "POST", url = "https://api.invalid/",
        headers = {}, body = "x", timeout = 30, mutating = true })
    end

    it("is told of as the proxy's, whatever is wrong, and nothing was sent", function()
      for name, words in pairs { by_other = ", held against " .. good.file, expired = "has expired",
        not_yet_valid = "not yet valid", wrong_host = "subject name matches " } do
        local server <close> = tls.serve(dir, certificates[name])
        local result = refused(server.url)
        local class, fields = outcome(result)
        assert.are.same({ "proxy_tls", "not_sent", "Client.Proxy.TLS", false },
          { result.failure, class, fields.code, fields.retryable }, result.detail)
        assert.is_truthy(result.detail:find(words, 1, true), result.detail)
        local way = ("127.0.0.1 port %d, on the way to api.invalid"):format(server.port)
        assert.is_truthy(result.detail:find(way, 1, true) == 1
          or result.detail:find "^a proxy, on the way to api%.invalid", result.detail)
      end
    end)

    it("is told of where it speaks plain HTTP", function()
      local server <close> = server_module.new(function(connection)
        connection:wait_for(1)
        connection:send "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
        connection:hang()
      end)
      local client <close> = transport.new { proxy = (server.url:gsub("^http", "https")) }
      local result = exchange.call(server, client, { method = "GET", url = "https://api.invalid/",
        headers = {}, timeout = 30 })
      assert.is_false(result.sent)
      assert.are.equal("proxy_tls", result.failure)
      assert.matches("wrong version number", result.detail)
    end)

    it("is not told of as the proxy's where a file of ours is wrong", function()
      local server <close> = tls.serve(dir, certificates.right)
      assert.are.equal("tls", refused(server.url, { file = "/nonexistent" }).failure)
    end)
  end)

  it("offers HTTP/1.1 and nothing else", function()
    local server = tls.serve(dir, certificates.right, "-alpn", "h2,http/1.1")
    local client <close> = transport.new { ca_file = good.file }
    local result = exchange.call(nil, client,
      { method = "GET", url = server.url .. "/ok", headers = {}, timeout = 30 })
    assert.are.equal(200, result.status)
    local output = server.output
    server.output = { close = function() end }
    server:close()
    local log = output:read("a")
    output:close()
    assert.falsy(log:lower():find("advertised by the client: [^\n]*h2"))
  end)

  describe("and its keys", function()
    -- A program that makes one call to a server, with the variable set; what it prints.
    local function run(line, first)
      local server <close> = tls.serve(dir, certificates.right)
      local log = scratch.path ".log"
      local script = scratch.file(([[
        local transport = require "alicloud.transport"
        %s
        local client <close> = transport.new { ca_file = "%s" }
        local op = client:submit { method = "GET", url = "%s/ok", headers = {}, timeout = 30 }
        while not op:done() do client:step() end
        print(op:result().status, os.getenv "SSLKEYLOGFILE")]]):format(first or "", good.file,
        server.url), ".lua")
      local pipe <close> = assert(io.popen(("%s='%s' lua5.4 %s 2>&1"):format(line, log, script)))
      return pipe:read "a", io.open(log), log
    end

    it("are not written because of a variable, which stays what it was", function()
      local output, file, log = run "SSLKEYLOGFILE"
      assert.equal("200\t" .. log .. "\n", output)
      assert.is_nil(file)
    end)

    it("are written where the program says so", function()
      local output, file = run("KEYS", [[assert(transport.log_keys(os.getenv "KEYS"))]])
      assert.equal("200\tnil\n", output)
      assert.matches("TRAFFIC_SECRET", assert(file):read "a")
      file:close()
    end)

    it("are written by the command where its option says so, for its user alone", function()
      local server <close> = tls.serve(dir, certificates.right)
      local log = scratch.path ".log"
      local function ask(variable, words)
        local pipe <close> = assert(io.popen(("env %s ALIBABA_CLOUD_ACCESS_KEY_ID=i "
          .. "ALIBABA_CLOUD_ACCESS_KEY_SECRET=s alicloud-dr status --region cn-shanghai "
          .. "--endpoint %s --ca-file %s %s 2>&1"):format(variable, server.url, good.file, words)))
        return pipe:read "a"
      end
      ask("SSLKEYLOGFILE=" .. log, "")
      assert.is_nil(io.open(log))
      assert.matches("warning: whoever reads " .. log .. " can read", ask("A=b",
        "--tls-key-log " .. log))
      assert.matches("TRAFFIC_SECRET", scratch.read(log))
      assert.is_true(os.execute(("test $(stat -c %%a '%s') = 600"):format(log)))
      local shared = scratch.path ".log"
      scratch.write(shared, "")
      assert(os.execute(("chmod 644 '%s'"):format(shared)))
      assert.matches("%-%-tls%-key%-log: .*others may use it.*chmod 600 ", ask("A=b",
        "--tls-key-log " .. shared))
      assert.equal("", scratch.read(shared))
      assert(os.execute(("ln -sf /dev/null '%s'"):format(log)))
      assert.matches("%-%-tls%-key%-log: .*symbolic link", ask("A=b", "--tls-key-log " .. log))
    end)
  end)
end)
