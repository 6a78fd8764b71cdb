-- Nothing is changed where an obstacle can be read beforehand: ready playbooks and the way back in
-- worlds with obstacles, drawn by seeds, and deliberate mistakes in the look, each of which is
-- noticed.

local after = require "spec.dr.after_lab"
local mutated = require "spec.simulation.mutated"

local OLD, NEW = "cn-hangzhou/cn-hangzhou-g", "cn-shanghai/cn-shanghai-b"

-- By playbook: the world, the side that is left, and the machines of both.
local MOVES = {
  planned = { from = OLD, to = NEW, leaves = "i-old", takes = "i-new", strict = true },
  failover = { from = OLD, to = NEW, leaves = "i-old", takes = "i-new" },
  failback = { from = NEW, to = OLD, leaves = "i-new", takes = "i-old", strict = true,
    open = true },
}

local function world_of(move)
  local world = after.world(move.open and { status = "failovered", old = false } or nil)
  if move.open then
    for i = 1, 2 do
      table.insert(world.disks, { id = "d-new-" .. i, place = NEW, instance = "i-new" })
    end
    world.instances[2].status = "Running"
  end
  return world
end

local function add_group(world, disk)
  world.groups[2] = { id = "pg-bills", source = OLD, destination = NEW, status = "normal",
    recover_point_age = 60, pairs = { disk } }
end

-- Each makes what stands against a move; `strict`: only against one that has to stop the old side.
local OBSTACLES = {
  function(_, params, draw) params.attach = "i-typo-" .. draw(9) end,
  function(_, params, _, move) params.attach = move.leaves end,
  function(world, params, draw, move)
    params.attach = "i-far"
    table.insert(world.instances, { id = "i-far", place = move.to:gsub("%w$", "z" .. draw(9)) })
  end,
  function(world, _, _, move)
    for _, instance in ipairs(world.instances) do
      if instance.id == move.takes then instance.locked = true end
    end
  end,
  function(_, params, draw) params.attach = { ["d-typo-" .. draw(9)] = "i-new" } end,
  { strict = true, function(world, _, draw, move)
    table.insert(world.disks, { id = "d-bills", place = move.from, instance = move.leaves })
    local side = move.from == OLD and "source_disk" or "destination_disk"
    add_group(world, { [side] = "d-bills", status = draw(2) == 1 and "normal" or nil })
  end },
  { strict = true, function(world, _, draw, move)
    local disk = (move.to == NEW and "d-new-" or "d-old-") .. draw(2)
    for i, known in ipairs(world.disks) do
      if known.id == disk then table.remove(world.disks, i) end
    end
    table.insert(world.disks, { id = disk, place = move.to, instance = move.takes })
  end },
  { strict = true, function(world, _, draw, move)
    local statuses = move.open and { "normal", "syncing", "stopping" }
      or { "failovered", "failover_failed", "failovering" }
    world.groups[1].status = statuses[draw(3)]
  end },
}

local function drawn(seed)
  local state = seed
  return function(most)
    state = (state * 1103515245 + 12345) % 2147483648
    return state // 65536 % most + 1
  end
end

-- A stage over the modules that are loaded now, with mistakes or without.
local function fresh_stages()
  local names = { "spec.dr.playbook.stage", "spec.dr.lab" }
  for _, name in ipairs(names) do package.loaded[name] = nil end
  local stages = require "spec.dr.playbook.stage"
  for _, name in ipairs(names) do package.loaded[name] = nil end
  return stages
end

-- The effects of a run in a world with one obstacle, and why it ended.
local function attempt(stages, seed)
  local draw = drawn(seed)
  local names = { "planned", "failover", "failback" }
  local name = names[draw(3)]
  local move, which = MOVES[name], draw(#OBSTACLES)
  local obstacle = OBSTACLES[which]
  if type(obstacle) == "table" and not move.strict then return {}, name, which, {} end
  local world = world_of(move)
  local params = { group = "pg-orders", region = "cn-shanghai", attach = move.takes }
  local put = type(obstacle) == "table" and obstacle[1] or obstacle
  put(world, params, draw, move)
  local stage = stages.new { world = world, seed = seed }
  local playbook = require("alicloud.playbooks." .. name)
  local _, err = require "alicloud.dr".run(playbook, { client = stage.bench.client,
    store = stage.disk:open "run", requester = "operator", params = params })
  return stage.bench:ledger(), name, which, err or {}
end

-- The first seed with an effect; and the codes of all refusals.
local function first_effect(most)
  local stages, codes = fresh_stages(), {}
  for seed = 1, most do
    local effects, name, which, err = attempt(stages, seed)
    codes[err.code or "none"] = true
    if #effects > 0 then
      return ("seed %d, %s, obstacle %d: %s"):format(seed, name, which, effects[1].action)
    end
  end
  return nil, codes
end

local MODEL, NEIGHBOURS = "alicloud.dr.model.preflight", "alicloud.dr.read.neighbours"

local MISTAKES = {
  ["who takes over is not looked at"] = { MODEL, "attach", "function() end" },
  ["an instance that is missing is none"] = { MODEL, "instance_fault", "function() end" },
  ["disks that nobody has are taken"] = { MODEL, "unknown_disk", "function() end" },
  ["others on the machine do not count"] = { NEIGHBOURS, "M.shared", "function() end" },
  ["pairs of one site only"] = { NEIGHBOURS, "SITES", "{}" },
  ["attached disks are copied onto"] = { MODEL, "standby", "function() end" },
  ["the status for the steps to come is any"] = { MODEL, "STEPS", "{}" },
}

describe("an obstacle that can be read", function()
  it("is found before anything is changed", function()
    local effect, codes = first_effect(150)
    assert.is_nil(effect)
    for _, code in ipairs { "InvalidInstanceId.NotFound", "ResourcesNotInSameZone",
      "InstanceLockedForSecurity", "InvalidDiskId.NotFound", "Client.SharedInstance",
      "OperationDenied.StandbyDeviceAttached", "Client.OldSideInUse",
      "OperationDenied.InvalidStatus" } do
      assert.is_true(codes[code], code)
    end
  end)

  for name, mistake in pairs(MISTAKES) do
    it("is missed, and that is noticed, where " .. name, function()
      local edits = { { module = mistake[1], name = mistake[2], value = mistake[3] } }
      local noticed = mutated.with(edits, function() return first_effect(300) end)
      assert.is_string(noticed)
    end)
  end
end)
