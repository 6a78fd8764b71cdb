-- .ci/setup with stand-ins for apt-get and what it asks: nothing is installed.
local scratch = require "spec.scratch"

local STAND_INS = {
  ["id"] = "echo 1000",
  ["sudo"] = 'exec "$@"',
  ["dpkg-query"] = "exit 1",
  ["systemctl"] = ":",
  -- The policy is seen while packages are installed; then the shell above gets the signal, if any.
  ["apt-get"] = 'cp "$POLICY_RC_D" "$SEEN" && [ "$SIGNAL" = none ] || kill -"$SIGNAL" $PPID',
}

-- Where the policy is, where a copy of it was put during the installation, and the exit status.
local function set_up(goal, signal, before)
  local directory, root = scratch.directory(), os.getenv "PWD"
  for name, line in pairs(STAND_INS) do
    scratch.write(directory .. "/" .. name, "#!/bin/sh\n" .. line .. "\n")
  end
  local policy, seen = directory .. "/policy-rc.d", directory .. "/seen"
  if before then scratch.write(policy, before) end
  local _, _, status = os.execute(([[chmod 755 '%s'/*; cd '%s' && env PATH='%s':"$PATH" \
    POLICY_RC_D='%s' SEEN='%s' SIGNAL=%s '%s/.ci/setup' %s 2>/dev/null]]):format(directory,
    directory, directory, policy, seen, signal, root, goal))
  return policy, seen, status
end

describe(".ci/setup", function()
  for signal, status in pairs { none = 0, HUP = 129, INT = 130, TERM = 143 } do
    it("lets no server start, and leaves no policy behind: signal " .. signal, function()
      local policy, seen, got = set_up("test", signal)
      assert.equal(status, got)
      assert.truthy(scratch.read(seen):find("exit 101", 1, true))
      assert.is_nil((io.open(policy)))
    end)
  end

  it("leaves a policy alone that was there before", function()
    local policy = set_up("hosts", "none", "its own")
    assert.equal("its own", scratch.read(policy))
  end)
end)
