--- A machine for providers to be tried on: its environment, its files, its clock, and a network on
--- which everybody plays a script or is the emulator.

local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local helper = require "spec.helper"
local runtimes = require "alicloud.base.runtime"

local M = {}

---@class spec.credentials.Bench
---@field settings alicloud.credentials.Settings of a client there
---@field requests table[]
---@field warnings string[]
---@field control table of the clock
---@field env table<string, string>
---@field files table<string, string>

local function recording(bench, send)
  return { send = function(request)
    local kept = {}
    for name, value in pairs(request) do kept[name] = value end
    bench.requests[#bench.requests + 1] = kept
    return send(request, #bench.requests)
  end }
end

--- A loop for what really runs: programs do not follow a clock that moves when told.
---@return alicloud.Loop
function M.real_loop()
  return {
    now = core.monotonic, sleep = function(seconds) core.poll(nil, "r", seconds) end,
    wait = function(pollable, ends)
      core.poll(pollable:pollfd(), pollable:events(), math.max(0, ends - core.monotonic()))
    end,
  }
end

--- Makes a machine.
---@param given? { env?: table, files?: table, answers?: table, send?: function, runtime?: table,
--- loop?: alicloud.Loop, real_files?: boolean }
---@return spec.credentials.Bench
function M.new(given)
  given = given or {}
  local bench = { requests = {}, warnings = {}, env = given.env or {}, files = given.files or {} }
  local runtime, control = helper.runtime { env = bench.env, files = bench.files }
  for name, value in pairs(given.runtime or {}) do runtime[name] = value end
  if given.real_files then runtime.read_file = nil end
  runtime = runtimes.new(runtime)
  runtime.warn = function(text) bench.warnings[#bench.warnings + 1] = text end
  local answers = given.answers or {}
  local send = given.send or function(request, n)
    local answer = answers[n] or { failure = "connect", sent = false, detail = "nobody there" }
    return type(answer) == "function" and answer(request) or answer
  end
  local loop = given.loop or { now = runtime.monotonic, sleep = runtime.sleep,
    wait = function() error "nothing here is to be waited for" end }
  bench.control, bench.runtime, bench.loop = control, runtime, loop
  bench.settings = { runtime = runtime, loop = loop,
    config = { transport = recording(bench, send) } }
  return bench
end

--- Opens a spec on a machine.
---@param bench spec.credentials.Bench
---@param spec alicloud.credentials.Spec
---@return alicloud.credentials.Provider
function M.open(bench, spec)
  return credentials.open(spec, bench.settings)
end

--- A session's members in an answer.
---@param n integer
---@param ends number unix seconds
---@return table
function M.members(n, ends)
  return { AccessKeyId = "STS.key" .. n, AccessKeySecret = "canary-secret-" .. n,
    SecurityToken = "canary-token-" .. n,
    Expiration = core.iso8601(ends) }
end

--- A complete answer.
---@param status integer
---@param body string|table text, or what is encoded
---@param headers? table
---@return alicloud.Exchange
function M.answer(status, body, headers)
  if type(body) == "table" then body = core.encode(body) end
  return { status = status, headers = headers or {}, body = body }
end

return M
