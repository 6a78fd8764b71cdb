-- The binding of libmicrohttpd: whole requests in, whole answers out, nothing lost on the way.

local core = require "alicloud.core"
local child = require "spec.child"
local httpd = require "alicloud.httpd"
local raw_client = require "spec.server.raw_client"
local posix = require "spec.posix"

describe("alicloud.httpd", function()
  local server, taken, peer

  local function step()
    for _, request in ipairs(server:step()) do taken[#taken + 1] = request end
  end

  local function start(options)
    server, taken = assert(httpd.start(options)), {}
    peer = raw_client.connect(server:port(), step)
  end

  local function take()
    peer:until_true(function() return #taken > 0 end)
    return table.remove(taken, 1)
  end

  before_each(function() start { max_body = 1000 } end)

  after_each(function()
    peer:close()
    server:close()
  end)

  it("hands over a request as it was on the wire", function()
    peer:send("POST /a%20b?x=%2B+1&y HTTP/1.1\r\nHost: here:1\r\nX-Two: one\r\nx-two: two\r\n"
      .. "Content-Length: 5\r\n\r\nab\0cd")
    local request = take()
    assert.equal("POST", request.method)
    assert.equal("/a%20b", request.path)
    assert.equal("x=%2B+1&y", request.query)
    assert.equal("here:1", request.headers.host)
    assert.equal("one, two", request.headers["x-two"])
    assert.equal("ab\0cd", request.body)
    assert.is_nil(request.nonsense)
  end)

  it("puts chunks together", function()
    peer:send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer:send("3\r\nabc\r\n")
    step()
    peer:send("2\r\nde\r\n0\r\n\r\n")
    assert.equal("abcde", take().body)
  end)

  it("gives no request before it is whole", function()
    peer:send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabc")
    for _ = 1, 20 do step() end
    assert.equal(0, #taken)
    peer:send("d")
    assert.equal("abcd", take().body)
  end)

  it("sends status, headers and body, and keeps the connection", function()
    for round = 1, 3 do
      peer:send("GET /" .. round .. " HTTP/1.1\r\nHost: h\r\n\r\n")
      local request = take()
      assert.equal("/" .. round, request.path)
      local headers_out = { ["x-round"] = tostring(round) }
      assert.is_true(request:respond(200 + round, headers_out, "r\0" .. round))
      local status, headers, body = peer:answer()
      assert.equal(200 + round, status)
      assert.equal(tostring(round), headers["x-round"])
      assert.equal("r\0" .. round, body)
    end
  end)

  it("sends headers in the order of their names, so that equal answers are equal bytes", function()
    peer:send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    take():respond(200, { b = "2", d = "4", a = "1", c = "3" }, "x")
    peer:until_true(function() return peer.received:find("\r\n\r\nx", 1, true) end)
    assert.truthy(peer.received:find("a: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\n", 1, true))
  end)

  it("refuses requests that HTTP/1.1 does not allow", function()
    peer:send("GET / HTTP/1.1\r\n\r\n")
    assert.equal(400, (peer:answer()))
    assert.equal(0, #taken)
  end)

  it("answers in any order across connections", function()
    local other <close> = raw_client.connect(server:port(), step)
    peer:send("GET /first HTTP/1.1\r\nHost: h\r\n\r\n")
    local first = take()
    other:send("GET /second HTTP/1.1\r\nHost: h\r\n\r\n")
    local second = take()
    second:respond(200, {}, "two")
    assert.equal("two", select(3, other:answer()))
    first:respond(200, {}, "one")
    assert.equal("one", select(3, peer:answer()))
  end)

  it("has no Date of its own, so that the model's is the only one", function()
    peer:send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    take():respond(200, { date = "Sun, 22 Nov 2026 03:00:00 GMT" }, "")
    local _, headers = peer:answer()
    assert.equal("Sun, 22 Nov 2026 03:00:00 GMT", headers.date)
  end)

  it("drops without a byte", function()
    peer:send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    take():drop()
    assert.equal("", peer:to_end())
  end)

  it("drops what Lua forgets", function()
    peer:send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    take()
    collectgarbage()
    collectgarbage()
    assert.equal("", peer:to_end())
  end)

  it("refuses a body that announces too much", function()
    peer:send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n")
    assert.equal(413, (peer:answer()))
    assert.equal(0, #taken)
  end)

  it("takes a long request line, and refuses one that is longer than its memory", function()
    peer:send("GET /?" .. ("x"):rep(12000) .. " HTTP/1.1\r\nHost: h\r\n\r\n")
    local request = take()
    assert.equal(12000, #request.query)
    request:respond(200, {}, "")
    assert.equal(200, (peer:answer()))
    peer:send("GET /?" .. ("x"):rep(40000) .. " HTTP/1.1\r\nHost: h\r\n\r\n")
    assert.equal(414, (peer:answer()))
  end)

  it("takes a body that is exactly large enough", function()
    peer:send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" .. ("x"):rep(1000))
    assert.equal(1000, #take().body)
  end)

  it("refuses chunks that become too much", function()
    peer:send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ = 1, 3 do peer:send("190\r\n" .. ("x"):rep(0x190) .. "\r\n") end
    peer:send("0\r\n\r\n")
    assert.equal(413, (peer:answer()))
    assert.equal(0, #taken)
  end)

  it("cuts off a client whose body has no end", function()
    peer:send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    local chunk, sent = "10000\r\n" .. ("x"):rep(0x10000) .. "\r\n", 0
    while sent < 100 and peer:send(chunk) do
      step()
      sent = sent + 1
    end
    assert.is_true(sent < 100)
    assert.equal(0, #taken)
  end)

  it("survives a client that goes away while its request waits", function()
    peer:send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    local request = take()
    peer:close()
    request:respond(200, {}, ("x"):rep(100000))
    peer = raw_client.connect(server:port(), step)
    peer:send("GET /next HTTP/1.1\r\nHost: h\r\n\r\n")
    assert.equal("/next", take().path)
  end)

  it("closes over requests that are queued, held and answered", function()
    local others = {}
    for index = 1, 3 do
      others[index] = raw_client.connect(server:port(), step)
      others[index]:send("GET /" .. index .. " HTTP/1.1\r\nHost: h\r\n\r\n")
    end
    peer:until_true(function() return #taken == 3 end)
    taken[1]:respond(200, {}, "late")
    server:close()
    local ok, problem = taken[2]:respond(200, {}, "")
    assert.is_nil(ok)
    assert.equal("the client has gone", problem)
    taken[3]:drop()
    server:close()
    for _, other in ipairs(others) do other:close() end
  end)

  it("raises when a request is answered twice, or the server is closed", function()
    peer:send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    local request = take()
    request:respond(200, {}, "")
    assert.error_matches(function() request:respond(200, {}, "") end, "answered or dropped")
    request:drop()
    server:close()
    assert.error_matches(function() server:step() end, "closed")
    assert.error_matches(function() server:port() end, "closed")
  end)

  it("raises on wrong arguments, and the request can still be answered", function()
    peer:send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    local request = take()
    assert.has_error(function() request:respond("ok", {}, "") end)
    assert.error_matches(function() request:respond(99, {}, "") end, "from 200 to 599")
    assert.error_matches(function() request:respond(200, { x = 1 }, "") end, "must be strings")
    assert.error_matches(function() request:respond(200, { "x" }, "") end, "must be strings")
    local many = {}
    for index = 1, 65 do many["x-" .. index] = "" end
    assert.error_matches(function() request:respond(200, many, "") end, "too many headers")
    local ok, problem = request:respond(200, { x = "a\r\nb: c" }, "")
    assert.is_nil(ok)
    assert.truthy(problem:find("forbidden character"))
    assert.is_true(request:respond(204, {}))
    assert.equal(204, (peer:answer()))
  end)

  it("can be polled", function()
    for _ = 1, 20 do step() end
    assert.is_false(core.poll(server:pollfd(), "r", 0))
    peer:send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert.is_true(core.poll(server:pollfd(), "r", 5))
    take()
  end)

  it("says why it cannot listen", function()
    local second, problem = httpd.start { port = server:port() }
    assert.is_nil(second)
    assert.truthy(problem:find("cannot listen on 127.0.0.1:%d+: Address already in use"))
  end)

  it("says why it cannot listen where the library fails without a reason", function()
    -- 192.0.2.0/24 is nobody's (RFC 5737); the address is refused before a packet could leave.
    local _, problem = httpd.start { host = "192.0.2.1" }
    assert.equal("cannot listen on 192.0.2.1:0: Cannot assign requested address", problem)
  end)

  it("refuses wrong options", function()
    assert.error_matches(function() httpd.start { prot = 1 } end, "port")
    assert.error_matches(function() httpd.start { port = 65536 } end, "from 0 to 65535")
    assert.error_matches(function() httpd.start { port = -1 } end, "from 0 to 65535")
    assert.error_matches(function() httpd.start { host = "example.com" } end, "IPv4")
    assert.error_matches(function() httpd.start { max_body = -1 } end, "max_body")
  end)

  it("is closed by the collector, with requests pending", function()
    local pending = {}
    do
      local other = assert(httpd.start())
      local client <close> = raw_client.connect(other:port(), function()
        for _, request in ipairs(other:step()) do pending[#pending + 1] = request end
      end)
      client:send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      client:until_true(function() return #pending == 1 end)
    end
    collectgarbage()
    collectgarbage()
    local ok, problem = pending[1]:respond(200, {}, "")
    assert.is_nil(ok)
    assert.equal("the client has gone", problem)
  end)

  -- Runs `body` when something is allocated next.
  local function at_next_allocation(body)
    local mode = collectgarbage "generational"
    finally(function() collectgarbage(mode) end)
    collectgarbage "stop"
    do setmetatable({}, { __gc = body }) end
    collectgarbage "restart"
  end

  it("bears finalizers that run while it answers: they drop, close, empty the headers", function()
    local headers
    for _, body in ipairs {
      function(request) request:drop() end,
      function() server:close() end,
      function(request) request:drop() server:close() end,
      function() headers["x-" .. "one"] = nil end,
    } do
      peer:close()
      server:close()
      start {}
      peer:send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      local request = take()
      headers = { ["x-" .. "one"] = "value " .. #peer.received }
      at_next_allocation(function() body(request) end)
      pcall(request.respond, request, 200, headers, 1.5 + #peer.received)
    end
  end)

  it("bears a finalizer that closes it while it hands over", function()
    peer:send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert.is_true(core.poll(server:pollfd(), "r", 5))
    at_next_allocation(function() server:close() end)
    for _ = 1, 100 do
      if not pcall(step) then break end
    end
  end)

  it("asks no metamethod which servers to wait for", function()
    local list = setmetatable({}, { __len = error, __index = error })
    assert.is_false(httpd.wait(list, 0))
    list[1] = server
    assert.is_boolean(httpd.wait(list, 0))
  end)

  it("waits for as many servers as there are", function()
    local many = {}
    for i = 1, 100 do many[i] = server end
    assert.is_boolean(httpd.wait(many, 0))
  end)

  it("is its process's own: a forked child can close its copy, and nothing else", function()
    local idle <close> = raw_client.connect(server:port(), step)
    idle:send("GET /idle HTTP/1.1\r\nHost: h\r\n\r\n")
    take():respond(200, {}, "")
    assert.equal(200, (idle:answer()))
    local other <close> = raw_client.connect(server:port(), step)
    other:send("GET /held HTTP/1.1\r\nHost: h\r\n\r\n")
    local held = take()
    peer:send("GET /dropped HTTP/1.1\r\nHost: h\r\n\r\n")
    local dropped = take()
    for _, early in ipairs { false, true } do
      assert.equal(0, child.run(function()
        child.settle()
        local before = child.descriptors "socket:"
        for _, name in ipairs { "step", "port", "pollfd", "timeout" } do
          assert.error_matches(function() server[name](server) end, "the process that started it")
        end
        local ok, problem = held:respond(200, {}, "")
        assert(not ok and problem:find "only the process")
        if early then server:close() end
        dropped:drop()
        if not early then server:close() end
        server:close()
        held = nil
        collectgarbage()
        -- The listening one, and three connections.
        assert.equal(before - 4, child.descriptors "socket:")
      end))
    end
    assert.is_true(held:respond(200, {}, "still here"))
    assert.equal("still here", select(3, other:answer()))
    assert.is_true(dropped:respond(200, {}, "too"))
    assert.equal("too", select(3, peer:answer()))
    idle:send("GET /again HTTP/1.1\r\nHost: h\r\n\r\n")
    take():respond(200, {}, "again")
    assert.equal("again", select(3, idle:answer()))
    local new <close> = raw_client.connect(server:port(), step)
    new:send("GET /new HTTP/1.1\r\nHost: h\r\n\r\n")
    assert.equal("/new", take().path)
  end)

  it("is forgotten by a forked child as a closed state forgets it", function()
    peer:send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    local request = take()
    local pid = posix.fork()
    if pid == 0 then os.exit(true, true) end
    posix.wait(pid)
    assert.is_true(request:respond(200, {}, "here"))
    assert.equal("here", select(3, peer:answer()))
  end)
end)
