--- Behaviours of the service that nobody knows: each seed has its own, so that whatever a playbook
--- relies on, some seed has it otherwise.

local random = require "alicloud.simulation.random"
local tables = require "alicloud.base.tables"

local M = {}

-- Drawn apart, so that they change nothing else of a seed.
local STREAM = 1 << 44

--- The emulator's switches that are drawn, and their values.
M.VALUES = {
  token_errors = { "forget", "some", "remember" }, site_status = { "same", "own" },
  standby_attached = { "any", "running" }, last_token = { "empty", "absent" },
  empty_pair_ids = { "array", "absent" }, delete_created = { "allow", "refuse" },
}

--- What a seed assumes.
---@param seed integer
---@param forgetful boolean the service forgets tokens
---@return table<string, any> assume
---@return alicloud.simulation.Trouble|nil chance which refusals occupy their token is left to it
function M.of(seed, forgetful)
  local d = random.new(seed + STREAM)
  -- Where a token is forgotten, a repeat must be seen to have an effect.
  local assume = { repeat_failover = forgetful and "restart" or nil }
  for _, name in ipairs(tables.keys(M.VALUES)) do assume[name] = d:pick(M.VALUES[name]) end
  -- Nothing protects from a site that is late where tokens are forgotten.
  if forgetful then assume.site_status = "same" end
  if not d:chance(0.15) then return assume end
  return assume, { kind = "hostile", name = "token_errors_random", from_start = true,
    change = { token_errors_random = true }, lasts = 100000 }
end

return M
