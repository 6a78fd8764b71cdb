-- The manual's page on fleets, executed: its files and its command lines against an emulator that
-- is a process of its own.

local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"

local OLD, NEW = "cn-hangzhou/cn-hangzhou-g", "cn-shanghai/cn-shanghai-b"

local function group(name, status)
  local id = "pg-" .. name
  return { id = id, name = name, status = status or "normal", recover_point_age = 60,
    failover_seconds = 20, source = OLD, destination = NEW, pairs = {
      { id = "pair-" .. name .. "-1", source_disk = "d-old-" .. name .. "-1",
        destination_disk = name == "app-1" and "d-new-1" or "d-new-" .. name .. "-1" },
      { id = "pair-" .. name .. "-2", source_disk = "d-old-" .. name .. "-2",
        destination_disk = name == "app-1" and "d-new-2" or "d-new-" .. name .. "-2" } } }
end

-- What the page's table names, and a group that is not ready.
local function world()
  local instances = { { id = "i-db-sh", place = NEW, status = "Stopped" },
    { id = "i-app-sh", place = NEW, status = "Stopped" } }
  local disks = {}
  for _, name in ipairs { "db-1", "app-1" } do
    local host = "i-" .. name .. "-hz"
    instances[#instances + 1] = { id = host, place = OLD, status = "Running" }
    for n = 1, 2 do
      disks[#disks + 1] = { id = ("d-old-%s-%d"):format(name, n), place = OLD, instance = host }
    end
  end
  return { regions = { "cn-hangzhou", "cn-shanghai" }, disks = disks, instances = instances,
    groups = { group "db-1", group "app-1", group "app-2", group("web", "initial_syncing") } }
end

local function blocks()
  local list = {}
  for body in scratch.read "lua/alicloud/manual/fleets.md":gmatch "\n```text\n(.-)\n```" do
    list[#list + 1] = body
  end
  return list
end

local function block_with(text)
  for _, body in ipairs(blocks()) do
    if body:find(text, 1, true) then return body end
  end
  error("no block with " .. text)
end

-- The program that stops the service is a stand-in for one on another machine.
local PREPARE = [[
set -e
dir=$(mktemp -d)
cd "$dir"
export ALICLOUD_DR_JOURNALS=$dir/journals PATH=$dir:$PATH
printf '#!/bin/sh\necho "$@" >>stopped\n' >ssh
chmod +x ssh
cat >fleet.csv <<'END'
%s
END
cat >tiers.txt <<'END'
%s
END
]]

describe("the manual's page on fleets", function()
  it("has lines that do what it says", function()
    local place = scratch.file(core.encode(world()), ".json")
    local emulator <close> = process.start_emulator { arguments = "--world " .. place }
    local lines = block_with "alicloud-dr plan fleet"
    local plan, run = lines:match "^([^\n]+)\n([^\n]+)$"
    local table_text = block_with "group,attach"
    local output = emulator:shell(PREPARE:format(table_text, block_with "# databases first")
      .. plan .. " || echo planned $?\n" .. run .. "\necho ran $?\ncat stopped\n")
    assert.matches("tier 1: 1: pg%-db%-1\n +tier 2: 2: pg%-app%-1, pg%-app%-2\n", output)
    assert.matches("planned 1\n", output)
    assert.matches("✔ completed with exceptions", output)
    assert.matches("! pg%-web was left out: .-; later: alicloud%-dr run failover group=pg%-web",
      output)
    assert.matches("ran 0\napp%-hz systemctl stop shop\n$", output)
    local count = { FailoverDiskReplicaGroup = 0, StartInstance = 0, StopInstance = 0 }
    for _, effect in ipairs(emulator:ledger()) do
      local action = effect.action
      count[action] = count[action] and count[action] + 1 or nil
    end
    assert.same({ FailoverDiskReplicaGroup = 3, StartInstance = 2, StopInstance = 2 }, count)
  end)

  it("says the tiers in ways that are the same", function()
    local place = scratch.file(core.encode(world()), ".json")
    local emulator <close> = process.start_emulator { arguments = "--world " .. place }
    for line in block_with "tier=1:db-* tier=2:app-*":gmatch "[^\n]+" do
      local output = emulator:shell(PREPARE:format("", block_with "# databases first")
        .. "alicloud-dr plan fleet groups=all region=cn-shanghai " .. line .. " || true")
      assert.matches("tier 1: 1: pg%-db%-1\n", output)
      assert.matches("tier 2: 2: pg%-app%-1, pg%-app%-2\n", output)
    end
  end)
end)
