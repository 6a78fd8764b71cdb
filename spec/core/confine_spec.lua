-- What a confined process can still do: compute, and speak with the one that started it.

local confined = require "spec.core.confined"
local core = require "alicloud.core"
local is_alive = require("spec.child").is_alive
local posix = require "spec.posix"
local scratch = require "spec.scratch"

local has_asan = os.getenv "ALICLOUD_PRELOAD" ~= nil

-- What each attempt gives, as texts.
local ATTEMPT = [[
  local function attempt(name, f)
    local said = table.pack(pcall(f))
    for i = 1, said.n do said[i] = tostring(said[i]) end
    tell { name = name, ok = said[1] == "true" and said[2] ~= "nil" and said[2] ~= "false",
           said = table.concat(said, " ") }
  end
]]

local function attempts(code, options)
  local by_name = {}
  for _, one in ipairs { confined.run(ATTEMPT .. code, options) } do by_name[one.name] = one end
  return by_name
end

describe("a confined process", function()
  it("says what it has reached, and what this system lacks", function()
    local reached, missing = confined.run "tell(reached) tell(#reached.missing)"
    assert.is_true(reached.limits)
    local lacks = 0
    for _, name in ipairs { "no_new_privs", "seccomp", "landlock" } do
      if not reached[name] then lacks = lacks + 1 end
    end
    assert.are.equal(lacks + (has_asan and 1 or 0), missing)
  end)

  it("opens, writes, removes and finds nothing", function()
    local victim = scratch.file "kept"
    local told = attempts(([[
      local victim, fresh = %q, %q
      attempt("read", function() return io.open(victim) end)
      attempt("write", function() return io.open(victim, "w") end)
      attempt("create", function() return io.open(fresh, "w") end)
      attempt("lines", function() return io.lines(victim) end)
      attempt("remove", function() return os.remove(victim) end)
      attempt("rename", function() return os.rename(victim, fresh) end)
      attempt("tmpname", os.tmpname)
      attempt("tmpfile", io.tmpfile)
      attempt("loadfile", function() return loadfile(victim) end)
      attempt("loadlib", function() return package.loadlib(library, "*") end)
      attempt("search", function() return package.searchpath("x", victim .. "?") end)
      attempt("require", function() return require "spec.posix" end)
      attempt("locale", function() return os.setlocale "de_DE.UTF-8" end)
      io.stdin:close() -- nor with the number of a closed one
      attempt("number", function() return io.open(victim) end)
    ]]):format(victim, scratch.path()), { before = [[
      local library = package.searchpath("alicloud.transport", package.cpath)
    ]] })
    for name, one in pairs(told) do assert.is_false(one.ok, name .. ": " .. one.said) end
    assert.are.equal("kept", scratch.read(victim))
  end)

  it("starts nothing, ends nobody and does not divide", function()
    local victim, output = posix.spawn { "sleep", "100" }
    finally(function()
      posix.kill(victim, "KILL")
      posix.wait(victim)
      output:close()
    end)
    local told = attempts([[
      attempt("execute", function() return os.execute "true" end)
      attempt("popen", function() return io.popen "true" end)
      -- The limit of processes, which refuses it too, binds everybody but root.
      if reached.seccomp then attempt("fork", function() return posix.fork() end) end
      attempt("program", function() return posix.spawn { "true" } end)
      attempt("kill", function() return posix.kill(victim, "KILL") end)
    ]], { before = 'local posix, victim = require "spec.posix", ' .. victim })
    for name, one in pairs(told) do assert.is_false(one.ok, name .. ": " .. one.said) end
  end)

  it("reaches nobody with sockets that it had loaded before", function()
    local told = attempts([[
      attempt("connect", function() return socket.connect("127.0.0.1", 80) end)
      attempt("udp", function() return socket.udp():sendto("x", "127.0.0.1", 9) end)
      attempt("bind", function() return socket.bind("127.0.0.1", 0) end)
      attempt("open before", function() return before:send "x" end)
    ]], { before = [[
      local socket = require "socket"
      local listening = socket.bind("127.0.0.1", 0)
      local before = socket.connect(listening:getsockname())
    ]] })
    for name, one in pairs(told) do assert.is_false(one.ok, name .. ": " .. one.said) end
  end)

  it("is told by the modules themselves what it may not do", function()
    local FILES, PROGRAMS, SOCKETS = "a confined process opens no files",
      "a confined process starts no programs", "a confined process opens no sockets"
    local told = { confined.run([[
      tell((select(2, core.spawn({ "true" }, 1))))
      tell((select(2, core.child { argv = { "true" } })))
      tell((select(2, core.open_file("x", "read"))))
      tell((select(2, core.write_file("x", "text", "new"))))
      tell((select(2, core.sync_directory "x")))
      tell((select(2, core.make_directory "x")))
      tell((select(2, core.list_directory "x")))
      tell((select(2, core.look "x")))
      tell((select(2, core.real_path "x")))
      tell((select(2, core.secret_from_file "x")))
      tell(tostring(core.user_name(0)))
      tell((select(2, pcall(transport.new))))
      tell((select(2, pcall(confine.enter, { memory = 1 << 28 }))))
      if has_httpd then tell((select(2, httpd.start {}))) end
    ]], { before = [[
      local transport = require "alicloud.transport"
      local has_httpd, httpd = pcall(require, "alicloud.httpd")
    ]] }) }
    local expected = { PROGRAMS, PROGRAMS }
    for _ = 1, 7 do expected[#expected + 1] = "x: " .. FILES end
    table.move({ FILES, "nil", "transport.new: " .. SOCKETS,
      "enter: this process is confined already", told[14] and SOCKETS }, 1, 5, 10, expected)
    assert.are.same(expected, told)
  end)

  it("computes, signs, and knows the time and its zone", function()
    local zone = assert(io.popen "date +%z"):read "l"
    local digest, secret, random, shown, now = confined.run [[
      tell(core.sha256 "")
      tell(tostring(core.secret "hidden"))
      tell(#core.random_hex(16))
      tell(os.date "%z")
      tell(core.time() > 0 and core.monotonic() > 0 and os.time() > 0 and os.clock() >= 0)
      core.poll(nil, "r", 0.001)
      core.ed25519_sign(("0"):rep(64), "x")
      core.hmac("SM3", "key", "text")
      core.digest("SHA1", "text")
    ]]
    assert.are.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", digest)
    assert.are.equal("alicloud.Secret(hidden)", secret)
    assert.are.equal(32, random)
    assert.are.equal(zone, shown)
    assert.is_true(now)
  end)

  it("keeps lower limits than it would set", function()
    if has_asan then return end
    local argv = { "sh", "-c", "ulimit -v 200000; ulimit -t 3; exec \"$@\"", "sh" }
    local limits = confined.run([[tell(core.array { reached.limits,
      pcall(string.rep, "x", 256 << 20) })]], { argv = argv })
    assert.is_true(limits[1])
    assert.is_false(limits[2])
  end)

  it("gets no more memory than it was given, and goes on", function()
    if has_asan then return end
    local ok, message, after = confined.run([[
      local kept = {}
      local ok, message = pcall(function()
        for i = 1, 1000 do kept[i] = ("x"):rep(1 << 20) .. i end
      end)
      kept = nil
      collectgarbage()
      tell(ok)
      tell(message)
      tell(#("x"):rep(1 << 20))
    ]], { memory = 128 << 20 })
    assert.is_false(ok)
    assert.are.equal("not enough memory", message)
    assert.are.equal(1 << 20, after)
  end)

  it("computes no longer than it was given", function()
    for _, loop in ipairs { "while true do end", "while true do pcall(string.rep, 'x', -1) end",
      "string.find(('x'):rep(3000), ('x-'):rep(30) .. 'y')",
      "local function f() return f() end f()" } do
      local child <close> = confined.start(loop, { cpu = 1 })
      assert.are.same({ signal = 24 }, (confined.finish(child)), loop)
    end
  end)

  it("survives what is too deep for it", function()
    local a, b = confined.run [[
      local function deep(n) return 1 + deep(n + 1) end
      tell((pcall(deep, 1)))
      tell((pcall(string.find, ("("):rep(1000), ("("):rep(1000))))
    ]]
    assert.is_false(a)
    assert.is_false(b)
  end)

  it("goes when the one that started it has gone", function()
    local program = ([[
      local core = require "alicloud.core"
      local child = core.child { argv = { "lua5.4", "-e", %q }, env = { "LUA_PATH=" ..
        os.getenv "LUA_PATH", "LUA_CPATH=" .. os.getenv "LUA_CPATH" } }
      core.poll(child:fd(), "r", 60)
      print(child:receive(100))
      io.stdout:flush()
      os.execute("kill -9 " .. core.process().pid)
    ]]):format [[
      local confine, core = require "alicloud.confine", require "alicloud.core"
      confine.enter { memory = 1 << 28 }
      confine.send(tostring(core.process().pid))
      while true do core.poll(nil, "r", 1) end
    ]]
    local pipe <close> = assert(io.popen("exec lua5.4 " .. scratch.file(program, ".lua")))
    local pid = tonumber(pipe:read "l")
    -- Whoever inherits it may take a while to wait for it.
    local limit = core.monotonic() + 60
    while is_alive(pid) do
      assert.is_true(core.monotonic() < limit)
      core.poll(nil, "r", 0.01)
    end
  end)

  it("is nothing that a host becomes by mistake", function()
    local function says(code, words)
      local path = scratch.file(code, ".lua")
      local pipe <close> = assert(io.popen("lua5.4 " .. path .. " 2>&1 3<&-"))
      local text = pipe:read "a"
      assert.truthy(text:find(words, 1, true), text)
    end
    local enter = 'require "alicloud.confine".enter'
    says(enter .. "{ memory = 1 << 28 }", "descriptor 3 is no socket")
    says(enter .. "{ memory = 1 << 28, cpus = 1 }", "did you mean 'cpu'?")
    says(enter .. "{ memory = 1 }", "memory: 16777216 to 1073741824 bytes")
    says(enter .. "{ memory = 1 << 28, cpu = -1 }", "cpu: 1 to 86400 seconds")
  end)
end)

-- Of the calls after the limit on descriptors is set, what the kernel was asked and let happen.
local function traced(code, options)
  local log = scratch.path()
  options = options or {}
  options.argv = { "strace", "-f", "-o", log, "-e", "trace=!read,write" }
  local child <close> = confined.start(code, options)
  confined.finish(child)
  local calls, refused, begun = {}, {}, false
  for line in io.lines(log) do
    local name, rest = line:match "^%d+ +_?([%w_]+)%((.*)$"
    if name and begun then
      local failed = rest:find "= %-1 E%u+"
      local list = failed and refused or calls
      -- fstat64, mmap2, clock_gettime64, …
      list[name:gsub("_time64$", ""):gsub("%d+$", "")] = line
    end
    begun = begun or (name == "seccomp" and rest:find("SECCOMP_SET_MODE_FILTER", 1, true)
      and rest:find("= 0", 1, true) ~= nil)
  end
  return calls, refused, begun
end

describe("the kernel", function()
  -- Built without libseccomp, or run where no process may be traced, there is nothing to see.
  local reached = confined.run "tell(reached)"
  local can_trace = os.execute "strace -o /dev/null true 2>/dev/null"
  if not (reached.seccomp and can_trace) or has_asan then return end

  it("is asked by hostile code for nothing that it grants", function()
    local calls, refused, begun = traced([[
      local function try(f, ...) pcall(f, ...) end
      for _ = 1, 2 do
        try(io.open, "/etc/passwd")
        try(io.open, "/tmp/x", "w")
        try(os.execute, "true")
        try(io.popen, "true")
        try(os.remove, "/tmp/x")
        try(os.rename, "/tmp/x", "/tmp/y")
        try(os.tmpname)
        try(io.tmpfile)
        try(package.loadlib, "libz.so.1", "*")
        try(socket.connect, "127.0.0.1", 80)
        try(posix.fork)
        try(posix.kill, 1, "TERM")
        try(core.spawn, { "true" }, 1)
        try(core.open_file, "/etc/passwd", "read")
        try(core.process)
        try(io.stdin.close, io.stdin)
      end
      tell(#("x"):rep(1 << 22))
    ]], { before = 'local socket, posix = require "socket", require "spec.posix"' })
    assert.is_true(begun)
    local harmless = " brk mmap munmap mremap mprotect madvise mlock close fstat lseek llseek "
      .. "exit_group getpid gettid prlimit getrlimit ugetrlimit poll ppoll time gettimeofday "
      .. "clock_gettime futex rt_sigaction rt_sigprocmask getrandom "
    for name, line in pairs(calls) do
      assert.truthy(harmless:find(" " .. name .. " ", 1, true), line)
    end
    assert.truthy(refused.openat)
    assert.truthy(refused.kill)
    assert.truthy(refused.socket)
    assert.truthy(refused.clone or refused.vfork)
    assert.is_nil(refused.execve) -- it does not come so far
  end)

  it("is not asked by the modules of ours", function()
    local _, refused, begun = traced [[
      pcall(core.spawn, { "true" }, 1)
      pcall(core.child, { argv = { "true" } })
      pcall(core.open_file, "/etc/passwd", "read")
      pcall(core.secret_from_file, "/etc/passwd")
      pcall(core.sync_directory, "/")
      pcall(core.make_directory, "/tmp/x")
      pcall(core.list_directory, "/")
      pcall(core.look, "/")
      pcall(core.real_path, "/")
      pcall(core.write_file, "/tmp/x", "", "new")
      pcall(core.user_name, 0)
      core.sha256 ""
      core.ed25519_sign(("0"):rep(64), "x")
      os.date "%c"
    ]]
    assert.is_true(begun)
    assert.are.same({}, refused)
  end)

  -- Numbers of x86-64; those of the list are the ones that a process may use, with any arguments,
  -- and two that a kernel takes from its own probes only, before any filter.
  local machine <close> = io.popen "uname -m"
  if machine:read "l" ~= "x86_64" or string.packsize "T" ~= 8 then return end

  it("grants no other call, whatever its arguments", function()
    local granted = { 0, 1, 3, 5, 7, 8, 11, 12, 13, 14, 15, 24, 25, 28, 35, 39, 60, 96, 97, 131,
      149, 150, 186, 201, 202, 219, 228, 230, 231, 271, 318, 335, 336 }
    local other = confined.run(([[
      local granted, other = { %s }, core.array {}
      for _, number in ipairs(granted) do granted["n" .. number] = true end
      for number = 0, 600 do
        if not granted["n" .. number] and posix.syscall(number, 0, 0, 4) ~= -1 then
          other[#other + 1] = number
        end
      end
      tell(other)
    ]]):format(table.concat(granted, ", ")), { before = 'local posix = require "spec.posix"' })
    assert.are.same({}, other)
  end)

  it("ends who calls it as a program of another architecture does", function()
    local child <close> = confined.start("posix.syscall(0x40000000 + 39)",
      { before = 'local posix = require "spec.posix"' })
    assert.are.same({ signal = 31 }, (confined.finish(child)))
  end)

  it("grants no memory that is code, no limits, and no descriptor", function()
    local told = { confined.run([[
      local READ, CODE, PRIVATE_ANONYMOUS = 3, 7, 34
      local page = posix.syscall(9, 0, 4096, READ, PRIVATE_ANONYMOUS, -1, 0)
      tell(page > 0)
      tell(posix.syscall(9, 0, 4096, CODE, PRIVATE_ANONYMOUS, -1, 0))
      tell(posix.syscall(10, page, 4096, CODE))
      tell(posix.syscall(10, page, 4096, READ))
      tell(posix.syscall(302, 0, 7, page, 0)) -- its own limit of descriptors, set
      tell(posix.syscall(302, 0, 7, 0, page)) -- and read
      tell(posix.syscall(302, 1, 7, 0, page)) -- somebody else's
    ]], { before = 'local posix = require "spec.posix"' }) }
    assert.are.same({ true, -1, -1, 0, -1, 0, -1 }, told)
  end)
end)
