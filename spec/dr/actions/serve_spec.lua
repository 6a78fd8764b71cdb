-- Serving waits for what passes by itself, and what was seen open is served whatever the other site
-- still says.

local after = require "spec.dr.after_lab"
local dr = require "alicloud.dr"
local lab = require "spec.dr.lab"

-- For some seconds the records of a list are shown otherwise, or not at all.
local function shown_for(seconds, action, path, change)
  local bench = after.open()
  local began = bench.emu:now()
  after.edit(bench, function(asked, region, body)
    if asked ~= action or region ~= lab.SECONDARY or bench.emu:now() >= began + seconds then
      return
    end
    local list = body[path[1]][path[2]]
    for i = #list, 1, -1 do
      if change(list[i]) == false then table.remove(list, i) end
    end
  end)
  return bench
end

local DISKS, INSTANCES = { "Disks", "Disk" }, { "Instances", "Instance" }

local function waits(bench, seconds, words)
  local began = bench.emu:now()
  local result = assert(bench:run("serve", { attach = "i-new" }))
  assert.equal("serving", result.outcome)
  assert.is_true(bench.emu:now() - began >= seconds)
  local waiting = assert(bench:event "waiting")
  assert.matches(words, waiting.reason)
  assert.equal("serve", waiting.verb)
  assert.is_true(waiting.left > 0 and waiting.pause > 0)
  assert.equal(2, after.effects(bench, "AttachDisk"))
  assert.equal(1, after.effects(bench, "StartInstance"))
end

describe("serve waits", function()
  for _, status in ipairs { "Creating", "ReIniting", "Detaching" } do
    it("for a disk that is " .. status, function()
      waits(shown_for(200, "DescribeDisks", DISKS, function(disk) disk.Status = status end), 200,
        status)
    end)
  end

  it("for a disk that still hangs on the instance that it is detached from", function()
    waits(shown_for(30, "DescribeDisks", DISKS, function(disk)
      disk.Status, disk.InstanceId = "Detaching", "i-elsewhere"
    end), 30, "d%-new%-1")
  end)

  it("for disks that are not listed yet", function()
    waits(shown_for(60, "DescribeDisks", DISKS, function() return false end), 60, "not listed")
  end)

  it("for an instance that is on its way to be stopped", function()
    waits(shown_for(90, "DescribeInstances", INSTANCES, function(instance)
      instance.Status = "Stopping"
    end), 90, "Stopping")
  end)

  it("a moment for an instance that a list lacks", function()
    waits(shown_for(8, "DescribeInstances", INSTANCES, function() return false end), 8,
      "not listed")
  end)

  it("for a group or a pair that a list shows as before its failover", function()
    for _, list in ipairs { "ReplicaGroups", "ReplicaPairs" } do
      for _, status in ipairs { "normal", "failovering" } do
        local bench, shown = after.open(), 0
        after.edit(bench, function(_, region, body)
          if region ~= lab.SECONDARY or not body[list] or #body[list] == 0 then return end
          shown = shown + 1
          if shown == 1 then body[list][1].Status = status end
        end)
        assert.equal("serving", assert(bench:run("serve", { attach = "i-new" })).outcome)
      end
    end
    local bench = after.new()
    local began = bench.emu:now()
    local _, err = bench:run("serve", { attach = "i-new" })
    assert.equal("OperationDenied.InvalidStatus", err.code)
    assert.is_true(bench.emu:now() - began < 40)
  end)

  it("no longer than its timeout, and not for what stays", function()
    local function refused(status, least, most)
      local bench = shown_for(math.huge, "DescribeDisks", DISKS, function(disk)
        disk.Status = status
      end)
      local began = bench.emu:now()
      local _, err = bench:run("serve", { attach = "i-new", timeout = 120 })
      assert.equal("IncorrectDiskStatus", err.code)
      assert.equal("not_sent", err.outcome)
      local took = bench.emu:now() - began
      assert.is_true(took >= least and took <= most, status .. " " .. took)
      assert.same({}, bench:ledger())
    end
    refused("Creating", 120, 140)
    refused("Fenced", 0, 10)
  end)

  it("for a refusal because the disk is not ready, which passes", function()
    local bench = after.open { faults = { { match = { action = "AttachDisk", count = 8 },
      effect = lab.answer("IncorrectDiskStatus", 403) } } }
    local result = assert(bench:run("serve", { attach = "i-new" }))
    assert.same({ "d-new-1", "d-new-2" }, result.attached)
    assert.equal(2, after.effects(bench, "AttachDisk"))
  end)

  for _, status in ipairs { "Creating", "ReIniting" } do
    it("for a disk that was free at the look, and is " .. status .. " at the call", function()
      local bench = after.open()
      local emu, send, begun = bench.emu, bench.emu.transport.send, false
      bench.client = bench.client:with { transport = { send = function(request)
        if request.action == "AttachDisk" and not begun then
          begun = true
          local disk = emu.world.disk_by_id["d-new-1"]
          disk.status = status
          emu:later(emu:now() + 40, function() disk.status = "Available" end)
        end
        return send(request)
      end } }
      local result = assert(bench:run("serve", { attach = "i-new" }))
      assert.same({ "d-new-1", "d-new-2" }, result.attached)
      assert.equal(2, after.effects(bench, "AttachDisk"))
    end)
  end
end)

