--- Lua files as the interpreter reads them: `lua5.4 FILE` takes one that begins with a byte order
--- mark, which editors write, or with a line for the system ("#!"), and counts that line.

local M = {}

--- The text of a file without byte order mark and "#!" line; its lines keep their numbers.
---@param text string
---@return string
function M.text(text)
  text = text:gsub("^\xEF\xBB\xBF", "")
  if text:sub(1, 1) ~= "#" then return text end
  return text:match "^[^\n]*(\n.*)$" or ""
end

--- Compiles the text of a file; bytecode is refused.
---@param text string
---@param path string for messages
---@param environment? table default: the globals
---@return function|nil chunk
---@return string? message
function M.load(text, path, environment)
  return load(M.text(text), "@" .. path, "t", environment or _G)
end

return M
