-- The way back from a fence: exactly what it has taken, by looking, and never beside a second site.

local after = require "spec.dr.after_lab"
local lab = require "spec.dr.lab"

local function calls(bench)
  local list = {}
  for _, effect in ipairs(bench:ledger()) do
    list[#list + 1] = ("%s %s"):format(effect.action, effect.disk or effect.instance)
  end
  return table.concat(list, ", ")
end

local FENCED = "StopInstance i-old, DetachDisk d-old-1, DetachDisk d-old-2"
local BACK = FENCED .. ", AttachDisk d-old-1, AttachDisk d-old-2, StartInstance i-old"

local function device(bench, id) return bench.emu.world.disk_by_id[id].device end

describe("unfence", function()
  it("attaches under the same name and starts what the fence has taken, once", function()
    local world = after.world()
    world.disks[1].device, world.disks[2].device = "/dev/xvdf", "/dev/xvdc"
    local bench = lab.new { world = world }
    local fenced = assert(bench:run "fence")
    assert.equal("/dev/xvdf", fenced.before[1].device)
    local result = assert(bench:run("unfence", { fenced = fenced }))
    assert.equal("unfenced", result.outcome)
    assert.equal(BACK, calls(bench))
    assert.equal("/dev/xvdf", device(bench, "d-old-1"))
    assert.equal("/dev/xvdc", device(bench, "d-old-2"))
    assert.equal("Running", bench.emu.world.instance_by_id["i-old"].status)
    assert.equal("already_unfenced", assert(bench:run("unfence", { fenced = fenced })).outcome)
    assert.equal(BACK, calls(bench))
  end)

  it("does not start what had not run, nor attach what was free", function()
    local bench = after.new { old = "Stopped" }
    local fenced = assert(bench:run "fence")
    local result = assert(bench:run("unfence", { fenced = fenced }))
    assert.same({}, result.started)
    assert.same({ "d-old-1", "d-old-2" }, result.attached)
    local free = after.new { old = false }
    fenced = assert(free:run "fence")
    assert.equal("already_unfenced", assert(free:run("unfence", { fenced = fenced })).outcome)
    assert.equal("", calls(free))
  end)

  it("goes on from a fence that broke off", function()
    for nth, action in pairs { "StopInstance", "DetachDisk", "DetachDisk" } do
      local bench = after.new(nil, { faults = { { match = { action = action, nth = nth == 3 and 2
        or 1 }, effect = lab.answer("Forbidden", 403) } } })
      local _, err = bench:run "fence"
      assert.equal("Forbidden", err.code)
      assert(bench:run("unfence", { fenced = err.done_so_far }))
      assert.equal("Running", bench.emu.world.instance_by_id["i-old"].status, nth)
      for i = 1, 2 do assert.equal("i-old", bench.emu.world.disk_by_id["d-old-" .. i].instance) end
    end
  end)

  it("waits for a stop and a detach that are under way", function()
    local bench = after.new()
    local fenced = assert(bench:run "fence")
    local world = bench.emu.world
    for i = 1, 2 do
      local disk = world.disk_by_id["d-old-" .. i]
      disk.status, disk.instance = "Detaching", "i-old"
    end
    world.instance_by_id["i-old"].status = "Stopping"
    bench.emu:later(bench.emu:now() + 60, function()
      for i = 1, 2 do
        local disk = world.disk_by_id["d-old-" .. i]
        disk.status, disk.instance = "Available", nil
      end
      world.instance_by_id["i-old"].status = "Stopped"
    end)
    assert(bench:run("unfence", { fenced = fenced }))
    assert.equal("Running", world.instance_by_id["i-old"].status)
  end)

  it("is refused once the group is opened elsewhere, or has been turned", function()
    for status, code in pairs { failovered = "Client.AlreadyOpened",
      failovering = "Client.AlreadyOpened", failover_failed = "Client.AlreadyOpened" } do
      local bench = after.new()
      local fenced = assert(bench:run "fence")
      bench.emu:group(lab.ID).status = status
      for _, pair in ipairs(bench.emu:group(lab.ID).pairs) do pair.status = status end
      local before = calls(bench)
      local _, err = bench:run("unfence", { fenced = fenced })
      assert.equal(code, err.code)
      assert.equal("not_sent", err.outcome)
      assert.equal(before, calls(bench))
    end
  end)

  it("leaves a disk where somebody else has taken it, and says where", function()
    local bench = after.new()
    local fenced = assert(bench:run "fence")
    local world = bench.emu.world
    world.disk_by_id["d-old-1"].status = "In_use"
    world.disk_by_id["d-old-1"].instance = "i-elsewhere"
    local _, err = bench:run("unfence", { fenced = fenced })
    assert.equal("InvalidDisk.InUse", err.code)
    assert.matches("i%-elsewhere", err.message)
    assert.equal(FENCED, calls(bench))
  end)

  it("asks before anything is brought back, and needs to know what", function()
    local bench, asked = after.new(), nil
    local fenced = assert(bench:run "fence")
    local _, err = bench:run("unfence", { fenced = fenced,
      confirm = function(plan) asked = plan end })
    assert.equal("Client.NotConfirmed", err.code)
    assert.equal(2, #asked.attach)
    assert.equal("i-old", asked.start[1].id)
    assert.has_error(function() bench:group():unfence {} end)
    assert.has_error(function() bench:group():unfence { fenced = { before = {} } } end)
    fenced.group_id = "pg-other"
    _, err = bench:run("unfence", { fenced = fenced })
    assert.equal("Client.WrongGroup", err.code)
  end)
end)
