-- The transport as a guest: signals, fork and interruption stay the host's affair.

local core = require "alicloud.core"
local transport = require "alicloud.transport"
local server_module = require "spec.server"
local behaviour = require "spec.server.behaviour"
local child = require "spec.child"
local exchange = require "spec.server.exchange"
local posix = require "spec.posix"
local reply = require "spec.server.reply"
local scratch = require "spec.scratch"

local request, call, outcome = exchange.request, exchange.call, exchange.outcome

-- Steps the server until the child has ended.
local function await(pid, server)
  local limit = core.monotonic() + 50
  while true do
    local how, code = posix.wait(pid, true)
    if how then return how, code end
    if server then server:step() end
    if core.monotonic() > limit then
      posix.kill(pid, "KILL")
      error("the child hangs", 2)
    end
  end
end

describe("alicloud.transport in a process", function()
  it("leaves SIGPIPE's disposition and mask as they were", function()
    local server <close> = server_module.new(behaviour.cut_request(1, "rst"))
    local client <close> = transport.new {}
    local disposition = posix.disposition("PIPE")
    local blocked = posix.masked("PIPE")
    call(server, client, request(server.url, { body = ("x"):rep(100000) }))
    assert.are.equal(disposition, posix.disposition("PIPE"))
    local blocked_after, pending = posix.masked("PIPE")
    assert.are.equal(blocked, blocked_after)
    assert.is_false(pending)
  end)

  it("is not killed by SIGPIPE when a peer goes away in the middle of a request", function()
    local server <close> = server_module.new(behaviour.cut_request(1000, "rst"))
    local pid = child.start(function()
      posix.disposition("PIPE", "default")
      local client = transport.new {}
      for _ = 1, 20 do
        local op = client:submit(request(server.url, { body = ("x"):rep(3000000) }))
        while not op:done() do
          client:step()
          core.poll(client:pollfd(), "r", 0.01)
        end
        if outcome(op:result()) ~= "unknown" then return 2 end
      end
      return 0
    end)
    local how, code = await(pid, server)
    assert.are.equal("exit", how)
    assert.are.equal(0, code)
  end)

  it("serves a child that had no descriptor left when it began", function()
    local server <close> = server_module.new(behaviour.answer(reply.http()))
    local client <close> = transport.new {}
    call(server, client, request(server.url))
    local pid = child.start(function()
      local gate <close> = io.popen(("read -r line; prlimit --pid %d --nofile=256:")
        :format(core.process().pid), "w")
      os.execute(("prlimit --pid %d --nofile=3:"):format(core.process().pid))
      if pcall(client.submit, client, request(server.url)) then return 2 end
      gate:write "\n"
      gate:close()
      local op = client:submit(request(server.url))
      while not op:done() do
        client:step()
        core.poll(client:pollfd(), "r", 0.01)
      end
      return op:result().status == 200 and 0 or 3
    end)
    assert.are.same({ "exit", 0 }, { await(pid, server) })
  end)

  it("never lets a child speak on its parent's connection", function()
    local server <close> = server_module.new(behaviour.answer(reply.http()))
    local client <close> = transport.new {}
    call(server, client, request(server.url))
    local before = server.connections[1].received

    local pid = child.start(function()
      local ok, op = pcall(client.submit, client, request(server.url))
      if ok then
        while not op:done() do
          client:step()
          core.poll(client:pollfd(), "r", 0.01)
        end
        if outcome(op:result()) ~= "accepted" then return 2 end
      end
      client:close()
      collectgarbage()
      return 0
    end)
    local how, code = await(pid, server)
    assert.are.equal("exit", how)
    assert.are.equal(0, code)
    assert.are.equal(before, server.connections[1].received)

    -- The parent's connection is still good, and still the one that is used.
    local connections = #server.connections
    assert.are.equal("accepted", (outcome(call(server, client, request(server.url)))))
    assert.are.equal(connections, #server.connections)
    assert.are.equal(2, #server.connections[1].requests)
  end)

  it("does not let a child cancel or close what its parent has in flight", function()
    local server <close> = server_module.new(function(connection)
      connection:read_request()
      while not connection.answer do connection:pause() end
      connection:send(reply.http())
      connection:hang()
    end)
    local client <close> = transport.new {}
    local op = client:submit(request(server.url, { mutating = true }))
    exchange.run_until(server, client, function() return #server:requests() == 1 end)
    local pid = child.start(function()
      pcall(op.cancel, op)
      client:close()
      return 0
    end)
    local how, code = await(pid, server)
    assert.are.equal("exit", how)
    assert.are.equal(0, code)
    server.connections[1].answer = true
    exchange.run_until(server, client, function() return op:done() end)
    assert.are.equal("accepted", (outcome(op:result())))
  end)

  it("tells a child that what its parent has in flight may have been sent", function()
    local server <close> = server_module.new(behaviour.answer(reply.http()))
    local client <close> = transport.new {}
    local op = client:submit(request(server.url, { mutating = true }))
    local pid = child.start(function()
      client:step()
      if client:ended() ~= op:ticket() or client:ended() then return 3 end
      return outcome(op:result()) == "unknown" and 0 or 2
    end)
    local how, code = await(pid, server)
    assert.are.equal("exit", how)
    assert.are.equal(0, code)
    exchange.run_until(server, client, function() return op:done() end)
    assert.are.equal("accepted", (outcome(op:result())))
  end)

  it("keeps its connections from programs that the host starts", function()
    local function inherited_sockets()
      local pipe = assert(io.popen("ls -l /proc/self/fd"))
      local _, count = pipe:read("a"):gsub("socket:", "")
      pipe:close()
      return count
    end
    local server <close> = server_module.new(behaviour.hang)
    local client <close> = transport.new {}
    child.settle()
    local before = inherited_sockets()
    local op <close> = client:submit(request(server.url))
    exchange.run_until(server, client, function() return #server:requests() == 1 end)
    -- The server's side of the connection is this process's too, and is inherited.
    assert.are.equal(before + 1, inherited_sockets())
    op:cancel()
  end)

  it("waits for no resolver: not in a step, nor to cancel, close or end", function()
    local slow = (os.getenv("ALICLOUD_BUILD") or "build") .. "/spec/slow_dns.so"
    local program = [[
      local core, transport = require "alicloud.core", require "alicloud.transport"
      local start = core.monotonic()
      local client = transport.new { proxy = "none" }
      local function submit(timeout)
        return client:submit { method = "GET", url = "https://slow.invalid/", timeout = timeout }
      end
      local op = submit(0.2)
      while not op:done() do
        core.poll(client:pollfd(), "r", 0.02)
        client:step()
      end
      assert(op:result().failure == "resolve" and op:result().sent == false)
      op = submit(60)
      client:step()
      op:cancel()
      submit(60)
      client:step()
      client:close()
      assert(core.monotonic() - start < 10)
    ]]
    local preload = "LD_PRELOAD=" .. (os.getenv("LD_PRELOAD") or "") .. " " .. slow
    local start = core.monotonic()
    local pid, output = posix.spawn { "env", preload, "lua5.4", "-e", program }
    local how, code = await(pid)
    local said = output:read("a")
    output:close()
    assert.are.equal("exit 0", how .. " " .. code, said)
    assert.is_true(core.monotonic() - start < 15)
  end)

  it("draws other random bytes in every child", function()
    local seen = {}
    for _ = 1, 20 do
      local path = scratch.path()
      local pid = child.start(function()
        scratch.write(path, core.random_hex(16))
        return 0
      end)
      posix.wait(pid)
      local text = scratch.read(path)
      assert.are.equal(32, #text)
      assert.is_nil(seen[text])
      seen[text] = true
    end
  end)

  it("lets SIGINT end a blocking call long before its deadline", function()
    local server <close> = server_module.new(behaviour.hang)
    local program = ([[
      local alicloud = require "alicloud"
      local client = alicloud.client { region = "cn-shanghai", endpoint = "%s", timeout = 60,
        deadline = 60, retries = 0, access_key_id = "spec", access_key_secret = "spec-secret" }
      client:call("DescribeRegions", {})
    ]]):format(server.url)
    local pid, output = posix.spawn { "lua5.4", "-e", program }
    while #server:requests() == 0 do
      server:step()
      if posix.wait(pid, true) then error(output:read("a")) end
    end
    assert.is_true(posix.kill(pid, "INT"))
    local how, code = await(pid, server)
    assert.truthy(output:read("a"):find("interrupted!", 1, true))
    output:close()
    assert.are.equal("exit", how)
    assert.are.equal(1, code)
  end)
end)
