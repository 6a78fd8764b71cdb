-- Playbooks under simulation, as the specs use them: with a parameter that must never be written
-- down, and with mistakes in the engine where asked for.

local mutated = require "spec.simulation.mutated"
local scratch = require "spec.scratch"
local tables = require "alicloud.base.tables"

local M = {}

M.MOVE = "spec/simulation/playbooks/move.lua"
M.TWO = "spec/simulation/playbooks/two.lua"
M.ZONES = "spec/simulation/playbooks/zones.lua"
M.FLEET = "spec/simulation/playbooks/fleet.lua"
M.DRILL = "spec/simulation/playbooks/drill.lua"
M.HOOKED = "spec/simulation/playbooks/hooked.lua"

--- The ready playbook that stops production before it moves a group.
M.PLANNED = "lua/alicloud/playbooks/planned.lua"

--- The ready playbook that brings it back.
M.FAILBACK = "lua/alicloud/playbooks/failback.lua"

-- Playbooks that are no mistakes of the one that moves a group.
local RIGHT = { [M.PLANNED] = true, [M.FAILBACK] = true, [M.TWO] = true, [M.ZONES] = true,
  [M.FLEET] = true, [M.DRILL] = true, [M.HOOKED] = true }

-- Four groups in three tiers, the last one without a number; two failures may be.
local FLEET_PARAMS = { groups = "pg-1,pg-2,pg-3,pg-4", region = "cn-shanghai", canary = "1",
  tier = "2:pg-1,1:pg-3,1:pg-4", max_errors = "2", parallel = "3", max_rpo = "20m" }

local function options_of(path, secret)
  if path == M.HOOKED then
    return { region = "cn-shanghai", params = { attach = "i-shop-sh", start = "./start.sh",
      verify = "./check.sh --all" } }
  end
  if path == M.FLEET then return { region = "cn-shanghai", params = FLEET_PARAMS } end
  if path == M.PLANNED then
    return { region = "cn-shanghai", params = { group = "pg-orders", region = "cn-shanghai",
      attach = "i-orders-sh", max_rpo = "2h" }, correction = { verify_for = "20m" } }
  end
  if path == M.FAILBACK then
    return { region = "cn-shanghai", params = { group = "pg-orders", region = "cn-shanghai",
      attach = "i-orders-hz" } }
  end
  if path == M.ZONES then
    return { region = "cn-hangzhou", params = { api_key = secret, to = "cn-hangzhou-h" } }
  end
  return { region = "cn-shanghai", params = { api_key = secret } }
end

-- The way back begins where a failover has ended: the old side is fenced, the new one serves.
local function failed_over(world)
  local demo = require "alicloud.emulator.demo"
  local after = tables.merged(world, { groups = {}, disks = {}, instances = {} })
  for i, group in ipairs(world.groups) do
    after.groups[i] = tables.merged(group, { status = "failovered" })
  end
  for _, disk in ipairs(demo.disks) do
    local own = tables.copy(disk)
    own.instance = nil
    table.insert(after.disks, own)
    local pair = disk.id:match "^d%-orders%-(%d)%-src$"
    if pair then
      table.insert(after.disks, { id = ("d-orders-%s-dst"):format(pair),
        place = "cn-shanghai/cn-shanghai-b", instance = "i-orders-sh" })
    end
  end
  for i, instance in ipairs(demo.instances) do
    after.instances[i] = tables.merged(instance, {
      status = instance.id == "i-orders-sh" and "Running" or "Stopped" })
  end
  return after
end

--- The plan of a playbook, by the modules that are loaded now.
---@param path? string (the playbook that moves one group)
---@return table simulation
---@return alicloud.simulation.Plan
function M.plan(path)
  local simulation = require "alicloud.simulation"
  local playbook = assert(require "alicloud.dr.playbook".load(path or M.MOVE, scratch.read))
  local secret = require "alicloud.simulation.stage".SECRET
  local options = options_of(path, secret)
  if path == M.FAILBACK then options.world = failed_over(M.world(M.PLANNED)) end
  return simulation, assert(simulation.plan(playbook, options))
