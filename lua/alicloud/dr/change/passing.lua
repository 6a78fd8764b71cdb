--- Methods of a change that wait, before anything is sent, for obstacles that pass by themselves.

local M = {}

--- Looks again until there is no problem, or none that passes by itself, or the time is up.
---@param self alicloud.dr.Change
---@param look fun(): any, table|nil what was found, and the problem; its field `passes` is the
---seconds to wait at most, true (the timeout of the change), or nil if it does not pass
---@return any found
---@return table|nil problem the one that is left
function M.until_passed(self, look)
  local since
  while true do
    local found, problem = look()
    local passes = problem and problem.passes
    if not passes then return found, problem end
    since = since or self:now()
    local limit = passes == true and self.options.timeout or passes
    local left = since + limit - self:now()
    if left <= 0 then return found, problem end
    M.await(self, problem, left)
  end
end

--- Waits for one poll interval because of a problem that passes by itself.
---@param self alicloud.dr.Change
---@param problem { message: string }
---@param left number seconds that may still be waited
function M.await(self, problem, left)
  self.group.client:wait_out { seconds = self.options.poll, reason = problem.message, left = left }
end

return M
