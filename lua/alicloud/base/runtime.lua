--- The runtime: clocks, sleep, chance, the environment and files, all that differs between two runs
--- of the same program. Other code takes these from here, so that a virtual clock or a seeded
--- generator can be put in their place.

local core = require "alicloud.core"
local schema = require "alicloud.base.schema"

local M = {}

---@class alicloud.Runtime
---@field time fun(): number wall clock, unix seconds
---@field monotonic fun(): number seconds that never go backwards
---@field boottime fun(): number the same, but it goes on while the machine sleeps; if only
--- `monotonic` is overridden, it is used for this, too
---@field sleep fun(seconds: number, known?: any) returns after that time, or when `interrupted`
--- gives something else than `known` (false: anything; nil: than at the beginning)
---@field interrupted fun(): any the signal that is to end the command, if one has come
---@field random fun(): number in [0, 1)
---@field random_hex fun(bytes: integer): string hexadecimal digits, two per byte
---@field getenv fun(name: string): string|nil
---@field read_file fun(path: string): string|nil, string?, string? the last one is "ENOENT" or
--- "ENOTDIR" if there is no such file
---@field warn fun(message: string) one line for people; by default Lua's own warn, which is silent
--- until the host says warn "@on"
---@field said? fun(program: string, line: string) gets each line that a program of a step or for
--- credentials writes to standard error, made safe for a terminal; without it they go to the host's

-- Seconds. A sleep is cut into slices so that a signal just before a system call is seen soon.
local SLICE = 0.2

-- A signal that is to end the command ends the sleep, unless it is known already; the caller then
-- decides what to do about it.
local function sleep(seconds, known)
  local deadline = core.monotonic() + seconds
  local before = known == nil and core.ended_by() or known or nil
  while true do
    local left = deadline - core.monotonic()
    if left <= 0 or core.ended_by() ~= before then return end
    core.poll(nil, "r", math.min(left, SLICE))
  end
end

local function random()
  return (tonumber(core.random_hex(7), 16) >> 3) / 2.0 ^ 53
end

local ERRNOS = { [2] = "ENOENT", [20] = "ENOTDIR" }

local function read_file(path)
  local file <close>, message, errno = io.open(path, "rb")
  if not file then return nil, message, ERRNOS[errno] end
  local text
  text, message = file:read("a")
  if not text then return nil, path .. ": " .. message end
  return text
end

-- The prefix keeps a message from being taken for a control message.
local function to_host(message)
  warn("alicloud-dr: " .. message)
end

local DEFAULTS = {
  time = core.time,
  monotonic = core.monotonic,
  boottime = core.boottime,
  sleep = sleep,
  interrupted = function() return core.ended_by() end,
  random = random,
  random_hex = core.random_hex,
  getenv = os.getenv,
  read_file = read_file,
  warn = to_host,
}

local SCHEMA = {}
for name in pairs(DEFAULTS) do SCHEMA[name] = schema.callable end
SCHEMA.said = schema.callable

--- Makes a runtime without raising.
---@param overrides? table any subset of alicloud.Runtime
---@return alicloud.Runtime|nil
---@return string? message
function M.make(overrides)
  local runtime, message = schema.examine("runtime", overrides, SCHEMA)
  if not runtime then return nil, message end
  -- A clock of the caller's own does not know how long the machine sleeps.
  runtime.boottime = runtime.boottime or runtime.monotonic
  for name, real in pairs(DEFAULTS) do
    if runtime[name] == nil then runtime[name] = real end
  end
  return runtime
end

--- Makes a runtime; what is not overridden is real.
---@param overrides? table any subset of alicloud.Runtime
---@return alicloud.Runtime
function M.new(overrides)
  local runtime, message = M.make(overrides)
  if not runtime then error(message, 2) end
  return runtime
end

--- Whether the runtime reads the process's own environment; then secrets can be fetched in C,
--- without ever becoming a Lua string.
---@param runtime alicloud.Runtime
---@return boolean
function M.has_real_environment(runtime)
  return runtime.getenv == DEFAULTS.getenv
end

--- Converts a moment of the runtime's boottime to the clock of the machine, which transports use.
---@param runtime alicloud.Runtime
---@param moment number seconds of `runtime.boottime`
---@return number seconds of core.boottime
function M.machine_moment(runtime, moment)
  if runtime.boottime == DEFAULTS.boottime then return moment end
  return moment - runtime.boottime() + core.boottime()
end

--- Whether the runtime sleeps as the machine does.
---@param runtime alicloud.Runtime
---@return boolean
function M.has_real_sleep(runtime)
  return runtime.sleep == DEFAULTS.sleep
end

--- Whether the runtime reads the machine's own files, as `has_real_environment`.
---@param runtime alicloud.Runtime
---@return boolean
function M.has_real_files(runtime)
  return runtime.read_file == DEFAULTS.read_file
end

-- The most bytes that are read of a file that a setting names; all roots of a system are less than
-- one mebibyte.
local MOST = 16777216

--- Reads a file that a setting names. It must be a regular one: a FIFO or a device may never end,
--- and no deadline ends the reading.
---@param runtime alicloud.Runtime
---@param path string
---@return string|nil text
---@return string? message
function M.read_regular(runtime, path)
  if not M.has_real_files(runtime) then return runtime.read_file(path) end
  local real, message = core.real_path(path)
  if not real then return nil, message end
  local file <close>, fault = core.open_file(real, "read")
  if not file then return nil, fault end
  return file:read(0, MOST)
end

return M
