--- Methods of a change that waits for what passes by itself, before it sends anything.

local M = {}

--- Looks until nothing stands in the way that passes by itself, for as long as the change may take.
---@param self alicloud.dr.Change
---@param look fun(): any, table|nil what was found, and the problem; its field `passes` is true, or
---the seconds that such a look is worth
---@return any found
---@return table|nil problem that stays
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

--- Waits a little for something that passes by itself.
---@param self alicloud.dr.Change
---@param problem { message: string }
---@param left number seconds that it may take yet
function M.await(self, problem, left)
  self.group.client:wait_out { seconds = self.options.poll, reason = problem.message, left = left }
end

return M
