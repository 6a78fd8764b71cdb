-- Names without a resolver, and addresses that do not answer.

local socket = require "socket"
local core = require "alicloud.core"
local transport = require "alicloud.transport"
local server_module = require "spec.server"
local behaviour = require "spec.server.behaviour"
local exchange = require "spec.server.exchange"
local posix = require "spec.posix"
local reply = require "spec.server.reply"

local call, outcome = exchange.call, exchange.outcome

describe("pinned addresses", function()
  local server

  before_each(function()
    server = server_module.new(behaviour.answer(reply.http()))
  end)

  after_each(function()
    server:close()
  end)

  -- One read of api.invalid, a name that no resolver knows (RFC 6761 section 6.4).
  local function read(resolve, changes)
    local client <close> = transport.new { resolve = resolve, proxy = "none" }
    local request = exchange.request("http://api.invalid:" .. server.port,
      { plain_http = true, connect_timeout = 2 })
    for name, value in pairs(changes or {}) do request[name] = value end
    return call(server, client, request)
  end

  it("stand in for a resolver, and the host stays the one that was signed", function()
    assert.are.equal("accepted", (outcome(read { ["api.invalid"] = { "127.0.0.1" } })))
    local head = server:requests()[1]:lower()
    assert.truthy(head:find("\r\nhost: api.invalid:" .. server.port, 1, true))
  end)

  it("are for the port of each request, or for the one they name", function()
    local host = "api.invalid:" .. server.port
    assert.are.equal("accepted", (outcome(read { [host] = { "127.0.0.1" } })))
    assert.are.equal("resolve", read({ ["api.invalid:1"] = { "127.0.0.1" } }).failure)
  end)

  it("are for their host only", function()
    local result = read { ["other.invalid"] = { "127.0.0.1" } }
    assert.are.equal("resolve", result.failure)
    assert.are.equal(0, #server.connections)
  end)

  it("work for every call of a transport", function()
    local client <close> = transport.new { resolve = { ["api.invalid"] = { "127.0.0.1" } } }
    local url = "http://api.invalid:" .. server.port
    for _, mutating in ipairs { false, true, false } do
      local result = call(server, client,
        exchange.request(url, { plain_http = true, mutating = mutating }))
      assert.are.equal("accepted", (outcome(result)))
    end
  end)

  it("go on to the next address when one refuses, of either family", function()
    for _, first in ipairs { "::1", "[::1]", "127.0.0.2" } do
      local result = read { ["api.invalid"] = { first, "127.0.0.1" } }
      assert.are.equal("accepted", (outcome(result)), first)
    end
  end)

  -- A full backlog swallows connections: nobody refuses, nobody answers.
  local function black_hole(family, address)
    local full = family == "inet6" and socket.tcp6() or socket.tcp4()
    if family == "inet6" then full:setoption("ipv6-v6only", true) end
    assert(full:bind(address, server.port))
    assert(full:listen(0))
    local waiting = {}
    for index = 1, 4 do
      waiting[index] = family == "inet6" and socket.tcp6() or socket.tcp4()
      waiting[index]:settimeout(0)
      waiting[index]:connect(address, server.port)
    end
    return setmetatable({}, { __close = function()
      for _, other in ipairs(waiting) do other:close() end
      full:close()
    end })
  end

  -- An address of the same family is given up when its share of the deadline is over.
  for _, row in ipairs { { "inet6", "::1", 20 }, { "inet", "127.0.0.2", 4 } } do
    it("go on from " .. row[2] .. " that never answers, within the connect deadline", function()
      local _hole <close> = black_hole(row[1], row[2])
      local start = core.monotonic()
      local result = read({ ["api.invalid"] = { row[2], "127.0.0.1" } },
        { connect_timeout = row[3], mutating = true })
      assert.are.equal("accepted", (outcome(result)), result.detail)
      assert.is_true(core.monotonic() - start < row[3])
      assert.are.equal(1, server:count("POST"))
    end)
  end

  it("are taken in one form only", function()
    for _, bad in ipairs { "127.0.0.1", { "127.0.0.1" }, { host = "127.0.0.1" }, { host = {} } } do
      local ok, message = pcall(transport.new, { resolve = bad })
      assert.is_false(ok)
      assert.matches("option 'resolve'", message)
    end
    for _, address in ipairs { 1, "a\0b", "", "localhost", "127.1", "0x7f.0.0.1", "127.0.0.01",
      "127.0.0.1,127.0.0.2", "127.0.0.1:80", "[127.0.0.1]", "::1]", "[::1", "fe80::1%lo", "1:2" } do
      local ok, message = pcall(transport.new, { resolve = { ["a.example"] = { address } } })
      assert.is_false(ok, address)
      local got = type(address) == "string" and address:gsub("%z.*", "") or type(address)
      assert.is_truthy(message:find(("option 'resolve': host 'a.example': got %s, allowed: a list")
        :format(got), 1, true), message)
    end
  end)

  it("are for names of other machines, and for no other meaning of libcurl's", function()
    for _, host in ipairs { "", "a\nb", "a\0b", "*", "*.example", "+a.example", "-a.example",
      "+localhost", "-localhost", "+127.0.0.1", "localhost", "LocalHost", "localhost:80",
      "localhost.", "a.localhost", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.", "127.1", "127.9.9.9",
      "2130706433", "0x7f000001", "0X7F.1", "0177.0.0.1", "a.0x7f", "::1", "[::1]", "[::1]:80",
      "[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]", "a..b", ".a", "a.", "a b", "a/b", "a@b", "a,b",
      "a.example:", "a.example:0", "a.example:65536", "a.example:8x", "a.example:+80",
      "a.example:80:90", ("a"):rep(64) } do
      local ok, message = pcall(transport.new, { resolve = { [host] = { "192.0.2.1" } } })
      assert.is_false(ok, host)
      assert.matches("option 'resolve': host ", message)
    end
    for _, host in ipairs { "a", "A_b.example", "1.example", "xn--a.example:65535",
      "localhost.example", "127.0.0.1.example" } do
      local addresses = { "192.0.2.1", "2001:db8::1", "[2001:db8::1]" }
      transport.new { resolve = { [host] = addresses } }:close()
    end
  end)
end)

describe("a resolver that fails", function()
  local function program(resolve, timeout)
    return ([[
      local core, transport = require "alicloud.core", require "alicloud.transport"
      local client = transport.new { proxy = "none", resolve = %s }
      local op = client:submit { method = "GET", url = "https://ebs.cn-shanghai.aliyuncs.com:1/",
        timeout = %g }
      while not op:done() do core.poll(client:pollfd(), "r", 0.02) client:step() end
      local _, fields = core.read(op:result())
      io.write(fields.code, "|", fields.outcome, "|", fields.message)
    ]]):format(resolve, timeout)
  end

  local function run(resolve, timeout)
    local slow = (os.getenv("ALICLOUD_BUILD") or "build") .. "/spec/slow_dns.so"
    local preload = "LD_PRELOAD=" .. (os.getenv("LD_PRELOAD") or "") .. " " .. slow
    local pid, output = posix.spawn { "env", preload, "lua5.4", "-e", program(resolve, timeout) }
    local text = output:read "a"
    output:close()
    posix.wait(pid)
    return text
  end

  it("is named", function()
    local host = "ebs%.cn%-shanghai%.aliyuncs%.com"
    assert.matches("^Client%.Resolve|not_sent|.*" .. host .. ":1 %(Resolving timed out",
      run("nil", 0.3))
  end)

  it("is not missed where addresses are pinned", function()
    assert.matches("^Client%.Connect|not_sent|.*ebs%.cn%-shanghai%.aliyuncs%.com[ :p]+o?r?t? ?1 ",
      run('{ ["ebs.cn-shanghai.aliyuncs.com"] = { "127.0.0.1" } }', 15))
  end)
end)
