-- .ci/setup with stand-ins for apt-get and what it asks: nothing is installed.
local scratch = require "spec.scratch"

local STAND_INS = {
  ["id"] = "echo 1000",
  ["sudo"] = 'exec "$@"',
  ["dpkg-query"] = "exit 1",
  ["sleep"] = "exit 0",
  ["systemctl"] = 'echo "$*" >>"${0%/*}/calls"',
  -- The policy is seen while packages are installed; then somebody gets the signal, if any.
  ["apt-get"] = 'cp "$POLICY_RC_D" "$SEEN"; eval "$THEN"',
}

-- What there is in a directory, in the end.
local function left_in(directory)
  local names = {}
  for path in io.popen(("cd '%s' && find . -type f"):format(directory)):lines() do
    local name = path:sub(3)
    if not STAND_INS[name] and name ~= "seen" and name ~= "calls" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- The directory, what was seen of the policy during the installation, and the exit status.
local function set_up(goal, what_then, before)
  local directory, root = scratch.directory(), os.getenv "PWD"
  for name, line in pairs(STAND_INS) do
    scratch.write(directory .. "/" .. name, "#!/bin/sh\n" .. line .. "\n")
  end
  local policy, seen = directory .. "/policy-rc.d", directory .. "/seen"
  if before then scratch.write(policy, before) end
  local _, _, status = os.execute(([[chmod 755 '%s'/*; cd '%s' && env PATH='%s':"$PATH" \
    POLICY_RC_D='%s' SEEN='%s' THEN='%s' timeout -k 1 100 '%s/.ci/setup' %s 2>/dev/null]]):format(
    directory, directory, directory, policy, seen, what_then, root, goal))
  return directory, scratch.read(seen), status
end

local STATUS = { HUP = 129, INT = 130, TERM = 143 }

describe(".ci/setup", function()
  it("lets no server start, and leaves no policy behind", function()
    local directory, seen, status = set_up("test", "true")
    assert.equal(0, status)
    assert.truthy(seen:find("exit 101", 1, true))
    assert.same({ "build/setup.log" }, left_in(directory))
  end)

  it("keeps servers from starting with the machine", function()
    local directory = set_up("test", "true")
    assert.equal("disable --now nginx\ndisable --now etcd\n", scratch.read(directory .. "/calls"))
  end)

  for signal, expected in pairs(STATUS) do
    it("leaves nothing behind when it is ended, whatever apt-get does: " .. signal, function()
      for _, then_what in ipairs { "kill -%s $PPID", "kill -%s $PPID; exit 1",
        "kill -%s $PPID; kill -%s $PPID; /bin/sleep 0.1", "kill -%s $PPID; kill -TERM $$" } do
        local directory, seen, status = set_up("test", (then_what:gsub("%%s", signal)))
        assert.equal(expected, status)
        assert.truthy(seen:find("exit 101", 1, true))
        assert.same({}, left_in(directory))
      end
    end)
  end

  it("leaves only the log, which it names, where apt-get is ended or fails", function()
    for _, then_what in ipairs { "kill -TERM $$", "kill -INT $$; exit 1", "exit 100" } do
      local directory, _, status = set_up("check", then_what)
      assert.equal(1, status)
      assert.same({ "build/setup.log" }, left_in(directory))
    end
  end)

  it("tries again where a mirror, or the lock of the lists, fails for a moment", function()
    local fails = 'echo called >>"${0%%/*}/calls"; test $(wc -l <"${0%%/*}/calls") -gt %d'
    local directory, _, status = set_up("model", fails:format(6))
    assert.equal(0, status)
    assert.equal(("called\n"):rep(7), scratch.read(directory .. "/calls"))
    assert.same({ "build/setup.log" }, left_in(directory))
    directory, _, status = set_up("model", fails:format(100))
    assert.equal(1, status)
    assert.equal(("called\n"):rep(7), scratch.read(directory .. "/calls"))
  end)

  it("does not go on where somebody ends apt-get", function()
    local directory, _, status = set_up("model", 'echo called >>"${0%/*}/calls"; kill -TERM $$')
    assert.equal(1, status)
    assert.equal("called\n", scratch.read(directory .. "/calls"))
  end)

  it("leaves a policy alone that was there before", function()
    local directory, _, status = set_up("hosts", "true", "its own")
    assert.equal(0, status)
    assert.equal("its own", scratch.read(directory .. "/policy-rc.d"))
    directory, _, status = set_up("hosts", "kill -TERM $PPID", "its own")
    assert.equal(143, status)
    assert.equal("its own", scratch.read(directory .. "/policy-rc.d"))
  end)
end)
