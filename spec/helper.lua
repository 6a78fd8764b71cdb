--- What the specs share: a clock that moves only when told, a generator with a seed, a transport
--- that plays a script and remembers what it was asked.

local core = require "alicloud.core"
local alicloud = require "alicloud"
local runtimes = require "alicloud.base.runtime"

local M = {}

-- 2026-11-22T03:19:52Z
M.NOW = 1795317592

--- A generator with a seed, in [0, 1). Numerical Recipes' 64-bit LCG, upper bits.
---@param seed integer
---@return fun(): number
function M.generator(seed)
  local state = seed * 0x9E3779B97F4A7C15 + 1
  return function()
    state = state * 6364136223846793005 + 1442695040888963407
    return (state >> 11) / 2.0 ^ 53
  end
end

---@class spec.Dice
---@field chance fun(p: number): boolean
---@field pick fun(list: any[]): any

--- What a seed decides, one throw after the other.
---@param seed integer
---@return spec.Dice
function M.dice(seed)
  local random = M.generator(seed)
  return {
    chance = function(p) return random() < p end,
    pick = function(list) return list[math.floor(random() * #list) + 1] end,
  }
end

local function hex_of(random)
  return function(bytes)
    local digits = {}
    for i = 1, bytes do digits[i] = ("%02x"):format(math.floor(random() * 256)) end
    return table.concat(digits)
  end
end

--- A runtime on a virtual clock.
---@param given? { seed?: integer, env?: table, files?: table, random?: function,
--- warnings?: string[] }
---@return alicloud.Runtime
---@return { elapsed: number, sleeps: number[], skew: number, asleep: number } control `elapsed` may
--- be advanced, and `asleep`: seconds for which the machine was suspended
function M.runtime(given)
  given = given or {}
  local control = { elapsed = 0, sleeps = {}, skew = 0, asleep = 0 }
  local random = given.random or M.generator(given.seed or 1)
  local runtime = runtimes.new {
    time = function() return M.NOW + control.elapsed + control.skew end,
    monotonic = function() return 1000 + control.elapsed end,
    boottime = function() return 1000 + control.elapsed + control.asleep end,
    sleep = function(seconds)
      assert(seconds >= 0, "slept for a negative time")
      control.sleeps[#control.sleeps + 1] = seconds
      control.elapsed = control.elapsed + seconds
    end,
    random = random,
    random_hex = hex_of(random),
    getenv = function(name) return (given.env or {})[name] end,
    read_file = function(path)
      local text = (given.files or {})[path]
      if text then return text end
      return nil, path .. ": No such file or directory"
    end,
    warn = function(message)
      if given.warnings then given.warnings[#given.warnings + 1] = message end
    end,
  }
  return runtime, control
end

--- A complete answer with a RequestId.
---@param fields? table
---@param headers? table
---@return alicloud.Exchange
function M.ok(fields, headers)
  local body = { RequestId = "REQ-OK" }
  for name, value in pairs(fields or {}) do body[name] = value end
  return { status = 200, headers = headers or {}, body = core.encode(body) }
end

--- An error of the service.
---@param status integer
---@param code string
---@param headers? table
---@param request_id? string
---@return alicloud.Exchange
function M.refuse(status, code, headers, request_id)
  return {
    status = status,
    headers = headers or {},
    body = core.encode {
      RequestId = request_id or "REQ-" .. status,
      HostId = "ebs.cn-shanghai.aliyuncs.com",
      Code = code,
      Message = "words of " .. code,
    },
  }
end

--- No complete answer.
---@param failure string
---@param sent boolean
---@return alicloud.Exchange
function M.broken(failure, sent)
  return { failure = failure, sent = sent, detail = "made by the spec" }
end

-- A transport that plays answers in order; a function is called with the request. Asking for more
-- than was written gives an answer that no spec expects.
local function scripted(answers)
  local transport = { requests = {} }
  function transport.send(request)
    local requests = transport.requests
    requests[#requests + 1] = request
    local answer = answers[#requests] or M.refuse(418, "Spec.ScriptIsOver")
    if type(answer) == "function" then return answer(request) end
    return answer
  end
  return transport
end

--- The query parameters of a request that was sent.
---@param request alicloud.Request
---@return table<string, string>
function M.query(request)
  local params = {}
  for name, value in (request.url:match("%?(.*)$") or ""):gmatch("([^&=]+)=([^&]*)") do
    params[core.percent_decode(name)] = core.percent_decode(value)
  end
  return params
end

local FOR_RUNTIME = { seed = true, env = true, skew = true, random = true, warnings = true }

--- A client that cannot reach anything but the script.
---@param answers table[]
---@param overrides? table client options; `seed`, `env`, `skew`, `random` and `warnings` go to the
--- runtime
---@return alicloud.Client
---@return { send: function, requests: table[] } transport
---@return table control of the clock
function M.client(answers, overrides)
  local given = { region = "cn-shanghai", access_key_id = "LTAIexample0000abcd",
    access_key_secret = "spec-secret" }
  local setup = {}
  for name, value in pairs(overrides or {}) do
    if FOR_RUNTIME[name] then setup[name] = value else given[name] = value end
  end
  local runtime, control = M.runtime(setup)
  control.skew = setup.skew or 0
  given.runtime = runtime
  local transport = given.transport or scripted(answers)
  given.transport = transport
  if given.credentials then given.access_key_id, given.access_key_secret = nil, nil end
  return alicloud.client(given), transport, control
end

--- One call of an operation, each time by a client of its own, see `client`.
---@param operation string
---@param params table
---@return function (answers, options, overrides) -> result or nil, error, the requests that were
--- sent, control of the clock
function M.caller(operation, params)
  return function(answers, options, overrides)
    local client, transport, control = M.client(answers, overrides)
    local result, err = client:call(operation, params, options)
    return result, err, transport.requests, control
  end
end

--- The message of a raised error; fails if nothing is raised.
---@param callee function
---@param ... any
---@return string
function M.raised(callee, ...)
  local ok, raised = pcall(callee, ...)
  assert(not ok, "nothing was raised")
  return raised
end

return M
