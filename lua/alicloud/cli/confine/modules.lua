--- Answers a process without rights that asks for a Lua module. It gets the text of files that lie
--- where this program's own modules are found, and nothing else of the file system.

local M = {}

local LARGEST = 4 * 1024 * 1024

-- Drops relative templates: they depend on the directory in which the command was typed.
local function absolute(path)
  local kept = {}
  for template in path:gmatch "[^;]+" do
    if template:find "^/" then kept[#kept + 1] = template end
  end
  return table.concat(kept, ";")
end

--- The path of a module's file.
---@param name string
---@param path string package.path or package.cpath
---@return string|nil
---@return string? message
function M.find(name, path)
  return package.searchpath(name, absolute(path))
end

-- Reads Lua text only; bytecode is refused.
local function read(path)
  local file <close>, message = io.open(path, "rb")
  if not file then return nil, message end
  local text = file:read(LARGEST + 1)
  if not text or #text > LARGEST or text:find "^\27" then return nil, path .. ": is no Lua text" end
  return text
end

--- The answer to a process that asks for a module.
---@param name string
---@return table frame
function M.answer(name)
  local text, path, message
  if name:find "^[%w_]+$" or name:find "^[%w_]+[%w_.]*[%w_]$" and not name:find("..", 1, true) then
    path, message = M.find(name, package.path)
  end
  if path then text, message = read(path) end
  if text then return { type = "module", name = name, path = path, text = text } end
  return { type = "module", name = name, missing = (message or "no name of a module"):sub(1, 4000) }
end

return M
