--- Regions that look like a slip of the hand. A region that nobody has heard of may be a new one,
--- so only what is near to a known name is doubted, and not what differs from it in a number.

local core = require "alicloud.core"
local regions = require "alicloud.service.common.regions"

local M = {}

local known = {}
for _, name in ipairs(regions.known) do known[name] = true end

local function without_digits(name)
  return (name:gsub("%d", ""))
end

--- The region that was probably meant.
---@param typed string
---@return string|nil name nil: there is no reason to doubt it
function M.meant(typed)
  if known[typed] then return nil end
  local nearest = core.suggest(typed, regions.known)
  if not nearest or without_digits(nearest) == without_digits(typed) then return nil end
  return nearest
end

return M
