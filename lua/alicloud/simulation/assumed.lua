--- Draws behaviour of the service that is not documented: each seed has its own, so that whatever a
--- playbook relies on, some seed contradicts it.

local random = require "alicloud.simulation.random"
local tables = require "alicloud.base.tables"

local M = {}

-- A random stream of its own, so that the rest of a seed's case stays the same.
local STREAM = 1 << 44

--- The emulator's switches that are drawn, and their values.
M.VALUES = {
  token_errors = { "forget", "some", "remember" }, site_status = { "same", "own" },
  standby_attached = { "any", "running" }, last_token = { "empty", "absent" },
  empty_pair_ids = { "array", "absent" }, delete_created = { "allow", "refuse" },
}

--- The switches of a seed.
---@param seed integer
---@param forgetful boolean the service forgets tokens
---@return table<string, any> assume
---@return alicloud.simulation.Trouble|nil chance whether a token keeps its refusal is random
function M.of(seed, forgetful)
  local d = random.new(seed + STREAM)
  -- If tokens are forgotten, a repeat must have a visible effect.
  local assume = { repeat_failover = forgetful and "restart" or nil }
  for _, name in ipairs(tables.keys(M.VALUES)) do assume[name] = d:pick(M.VALUES[name]) end
  -- If tokens are forgotten, nothing protects from a site that shows old states.
  if forgetful then assume.site_status = "same" end
  if not d:chance(0.15) then return assume end
  return assume, { kind = "hostile", name = "token_errors_random", from_start = true,
    change = { token_errors_random = true }, lasts = 100000 }
end

return M
