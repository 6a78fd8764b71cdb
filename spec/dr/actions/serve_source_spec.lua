-- Serving where data is copied from: after the sides have changed places, and never at two sides.

local after = require "spec.dr.after_lab"
local dr = require "alicloud.dr"

-- Failed over, reversed, replicating back; nothing runs at either side.
local function moved(given)
  local bench = after.open(given)
  assert(bench:group():reprotect {})
  assert(bench:group():start {})
  bench.emu:advance(1000)
  return bench
end

describe("serving at the source", function()
  it("attaches and starts what was left when the sides changed places", function()
    local bench = moved()
    local served = assert(bench:group():serve { attach = "i-new" })
    assert.equal("serving", served.outcome)
    assert.same({ "i-new" }, served.started)
    assert.equal("cn-shanghai", served.region)
    assert.equal("already_serving", assert(bench:group():serve { attach = "i-new" }).outcome)
  end)

  it("is refused while the other side runs", function()
    local bench = after.new { status = "stopped" }
    for i = 1, 2 do
      assert(bench.client:call("ecs:AttachDisk", { InstanceId = "i-new", DiskId = "d-new-" .. i }))
    end
    assert(bench.client:call("ecs:StartInstance", { InstanceId = "i-new" }))
    bench.emu:advance(60)
    local before = #bench:ledger()
    local result, err = dr.group(bench.client, after.ID, { region = "cn-hangzhou" })
      :serve { attach = "i-old" }
    assert.is_nil(result)
    assert.equal("Client.OldSideInUse", err.code)
    assert.equal("not_sent", err.outcome)
    assert.equal(before, #bench:ledger())
  end)

  it("waits for a disk of the other side that is being detached", function()
    local bench = moved()
    local disk = bench.emu.world.disk_by_id["d-old-1"]
    disk.status, disk.instance = "Detaching", "i-old"
    bench.emu:later(bench.emu:now() + 60, function()
      disk.status, disk.instance = "Available", nil
    end)
    assert.equal("serving", assert(bench:group():serve { attach = "i-new" }).outcome)
    disk.status, disk.instance = "Detaching", "i-old"
    local _, err = bench:group():serve { attach = "i-new", timeout = 120 }
    assert.equal("Client.OldSideInUse", err.code)
  end)

  it("is refused while the other side is out of sight", function()
    local bench = moved()
    bench.emu:region("cn-hangzhou", "blackhole")
    local result, err = bench:group():serve { attach = "i-new", wait_for_cloud = 0 }
    assert.is_nil(result)
    assert.equal("Client.OldSideUnknown", err.code)
    assert.equal(0, after.effects(bench, "StartInstance"))
  end)

  it("is refused where a side that was given up does not know of it", function()
    local bench = after.new { status = "normal", old = "Stopped" }
    assert(bench:group():failover {})
    local old = dr.group(bench.client, after.ID, { region = "cn-hangzhou" })
    local result, err = old:serve { attach = "i-old" }
    assert.is_nil(result)
    assert.equal("not_sent", err.outcome)
    assert.equal(0, after.effects(bench, "StartInstance"))
  end)
end)