describe("a failover that others take back while it is served", function()
  -- At the first request of an action.
  local function taken_back(action, given)
    local bench = after.open(given)
    local plain, send, begun = bench.client, bench.emu.transport.send, false
    bench.client = plain:with { transport = { send = function(request)
      if request.action == action and not begun then
        begun = true
        local group = dr.group(plain, after.ID, { region = lab.SECONDARY })
        assert(group:reprotect { reverse = false })
        assert(group:start {})
      end
      return send(request)
    end } }
    return bench
  end

  it("is not called serving", function()
    local bench = taken_back "StartInstance"
    local _, err = bench:run("serve", { attach = "i-new" })
    assert.equal("OperationDenied.InvalidStatus", err.code)
    assert.equal("accepted", err.outcome)
    assert.same({ "i-new" }, err.done_so_far.started)
    assert.equal("stop what runs here and detach the disks, then serve it where it is copied "
      .. "from, cn-hangzhou; to serve it here, fail it over first: group:failover", err.hint)
  end)

  it("starts nothing more", function()
    local bench, attached = after.open(), 0
    after.edit(bench, function(action)
      if action == "AttachDisk" then attached = attached + 1 end
      if attached == 2 then bench:put "stopped" end
    end)
    local _, err = bench:run("serve", { attach = "i-new" })
    assert.equal("OperationDenied.InvalidStatus", err.code)
    assert.equal(0, after.effects(bench, "StartInstance"))
  end)

  it("is refused when the question was open meanwhile", function()
    local bench = after.open()
    local _, err = bench:run("serve", { attach = "i-new", confirm = function()
      bench:put "normal"
      return true
    end })
    assert.equal("not_sent", err.outcome)
    assert.matches("^serve it where it is copied from, cn%-hangzhou;", err.hint)
    assert.same({}, bench:ledger())
  end)

  it("is believed only if it is seen for a while", function()
    local bench, looks = after.open(), 0
    after.edit(bench, function(action, region, body)
      if action ~= "DescribeDiskReplicaGroups" or region ~= lab.SECONDARY then return end
      looks = looks + 1
      if looks == 2 then body.ReplicaGroups[1].Status = "normal" end
    end)
    assert.equal("serving", assert(bench:run("serve", { attach = "i-new" })).outcome)
    assert.is_true(looks > 2)
  end)
end)

describe("beside a site that tells what it knew before", function()
  local function stale(bench, change)
    after.edit(bench, function(action, region, body)
      if region ~= lab.PRIMARY or not action:find "^DescribeDiskReplica" then return end
      for _, record in ipairs(body.ReplicaGroups or body.ReplicaPairs) do change(record) end
    end)
    return bench
  end

  local function normal(record) record.Status = "normal" end

  it("what was seen open is served, and the contradiction is told", function()
    local result = assert(stale(after.open(), normal):run("serve", { attach = "i-new" }))
    assert.equal("serving", result.outcome)
    assert.equal("cn-shanghai shows failovered, cn-hangzhou shows normal", result.unproven)
    result = assert(stale(after.open(), function(record)
      if record.ReplicaGroupId and record.PairIds then record.PairIds = { "pair-1" } end
      normal(record)
    end):run("serve", { attach = "i-new" }))
    assert.is_string(result.unproven)
    assert.is_nil(assert(after.open():run("serve", { attach = "i-new" })).unproven)
  end)

  it("the old side is fenced as far as it answers", function()
    local result = assert(stale(after.new { status = "failovered" }, normal):run "fence")
    assert.equal("fenced", result.outcome)
    assert.is_string(result.unproven)
    assert.is_number(result.old_side_fenced_at)
  end)

  it("what was not seen open is not served", function()
    for _, status in ipairs { "normal", "failovering", "failover_failed", "stopped" } do
      local bench = stale(after.new { status = status, old = false },
        function(record) record.Status = "failovered" end)
      local _, err = bench:run("serve", { attach = "i-new" })
      assert.equal("not_sent", err.outcome)
      assert.same({}, bench:ledger())
    end
    local bench = after.open()
    bench.emu:group(after.ID).pairs[2].status = "normal"
    local _, err = bench:run("serve", { attach = "i-new" })
    assert.equal("not_sent", err.outcome)
    assert.same({}, bench:ledger())
  end)
end)

describe("a side that is dark", function()
  local function dark() return { { at = 0, region = lab.PRIMARY, state = "blackhole" } } end

  it("does not hold up serving at the other one", function()
    local bench = after.open { events = dark() }
    local began = bench.emu:now()
    local result = assert(bench:run("serve", { attach = "i-new" }))
    assert.is_false(result.old_side.known)
    assert.is_true(bench.emu:now() - began < 90)
    assert.equal(0, bench.client:stats().waited_for_cloud)
  end)

  it("is waited for where it is what is fenced, unless nobody wants that", function()
    for wait, most in pairs { [0] = 60, [300] = 400 } do
      local bench = after.new({ status = "failovered" }, { events = dark() })
      local began = bench.emu:now()
      local _, err = bench:run("fence", { wait_for_cloud = wait })
      assert.equal("Client.OldSideUnknown", err.code)
      local took = bench.emu:now() - began
      assert.is_true(took >= wait and took < most, tostring(took))
    end
    local bench = after.new({ status = "failovered" }, { events = { dark()[1],
      { at = 300, region = lab.PRIMARY, state = "up" } } })
    assert.equal("fenced", assert(bench:run "fence").outcome)
  end)
end)
