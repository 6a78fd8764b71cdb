--- Reads the text of a playbook, with its own modules: Lua files beside it that it names in
--- `require "NAME"`. All of it is read, and has one digest, before any of it is executed.

local core = require "alicloud.core"
local lazy = require "alicloud.base.lazy"
local tables = require "alicloud.base.tables"

---@module "alicloud.base.chunk"
local chunks = lazy.module "alicloud.base.chunk"

local M = {}

---@class alicloud.dr.PlaybookSource
---@field path string
---@field text string
---@field modules table<string, string> texts of its own modules, by name
---@field digest string sha256 of the text; with modules, of their names and texts too
---@field file string? its name in a journal; nil: its path
---@field steps string[]? names of its steps and gates; nil: to be read from the text

local NAMED = "require%s*%(?%s*([\"'])([%w_-][%w_.-]*)%1"
-- Codes of a file that does not exist; such a module is installed elsewhere.
local MISSING = { ENOENT = true, ENOTDIR = true }

local function is_ours(name)
  return name:find "^alicloud%f[\0.]" ~= nil
end

local function path_of(directory, name)
  return directory .. name:gsub("%.", "/") .. ".lua"
end

-- Reads the modules that a text names. A name in a comment counts as well; that only adds the
-- module to the digest.
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

--- Reads a playbook and its own modules.
---@param path string
---@param read_file fun(path: string): string|nil, string?, string? returns text, or nil, message
---and a code such as "ENOENT"
---@param read_module? fun(path: string): string|nil, string?, string? reads modules; nil:
---`read_file`
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
  -- Lua counts "\r\n" and "\n\r" as one end of a line.
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

--- Where the text names a function that blocks the whole thread until a program ends: no other task
--- runs meanwhile, and no lease in a shared store is renewed.
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

--- Whether the text may have a point of no return: it has the word, or uses parts of a ready
--- playbook. The step itself is known only when the playbook comes to it. If only a comment has the
--- word, the run asks one question too many.
---@param source alicloud.dr.PlaybookSource
---@return boolean
function M.names_no_return(source)
  for _, text in pairs(source.modules) do
    if has_no_return(text) then return true end
  end
  return has_no_return(source.text)
end

-- A text for JSON: in base64 if it is not UTF-8.
local function pack_text(text)
  return utf8.len(text) and text or { base64 = core.base64(text) }
end

local function unpack_text(packed)
  if type(packed) ~= "table" then return type(packed) == "string" and packed or nil end
  return type(packed.base64) == "string" and core.unbase64(packed.base64) or nil
end

--- A playbook with all its modules as a value for JSON, to go with a journal or to a process
--- without rights.
---@param source alicloud.dr.PlaybookSource
---@return table
function M.pack(source)
  local modules = {}
  for name, text in pairs(source.modules) do modules[name] = pack_text(text) end
  return { path = source.path, text = pack_text(source.text), modules = modules,
    file = source.file }
end

--- Reads a playbook that was packed.
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

-- The environment of a playbook with modules: its `require` loads them anew for this playbook,
-- since another playbook of the process may have modules of the same names. Globals are shared.
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
