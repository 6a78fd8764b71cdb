-- A fleet that two processes take, over a real etcd and an emulator behind a socket. One of them is
-- killed in the middle; the other one finishes.

local clusters = require "spec.etcd.cluster"
local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"
local worlds = require "spec.worlds"

local COUNT = 24

local SCRIPT = [[
local alicloud, core, dr = require "alicloud", require "alicloud.core", require "alicloud.dr"
local client = alicloud.client { plain_http = true }
local items, ended = {}, 0
for i = 1, %d do
  items[i] = { account = "100001", group = ("pg-%%02d"):format(i), region = "cn-shanghai" }
end
local fleet = assert(dr.fleet { store = %q, name = "night", loop = client.loop, items = items,
  playbook = require "alicloud.playbooks.failover", params = { max_rpo = "1h", fence = "no" },
  client = function() return client end, workers = 6, ttl = arg[1] and 6 or 15,
  progress = function(event)
    if event.type == "item" then
      io.stdout:write(event.item.group, " ", event.ending.outcome, "\n"):flush()
      ended = ended + 1
      if ended == 3 and arg[1] then require "spec.posix".kill(core.pid(), "KILL") end
    end
  end })
local result = assert(fleet:run())
print(("%%d done, %%d left, %%d here"):format(result.done, result.left, result.ran))
fleet:close()
]]

describe("a fleet of two processes", function()
  it("is finished by the other one when one is killed", function()
    local missing = clusters.missing()
    if missing then return pending(missing) end
    local cluster <close> = clusters.start()
    local store = ("etcd+%s/night"):format(cluster.address)
    local emulator <close> = process.start_emulator { speed = 60,
      arguments = "--world " .. scratch.file(core.encode(worlds.of_groups(COUNT)), ".json") }
    local script = scratch.file(SCRIPT:format(COUNT, store), ".lua")
    -- The other one begins when the first has items under way, and is gone.
    local output = emulator:shell(([[
      lua5.4 %s dies & first=$!
      wait $first; echo "first: exit code $?"
      lua5.4 %s; echo "second: exit code $?"]]):format(script, script))
    assert.matches("first: exit code 137", output)
    assert.matches("second: exit code 0", output)
    assert.matches(COUNT .. " done, 0 left", output)
    local seen = {}
    for _, effect in ipairs(emulator:ledger()) do
      assert.is_nil(seen[effect.group], effect.group)
      seen[effect.group] = true
    end
    for i = 1, COUNT do assert.is_true(seen[("pg-%02d"):format(i)]) end
  end)

  it("goes on where one was interrupted, by the command that it has printed", function()
    local missing = clusters.missing()
    if missing then return pending(missing) end
    local cluster <close> = clusters.start()
    local emulator <close> = process.start_emulator { speed = 60,
      arguments = "--world " .. scratch.file(core.encode(worlds.of_groups(COUNT)), ".json") }
    local output = emulator:interrupt(("env ALICLOUD_DR_ACCOUNT=100001 alicloud-dr fleet night "
      .. "groups=all region=cn-shanghai fence=no --workers 4 --yes --store etcd+%s/night"):format(
      cluster.address), "pg-01")
    assert.matches("exit code 130", output)
    local keys = cluster:ctl("get", "--prefix", "--keys-only", "/night/v1/")
    assert.is_nil(keys:find "/lock")
    assert.is_nil(keys:find "/taken/")
    output = emulator:shell("env ALICLOUD_DR_ACCOUNT=100001 "
      .. output:match "go on:  (alicloud%-dr fleet [^\n]*)\n")
    assert.matches(("of %d: %d done"):format(COUNT, COUNT), output)
    assert.equal(COUNT, emulator:effects())
  end)
end)
