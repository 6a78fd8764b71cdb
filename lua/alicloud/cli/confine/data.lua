--- Reads the emulator's data files: worlds, faults, scenarios. JSON is parsed here; a Lua file is
--- code, and runs in a process without rights that gives back plain data.

local confine = require "alicloud.cli.confine"
local core = require "alicloud.core"
local datafile = require "alicloud.emulator.datafile"

local M = {}

--- Reads the data out of the text of a file.
---@param text string
---@param path string a name ending in `.json` means JSON, any other Lua
---@param io alicloud.cli.Io
---@return table|nil value
---@return string? message
function M.parse(text, path, io)
  if path:lower():find "%.json$" then return datafile.parse(text, path) end
  local confined = confine.run { entry = "alicloud.cli.confined.world",
    job = { file = { text = text, path = path } }, time = core.time, io = io }
  if not confined.value then return nil, confined.failure end
  local data = confined.value.data
  if type(data) ~= "table" then return nil, path .. ": gave no data" end
  return data
end

return M
