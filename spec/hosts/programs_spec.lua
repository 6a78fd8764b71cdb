-- #programs: the examples beside this file inside the programs that they are for, which
-- `.ci/setup check` installs. Each one talks to an emulator that is a process of its own.

local core = require "alicloud.core"
local posix = require "spec.posix"
local process = require "spec.process"
local scratch = require "spec.scratch"
local servers = require "spec.server"
local socket = require "socket"

local HERE = assert(io.popen "pwd"):read "l" .. "/spec/hosts"
local BUILD = os.getenv "ALICLOUD_BUILD" or "build"

local emulator, directory, children

local function shell(line)
  local pipe <close> = assert(io.popen(line .. " 2>&1"))
  return pipe:read "a"
end

local function write(name, text)
  local file <close> = assert(io.open(directory .. "/" .. name, "wb"))
  assert(file:write(text))
end

local function read(name)
  local file <close> = io.open(directory .. "/" .. name, "rb")
  return file and file:read "a" or ""
end

-- Looks again and again, for at most a minute.
local function eventually(look)
  local ends = core.monotonic() + 60
  repeat
    local found = look()
    if found then return found end
    core.poll(nil, "r", 0.05)
  until core.monotonic() > ends
  error("it never happened", 2)
end

-- A program that lives as long as the test, with the emulator in its environment.
local function start(environment, ...)
  local arguments = { "env", "DIR=" .. directory, "DR_GROUP=pg-orders" }
  for word in emulator:environment():gmatch "%S+" do arguments[#arguments + 1] = word end
  for name, value in pairs(environment) do arguments[#arguments + 1] = name .. "=" .. value end
  for _, word in ipairs { ... } do arguments[#arguments + 1] = word end
  local pid, output = posix.spawn(arguments)
  children[#children + 1] = { pid = pid, output = output }
  return output
end

before_each(function()
  emulator = process.start_emulator()
  directory = scratch.directory()
  children = {}
end)

after_each(function()
  for _, child in ipairs(children) do
    posix.kill(child.pid, "TERM")
    posix.wait(child.pid)
    child.output:close()
  end
  emulator:stop()
end)

describe("#programs a C program with a limit on memory", function()
  it("runs several states in several threads", function()
    -- The modules of a build with a sanitizer load into a program that was built with it.
    local build = os.getenv "ALICLOUD_TSAN" or BUILD
    local command = "LUA_CPATH='%s/?.so;;' %s/spec/threads %s/threads/worker.lua 6 5"
    local output, ok = emulator:shell(command:format(build, build, HERE))
    assert.is_true(ok, output)
    assert.matches("6 threads, 0 failed", output)
  end)
end)

describe("#programs lighttpd", function()
  local port

  local function ask(method, address, user)
    local client <close> = setmetatable({ socket.connect("127.0.0.1", port) },
      { __close = function(self) if self[1] then self[1]:close() end end })
    if not client[1] then return nil end
    local login = user and "Authorization: Basic " .. core.base64(user) .. "\r\n" or ""
    client[1]:send(("%s %s HTTP/1.0\r\nHost: dr\r\n%sContent-Length: 0\r\n\r\n"):format(method,
      address, login))
    local answer = client[1]:receive "*a" or ""
    return tonumber(answer:match "^HTTP/1%.%d (%d+)"), answer
  end

  before_each(function()
    port = servers.free_ports(1)
    write("htpasswd", "ada:" .. shell("openssl passwd -apr1 secret"))
    write("key", core.random_hex(32))
    start({ HERE = HERE .. "/lighttpd", PORT = port }, "lighttpd", "-D", "-f",
      HERE .. "/lighttpd/lighttpd.conf")
    eventually(function() return ask("GET", "/") end)
  end)

  local function button(group)
    local status, page = ask("GET", "/failover/" .. group, "ada:secret")
    assert.equal(200, status, page)
    return "/failover/" .. group .. page:match 'action="([^"]+)"':gsub("&amp;", "&")
  end

  it("shows the button to who is known, and takes only what it signed", function()
    assert.equal(401, (ask("GET", "/failover/pg-orders")))
    assert.equal(401, (ask("GET", "/failover/pg-orders", "ada:guess")))
    assert.equal(404, (ask("GET", "/failover/pg%20orders", "ada:secret")))
    local address = button "pg-orders"
    assert.equal(401, (ask("POST", address)))
    assert.equal(403, (ask("POST", "/failover/pg-orders", "ada:secret")))
    assert.equal(403, (ask("POST", (address:gsub("pg%-orders", "pg-payments")), "ada:secret")))
    assert.equal(403, (ask("POST", (address:gsub("expires=%d", "expires=9")), "ada:secret")))
    assert.equal("", read "orders.jsonl")
  end)

  it("spools what is pressed; the worker fails over once, however often it was", function()
    local address = button "pg-orders"
    assert.equal(202, (ask("POST", address, "ada:secret")))
    assert.equal(202, (ask("POST", address, "ada:secret")))
    assert.equal(0, emulator:effects())
    for _ = 1, 2 do
      local output, ok = emulator:shell(("lua5.4 %s/lighttpd/worker.lua %s once"):format(HERE,
        directory))
      assert.is_true(ok, output)
    end
    assert.equal(1, emulator:effects())
    local result = assert(core.decode(read "results.jsonl"))
    assert.equal("failovered", result.outcome)
    assert.equal(address:match "token=(%x+)", result.token)
    assert.equal("ada", result.user)
  end)
end)

describe("#programs dovecot", function()
  it("lets nobody in before the mail store is open on this site", function()
    local me = shell("id -un"):match "%S+"
    if me ~= "root" then return pending "dovecot wants to be started by root" end
    write("users", "alice:{PLAIN}secret\n")
    local file <close> = assert(io.open(HERE .. "/dovecot/dovecot.conf"))
    local values = { DIR = directory, HERE = HERE .. "/dovecot", USER = me, GROUP = me }
    write("dovecot.conf", (file:read "a":gsub("@(%u+)@", values)))
    start({}, "dovecot", "-F", "-c", directory .. "/dovecot.conf")
    local function login(password)
      return shell(("doveadm -c %s/dovecot.conf auth test alice %s"):format(directory, password))
    end
    eventually(function() return login "secret":find "code=user_disabled" end)
    local output, ok = emulator:shell "alicloud-dr failover pg-orders --yes"
    assert.is_true(ok, output)
    eventually(function() return login "secret":find "auth succeeded" end)
    assert.matches("auth failed", login "wrong")
  end)
end)

describe("#programs HAProxy", function()
  local unix = require "socket.unix"

  local function shop()
    local client = unix()
    client:settimeout(5)
    local connected = client:connect(directory .. "/shop")
    if connected then client:send "GET / HTTP/1.0\r\n\r\n" end
    local answer = connected and client:receive "*a"
    client:close()
    return answer and tonumber(answer:match "^HTTP/1%.%d (%d+)"), answer
  end

  it("sends the shop's visitors where the group is open", function()
    write("site.env", ("export %s DR_GROUP=pg-orders LUA_PATH='%s' LUA_CPATH='%s'\n"):format(
      emulator:environment(), os.getenv "LUA_PATH", os.getenv "LUA_CPATH"))
    assert(os.execute(("cp %s/haproxy/open-here.sh %s"):format(HERE, directory)))
    start({ HERE = directory }, "haproxy", "-f", HERE .. "/haproxy/haproxy.cfg")
    eventually(function() return shop() == 503 end)
    local output, ok = emulator:shell "alicloud-dr failover pg-orders --yes"
    assert.is_true(ok, output)
    eventually(function() return shop() == 200 end)
    assert.matches("served from shanghai", select(2, shop()))
  end)
end)

describe("#programs Neovim", function()
  it("shows the groups in a buffer, and what went wrong", function()
    local editor = ("HOME=%s NVIM_LOG_FILE=%s/log nvim --headless -u NONE -i NONE "
      .. "--cmd 'set rtp^=%s noswapfile' "
      .. [[-c 'lua package.path = "%s/neovim/?.lua"' ]]
      .. [[-c 'lua vim.fn.jobwait({ require("dr").status("%%s") }, 60000)' ]]
      .. "-c 'write! %s/buffer' -c 'qa!'"):format(directory, directory, HERE,
        HERE, directory)
    local output = emulator:shell(editor:format "cn-shanghai")
    assert.matches("pg%-orders  cn%-hangzhou %-> cn%-shanghai  normal", read "buffer", output)
    output = emulator:shell(editor:format "Nowhere")
    assert.matches("region", output)
  end)
end)
