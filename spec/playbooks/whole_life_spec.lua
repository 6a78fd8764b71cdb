-- The whole life of a group (made, opened by the failover playbook while its primary region is
-- dark, brought back, rehearsed, unmade), once for every value of every assumption about the
-- service: what nobody knows must not decide whether it comes to its end.

local dr = require "alicloud.dr"
local errors = require "alicloud.base.error"
local scene = require "spec.playbooks.scene"
local stages = require "spec.dr.playbook.stage"
local switches = require "alicloud.emulator.switches"

local S, D = "cn-hangzhou", "cn-shanghai"
local OLD, NEW = "cn-hangzhou/cn-hangzhou-g", "cn-shanghai/cn-shanghai-b"

-- Values of the switches that are numbers.
local NUMBERS = { token_lifetime = { 0, 10, 86400 }, time_window = { 60 }, time_window_rpc = { 60 },
  throttle_limit = { 1 } }

local function world()
  local disks = {}
  for i = 1, 2 do
    disks[#disks + 1] = { id = "d-old-" .. i, place = OLD, instance = "i-old", size = 20 }
    disks[#disks + 1] = { id = "d-new-" .. i, place = NEW, size = 20 }
  end
  return { regions = { S, D }, disks = disks, instances = {
    { id = "i-old", place = OLD }, { id = "i-new", place = NEW } } }
end

local Life = {}
Life.__index = Life

local function must(result, err)
  return result or error(errors.text_of(err), 3)
end

function Life:call(action, params)
  params.RegionId = S
  return must(self.ebs[action](self.ebs, params))
end

function Life:await(name, params)
  params.RegionId = S
  must(self.ebs:wait(name, params))
end

function Life:group(region)
  return dr.group(self.stage.bench.client, self.id, { region = region })
end

local PLACES = { SourceZoneId = "cn-hangzhou-g", DestinationRegionId = D,
  DestinationZoneId = "cn-shanghai-b" }

local function placed(params)
  for name, value in pairs(PLACES) do params[name] = value end
  return params
end

function Life:make()
  self.id = self:call("CreateDiskReplicaGroup", placed {}).ReplicaGroupId
  self:await("group_created", { GroupIds = self.id })
  for i = 1, 2 do
    local pair = self:call("CreateDiskReplicaPair", placed { DiskId = "d-old-" .. i,
      DestinationDiskId = "d-new-" .. i }).ReplicaPairId
    self.pairs[i] = pair
    self:await("pair_created", { PairIds = pair })
    self:call("AddDiskReplicaPair", { ReplicaGroupId = self.id, ReplicaPairId = pair })
    self:await("pair_joined", { PairIds = pair, ReplicaGroupId = self.id })
  end
end

function Life:open()
  local stage = self.stage
  stage.bench.emu:region(S, "blackhole")
  stage.bench.emu:advance(60)
  local result, err = scene.run("failover", stage, { group = self.id, region = D, max_rpo = "1d",
    attach = "i-new", fence_for = "1m" })
  assert.matches("^completed", must(result, err).status)
  stage.bench.emu:region(S, "up")
end

function Life:unmake()
  must(self:group(D):stop {})
  for i = 1, 2 do
    self:call("RemoveDiskReplicaPair",
      { ReplicaGroupId = self.id, ReplicaPairId = self.pairs[i] })
    self:await("pair_left", { PairIds = self.pairs[i], ReplicaGroupId = self.id })
    self:call("DeleteDiskReplicaPair", { ReplicaPairId = self.pairs[i] })
    self:await("pair_deleted", { PairIds = self.pairs[i] })
  end
  self:call("DeleteDiskReplicaGroup", { ReplicaGroupId = self.id })
  self:await("group_deleted", { GroupIds = self.id })
end

local function live(given)
  local stage = stages.new { world = world(), assume = given.assume, hostile = given.hostile }
  local client = stage.bench.client
  local life = setmetatable({ stage = stage, pairs = {}, ebs = client:service "ebs" }, Life)
  life:make()
  must(life:group(D):start {})
  life:await("group_recoverable", { GroupIds = life.id })
  life:open()
  must(life:group(D):fence {})
  must(life:group(D):failback { to = S, attach = "i-old" })
  must(life:group(D):await_recovery_point {})
  must(life:group(D):drill { check = function() return true end })
  life:unmake()
  return stage.bench.emu
end

local function others(switch)
  local list = {}
  local boolean = switch.rule.type == "boolean" and { true }
  for _, value in ipairs(switch.rule.values or boolean or NUMBERS[switch.name] or {}) do
    if value ~= switch.default then list[#list + 1] = value end
  end
  return list
end

local function assert_lived(given)
  local emu = live(given)
  assert.same({}, emu.world.groups)
  assert.same({}, emu.world.pairs)
  local failovers = 0
  for _, effect in ipairs(emu:ledger()) do
    if effect.action == "FailoverDiskReplicaGroup" then failovers = failovers + 1 end
  end
  assert.equal(2, failovers)
end

describe("a whole life comes to its end", function()
  it("by default", function() assert_lived {} end)

  for _, switch in ipairs(switches.all) do
    for _, value in ipairs(switch.kind == "assumed" and others(switch) or {}) do
      it(("with %s = %s"):format(switch.name, value), function()
        assert_lived { assume = { [switch.name] = value } }
      end)
    end
  end

  it("with refusals that occupy their token by chance", function()
    assert_lived { hostile = { token_errors_random = true } }
  end)
end)
