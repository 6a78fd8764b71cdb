-- Many descriptors behind one.

local child = require "spec.child"
local core = require "alicloud.core"
local socket = require "socket"
local transport = require "alicloud.transport"
local server_module = require "spec.server"
local behaviour = require "spec.server.behaviour"
local exchange = require "spec.server.exchange"
local reply = require "spec.server.reply"

-- A program that says a word when it is told to go on; its output is the descriptor.
local function talker()
  return assert(core.child { argv = { "sh", "-c", "read word <&3; echo heard >&3" } })
end

local function is_ready(group, seconds)
  return core.poll(group:pollfd(), "r", seconds or 0)
end

describe("a group of descriptors", function()
  it("is ready when any of them is, as long as it is, and keeps its own descriptor", function()
    local group <close> = core.poll_group()
    local descriptor = group:pollfd()
    local one <close> = talker()
    local two <close> = talker()
    group:add(one:fd())
    group:add(two:fd(), "r")
    group:add(two:fd())
    assert.is_false(is_ready(group))
    assert(two:send "go\n")
    assert.is_true(is_ready(group, 10))
    assert.is_true(is_ready(group))
    assert.equal("heard\n", two:receive(100))
    group:remove(two:fd())
    assert.is_false(is_ready(group))
    group:add(one:fd(), "rw")
    assert.is_true(is_ready(group))
    group:add(one:fd())
    assert.is_false(is_ready(group))
    assert(one:send "go\n")
    assert.is_true(is_ready(group, 10))
    assert.equal(descriptor, group:pollfd())
  end)

  it("forgets what is taken out, is closed or was never in it, and knows its number again",
    function()
      -- A number that the collector gave back in between would be taken instead.
      child.settle()
      local group <close> = core.poll_group()
      local one = talker()
      local number = one:fd()
      group:add(number)
      group:remove(number)
      group:remove(number)
      group:remove(100000)
      one:close()
      assert.is_false(is_ready(group))
      local two <close> = talker()
      assert.equal(number, two:fd())
      group:add(number)
      assert(two:send "go\n")
      assert.is_true(is_ready(group, 10))
      two:close()
      group:remove(number)
      assert.is_false(is_ready(group))
    end)

  it("holds more than 64, and transports beside them", function()
    local server <close> = server_module.new(behaviour.answer(reply.http()))
    local group <close> = core.poll_group()
    local children <close> = setmetatable({}, { __close = function(list)
      for _, one in ipairs(list) do one:close() end
    end })
    for i = 1, 70 do
      children[i] = talker()
      group:add(children[i]:fd())
    end
    local client <close> = transport.new {}
    group:add(client:pollfd())
    local op <close> = client:submit(exchange.request(server.url))
    while not op:done() do
      server:step()
      if is_ready(group, 0.01) then client:step() end
    end
    assert.equal(200, op:result().status)
    assert.is_false(is_ready(group))
    assert(children[70]:send "go\n")
    assert.is_true(is_ready(group, 10))
  end)

  it("is ready for what never has to be waited for, until that is taken out", function()
    local inner <close> = core.poll_group()
    for _, path in ipairs { "/dev/null", "/etc/passwd" } do
      assert.equal(0, child.run(function()
        io.stdin:close()
        local file <close> = assert(io.open(path))
        inner:add(0)
        inner:add(0)
        assert(is_ready(inner))
        inner:remove(0)
        assert(not is_ready(inner))
        inner:add(0)
        assert(is_ready(inner) and file)
        inner:close()
      end))
    end
    assert.is_false(is_ready(inner))
  end)

  it("is another one, and empty, in a child that was forked", function()
    local group <close> = core.poll_group()
    local one <close> = talker()
    group:add(one:fd())
    assert(one:send "go\n")
    assert.is_true(is_ready(group, 10))
    assert.equal(0, child.run(function()
      assert(not is_ready(group))
      local listener = socket.bind("127.0.0.1", 0)
      group:add(listener:getfd())
      local visitor = socket.connect("127.0.0.1", (select(2, listener:getsockname())))
      assert(visitor and is_ready(group, 10))
      group:close()
      group:close()
      assert(not pcall(group.pollfd, group))
    end))
    assert.is_true(is_ready(group))
    one:receive(100)
    group:remove(one:fd())
    assert.is_false(is_ready(group))
  end)

  it("says what it cannot do", function()
    local group = core.poll_group()
    for _, fd in ipairs { -1, 1 << 40, 0.5, "x" } do
      assert.is_false(pcall(group.add, group, fd))
    end
    assert.has_error(function() group:add(9999) end,
      "poll_group: 9999 is not an open descriptor")
    assert.has_error(function() group:add(0, "x") end)
    assert.is_false(is_ready(group))
    group:close()
    group:close()
    assert.has_error(function() group:pollfd() end, "the group is closed")
    assert.has_error(function() group:add(0) end, "the group is closed")
    assert.has_error(function() group:remove(0) end, "the group is closed")
  end)
end)
