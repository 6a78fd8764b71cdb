--- The modules that a process without rights is given: the text of Lua files from where the
--- program's own are found, and nothing else of the file system.

local M = {}

local LARGEST = 4 * 1024 * 1024

-- What depends on the directory in which the command was typed is not asked.
local function absolute(path)
  local kept = {}
  for template in path:gmatch "[^;]+" do
    if template:find "^/" then kept[#kept + 1] = template end
  end
  return table.concat(kept, ";")
end

--- Where a file of a module lies.
---@param name string
---@param path string package.path or package.cpath
---@return string|nil
---@return string? message
function M.find(name, path)
  return package.searchpath(name, absolute(path))
end

-- Only text: bytecode is not given, whoever has written it.
local function read(path)
  local file <close>, message = io.open(path, "rb")
  if not file then return nil, message end
  local text = file:read(LARGEST + 1)
  if not text or #text > LARGEST or text:find "^\27" then return nil, path .. ": is no Lua text" end
  return text
end

--- The answer to somebody who asks for a module.
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
