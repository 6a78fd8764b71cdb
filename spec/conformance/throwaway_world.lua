--- A world with blank disks for a throwaway life, and the run of one against an emulator.

local core = require "alicloud.core"
local conformance = require "alicloud.conformance"
local emulator = require "alicloud.emulator"
local redaction = require "alicloud.conformance.redact"
local server = require "alicloud.emulator.server"

local M = {}

local HERE, THERE = "cn-hangzhou/cn-hangzhou-g", "cn-shanghai/cn-shanghai-b"

M.DISKS = {
  { source = "d-hz-1", destination = "d-sh-1" }, { source = "d-hz-2", destination = "d-sh-2" },
  { source = "d-hz-3", destination = "d-sh-3" },
}

--- A world; each call makes a new one.
---@param change? fun(world: table)
---@return table
function M.world(change)
  local disks = {}
  for _, pair in ipairs(M.DISKS) do
    disks[#disks + 1] = { id = pair.source, place = HERE, size = 20 }
    disks[#disks + 1] = { id = pair.destination, place = THERE, size = 20 }
  end
  local world = {
    regions = {
      { id = "cn-hangzhou", zones = { "cn-hangzhou-g", "cn-hangzhou-h" } },
      { id = "cn-shanghai", zones = { "cn-shanghai-b", "cn-shanghai-e" } },
    },
    groups = {
      { id = "pg-orders", name = "orders", pairs = 2, source = HERE, destination = THERE,
        recover_point_age = 100 },
      { id = "pg-turned", name = "turned", pairs = 1, source = THERE, destination = HERE,
        initial_source = HERE, initial_destination = THERE, recover_point_age = 100 },
    },
    disks = disks,
    instances = {
      { id = "i-hz", place = HERE, status = "Running" },
      { id = "i-sh", place = THERE, status = "Stopped" },
    },
  }
  if change then change(world) end
  return world
end

local function journal_of(memory, on_append)
  return { append = function(record)
    local kept = record.remembered
    if kept then memory[kept.key] = kept.value end
    if on_append then on_append(record) end
  end }
end

---@class spec.conformance.Run
---@field assume? table switches of the emulator
---@field hostile? table
---@field world? table
---@field emu? table an emulator that is there already
---@field tiers? string[] throwaway alone unless given
---@field lab? table
---@field memory? table of an earlier part of the run
---@field decided? table
---@field wire? boolean false: nothing is signed and read, which is faster
---@field redacts? boolean evidence is made of pseudonyms, as it always is
---@field socket? boolean over HTTP, with a port for each region
---@field transport? fun(transport: table): table in the way of an emulator's own
---@field on_append? fun(record: table)

-- The server's own loop waits up to 10 ms for each answer, which hundreds of calls add up.
local function quick(listening)
  local loop = listening:loop()
  loop.wait = function(pollable, deadline)
    listening:step(0)
    local longest = math.min(0.0005, pollable:timeout() or 1, math.max(0, deadline - loop.now()))
    core.poll(pollable:pollfd(), pollable:events(), longest)
  end
  return loop
end

local NOTHING = setmetatable({}, { __close = function() end })

-- To prove that nothing private is left takes ten times as long as a whole life. It has specs of
-- its own; here it is left out, but for a run that asks for it.
local function unredacted()
  local new = redaction.new
  redaction.new = function()
    return function(value) return value end, function() end
  end
  return setmetatable({}, { __close = function() redaction.new = new end })
end

--- The options of a client, and what is to be closed afterwards.
local function way_to(emu, run)
  local client = { access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
    runtime = emu.runtime, rate = false }
  if not run.socket then
    client.transport = run.transport and run.transport(emu.transport) or emu.transport
    return client
  end
  local listening = assert(server.start(emu, { region_ports = true }))
  client.endpoint, client.loop, client.plain_http = listening.endpoints, quick(listening), true
  return client, listening
end

--- Runs tiers against an emulator.
---@param run spec.conformance.Run
---@return alicloud.conformance.Result result
---@return alicloud.emulator.Emulator emu
---@return table memory
function M.run(run)
  local emu = run.emu or emulator.new { world = run.world or M.world(), assume = run.assume,
    hostile = run.hostile, wire = run.wire }
  local plain <close> = run.redacts and NOTHING or unredacted() -- luacheck: ignore 211
  local client, way = way_to(emu, run)
  local _ <close> = way
  local lab = { disks = M.DISKS, instance_source = "i-hz", instance_target = "i-sh",
    group = "pg-orders", reversed = "pg-turned", drill = "pg-orders" }
  for name, value in pairs(run.lab or {}) do lab[name] = value end
  local memory = run.memory or {}
  local result = conformance.run {
    client = client, region = "cn-shanghai", tiers = run.tiers or { "throwaway" }, lab = lab,
    journal = journal_of(memory, run.on_append),
    resumed = { memory = memory, decided = run.decided },
  }
  return result, emu, memory
end

--- The decisions of a run by their names.
---@param result alicloud.conformance.Result
---@return table<string, alicloud.conformance.Decision>
function M.by_name(result)
  local found = {}
  for _, decision in ipairs(result.decisions) do found[decision.name] = decision end
  return found
end

return M
