--- Makes the clients of a playbook in the process without rights. They check a call as usual and
--- hand it to the parent process. It has the credentials, and decides whether and where to send.

local clients = require "alicloud.client"
local contexts = require "alicloud.call.context"
local core = require "alicloud.core"
local schema = require "alicloud.base.schema"

local M = {}

-- A placeholder: the credentials of the command stay in the parent process.
local KEY = "plan"

-- Options that a playbook may set on a client of its own. It cannot choose the endpoint or the
-- credentials here.
local OWN = { "region", "product", "deadline", "resend" }

local FOREIGN = { kind = "credentials", code = "Client.ForeignCredentials", outcome = "not_sent",
  message = "while planning, only the credentials of the command are asked with",
  hint = "give the step an option `plan`, or plan with --profile" }

-- A sleep returns at once and only moves the monotonic clock on: nothing that it waits for was
-- begun. `time` goes on from what the parent's last answer told.
local function runtime_of(link, job)
  local passed, now, told = 0, job.now, core.monotonic()
  local runtime = {}
  function runtime.time() return now + core.monotonic() - told end
  function runtime.monotonic() return core.monotonic() + passed end
  function runtime.sleep(seconds) passed = passed + math.max(seconds, 0) end
  function runtime.getenv(name) return job.environment[name] end
  function runtime.read_file(path) return nil, path .. ": files are not read while planning" end
  local function ask(frame)
    local answer = link.ask(frame)
    now, told = answer.now, core.monotonic()
    return answer
  end
  return runtime, ask
end

local function performer(ask)
  return function(request)
    if request.access_key_id ~= KEY then return { err = FOREIGN } end
    local answer = ask { type = "call", product = request.product, action = request.action,
      version = request.version, params = request.params, region = request.region,
      deadline = request.timeout }
    return answer
  end
end

local function refuse_bytes() return nil, "a request of bytes is not sent while planning" end

--- The function that stands in for `alicloud.client`.
---@param link alicloud.dr.ConfinedLink
---@param job { now: number, region: string?, endpoint: string?, network: string?, environment:
---table<string, string> }
---@return fun(given: table?): alicloud.Client
function M.new(link, job)
  local runtime, ask = runtime_of(link, job)
  local transport = { send = refuse_bytes, perform = performer(ask) }
  return function(given)
    local checked = schema.check("alicloud.client", given, contexts.SCHEMA, 2)
    local own = { mode = "observe", transport = transport, runtime = runtime, rate = false,
      region = job.region, endpoint = job.endpoint, network = job.network, timeout = 86400,
      access_key_id = KEY, access_key_secret = KEY }
    for _, name in ipairs(OWN) do
      if checked[name] ~= nil then own[name] = checked[name] end
    end
    return clients.new(own)
  end
end

return M
