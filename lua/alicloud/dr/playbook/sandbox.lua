--- The globals of a playbook that is only planned: it can start no program, write no file and send
--- nothing that changes. Modules that are Lua files are loaded the same way; of any other module
--- every use raises, which the plan reports.

local M = {}

local PLAIN = { "assert", "error", "ipairs", "next", "pairs", "pcall", "print", "rawequal",
  "rawget", "rawlen", "rawset", "select", "setmetatable", "tonumber", "tostring", "type",
  "xpcall", "_VERSION", "warn" }

local LIBRARIES = { "coroutine", "math", "string", "table", "utf8" }

local function copy(library, names)
  local own = {}
  for _, name in ipairs(names) do own[name] = library[name] end
  return own
end

local function refuse(what)
  return function()
    error(("plan: %s is not done while planning; give the step an option `plan`"):format(what), 2)
  end
end

--- Whether an error says that the environment has refused something.
---@param raised any
---@return boolean
function M.is_refusal(raised)
  return type(raised) == "string" and raised:find("plan: .+ is not done while planning") ~= nil
end

-- Anything may be taken from it, and nothing of that may be called.
local function stub(name)
  return setmetatable({}, {
    __index = function(_, key) return stub(name .. "." .. tostring(key)) end,
    __call = refuse(name),
    __tostring = function() return "plan: " .. name end,
  })
end

local function refusing(library, name, allowed)
  return setmetatable(copy(library, allowed), {
    __index = function(_, key)
      return library[key] ~= nil and refuse(name .. "." .. tostring(key)) or nil
    end,
  })
end

local function readable_io()
  local own = refusing(io, "io", { "type" })
  function own.open(path, mode)
    if mode ~= nil and not tostring(mode):find("^rb?$") then refuse "writing a file" () end
    return io.open(path, "rb")
  end
  function own.lines(path)
    if path == nil then refuse "reading the terminal" () end
    return io.lines(path)
  end
  own.write = function() end
  return own
end

-- The functions of all strings are those of the whole program.
local function own_metatable(value)
  if type(value) == "string" then return nil end
  return getmetatable(value)
end

local function facade(observe)
  local alicloud = require "alicloud"
  local own = {}
  for name, value in pairs(alicloud) do own[name] = value end
  own.client = observe
  return own
end

local function dr_facade()
  local dr = require "alicloud.dr"
  local own = {}
  for name, value in pairs(dr) do own[name] = value end
  own.run, own.walk = refuse "dr.run", refuse "dr.walk"
  return own
end

local function loader(environment, own_modules)
  local loaded = {}
  return function(name)
    if own_modules[name] then return own_modules[name] end
    if loaded[name] ~= nil then return loaded[name] end
    local path = package.searchpath(name, package.path)
    local chunk = path and loadfile(path, "t", environment)
    local is_ours = name:find("^alicloud%.") and not name:find("^alicloud%.playbooks")
    if not chunk or is_ours then
      loaded[name] = stub(name)
    else
      local value = chunk(name, path)
      loaded[name] = value == nil and true or value
    end
    return loaded[name]
  end
end

--- Makes an environment.
---@param observe fun(options: table): alicloud.Client makes clients that only read
---@return table globals
function M.new(observe)
  local environment = copy(_G, PLAIN)
  environment._G = environment
  for _, name in ipairs(LIBRARIES) do
    environment[name] = {}
    for key, value in pairs(_G[name]) do environment[name][key] = value end
  end
  environment.print, environment.getmetatable = function() end, own_metatable
  environment.os = refusing(os, "os", { "clock", "date", "difftime", "getenv", "time" })
  environment.io = readable_io()
  environment.load = function(text, name, _, given)
    return load(text, name, "t", given or environment)
  end
  environment.require = loader(environment, { alicloud = facade(observe),
    ["alicloud.dr"] = dr_facade() })
  return environment
end

return M
