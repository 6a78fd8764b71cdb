--- Disasters to rehearse, each a data file of this folder that can be copied and changed. The
-- fields `world`, `faults`, `events`, `assume`, `hostile`, `skew` are those of `emulator.new`;
-- `title` and `story` are for people; `group`, `region` and `max_rpo` are those of the failover to
-- try. `expect` is what a correct client reaches: `outcome` or the `error` code, and `effects`, the
-- number of failovers in the ledger.

require "alicloud.base.lua_version"
local schema = require "alicloud.base.schema"

local M = {}

--- Names of the scenarios, the easiest first.
M.NAMES = {
  "primary_region_dark", "lost_answer", "one_pair_fails", "stuck_failovering",
  "first_sync_unfinished", "recovery_point_too_old", "throttled_minute", "auth_outage",
  "second_operator", "blocked_minute", "skewed_clock",
}

local TABLE, TEXT = { type = "table" }, { type = "string" }

local SHAPE = {
  title = { type = "string", required = true }, story = TEXT, group = TEXT, region = TEXT,
  max_rpo = { type = "number", min = 0 }, expect = TABLE, world = TABLE, faults = TABLE,
  events = TABLE, assume = TABLE, hostile = TABLE, skew = { type = "number" },
}

--- Compares a scenario with its shape.
---@param scenario table
---@return string|nil problem
function M.problem(scenario) return schema.problem(scenario, SHAPE) end

--- The names as they are typed, with hyphens.
---@return string[]
function M.list()
  local list = {}
  for index, name in ipairs(M.NAMES) do list[index] = (name:gsub("_", "-")) end
  return list
end

--- Loads a scenario of this folder.
---@param name string  of `list` or of `NAMES`
---@return table|nil scenario
---@return string|nil problem
function M.load(name)
  local typed = name:gsub("_", "-")
  local problem = schema.problem({ scenario = typed },
    { scenario = { type = "string", values = M.list() } })
  if problem then return nil, problem end
  -- The parentheses drop the file's path, which `require` gives too.
  return (require("alicloud.emulator.scenarios." .. typed:gsub("%-", "_")))
end

--- The fields of a scenario that are options of `emulator.new`.
---@param scenario table
---@return table options
function M.options(scenario)
  return { world = scenario.world, faults = scenario.faults, events = scenario.events,
    assume = scenario.assume, hostile = scenario.hostile, skew = scenario.skew }
end

return M
