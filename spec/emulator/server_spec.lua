-- The HTTP mount below the client: raw requests, held answers, and the endpoints for people.

local core = require "alicloud.core"
local caller = require "spec.emulator.caller"
local raw_client = require "spec.server.raw_client"
local server = require "alicloud.emulator.server"
local socket = require "socket"

local probe, listening, peer

local function step() listening:step(0) end

local function start(options)
  probe = caller.new(options)
  listening = assert(server.start(probe.emu))
  peer = raw_client.connect(listening.port, step)
end

local function stop()
  peer:close()
  listening:close()
end

local function request_bytes(request)
  local lines = { ("%s %s HTTP/1.1"):format(request.method,
    request.url:match("^%a+://[^/]+(.*)$")) }
  for name, value in pairs(request.headers) do lines[#lines + 1] = name .. ": " .. value end
  lines[#lines + 1] = "Content-Length: " .. #(request.body or "")
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (request.body or "")
end

local function send(action, params, changes)
  changes = changes or {}
  changes.host = "127.0.0.1:" .. listening.port
  peer:send(request_bytes(probe:sign(action, params, changes)))
end

local function failover(token)
  send("FailoverDiskReplicaGroup",
    { RegionId = "cn-shanghai", ReplicaGroupId = "pg-orders", ClientToken = token })
end

local function answer()
  local status, headers, body = peer:answer()
  return core.decode(body), status, headers
end

describe("the HTTP mount", function()
  before_each(function() start() end)
  after_each(stop)

  it("says in every answer that it is an emulator, and shows the model's time", function()
    probe.emu:advance(3600)
    failover()
    local body, status, headers = answer()
    assert.equal(200, status)
    assert.equal("alicloud-dr", headers["x-emulator"])
    assert.equal("alicloud-dr-emulator", headers.server)
    assert.equal("Sun, 22 Nov 2026 04:00:00 GMT", headers.date)
    assert.equal(body.RequestId, headers["x-acs-request-id"])
  end)

  it("takes parameters from a form body", function()
    send("DescribeDiskReplicaGroups", nil, { algorithm = "HMAC-SHA1",
      form = { RegionId = "cn-shanghai", Site = "backup", GroupIds = "pg-orders" } })
    assert.equal("pg-orders", answer().ReplicaGroups[1].ReplicaGroupId)
  end)

  it("drops the connection where a rule says so", function()
    probe.emu:fault { when = "after", effect = { drop = true } }
    failover()
    assert.equal("", peer:to_end())
    assert.equal(1, #probe.emu:ledger())
  end)

  it("answers 500 to a request that meets a defect, at once or held, and goes on", function()
    local select_rule = probe.emu.faults.select
    probe.emu.faults.select = function() error "boom" end
    failover()
    local body, status = answer()
    assert.equal(500, status)
    assert.equal("InternalError", body.Code)
    probe.emu.faults.select = select_rule
    probe.emu:fault { match = { nth = 1 }, when = "after", effect = { delay = 30 } }
    failover()
    peer:until_true(function() return #probe.emu:ledger() == 1 end)
    probe.emu.clock.date = function() error "boom" end
    probe.emu:advance(30)
    assert.equal(500, (peer:answer()))
    probe.emu.clock.date = nil
    failover()
    assert.equal(200, select(2, answer()))
  end)

  it("holds an answer until the model's clock is there, and serves others meanwhile", function()
    probe.emu:fault { match = { nth = 1 }, when = "after", effect = { delay = 30 } }
    failover()
    peer:until_true(function() return #probe.emu:ledger() == 1 end)
    local other <close> = raw_client.connect(listening.port, step)
    other:send("GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert.equal(200, (other:answer()))
    probe.emu:advance(29)
    for _ = 1, 10 do step() end
    assert.equal("", peer.received)
    probe.emu:advance(1)
    assert.equal(200, (peer:answer()))
  end)

  it("lets a held answer leave by the step that finds it due", function()
    probe.emu:fault { match = { nth = 1 }, when = "after", effect = { delay = 30 } }
    failover()
    peer:until_true(function() return #probe.emu:ledger() == 1 end)
    probe.emu:advance(30)
    step()
    -- Nobody steps any more; the time is that of a machine that is busy.
    assert.equal(1, #socket.select({ peer.socket }, nil, 5))
  end)

  it("does the work of a client that has gone while it was held", function()
    probe.emu:fault { match = { nth = 1 }, when = "before", effect = { delay = 30 } }
    failover()
    peer:until_true(function() return #probe.emu:requests() == 1 end)
    peer:close()
    probe.emu:advance(30)
    for _ = 1, 5 do step() end
    assert.equal(1, #probe.emu:ledger())
  end)

  it("accepts the machine's own time, unless that is switched off", function()
    local function verdict()
      send("DescribeRegions", {}, { date = core.iso8601(core.time()) })
      return answer().Code or "ok"
    end
    probe.emu:reset()
    probe.emu.clock:restart(core.time() - 5000)
    assert.equal("ok", verdict())
    probe.emu:assume { wall_clock = "refuse" }
    assert.equal("InvalidTimeStamp.Expired", verdict())
  end)

  it("closes with held answers", function()
    probe.emu:fault { when = "after", effect = { delay = 30 } }
    failover()
    peer:until_true(function() return #probe.emu:requests() == 1 end)
    listening:close()
    listening:close()
    assert.equal("", (function()
      peer.step = function() end
      return peer:to_end()
    end)())
  end)

  it("gives the same bytes for the same seed and the same requests", function()
    local function bytes_of(seed)
      stop()
      start { seed = seed }
      for _, group in ipairs { "pg-orders", "pg-fresh" } do
        send("DescribeDiskReplicaGroups",
          { RegionId = "cn-shanghai", Site = "backup", GroupIds = group })
      end
      peer:until_true(function() return select(2, peer.received:gsub("RequestId", "")) == 2 end)
      return peer.received
    end
    local first = bytes_of(5)
    assert.equal(first, bytes_of(5))
    assert.not_equal(first, bytes_of(6))
  end)

  it("says what to install where the binding is not built, or lacks its library", function()
    local httpd = package.loaded["alicloud.httpd"]
    for raised, told in pairs { ["not here"] = "libmicrohttpd-dev",
      ["error loading module:\n\tlibmicrohttpd.so.12: no such file"] = "Debian 12: libmicrohttpd12",
    } do
      package.loaded["alicloud.httpd"] = nil
      package.preload["alicloud.httpd"] = function() error(raised) end
      local other, problem = server.start(probe.emu)
      package.preload["alicloud.httpd"] = nil
      package.loaded["alicloud.httpd"] = httpd
      assert.is_nil(other)
      assert.truthy(problem:find(told, 1, true), problem)
    end
  end)

  it("refuses options that it does not know", function()
    assert.error_matches(function() server.start(probe.emu, { prot = 1 }) end,
      'did you mean "port"')
    assert.error_matches(function() server.start(probe.emu, { port = 70000 }) end,
      "from 0 to 65535")
  end)
end)

describe("/_emulator/", function()
  before_each(function() start() end)
  after_each(stop)

  local function ask(method, name, body, header)
    local text = body and core.encode(body) or ""
    peer:send(("%s /_emulator/%s HTTP/1.1\r\n%s\r\nContent-Length: %d\r\n\r\n%s"):format(
      method, name, header or "Host: 127.0.0.1", #text, text))
    return answer()
  end

  it("health tells what runs", function()
    local body, status, headers = ask("GET", "health")
    assert.equal(200, status)
    assert.equal("alicloud-dr", body.emulator)
    assert.equal(5, body.groups)
    assert.equal("alicloud-dr", headers["x-emulator"])
  end)

  it("ledger, requests and near-misses tell what happened", function()
    failover "t"
    answer()
    send("FailoverDiskReplicaGrop", {})
    answer()
    assert.equal("t", ask("GET", "ledger").effects[1].client_token)
    assert.equal(2, #ask("GET", "requests").requests)
    assert.equal("InvalidAction.NotFound", ask("GET", "near-misses").near_misses[1].code)
  end)

  it("never tells the secret", function()
    send("DescribeRegions", {}, { access_key_secret = "mistyped" })
    answer()
    for _, name in ipairs { "health", "requests", "near-misses", "world", "switches" } do
      peer:send(("GET /_emulator/%s HTTP/1.1\r\nHost: localhost\r\n\r\n"):format(name))
      local _, _, text = peer:answer()
      assert.is_nil(text:find(probe.emu.access_key_secret, 1, true))
    end
  end)

  it("faults adds, lists and removes rules", function()
    local rule = { match = { nth = 1 }, when = "after",
      ["do"] = { error = { code = "RequestTimeout" } } }
    assert.equal(1, #ask("POST", "faults", rule).rules)
    failover()
    assert.equal("RequestTimeout", answer().Code)
    assert.equal(1, ask("GET", "faults").rules[1].fired)
    assert.equal(3, #ask("POST", "faults", core.array { rule, rule }).rules)
    assert.equal(0, #ask("DELETE", "faults").rules)
    local _, refused = ask("POST", "faults", core.array { rule, { mtch = {} } })
    assert.equal(400, refused)
    assert.equal(0, #ask("GET", "faults").rules)
    local body, status = ask("POST", "faults", { mtch = {} })
    assert.equal(400, status)
    assert.truthy(body.error:find('did you mean "match"', 1, true))
  end)

  it("clock never gets past what a date can name, and the model goes on", function()
    for _, seconds in ipairs { 1e308, 1e15, 253402300800 } do
      assert.equal(400, select(2, ask("POST", "clock", { advance = seconds })))
      assert.has_error(function() probe.emu:advance(seconds) end)
      probe.emu.runtime.sleep(seconds)
      assert.equal(253402300799, ask("GET", "health").now)
      probe.emu:reset()
    end
  end)

  it("a defect behind one of them costs one answer, not the server", function()
    local ledger = probe.emu.ledger
    probe.emu.ledger = function() error "boom" end
    local body, status = ask("GET", "ledger")
    assert.equal(500, status)
    assert.matches("a defect of the emulator: .*boom", body.Message)
    probe.emu.ledger = ledger
    assert.equal(200, select(2, ask("GET", "ledger")))
  end)

  it("clock moves the model", function()
    local before = ask("GET", "clock").now
    assert.equal(before + 60, ask("POST", "clock", { advance = 60 }).now)
    for _, wrong in ipairs { -1, "x" } do
      assert.equal(400, select(2, ask("POST", "clock", { advance = wrong })))
    end
  end)

  it("reset forgets", function()
    failover()
    answer()
    assert.equal(2, ask("POST", "reset").generation)
    assert.same({}, ask("GET", "ledger").effects)
  end)

  it("world shows the world, and takes another", function()
    assert.equal("pg-orders", ask("GET", "world").groups[1].id)
    assert.equal(2, ask("POST", "world", caller.world()).generation)
    assert.equal("pg-one", ask("GET", "world").groups[1].id)
    local body, status = ask("POST", "world", { groups = { { id = "x" } } })
    assert.equal(400, status)
    assert.truthy(body.error:find("groups[1].destination: is required", 1, true))
    assert.equal("pg-one", ask("GET", "world").groups[1].id)
  end)

  it("switches shows and changes behaviour", function()
    assert.equal("refuse", ask("GET", "switches").first_full_sync)
    local body = ask("POST", "switches", { assume = { first_full_sync = "allow" },
      hostile = { stale_read = 5 } })
    assert.equal("allow", body.first_full_sync)
    assert.equal(5, probe.emu.settings.stale_read)
    assert.equal(400, select(2, ask("POST", "switches", { hostile = { x = 1 } })))
  end)

  it("names its endpoints, and refuses methods and bodies that are wrong", function()
    local body, status = ask("GET", "")
    assert.equal(404, status)
    assert.is_true(#body.endpoints >= 8)
    assert.equal(405, select(2, ask("PUT", "health")))
    peer:send("POST /_emulator/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n{")
    assert.equal(400, (peer:answer()))
  end)

  it("is closed to names that are not this machine, and to pages of the web", function()
    for _, header in ipairs { "Host: evil.example", "Host: 127.0.0.1.evil.example",
      "Host: 10.0.0.1", "Host: localhost\r\nOrigin: http://evil.example" } do
      local _, status = ask("POST", "reset", nil, header)
      assert.equal(403, status, header)
    end
    assert.equal(1, probe.emu.generation)
    for _, header in ipairs { "Host: localhost:1", "Host: 127.3.2.1:80", "Host: [::1]:9" } do
      assert.equal(200, select(2, ask("GET", "health", nil, header)), header)
    end
  end)
end)
