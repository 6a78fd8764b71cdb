-- A side is fenced as a whole: the calls leave one after the other, one reading tells of all what
-- has become of them, and what a reading lacks is looked at by itself.

local after = require "spec.dr.after_lab"
local lab = require "spec.dr.lab"

local PLACE = "cn-hangzhou/cn-hangzhou-g"

-- A group of so many disks, each on an instance of its own, or all on one.
local function world_of(count, instances)
  local world = after.world()
  world.groups[1].pairs, world.disks, world.instances = {}, {}, {}
  for i = 1, count do
    local id = ("d-%03d"):format(i)
    world.groups[1].pairs[i] = { id = ("pair-%03d"):format(i), source_disk = id,
      destination_disk = id .. "-new" }
    world.disks[i] = { id = id, place = PLACE, device = "/dev/xvd" .. string.char(97 + i % 26),
      instance = ("i-%03d"):format((i - 1) % instances + 1) }
  end
  for i = 1, instances do
    world.instances[i] = { id = ("i-%03d"):format(i), place = PLACE, status = "Running" }
  end
  return world
end

local function calls(bench)
  local counted = {}
  for _, request in ipairs(bench:requests()) do
    counted[request.action] = (counted[request.action] or 0) + 1
  end
  return counted
end

local function times(bench, action)
  local list = {}
  for _, effect in ipairs(bench:ledger()) do
    if effect.action == action then list[#list + 1] = effect.time end
  end
  return list
end

local function disk(bench, id) return bench.emu.world.disk_by_id[id] end

-- Lists of several disks lack one, as long as `hides` says so; a list of it alone does not.
local function hide(bench, id, hides)
  after.edit(bench, function(action, _, body)
    local list = action == "DescribeDisks" and body.Disks.Disk or {}
    if #list < 2 or not hides() then return end
    for i = #list, 1, -1 do
      if list[i].DiskId == id then table.remove(list, i) end
    end
  end)
end

describe("the fence of a side", function()
  it("reads three disks on three instances as it reads one", function()
    local one, three = lab.new { world = world_of(1, 1) }, lab.new { world = world_of(3, 3) }
    local short, long = assert(one:run "fence"), assert(three:run "fence")
    assert.same({ "d-001", "d-002", "d-003" }, long.detached)
    assert.same({ "i-001", "i-002", "i-003" }, long.stopped)
    assert.is_true(long.elapsed < short.elapsed + 1, long.elapsed)
    local few, many = calls(one), calls(three)
    assert.equal(few.DescribeInstances, many.DescribeInstances)
    -- What else lies on an instance is asked of each.
    assert.equal(few.DescribeDisks + 2, many.DescribeDisks)
    assert.same({ 3, 3 }, { many.StopInstance, many.DetachDisk })
    assert.is_true(#three:requests() <= 30, #three:requests())
  end)

  it("reads a hundred and twenty disks by the hundred", function()
    local bench = lab.new { world = world_of(120, 4) }
    local result = assert(bench:run "fence")
    assert.equal(120, #result.detached)
    local counted = calls(bench)
    assert.same({ 4, 120 }, { counted.StopInstance, counted.DetachDisk })
    assert.is_true(counted.DescribeDisks <= 26, counted.DescribeDisks)
    assert.is_true(counted.DescribeInstances <= 12, counted.DescribeInstances)
    assert.equal("already_fenced", assert(bench:run "fence").outcome)
  end)

  it("looks by itself at what a list of several lacks, and concludes nothing from that", function()
    local bench, detaching = lab.new { world = world_of(3, 1) }, nil
    hide(bench, "d-002", function()
      detaching = detaching or disk(bench, "d-001").status == "Detaching"
      return detaching and disk(bench, "d-002").status ~= "Available"
    end)
    local result = assert(bench:run "fence")
    assert.is_true(detaching)
    assert.same({ "d-001", "d-002", "d-003" }, result.detached)
    assert.equal(3, calls(bench).DetachDisk)
    local alone = 0
    for _, event in ipairs(bench.events) do
      if event.event == "state" and event.state:find "^d%-002" then alone = alone + 1 end
      assert.is_not.equal("unknown", event.phase)
    end
    assert.is_true(alone > 2, alone)
  end)

  it("waits for a disk that is on no instance, and not free yet", function()
    for _, status in ipairs { "Detaching", "Creating" } do
      local bench = lab.new { world = world_of(3, 1) }
      local record = disk(bench, "d-002")
      record.instance, record.device, record.status = nil, nil, status
      bench.emu:later(bench.emu:now() + 50, function() record.status = "Available" end)
      local result = assert(bench:run "fence")
      assert.same({ "d-001", "d-003" }, result.detached)
      assert.equal(2, calls(bench).DetachDisk)
      assert.is_true(result.elapsed >= 50)
    end
  end)

  it("looks at the one disk whose status is refused, and sends for the others", function()
    local bench = lab.new { world = world_of(3, 1), faults = { { match = { action = "DetachDisk",
      nth = 2 }, effect = lab.answer("IncorrectDiskStatus", 403) } } }
    local result = assert(bench:run "fence")
    assert.same({ "d-001", "d-002", "d-003" }, result.detached)
    assert.equal(4, calls(bench).DetachDisk)
  end)

  it("sends no more to an instance than it detaches at a time", function()
    local bench = lab.new { world = world_of(4, 1), faults = { { match = { action = "DetachDisk",
      nth = 3 }, effect = lab.answer("DisksDetachingOnEcsExceeded", 400) } } }
    local result = assert(bench:run "fence")
    assert.same({ "d-001", "d-002", "d-003", "d-004" }, result.detached)
    assert.equal(5, calls(bench).DetachDisk)
    local at = times(bench, "DetachDisk")
    assert.is_true(at[2] - at[1] < 1 and at[4] - at[3] < 1)
    assert.is_true(at[3] - at[2] > 9)
  end)

  it("waits for what was sent before a call is refused, and sends nothing after it", function()
    local bench = lab.new { world = world_of(3, 3), faults = { { match = { action = "StopInstance",
      nth = 2 }, effect = lab.answer("Forbidden", 403) } } }
    local result, err = bench:run "fence"
    assert.is_nil(result)
    assert.equal("Forbidden", err.code)
    assert.same({ "i-001" }, err.done_so_far.stopped)
    assert.same({}, err.done_so_far.detached)
    assert.equal("Stopped", bench.emu.world.instance_by_id["i-001"].status)
    assert.same({ 2, nil }, { calls(bench).StopInstance, calls(bench).DetachDisk })
  end)

  it("gives each its own time, whatever the calls after it have taken", function()
    local bench = lab.new { world = world_of(2, 2), faults = { { match = { action = "StopInstance",
      nth = 2, count = 1 }, effect = { drop = true } } } }
    local result = assert(bench:run("fence", { timeout = 20 }))
    assert.same({ "i-001", "i-002" }, result.stopped)
  end)

  it("is refused for an instance that others share, whichever it is", function()
    local world = world_of(3, 3)
    world.disks[4] = { id = "d-z", place = PLACE, instance = "i-003" }
    world.pairs = { { id = "pair-z", source = PLACE, source_disk = "d-z",
      destination = "cn-shanghai/cn-shanghai-b", status = "normal" } }
    local bench = lab.new { world = world }
    local _, err = bench:run "fence"
    assert.equal("Client.SharedInstance", err.code)
    assert.equal("not_sent", err.outcome)
    assert.same({}, bench:ledger())
  end)
end)

describe("the way back from a fence", function()
  it("takes disks of known device names together", function()
    local bench = lab.new { world = world_of(3, 3) }
    local fenced = assert(bench:run "fence")
    local before = #bench:requests()
    local result = assert(bench:run("unfence", { fenced = fenced }))
    assert.same({ "d-001", "d-002", "d-003" }, result.attached)
    assert.same({ "i-001", "i-002", "i-003" }, result.started)
    local at = times(bench, "AttachDisk")
    assert.is_true(at[3] - at[1] < 1)
    assert.is_true(#bench:requests() - before <= 30, #bench:requests() - before)
  end)

  it("attaches one after the other where an instance has yet to name devices", function()
    local bench = lab.new { world = world_of(2, 1) }
    local fenced = assert(bench:run "fence")
    for _, use in ipairs(fenced.before) do use.device = nil end
    assert(bench:run("unfence", { fenced = fenced }))
    local at = times(bench, "AttachDisk")
    assert.is_true(at[2] - at[1] >= 3)
  end)
end)
