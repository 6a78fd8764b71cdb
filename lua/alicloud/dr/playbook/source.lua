--- The text of a playbook, with the modules of its own: Lua files beside it that it names in
--- `require "NAME"`. All is read, and has one digest, before anything is executed.

local core = require "alicloud.core"
local lazy = require "alicloud.base.lazy"
local tables = require "alicloud.base.tables"

---@module "alicloud.base.chunk"
local chunks = lazy.module "alicloud.base.chunk"

local M = {}

---@class alicloud.dr.PlaybookSource
---@field path string
---@field text string
---@field modules table<string, string> texts of the modules of its own, by name
---@field digest string sha256 of the text; with modules, of their names and texts too
---@field file string? what a journal calls it, if that is not its path
---@field steps string[]? names of its steps and gates, where they are known

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

local BLOCKING = { "os.execute", "io.popen" }

local function add_blocking(list, where, text)
  local number = 0
  -- The interpreter takes any pair of the two as one end of a line.
  local lines = chunks.text(text):gsub("\r\n", "\n"):gsub("\n?\r", "\n")
  for line in (lines .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    local code = line:gsub("%-%-.*$", "")
    for _, name in ipairs(BLOCKING) do
      if code:find(name, 1, true) then
        list[#list + 1] = ("%s line %d: %s"):format(where, number, name)
      end
    end
  end
end

--- Where its text names a function that keeps the whole thread until a program ends: nothing else
--- goes on meanwhile, and no lock in a shared store is renewed.
---@param source alicloud.dr.PlaybookSource
---@return string[] "stop.lua line 7: os.execute"
function M.blocking(source)
  local list = {}
  add_blocking(list, source.path:match "[^/]*$", source.text)
  for _, name in ipairs(tables.keys(source.modules)) do
    add_blocking(list, "module " .. name, source.modules[name])
  end
  return list
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

-- JSON carries UTF-8 only, and a file keeps its bytes.
local function pack_text(text)
  return utf8.len(text) and text or { base64 = core.base64(text) }
end

local function unpack_text(packed)
  if type(packed) ~= "table" then return type(packed) == "string" and packed or nil end
  return type(packed.base64) == "string" and core.unbase64(packed.base64) or nil
end

--- A playbook with all its modules as JSON can carry it, byte by byte: to go along with a journal,
--- or into a process without rights.
---@param source alicloud.dr.PlaybookSource
---@return table
function M.pack(source)
  local modules = {}
  for name, text in pairs(source.modules) do modules[name] = pack_text(text) end
  return { path = source.path, text = pack_text(source.text), modules = modules,
    file = source.file }
end

--- The playbook that was packed.
---@param packed any
---@return alicloud.dr.PlaybookSource|nil
---@return string? message
function M.unpack(packed)
  local text = type(packed) == "table" and unpack_text(packed.text)
  local is_whole = text and type(packed.path) == "string" and type(packed.modules) == "table"
    and (packed.file == nil or type(packed.file) == "string")
  local modules = {}
  for name, module in pairs(is_whole and packed.modules or {}) do
    modules[name] = unpack_text(module)
    is_whole = is_whole and type(name) == "string" and modules[name] ~= nil
  end
  if not is_whole then return nil, "it holds no playbook" end
  return { path = packed.path, text = text, modules = modules, file = packed.file,
    digest = digest_of(text, modules) }
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
      local chunk = assert(chunks.load(text, path, environment))
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
  return chunks.load(source.text, source.path, with_modules(source))
end

return M
