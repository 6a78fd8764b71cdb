--- Commands that somebody is to type.

local M = {}

--- A word as a shell takes it.
---@param word string
---@return string
function M.quote(word)
  if word:find("^[%w_%.:@%%+=/-]+$") then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

return M
