--- Finds mistyped region names. An unknown region may be a new one. So a name is doubted only if it
--- is near to a known one, and not if both differ only in digits.

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
---@return string|nil name nil: the typed name is known, or near to none
function M.meant(typed)
  if known[typed] then return nil end
  local nearest = core.suggest(typed, regions.known)
  if not nearest or without_digits(nearest) == without_digits(typed) then return nil end
  return nearest
end

return M
