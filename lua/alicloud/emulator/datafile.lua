--- Reads world files and fault files: Lua tables that are loaded as data, or JSON.

local chunks = require "alicloud.base.chunk"
local core = require "alicloud.core"

local M = {}

local function read_lua(text, name)
  -- No globals and no bytecode: a data file cannot reach anything of the host.
  local chunk, problem = chunks.load(text, name, {})
  if not chunk then return nil, problem end
  local ok, value = pcall(chunk)
  if not ok then return nil, tostring(value) end
  return value
end

local function read_json(text, name)
  local value, problem = core.decode(text)
  if value == nil then return nil, ("%s: %s"):format(name, problem) end
  return value
end

--- Reads the text of a file.
---@param text string
---@param name string  file name; `.json` chooses JSON, all else is Lua
---@return table|nil value
---@return string|nil problem
function M.parse(text, name)
  local value, problem
  if name:lower():find("%.json$") then
    value, problem = read_json(text, name)
  else
    value, problem = read_lua(text, name)
  end
  if value == nil and problem then return nil, problem end
  if type(value) ~= "table" then
    return nil, ("%s: must give a table, gives %s"):format(name, type(value))
  end
  return value
end

return M
