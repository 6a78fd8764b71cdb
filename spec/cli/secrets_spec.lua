-- Where a secret of the environment is while a command runs, for whoever can look.

local process = require "spec.process"

local SECRET, TOKEN = "cAnArY7Ue0FpY2oOq3Wb9ZrK1tHe", "tOkEn4Xc8VmP5nLs2Qa6DdG3hJw"

local is_linux = io.open "/proc/self/smaps" ~= nil
local is_root = io.popen("id -u"):read "a" == "0\n"

-- Mappings that a dump would hold.
local function dumped(pid)
  local list, current = {}, nil
  for line in io.lines(("/proc/%d/smaps"):format(pid)) do
    local from, to, access = line:match "^(%x+)%-(%x+) (%S+)"
    if from then
      current = { from = tonumber(from, 16), to = tonumber(to, 16), name = line }
      if access:find "^rw" then list[#list + 1] = current end
    elseif line:find "^VmFlags:" and (line .. " "):find " dd " then
      if list[#list] == current then list[#list] = nil end
    end
  end
  return list
end

local function found_in_memory(pid, text)
  local memory <close> = assert(io.open(("/proc/%d/mem"):format(pid), "rb"))
  for _, mapping in ipairs(dumped(pid)) do
    memory:seek("set", mapping.from)
    local bytes = memory:read(mapping.to - mapping.from)
    if bytes and bytes:find(text, 1, true) then return mapping.name end
  end
  return nil
end

-- Runs body(pid) while a session waits that has signed and called with both.
local function while_waiting(body)
  local emulator <close> = process.start_emulator()
  local job = emulator:begin(([[
    mkfifo "$TMPDIR/in"
    ALIBABA_CLOUD_ACCESS_KEY_SECRET=%s ALIBABA_CLOUD_SECURITY_TOKEN=%s \
      alicloud-dr repl <"$TMPDIR/in" >"$TMPDIR/out" 2>&1 &
    exec 3>"$TMPDIR/in"
    echo 'ebs:DescribeRegions {}; print "ready"' >&3
    until grep -qs ready "$TMPDIR/out"; do kill -0 $! || exit; sleep 0.02; done
    echo "$!"
    sleep 60 3>&- &
    wait $!]]):format(SECRET, TOKEN))
  local pid = math.tointeger(tonumber(job.pipe:read "l"))
  local ok, raised = pcall(body, pid)
  os.execute("kill " .. pid)
  return ok, raised, job
end

describe("a command that has read its keys", function()
  if not is_linux then return pending "needs /proc" end
  if not is_root then return pending "only root may look into it" end

  it("has no secret in its environment, and none in the memory that a dump would hold", function()
    local ok, raised = while_waiting(function(pid)
      local file <close> = assert(io.open(("/proc/%d/environ"):format(pid), "rb"))
      local environment = file:read "a"
      assert.is_nil(environment:find(SECRET, 1, true))
      assert.is_nil(environment:find(TOKEN, 1, true))
      assert.is_truthy(environment:find("ALIBABA_CLOUD_ENDPOINT=", 1, true))
      -- The token is a part of every request, and so in buffers; alone it opens nothing.
      -- AddressSanitizer keeps a copy of /proc/self/environ for itself.
      if not os.getenv "ALICLOUD_PRELOAD" then assert.is_nil(found_in_memory(pid, SECRET)) end
      local limits <close> = assert(io.open(("/proc/%d/limits"):format(pid)))
      assert.matches("Max core file size%s+0 ", limits:read "a")
    end)
    assert(ok, raised)
  end)
end)

describe("a program of a playbook", function()
  it("gets keys only where the playbook asks, and its words reach the terminal clean", function()
    local emulator <close> = process.start_emulator()
    local output = emulator:shell([[cat >"$TMPDIR/book.lua" <<'END'
      return require "alicloud.dr".playbook("hooks", function(run)
        run:step("plain", function(own)
          return own:program "env | grep -E 'SECRET|PASSWORD' >&2; true"
        end)
        run:step("asked", function(own)
          return own:program("env | grep -E 'SECRET|PASSWORD' >&2; "
            .. "printf '\\033]0;x\\007\\n' >&2", nil, { credentials = true })
        end)
        run:step("odd", { on_error = "continue" }, function(own)
          return own:program("true", nil, { credential = true })
        end)
      end)
END
      export ALICLOUD_DR_JOURNALS="$TMPDIR" ALICLOUD_DR_STORE_PASSWORD=canary
      alicloud-dr run "$TMPDIR/book.lua" --region cn-shanghai --as x]])
    assert.is_nil(output:find("| plain:", 1, true), output)
    assert.matches("  | asked: ALICLOUD_DR_STORE_PASSWORD=canary", output)
    assert.matches("  | asked: ALIBABA_CLOUD_ACCESS_KEY_SECRET=%S", output)
    assert.matches("  | asked: \\x1b%]0;x\\x07\n", output)
    assert.matches('playbook: program: unknown option "credential"; did you mean ', output)
    assert.is_nil(output:find "\27")
  end)
end)
