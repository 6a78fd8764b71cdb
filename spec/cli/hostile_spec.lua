-- Playbooks of hostile people (spec/hostile/, each says at its head what it tries) under `plan`,
-- `explore` and `policy`: nothing of the machine, of the account and of the network is touched, and
-- nothing is told that was not to be told. The kernel's own record is the witness.

local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"
local socket = require "socket"

local CANARY = "Canary5172of7391"
local has_strace = os.execute "strace -o /dev/null true 2>/dev/null" == true

local function lines_of(command)
  local pipe <close> = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do list[#list + 1] = line end
  return list
end

local function home()
  local path = scratch.directory()
  assert(os.execute(("mkdir -m 700 '%s/.aliyun'"):format(path)))
  local text = core.encode { current = "x", profiles = core.array { { name = "x", mode = "AK",
    access_key_id = "key", access_key_secret = CANARY, region_id = "cn-shanghai" } } }
  scratch.write(path .. "/.aliyun/config.json", text)
  assert(os.execute(("chmod 600 '%s/.aliyun/config.json'"):format(path)))
  return path
end

-- The playbooks with the names of this machine in them.
local function written(values)
  local directory, paths = scratch.directory(), {}
  for _, path in ipairs(lines_of "ls spec/hostile/*.lua") do
    local text = scratch.read(path):gsub("@(%u+)@", values)
    local own = directory .. "/" .. path:match "[^/]+$"
    scratch.write(own, text)
    paths[#paths + 1] = own
  end
  return paths, directory
end

local COMMAND = "env HOME='%s' CANARY=%s ALIBABA_CLOUD_ENDPOINT=%s ALIBABA_CLOUD_ACCESS_KEY_ID=%s "
  .. "ALIBABA_CLOUD_ACCESS_KEY_SECRET=%s %s lua5.4 spec/looker.lua %s %s 2>&1 </dev/null"
local STRACE = "strace -ff -s 300 --seccomp-bpf -o %s/log -e trace=%%file,%%network,%%process,kill,"
  .. "tgkill,seccomp,ftruncate,fchmod,ptrace"

local TURNS = 2
-- strace gives up if a process is killed just while it is being told of a signal (seen in 6.1).
local STRACE_GAVE_UP = "strace: ptrace(PTRACE_LISTEN"
local TRIES = 4

local function begin(emulator, at_home, paths)
  local turn = { output = scratch.path(), trace = scratch.directory() }
  local start = emulator.start
  turn.pipe = assert(io.popen(COMMAND:format(at_home, CANARY, start.endpoint, start.access_key_id,
    start.access_key_secret, has_strace and STRACE:format(turn.trace) or "", turn.output,
    table.concat(paths, " "))))
  return turn
end

-- Whether it came to its end; what is left to do is another try where strace did not.
local function finish(turn, tries)
  local said = turn.pipe:read "a"
  local ok, how, code = turn.pipe:close()
  local again = tries < TRIES and said:find(STRACE_GAVE_UP, 1, true)
  assert(ok or again, ("ended by %s %s: %s"):format(how, code, said:sub(-2000)))
  return ok
end

-- Two at a time, as a machine has two processors.
local function run(emulator, at_home, paths)
  local traces, begun, ran, lists = {}, {}, {}, {}
  for n = 1, TURNS do
    lists[n] = {}
    for at = n, #paths, TURNS do lists[n][#lists[n] + 1] = paths[at] end
    begun[n] = begin(emulator, at_home, lists[n])
  end
  for n, turn in ipairs(begun) do
    local tries = 1
    while not finish(turn, tries) do
      turn, tries = begin(emulator, at_home, lists[n]), tries + 1
    end
    traces[n] = turn.trace
    for line in io.lines(turn.output) do
      ran[#ran + 1] = core.decode(line, { max_bytes = 1 << 26 })
    end
  end
  return ran, traces
end

-- AddressSanitizer takes no limit of memory, and does not let itself be traced.
if os.getenv "ALICLOUD_PRELOAD" then return end

describe("hostile playbooks", function()
  local ran, traces, effects, strangers, mark, written_at, count

  setup(function()
    local emulator <close> = process.start_emulator {}
    local server = assert(socket.bind("127.0.0.1", 0))
    local _, port = server:getsockname()
    local at_home = home()
    mark = scratch.path()
    local paths
    paths, written_at = written { EVIL = "http://127.0.0.1:" .. port, HOME = at_home, MARK = mark }
    count = #paths
    ran, traces = run(emulator, at_home, paths)
    effects = emulator:effects()
    server:settimeout(0)
    strangers = server:accept()
    server:close()
  end)

  it("are many, each says what it tries, and every command ends by itself", function()
    assert.is_true(count >= 60)
    for _, path in ipairs(lines_of "ls spec/hostile/*.lua") do
      assert.matches("^%-%- %u[^\n]+\n", scratch.read(path))
    end
    assert.equal(3 * count, #ran)
    for _, one in ipairs(ran) do
      assert.is_true(one.ok, one.path .. ": " .. tostring(one.code))
      assert.is_true(one.code <= 2, one.path .. ": " .. one.said)
    end
  end)

  it("change nothing, write nothing, ask nobody else", function()
    assert.equal(0, effects)
    assert.is_nil(strangers)
    assert.is_nil(io.open(mark))
    assert.equal(count, #lines_of("ls -A " .. written_at))
  end)

  it("learn no secret, and say nothing that a terminal obeys", function()
    for _, one in ipairs(ran) do
      local where = one.command .. " " .. one.path
      assert.is_nil(one.said:find(CANARY, 1, true), where)
      assert.is_nil(one.said:find("emulator-secret", 1, true), where)
      assert.is_nil(one.said:find "[%z\1-\8\11-\31\127]", where)
      assert.is_nil(one.said:find "\xc2[\x80-\x9f]", where)
      assert.is_nil(one.said:find "\xe2\x80[\xaa-\xae]", where)
      assert.is_true(#one.said < 1 << 20, where)
    end
  end)

  it("are ended where they have no end", function()
    local ended = {}
    for _, one in ipairs(ran) do
      local name = one.path:match "([%w_]+)%.lua$"
      for _, words in ipairs { "out of time", "out of memory", "for too long", "200 calls" } do
        if one.said:find(words, 1, true) then ended[name] = true end
      end
    end
    for _, name in ipairs { "endless_top", "endless_pcall", "endless_find", "endless_coroutine",
      "endless_finalizer", "endless_reads", "memory_rep", "frames_lines" } do
      assert.is_true(ended[name], name)
    end
  end)

  local witness = has_strace and it or pending
  witness("ask the kernel for nothing, once they are begun (strace)", function()
    local children = 0
    local logs = lines_of(("ls %s/log.* %s/log.*"):format(table.unpack(traces)))
    for _, log in ipairs(logs) do
      local is_child, is_held = false, false
      for line in io.lines(log) do
        local name, rest = line:match "^([%w_]+)%((.*)$"
        if name == "execve" and rest:find "= 0$" and not rest:find("looker", 1, true) then
          assert.matches('"%-E", "[^"]+/confined%.lua"', rest)
          is_child, children = true, children + 1
        end
        -- What has no end in the record was cut by the end of the process.
        local failed = not name or rest:find "= %-1 E" or not rest:find "= %-?[%dx]" or is_held
          and (name:find "^sendto" or name:find "^recvfrom")
        if is_child and not failed then
          assert.is_false(is_held, line)
          local is_allowed = name == "execve" or name == "seccomp" or name == "getsockopt"
            or name == "access" or name:find "open" and not rest:find "O_WRONLY" or name:find "stat"
            or name == "readlink" or name == "prlimit64" or name == "exit_group" or name == "getcwd"
          assert.is_truthy(is_allowed, line)
        end
        is_held = is_held or is_child and name == "seccomp" and rest:find("FILTER", 1, true) ~= nil
          and rest:find "= 0$" ~= nil
      end
    end
    assert.is_true(children >= 3 * count)
  end)
end)
