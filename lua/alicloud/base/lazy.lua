--- Loads modules when a field of them is first used, so that a command starts fast: few programs
--- use everything. Code that only the middle or the end of a change needs is required at the head
--- all the same: by then the files may have been replaced, or be out of reach.

local M = {}

--- Stands for a module, and loads it when a field is first read.
---@param name string of a module that is a table
---@return table
function M.module(name)
  return setmetatable({}, { __index = function(stand_in, key)
    local value = require(name)[key]
    if value ~= nil then rawset(stand_in, key, value) end
    return value
  end })
end

--- Lets fields of a table be modules that are loaded when they are first read.
---@generic T: table
---@param owner T
---@param modules table<string, string> field to module
---@return T owner
function M.fields(owner, modules)
  return setmetatable(owner, { __index = function(_, key)
    local name = modules[key]
    if not name then return nil end
    local module = require(name)
    rawset(owner, key, module)
    return module
  end })
end

return M
