-- Whose things a throwaway run takes for its own: never those of somebody else, whatever they are
-- called and whatever a journal says.

local emulator = require "alicloud.emulator"
local throwaway = require "spec.conformance.throwaway_world"

local HERE, THERE = "cn-hangzhou/cn-hangzhou-g", "cn-shanghai/cn-shanghai-b"

local function plan(run)
  return { run = run, disks = throwaway.DISKS,
    source = { region = "cn-hangzhou", zone = "cn-hangzhou-g" },
    destination = { region = "cn-shanghai", zone = "cn-shanghai-b" },
    instance_source = "i-hz", instance_target = "i-sh" }
end

-- An emulator with a group of somebody else.
local function with_group(name)
  return emulator.new { world = throwaway.world(function(world)
    table.insert(world.groups, { id = "pg-foreign", name = name, pairs = 1, source = HERE,
      destination = THERE, recover_point_age = 100 })
  end) }
end

local function clean_up(emu, memory, lab)
  return throwaway.run { emu = emu, memory = memory, tiers = { "cleanup" }, lab = lab }
end

describe("a cleanup", function()
  it("is refused for what is no run", function()
    for _, run in ipairs { "prod", "", "0123456", 5 } do
      local emu = with_group "adr-prod-orders"
      local result = clean_up(emu, { lab = plan(run), ["try:x"] = {} })
      assert.equal("the journal does not say which run it is of", result.stopped)
      assert.equal("normal", emu:group "pg-foreign".status)
    end
  end)

  it("leaves alone what the run has never asked for", function()
    local emu = with_group "adr-01234567-orders"
    local result = clean_up(emu, { lab = plan "01234567", ["try:create_g"] = {
      action = "ebs:CreateDiskReplicaGroup", params = { GroupName = "adr-01234567-g" } } })
    assert.is_nil(result.stopped)
    assert.equal("normal", emu:group "pg-foreign".status)
  end)

  it("leaves alone what somebody else has called like its own", function()
    local emu = with_group "adr-01234567-g"
    local result = clean_up(emu, { lab = plan "01234567", ["try:create_g"] = {
      action = "ebs:CreateDiskReplicaGroup", params = { GroupName = "adr-01234567-g" } },
      ["did:create_g"] = { answer = { ReplicaGroupId = "pg-mine" }, doubt = false } })
    assert.is_nil(result.stopped)
    assert.equal("normal", emu:group "pg-foreign".status)
  end)

  it("detaches no disk that the run was not given", function()
    local emu = emulator.new { world = throwaway.world(function(world)
      table.insert(world.disks, { id = "d-foreign", place = HERE, size = 20, instance = "i-hz" })
    end) }
    clean_up(emu, { lab = plan "01234567", ["try:attach_x"] = { action = "ecs:AttachDisk",
      region = "cn-hangzhou", params = { DiskId = "d-foreign", InstanceId = "i-hz" } } })
    for _, disk in ipairs(emu:snapshot().disks) do
      if disk.id == "d-foreign" then return assert.equal("i-hz", disk.instance) end
    end
    error "the disk is gone"
  end)
end)

describe("a run that is continued", function()
  it("is refused if its journal is of other disks than those that were agreed to", function()
    for _, tier in ipairs { "throwaway", "cleanup" } do
      local emu = emulator.new { world = throwaway.world() }
      local result = throwaway.run { emu = emu, memory = { lab = plan "01234567" },
        tiers = { tier }, lab = { disks = { { source = "d-x", destination = "d-y" } } } }
      assert.equal("the journal is of the disks d-hz-1=d-sh-1,d-hz-2=d-sh-2,d-hz-3=d-sh-3, not of "
        .. "d-x=d-y", result.stopped)
      assert.same({}, emu:ledger())
    end
  end)
end)