end

-- The worlds of the unharmed engine: a mistake may keep the undisturbed run from its end.
local worlds = {}

--- The world that an unharmed engine finds for a playbook.
---@param path string?
---@return table
function M.world(path)
  -- A playbook that is a mistake itself moves the group that the one without moves.
  local calm = RIGHT[path] and path or M.MOVE
  worlds[calm] = worlds[calm] or select(2, M.plan(calm)).world
  return worlds[calm]
end

local function plan_under_mistakes(path)
  local simulation = require "alicloud.simulation"
  local playbook = assert(require "alicloud.dr.playbook".load(path or M.MOVE, scratch.read))
  local secret = require "alicloud.simulation.stage".SECRET
  local options = options_of(path, secret)
  options.world = M.world(path)
  return simulation, assert(simulation.plan(playbook, options))
end

--- The first of some seeds that complains of an engine with mistakes.
---@param mutant { edits: table[], playbook: string?, names: string? } names: the invariant
---@param seeds fun(): integer|nil one after the other
---@param kinds? table<string, boolean> of troubles
---@return integer|nil seed
---@return string? what
function M.first_killer(mutant, seeds, kinds)
  M.world(mutant.playbook)
  local killer = mutated.with(mutant.edits, function()
    local simulation, plan = plan_under_mistakes(mutant.playbook)
    for seed in seeds do
      local what = simulation.broken_by(plan, seed, mutant.names, { kinds = kinds })
      if what then return { seed, what } end
    end
    return {}
  end)
  return killer[1], killer[2]
end

-- Units of different kinds one after the other: what notices a mistake is soon come by.
local STRIDE = 37

local function shuffled(count)
  local list, step = {}, STRIDE
  while count % step == 0 do step = step + 2 end
  for i = 1, count do list[i] = (i - 1) * step % count + 1 end
  return list
end

local function single_killer(plan, kinds, budget)
  local exhaustive = require "alicloud.simulation.exhaustive"
  local about, message = exhaustive.open(plan, { kinds = kinds })
  if not about then return message end
  if about.violations[1] then return about.violations[1] end
  for _, n in ipairs(shuffled(#about.units)) do
    local report = exhaustive.single(about, n)
    budget.runs = budget.runs + report.runs
    if report.harms[1] then return report.harms[1].what end
  end
  return nil
end

--- What the first single trouble that notices a mistake says, in a calm world.
---@param mutant { edits: table[], playbook: string? }
---@param status string of the groups, before
---@param kinds? table<string, boolean> of troubles
---@return string|nil what
---@return integer runs
function M.first_single(mutant, status, kinds)
  M.world(mutant.playbook)
  local budget = { runs = 0 }
  local what = mutated.with(mutant.edits, function()
    local _, plan = plan_under_mistakes(mutant.playbook)
    local groups = {}
    for i, group in ipairs(plan.world.groups) do
      groups[i] = tables.merged(group, { status = status })
    end
    plan.world = tables.merged(plan.world, { groups = groups })
    return single_killer(plan, kinds, budget)
  end)
  return what, budget.runs
end

--- Seeds from one to another.
---@param first integer
---@param last integer
---@return fun(): integer|nil
function M.range(first, last)
  local next_seed = first - 1
  return function()
    next_seed = next_seed + 1
    return next_seed <= last and next_seed or nil
  end
end

--- Every kind of trouble and every lie but one.
---@param name string a hostile option, or a kind
---@return table<string, boolean>
function M.all_but(name)
  local generate = require "alicloud.simulation.generate"
  local kinds = {}
  for _, kind in ipairs(generate.KINDS) do kinds[kind] = kind ~= "hostile" and kind ~= name end
  for _, lie in ipairs(generate.HOSTILE) do kinds[lie] = lie ~= name end
  return kinds
end

return M
