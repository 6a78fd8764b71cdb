--- Children that run a text of Lua, confined before it begins, and tell what it said.

local bare = require "spec.bare"
local core = require "alicloud.core"

local M = {}

--- The environment in which a child finds the modules of this build, and a tracer its program.
---@return string[]
function M.environment()
  local environment = bare.entries()
  for _, name in ipairs { "LUA_PATH", "LUA_CPATH", "PATH" } do
    environment[#environment + 1] = name .. "=" .. os.getenv(name)
  end
  return environment
end

-- `tell(value)` is what it says; modules that it needs are loaded before.
local BEGIN = [[
  local confine, core = require "alicloud.confine", require "alicloud.core"
  local function tell(value) assert(confine.send(core.encode(value) .. "\n")) end
  %s
  local reached = confine.enter { memory = %d, cpu = %d }
]]

---@class spec.Confined
---@field before? string Lua that runs with all rights
---@field argv? string[] what stands before the interpreter: a tracer
---@field memory? integer bytes (256 MiB)
---@field cpu? integer seconds (20)

--- Starts a child that confines itself and runs `code`, which may use `core`, `confine`, `tell` and
--- `reached`.
---@param code string
---@param options? spec.Confined
---@return alicloud.Child
function M.start(code, options)
  options = options or {}
  local argv = table.move(options.argv or {}, 1, #(options.argv or {}), 1, {})
  local begin = BEGIN:format(options.before or "", options.memory or 256 << 20, options.cpu or 20)
  table.move({ "lua5.4", "-e", begin .. code }, 1, 3, #argv + 1, argv)
  return assert(core.child { argv = argv, env = M.environment() })
end

--- Waits for the end of a child.
---@param child alicloud.Child
---@return { exit: integer?, signal: integer? } ending
---@return string said
function M.finish(child)
  local parts, limit = {}, core.monotonic() + 120
  while true do
    local bytes = child:receive(65536)
    if not bytes then break end
    parts[#parts + 1] = bytes
    if bytes == "" then core.poll(child:fd(), "r", 1) end
    assert(core.monotonic() < limit, "the child hangs")
  end
  while not child:ended() do core.poll(nil, "r", 0.005) end
  return child:ended(), table.concat(parts)
end

--- Runs `code` to its end, which must be a good one.
---@param code string
---@param options? spec.Confined
---@return any ... the values that it told
function M.run(code, options)
  local child <close> = M.start(code, options)
  local ending, said = M.finish(child)
  assert(ending.exit == 0, ("exit %s, signal %s: %s"):format(ending.exit, ending.signal, said))
  local values = {}
  for line in said:gmatch "[^\n]+" do values[#values + 1] = core.decode(line) end
  return table.unpack(values)
end

return M
