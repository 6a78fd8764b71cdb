--- The text of a playbook, with the modules of its own: Lua files beside it that it names in
--- `require "NAME"`. All is read, and has one digest, before anything is executed.

local core = require "alicloud.core"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.PlaybookSource
---@field path string
---@field text string
---@field modules table<string, string> texts of the modules of its own, by name
---@field digest string sha256 of the text; with modules, of their names and texts too
---@field file string? what a journal calls it, if that is not its path

local NAMED = "require%s*%(?%s*([\"'])([%w_-][%w_.-]*)%1"
-- Of a file that is not there, and of a module that is installed elsewhere.
local MISSING = { ENOENT = true, ENOTDIR = true }

local function is_ours(name)
  return name:find "^alicloud%f[\0.]" ~= nil
end

local function path_of(directory, name)
  return directory .. name:gsub("%.", "/") .. ".lua"
end

-- A comment that names a module makes it part of the digest, and does no other harm.
local function read_modules(text, directory, read_module, modules)
  for _, name in text:gmatch(NAMED) do
    if not is_ours(name) and not modules[name] then
      local found, message, code = read_module(path_of(directory, name))
      if not found and not MISSING[code] then return nil, message end
      if found then
        modules[name] = found
        local ok, fault = read_modules(found, directory, read_module, modules)
        if not ok then return nil, fault end
      end
    end
  end
  return true
end

local function digest_of(text, modules)
  if next(modules) == nil then return core.sha256(text) end
  local parts = { core.sha256(text) }
  for _, name in ipairs(tables.keys(modules)) do
    parts[#parts + 1] = name .. " " .. core.sha256(modules[name])
  end
  return core.sha256(table.concat(parts, "\n"))
end

--- Reads a playbook and the modules of its own.
---@param path string
---@param read_file fun(path: string): string|nil, string?, string? with a code, "ENOENT" if need be
---@param read_module? fun(path: string): string|nil, string?, string? for what it names, if that is
---not read like the playbook itself
---@return alicloud.dr.PlaybookSource|nil
---@return string? message
function M.read(path, read_file, read_module)
  local text, message = read_file(path)
  if not text then return nil, message end
  local modules = {}
  local ok, fault = read_modules(text, path:match "^.*/" or "", read_module or read_file, modules)
  if not ok then return nil, fault end
  return { path = path, text = text, modules = modules, digest = digest_of(text, modules) }
end

local function has_no_return(text)
  return text:find("point_of_no_return", 1, true) ~= nil
    or text:find "alicloud%.playbooks%.%l" ~= nil
end

--- Whether its text has a step from which there is no way back, or uses parts of a ready playbook.
--- Such a step cannot be known before the playbook comes to it; its words can, and a comment that
--- has them does no harm but a question.
---@param source alicloud.dr.PlaybookSource
---@return boolean
function M.names_no_return(source)
  for _, text in pairs(source.modules) do
    if has_no_return(text) then return true end
  end
  return has_no_return(source.text)
end

--- A playbook with all its modules in one text, to go along with a journal.
---@param source alicloud.dr.PlaybookSource
---@return string
function M.pack(source)
  return core.encode { path = source.path, text = source.text, modules = source.modules }
end

--- The playbook of such a text.
---@param text string
---@return alicloud.dr.PlaybookSource|nil
---@return string? message
function M.unpack(text)
  local packed = core.decode(text)
  local modules = type(packed) == "table" and packed.modules
  if type(modules) ~= "table" or type(packed.text) ~= "string"
    or type(packed.path) ~= "string" then
    return nil, "it holds no playbook"
  end
  for name, module in pairs(modules) do
    if type(name) ~= "string" or type(module) ~= "string" then
      return nil, "it holds no playbook"
    end
  end
  return { path = packed.path, text = packed.text, modules = modules,
    digest = digest_of(packed.text, modules) }
end

-- The modules see the same globals as the playbook, and are its own: another playbook of this
-- process may have some of the same names.
local function with_modules(source)
  if next(source.modules) == nil then return _G end
  local directory, loaded = source.path:match "^.*/" or "", {}
  local environment = setmetatable({}, { __index = _G, __newindex = _G })
  rawset(environment, "require", function(name)
    local text = source.modules[name]
    if not text then return require(name) end
    if loaded[name] == nil then
      local path = path_of(directory, name)
      local chunk = assert(load(text, "@" .. path, "t", environment))
      local value = chunk(name, path)
      loaded[name] = value == nil and true or value
    end
    return loaded[name]
  end)
  return environment
end

--- Compiles a playbook.
---@param source alicloud.dr.PlaybookSource
---@return function|nil chunk
---@return string? message
function M.compile(source)
  return load(source.text, "@" .. source.path, "t", with_modules(source))
end

return M
