--- A conformance run against an emulator behind a socket, in one process and on a virtual clock.

local conformance = require "alicloud.conformance"
local emulator = require "alicloud.emulator"
local server = require "alicloud.emulator.server"
local tables = require "alicloud.base.tables"

local M = {}

--- Two regions; a group with three pairs, one without any, and one that runs in reverse.
M.WORLD = {
  regions = {
    { id = "cn-hangzhou", name = "China (Hangzhou)", zones = { "cn-hangzhou-g", "cn-hangzhou-h" } },
    { id = "cn-shanghai", name = "China (Shanghai)", zones = { "cn-shanghai-b", "cn-shanghai-e" } },
  },
  groups = {
    { id = "pg-orders", name = "orders", pairs = 3, source = "cn-hangzhou/cn-hangzhou-g",
      destination = "cn-shanghai/cn-shanghai-b", status = "normal", recover_point_age = 432,
      tags = { team = "shop" } },
    { id = "pg-empty", name = "empty", pairs = 0, source = "cn-hangzhou/cn-hangzhou-g",
      destination = "cn-shanghai/cn-shanghai-b", status = "created", recover_point_age = false },
    { id = "pg-turned", name = "turned", pairs = 1, source = "cn-shanghai/cn-shanghai-b",
      destination = "cn-hangzhou/cn-hangzhou-g", status = "normal", recover_point_age = 60,
      initial_source = "cn-hangzhou/cn-hangzhou-g",
      initial_destination = "cn-shanghai/cn-shanghai-b" },
  },
}

--- Runs tiers.
---@param given? table options of the emulator, and tiers, lab, region, region_ports (true), faults
---@return alicloud.conformance.Result
---@return alicloud.emulator.Emulator
function M.run(given)
  given = given or {}
  local emu = emulator.new { world = given.world or M.WORLD, assume = given.assume,
    hostile = given.hostile, faults = given.faults, messages = given.messages }
  local listening <close> = setmetatable({ at = assert(server.start(emu,
    { region_ports = given.region_ports ~= false })) }, { __close = function(self)
      self.at:close()
    end })
  local result = conformance.run {
    client = { endpoint = listening.at.endpoints or listening.at.url, loop = listening.at:loop(),
      runtime = tables.merged(emu.runtime, given.runtime or {}),
      access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret },
    region = given.region or "cn-shanghai", tiers = given.tiers or { "read" },
    lab = given.lab or {}, journal = given.journal, resumed = given.resumed, left = given.left,
  }
  return result, emu
end

--- Decisions by name.
---@param result alicloud.conformance.Result
---@return table<string, alicloud.conformance.Decision>
function M.by_name(result)
  local all = {}
  for _, decision in ipairs(result.decisions) do all[decision.name] = decision end
  return all
end

--- What is not as assumed: "name=value", sorted.
---@param result alicloud.conformance.Result
---@return string[]
function M.differences(result)
  local list = {}
  for _, decision in ipairs(result.decisions) do
    if decision.verdict == "contradicted" or decision.verdict == "new" then
      list[#list + 1] = ("%s=%s"):format(decision.name, tostring(decision.value))
    end
  end
  table.sort(list)
  return list
end

return M
