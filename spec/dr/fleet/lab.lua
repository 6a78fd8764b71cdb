--- A laboratory for fleets: three accounts, each an emulator of its own, on one virtual clock; keys
--- in memory; several controllers, each of which may stop at a given call.

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"
local journals = require "alicloud.dr.journal"
local memory_keys = require "alicloud.dr.store.memory_keys"

local M = {}

M.ACCOUNTS = { "100001", "100002", "100003" }

---@class spec.fleet.Lab
---@field emus table<string, alicloud.emulator.Emulator> by account
---@field world alicloud.dr.KeyWorld
---@field runtime table
---@field loop alicloud.loop.Loop
---@field fleets alicloud.dr.Fleet[] of all controllers
local Lab = {}
Lab.__index = Lab

local function world_of(prefix, count, seconds)
  local groups = {}
  for i = 1, count do
    groups[i] = { id = ("%s-%03d"):format(prefix, i), pairs = 1, status = "normal",
      recover_point_age = 60, source = "cn-hangzhou/cn-hangzhou-g",
      destination = "cn-shanghai/cn-shanghai-b", failover_seconds = seconds }
  end
  return { regions = { "cn-hangzhou", "cn-shanghai" }, groups = groups }
end

--- A playbook of one step.
M.PLAYBOOK = dr.playbook("move", { params = {
  { name = "group", type = "id", required = true, help = "which" },
  { name = "region", type = "region", required = true, help = "where" },
  { name = "max_rpo", type = "duration", default = "1h", help = "how old" },
} }, function(run)
  local group = run:group(run.params.group, { region = run.params.region })
  run:step("check", function() return group:precheck { max_rpo = run.params.max_rpo } end)
  run:step("promote", { point_of_no_return = true }, function() return group:failover() end)
end)

M.KILLED = "the controller was killed"

-- The keys of a controller that is killed at its call of that number, before it or after it is
-- done. It sends and writes nothing any more then.
local function mortal(keys, death)
  local calls = 0
  local own = { name = keys.name }
  for op in pairs(death and getmetatable(keys).__index or {}) do
    own[op] = function(_, ...)
      calls = calls + 1
      if own.stopped or calls >= death.at and not death.after then own.stopped = true end
      if own.stopped then error(M.KILLED, 0) end
      local results = table.pack(keys[op](keys, ...))
      if calls >= death.at then own.stopped = true end
      if own.stopped then error(M.KILLED, 0) end
      return table.unpack(results, 1, results.n)
    end
  end
  return death and own or keys
end

--- Makes one.
---@param given? { groups?: integer, alike?: boolean, accounts?: integer, seconds?: number,
--- emulator?: table, rate?: table } groups of each account, whether they have the same names there,
--- and the rate of clients
---@return spec.fleet.Lab
function M.new(given)
  given = given or {}
  local lab = setmetatable({ emus = {}, fleets = {}, rate = given.rate }, Lab)
  local first
  for i = 1, given.accounts or 1 do
    local account, options = M.ACCOUNTS[i], { seed = i, wire = false }
    for name, value in pairs(given.emulator or {}) do options[name] = value end
    options.world = world_of(given.alike and "pg" or "pg-" .. account, given.groups or 6,
      given.seconds or 40)
    local emu = emulator.new(options)
    first = first or emu
    emu.clock = first.clock
    lab.emus[account] = emu
  end
  lab.runtime = first.runtime
  lab.world = memory_keys.world { now = lab.runtime.monotonic }
  lab.loop = lab:client("100001").loop
  return lab
end

--- All groups of all accounts.
---@return alicloud.dr.FleetItem[]
function Lab:items()
  local list = {}
  for _, account in ipairs(M.ACCOUNTS) do
    for _, group in ipairs(self.emus[account] and self.emus[account].world.groups or {}) do
      list[#list + 1] = { account = account, group = group.id, region = "cn-shanghai" }
    end
  end
  return list
end

--- A client of an account; with keys it stops when that controller has stopped.
---@param account string
---@param keys? alicloud.dr.MemoryKeys
---@return alicloud.Client
function Lab:client(account, keys)
  local emu, carrier = self.emus[account], {}
  for name, forward in pairs(emu.transport) do
    carrier[name] = function(request)
      if keys and keys.stopped then error(M.KILLED, 0) end
      return forward(request)
    end
  end
  return alicloud.client { region = "cn-shanghai", runtime = self.runtime, transport = carrier,
    rate = self.rate, access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret }
end

--- A controller of the fleet.
---@param name string
---@param given? table options of dr.fleet; faults of its keys; death: { at: integer, after:
---boolean }, the number of the call of its keys at which it is killed
---@return alicloud.dr.Fleet|nil
---@return alicloud.Error? err
function Lab:controller(name, given)
  local options = { name = "night", loop = self.loop, runtime = self.runtime, items = self:items(),
    playbook = M.PLAYBOOK, workers = 20 }
  for field, value in pairs(given or {}) do options[field] = value end
  if options.items == false then options.items = nil end
  local keys = mortal(memory_keys.open(self.world, { name = name, loop = self.loop,
    faults = options.faults }), options.death)
  options.faults, options.death, options.keys = nil, nil, keys
  options.client = function(account) return self:client(account, keys) end
  local fleet, err = dr.fleet(options)
  if fleet then self.fleets[#self.fleets + 1] = fleet end
  return fleet, err
end

--- Lets controllers take items at the same time.
---@param list alicloud.dr.Fleet[]
---@return { result: table?, err: any, raised: any }[]
function Lab:run(list)
  local ends = {}
  self.loop.scope(function()
    for i, fleet in ipairs(list) do
      self.loop.spawn(function()
        local ok, result, err = pcall(fleet.run, fleet)
        ends[i] = ok and { result = result, err = err } or { raised = result }
      end)
    end
  end)
  return ends
end

--- The effects by group, of all accounts.
---@return table<string, integer>
---@return integer count
function Lab:effects()
  local found, count = {}, 0
  for _, emu in pairs(self.emus) do
    for _, effect in ipairs(emu:ledger()) do
      found[effect.group] = (found[effect.group] or 0) + 1
      count = count + 1
    end
  end
  return found, count
end

--- What is there under a part of the fleet's keys.
---@param part string
---@return table<string, string> values by the rest of the key
function Lab:keys(part)
  local prefix, found = "/alicloud-dr/v1/" .. part, {}
  for _, entry in ipairs(self.world:dump(prefix)) do
    found[entry.key:sub(#prefix + 1)] = entry.value
  end
  return found
end

--- The keys of locks that are there.
---@return string[]
function Lab:locks()
  local list = {}
  for _, entry in ipairs(self.world:dump()) do
    local is_lock = entry.key:find "/lock$" or entry.key:find "/v1/locks/"
      or entry.key:find "/taken/"
    if is_lock then list[#list + 1] = entry.key end
  end
  return list
end

--- The records of the run of a group.
---@param group string
---@return table[]
function Lab:records(group)
  local lines = {}
  for _, entry in ipairs(self.world:dump()) do
    if entry.key:find("." .. group .. "/rec/", 1, true) then lines[#lines + 1] = entry.value end
  end
  return assert(journals.read(table.concat(lines))).events
end

return M
