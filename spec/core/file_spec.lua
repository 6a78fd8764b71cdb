-- Files that must survive a crash, through the C module.

local core = require "alicloud.core"
local child = require "spec.child"
local posix = require "spec.posix"
local scratch = require "spec.scratch"

describe("a file", function()
  it("is made for its owner alone, whatever the umask", function()
    local path = scratch.path()
    local file <close> = assert(core.open_file(path, "create"))
    local about = assert(file:stat())
    assert.equal(tonumber("600", 8), about.mode)
    assert.is_true(about.own)
    assert.equal(0, about.bytes)
  end)

  it("is made with the mode that is asked for, and keeps the one that it has", function()
    local path = scratch.path()
    for _, mode in ipairs { "660", "640" } do
      local file <close> = assert(core.open_file(path, "append", tonumber(mode, 8)))
      assert.equal(tonumber("660", 8), file:stat().mode)
    end
    assert.has_error(function() core.open_file(path, "append", 4096) end)
    assert.has_error(function() core.open_file(path, "append", -1) end)
  end)

  it("tells whose it is, what it is and how many names it has", function()
    local directory = scratch.directory()
    local path, me = directory .. "/file", core.user()
    scratch.write(path, "text")
    assert(os.execute(("ln %s %s/name; ln -s %s %s/link; mkfifo %s/pipe; chmod 4751 %s"):format(
      path, directory, path, directory, directory, path)))
    local about = assert(core.look(path))
    assert.same({ bytes = 4, type = "file", mode = tonumber("4751", 8), links = 2, uid = me.uid,
      gid = me.gid, own = true }, about)
    assert.same(about, assert(core.open_file(path, "read")):stat())
    assert.equal("link", core.look(directory .. "/link").type)
    assert.equal("other", core.look(directory .. "/pipe").type)
    assert.equal("directory", core.look(directory).type)
    assert.equal("ENOENT", select(3, core.look(directory .. "/none")))
    assert.equal(core.real_path(path), core.real_path(directory .. "/../././" .. directory:match
      "[^/]+$" .. "/link"))
    assert.equal("ENOENT", select(3, core.real_path(directory .. "/none")))
    for _, name in ipairs { "real_path", "look", "list_directory" } do
      assert.equal("ENOENT", select(3, core[name] ""), name)
    end
    assert.same({ nil, '"": no such file or directory', "ENOENT" }, { core.open_file("", "read") })
    local names = core.list_directory(directory)
    table.sort(names)
    assert.same({ "file", "link", "name", "pipe" }, names)
    assert.same({}, core.list_directory(directory, "files"))
    assert.same({ "file" }, core.list_directory(directory, "fil"))
    assert.equal("ENOTDIR", select(3, core.list_directory(path)))
    assert.is_true(me.groups[me.gid])
    assert.is_nil(core.user_name(4294967294))
  end)

  it("is appended to, read, cut and synced", function()
    local path = scratch.path()
    local file <close> = assert(core.open_file(path, "append"))
    assert.is_true(file:append "one\n")
    assert.is_true(file:append "two\n")
    assert.is_true(file:sync())
    assert.equal("one\ntwo\n", file:read(0, 100))
    assert.equal("tw", file:read(4, 2))
    assert.equal("", file:read(100, 2))
    assert.is_true(file:truncate(4))
    assert.is_true(file:append "three\n")
    assert.equal("one\nthree\n", file:read(0, 100))
    assert.is_true(core.sync_directory "/tmp")
  end)

  it("takes room without growing", function()
    local file <close> = assert(core.open_file(scratch.path(), "append"))
    local ok, _, code = file:reserve(65536)
    assert.is_true(ok or code == "EOPNOTSUPP")
    assert.equal(0, file:stat().bytes)
  end)

  it("is refused through a link, and where it is none", function()
    local path = scratch.path()
    os.execute(("ln -s /etc/passwd '%s'"):format(path))
    for _, how in ipairs { "read", "append", "create" } do
      local file, message, code = core.open_file(path, how)
      assert.is_nil(file)
      assert.is_truthy(code == "ELOOP" or code == "EEXIST", code)
      assert.matches(path, message, 1, true)
    end
    assert.equal("EINVAL", select(3, core.open_file("/tmp", "read")))
    os.remove(path)
    os.execute(("mkfifo '%s'"):format(path))
    assert.equal("EINVAL", select(3, core.open_file(path, "read")))
    assert.equal("ENOENT", select(3, core.open_file(path .. "/x/y", "read"))
      :gsub("ENOTDIR", "ENOENT"))
  end)

  it("says in the system's word why it failed", function()
    local path = scratch.path()
    assert(core.open_file(path, "create")):close()
    assert.equal("EEXIST", select(3, core.open_file(path, "create")))
    local file <close> = assert(core.open_file(path, "read"))
    local ok, message, code, written = file:append "x"
    assert.is_nil(ok)
    assert.matches("append: ", message)
    assert.equal("EBADF", code)
    assert.equal(0, written)
  end)

  it("on a full device tells how much got there", function()
    -- A limit of the shell makes the device full without one; the signal must be ignored for that.
    -- Nothing that runs at an exit, as what counts coverage, could write its own files.
    local script = ([[trap '' XFSZ; ulimit -f 1; exec lua5.4 -e '
      local core = require "alicloud.core"
      local file = assert(core.open_file("%s", "append"))
      assert(file:append(("x"):rep(1000)))
      print(select(2, file:append(("y"):rep(1000))))
      require("spec.posix").exit(0)']]):format(scratch.path())
    local pipe = assert(io.popen("bash -c '" .. script:gsub("'", "'\\''") .. "' 2>&1"))
    local output = pipe:read "a"
    pipe:close()
    assert.equal("append: the file is too large\tEFBIG\t24\n", output)
  end)

  it("bears what a system does on a bad day, and says what it was", function()
    local program = [[
      local core, system = require "alicloud.core", require "spec.bad_system"
      local path, fail = ..., system.fail
      local function say(...)
        local words = table.pack(...)
        for i = 1, words.n do words[i] = tostring(words[i]) end
        print(table.concat(words, "|"))
      end
      fail("open64", "EINTR", "EINTR")
      local file = assert(core.open_file(path, "append"))
      fail("fstat64", "EIO")
      say("open", core.open_file(path, "read"))
      fail("write", "EINTR", "SHORT", "EINTR", "SHORT")
      say("append", file:append "whole", file:read(0, 100))
      fail("write", "SHORT", "ENOSPC")
      say("append", file:append "xyz")
      fail("write", "EDQUOT")
      say("append", file:append "xyz")
      fail("write", "NOTHING")
      say("append", file:append "xyz")
      fail("pread64", "EINTR", "SHORT", "EINTR", "SHORT")
      say("read", file:read(0, 100))
      fail("pread64", "SHORT", "EIO")
      say("read", file:read(0, 100))
      fail("pread64", "SHORT", "NOTHING")
      say("read", file:read(0, 100))
      fail("fsync", "EIO")
      say("sync", file:sync())
      fail("fsync", "EIO")
      say("sync_directory", core.sync_directory ".")
      fail("ftruncate64", "ENOLINK")
      say("truncate", file:truncate(1))
      fail("fallocate64", "EINTR", "EOPNOTSUPP")
      say("reserve", file:reserve(1))
      fail("fstat64", "EIO")
      say("stat", file:stat())
      fail("fcntl64", "EACCES", "EINVAL")
      say("lock", file:lock(0))
      say("lock", file:lock(0))
      fail("fcntl64", "EIO")
      say("is_locked", file:is_locked(0))
      fail("kill", "EPERM")
      say("is_process", core.is_process(1))
      for _, row in ipairs { { "open64", "EACCES" }, { "open64", "EPERM" }, { "fstat64", "EIO" },
        { "mmap64", "ENOMEM" }, { "pread64", "SHORT", "EIO" } } do
        fail(table.unpack(row))
        say("secret", core.secret_from_file(path))
      end
      fail("pipe2", "EMFILE")
      say("spawn", core.spawn({ "true" }, 1))
      fail("mmap64", "ENOMEM")
      say("spawn", core.spawn({ "true" }, 1))
      fail("fsync", "EIO")
      say("write_file", core.write_file(path .. ".whole", "x", "new"))
      fail("close", "EIO")
      say("write_file", core.write_file(path .. ".whole", "x", "new"))
      fail("rename", "EACCES")
      say("write_file", core.write_file(path .. ".whole", "x", "private"))
      fail("write", "ENOSPC")
      say("write_file", core.write_file(path .. ".whole", "x", "shared"))
      say("left", io.open(path .. ".whole"))
    ]]
    local build = os.getenv "ALICLOUD_BUILD" or "build"
    local path = scratch.path()
    local pid, output = posix.spawn { "env", ("LD_PRELOAD=%s %s/spec/bad_system.so"):format(
      os.getenv "LD_PRELOAD" or "", build), "lua5.4", scratch.file(program), path }
    local said = output:read "a"
    output:close()
    assert.same({ "exit", 0 }, { posix.wait(pid) }, said)
    assert.equal([[
open|nil|PATH: input or output error|EIO
append|true|whole
append|nil|append: no space left on the device|ENOSPC|1
append|nil|append: the quota is used up|EDQUOT|0
append|nil|append: input or output error|EIO|0
read|wholex
read|nil|read: input or output error|EIO
read|w
sync|nil|fsync: input or output error|EIO
sync_directory|nil|.: input or output error|EIO
truncate|nil|truncate: system error 67|E67
reserve|nil|reserve: the file system cannot do that|EOPNOTSUPP
stat|nil|stat: input or output error|EIO
lock|false
lock|nil|lock: the file system gives no locks|ENOLCK
is_locked|nil|lock: input or output error|EIO
is_process|true
secret|nil|permission denied
secret|nil|permission denied
secret|nil|it cannot be read
secret|nil|not enough memory
secret|nil|it cannot be read
spawn|nil|too many open files
spawn|nil|not enough memory
write_file|nil|PATH.whole: input or output error|EIO
write_file|nil|PATH.whole: input or output error|EIO
write_file|nil|PATH.whole: permission denied|EACCES
write_file|nil|PATH.whole: no space left on the device|ENOSPC
left|nil|PATH.whole: No such file or directory|2
]], (said:gsub(path, "PATH")))
  end)

  it("is locked by one open file at a time, also within a process", function()
    local path = scratch.path()
    local first = assert(core.open_file(path, "append"))
    local second <close> = assert(core.open_file(path, "append"))
    assert.is_true(first:lock(0))
    assert.is_true(first:lock(0))
    assert.is_false(second:lock(0))
    first:close()
    assert.is_true(second:lock(0))
  end)

  it("holds many locks, one for each byte, that exclude other open files", function()
    local path = scratch.path()
    local first <close> = assert(core.open_file(path, "append"))
    local second <close> = assert(core.open_file(path, "append"))
    local far = (1 << 60) + 7
    assert.is_true(first:lock(0))
    assert.is_true(first:lock(far))
    assert.is_false(second:lock(far))
    assert.is_true(second:lock(1))
    assert.is_true(first:unlock(far))
    assert.is_true(second:lock(far))
    assert.equal(0, first:stat().bytes)
  end)

  it("tells whether somebody holds a lock without taking it", function()
    local path = scratch.path()
    local holder = assert(core.open_file(path, "append"))
    local looker <close> = assert(core.open_file(path, "read"))
    assert.is_true(holder:lock(0))
    assert.is_true(looker:is_locked(0))
    assert.is_false(looker:is_locked(1))
    assert.is_false(holder:is_locked(0))
    holder:close()
    assert.is_false(looker:is_locked(0))
    local other <close> = assert(core.open_file(path, "append"))
    assert.is_true(other:lock(0))
  end)

  it("is its process's own: a forked child can close its copy, and nothing else", function()
    local path = scratch.path()
    local file = assert(core.open_file(path, "append"))
    local other <close> = assert(core.open_file(path, "append"))
    assert.is_true(file:lock(7))
    assert.equal(0, child.run(function()
      for name, arguments in pairs {
        append = { "x" }, read = { 0, 1 }, sync = {}, truncate = { 0 }, reserve = { 1 },
        lock = { 7 }, unlock = { 7 }, is_locked = { 7 }, stat = {},
      } do
        assert.error_matches(function() file[name](file, table.unpack(arguments)) end,
          "belongs to the process that opened it")
      end
      local before = child.descriptors(path)
      file:close()
      file:close()
      assert.equal(before - 1, child.descriptors(path))
      os.exit(0) -- not as children else leave: what was covered is written down
    end))
    assert.is_false(other:lock(7))
    assert.is_true(file:append "still here")
    file:close()
  end)

  it("gives its locks up when it is closed, though a forked child has it open", function()
    local path = scratch.path()
    local file = assert(core.open_file(path, "append"))
    assert.is_true(file:lock(0))
    assert.is_true(file:lock(7))
    local pid = child.start(function() core.poll(nil, "r", 60) end)
    file:close()
    local other <close> = assert(core.open_file(path, "append"))
    assert.is_true(other:lock(0))
    assert.is_true(other:lock(7))
    posix.kill(pid, "KILL")
    posix.wait(pid)
  end)

  it("raises on misuse only", function()
    local file = assert(core.open_file(scratch.path(), "append"))
    file:close()
    file:close()
    assert.has_error(function() file:append "x" end, "the file is closed")
    assert.has_error(function() core.open_file("a\0b", "read") end)
    assert.has_error(function() core.open_file("x", "write") end)
    assert.has_error(function() file:read(-1, 1) end)
    assert.has_error(function() file:read(0, -1) end)
    assert.has_error(function() file:read(0, 64 * 1024 * 1024 + 1) end)
    assert.has_error(function() file:lock(-1) end)
    assert.has_error(function() file.append({}, "x") end)
  end)
end)

describe("a file that is written whole", function()
  local function mode_of(path)
    local file <close> = assert(core.open_file(path, "read"))
    return ("%o"):format(file:stat().mode)
  end

  local function names_in(directory)
    local pipe <close> = assert(io.popen("ls -A " .. directory))
    return pipe:read "a"
  end

  it("has the mode that fits, and takes the place of what was there", function()
    local directory = scratch.directory()
    local path = directory .. "/a"
    scratch.write(path, ("old"):rep(1000))
    assert(os.execute("chmod 644 " .. path))
    assert.is_true(core.write_file(path, "new\0", "private"))
    assert.equal("new\0", scratch.read(path))
    assert.equal("600", mode_of(path))
    assert.is_true(core.write_file(path, "", "shared"))
    assert.equal("", scratch.read(path))
    local plain = scratch.file("x")
    assert.equal(mode_of(plain), mode_of(path))
    assert.equal("a\n", names_in(directory))
  end)

  it("is not written through a link, into what is no file, or over what is there", function()
    local directory = scratch.directory()
    local target, link = directory .. "/target", directory .. "/link"
    scratch.write(target, "kept")
    assert(os.execute(("cd %s && ln -s target link && ln -s nowhere loose && mkfifo pipe"):format(
      directory)))
    local codes = { link = "ELOOP", loose = "ELOOP", pipe = "EINVAL", ["."] = "EISDIR" }
    for name, code in pairs(codes) do
      for _, whom in ipairs { "private", "shared" } do
        local ok, message, given = core.write_file(directory .. "/" .. name, "x", whom)
        assert.is_nil(ok)
        assert.equal(code, given, message)
      end
    end
    for _, name in ipairs { "link", "loose", "pipe", "target" } do
      assert.equal("EEXIST", select(3, core.write_file(directory .. "/" .. name, "x", "new")))
    end
    assert.is_true(core.write_file(directory .. "/fresh", "x", "new"))
    assert.equal("kept", scratch.read(link))
    assert.equal("fresh\nlink\nloose\npipe\ntarget\n", names_in(directory))
  end)

  it("is refused where there is no room or no directory, and leaves nothing", function()
    assert.equal("ENOENT", select(3, core.write_file(scratch.path() .. "/a", "x", "shared")))
    assert.equal("ENOTDIR", select(3, core.write_file(scratch.file "" .. "/a", "x", "shared")))
    local ok, message = core.write_file("/dev/full", "x", "shared")
    assert.is_nil(ok)
    assert.matches("not a regular file", message)
  end)
end)

describe("a directory", function()
  local function mode_of(path)
    local pipe <close> = assert(io.popen(("stat -c %%a '%s'"):format(path)))
    return pipe:read "a"
  end

  it("is made for a team as its mode says, whatever the umask", function()
    local path = scratch.path()
    assert.is_true(core.make_directory(path, tonumber("2770", 8)))
    assert.equal("2770\n", mode_of(path))
    assert.is_true(core.make_directory(path))
    assert.equal("2770\n", mode_of(path))
    assert.has_error(function() core.make_directory(path, -1) end)
    assert.has_error(function() core.make_directory(path, 4096) end)
  end)

  it("is made for its owner, once", function()
    local path = scratch.path()
    assert.is_true(core.make_directory(path))
    assert.is_true(core.make_directory(path))
    assert.equal("700\n", mode_of(path))
    local file = assert(core.open_file(path .. "/file", "create"))
    file:close()
    assert.equal("ENOTDIR", select(3, core.make_directory(path .. "/file")))
    assert.equal("ENOENT", select(3, core.make_directory(path .. "/a/b")))
    assert(os.execute(("ln -s nowhere '%s/link'"):format(path)))
    assert.equal("ENOENT", select(3, core.make_directory(path .. "/link")))
    assert.equal("ENOENT", select(3, core.sync_directory(path .. "/a")))
  end)
end)
