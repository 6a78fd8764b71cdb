--- The settings that all calls of a client share: its options, the defaults and the environment.

local adapter = require "alicloud.net.adapter"
local core = require "alicloud.core"
local differences = require "alicloud.base.differences"
local duration = require "alicloud.base.duration"
local endpoint = require "alicloud.net.endpoint"
local formats = require "alicloud.base.formats"
local net_options = require "alicloud.net.options"
local outage_retry = require "alicloud.call.outage_retry"
local plans = require "alicloud.call.plan"
local rate_limit = require "alicloud.call.rate_limit"
local retry = require "alicloud.call.retry"
local runtimes = require "alicloud.base.runtime"
local schema = require "alicloud.base.schema"
local services = require "alicloud.service"
local shared_loops = require "alicloud.loop.shared"
local stats = require "alicloud.call.stats"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.ClientOptions: alicloud.NetworkOptions
---@field region? string else ALIBABA_CLOUD_REGION_ID
---@field access_key_id? string else the default chain, see alicloud.credentials
---@field access_key_secret? string|userdata
---@field security_token? string|userdata
---@field credentials? table of alicloud.credentials, a provider `{ get = function }`, or a table
---of the three above
---@field profile? string a profile of ~/.aliyun/config.json or ~/.alibabacloud/credentials
---@field endpoint? string|table<string, string> [scheme://]host[:port], or one per region
---@field network? "public"|"vpc" else ALIBABA_CLOUD_ENDPOINT_TYPE, else public
---@field plain_http? boolean allow http:// to other machines
---@field timeout? number seconds for one reading attempt (10)
---@field write_timeout? number seconds for one changing attempt (30)
---@field connect_timeout? number seconds (5)
---@field deadline? number seconds for a whole call with its retries (60)
---@field retries? integer attempts after the first (2); 0 turns retrying off
---@field retry? table see alicloud.retry.Policy
---@field rate? alicloud.rate_limit.Rate|false limits of calls a second; false: no limits
---@field resend? "token"|"never" whether a change of unknown outcome is sent again under its token
---@field wait_for_cloud? number|string|false|alicloud.OutageRetry total time for which reads are
---repeated in an outage; false: never. Unset: methods of groups and steps wait ten minutes each
---@field second_region? string is asked for a diagnosis when the client's region does not answer
---@field failed_region? string calls that depend on it are refused, see client:dependencies
---@field mode? "normal"|"observe" observe refuses everything that changes something
---@field transport? { send: function } replaces the built-in transport
---@field runtime? table overrides of alicloud.Runtime
---@field loop? alicloud.Loop of alicloud.loop.cqueues or alicloud.loop.luv, or one of your own
---@field algorithm? "ACS3-HMAC-SHA256"|"ACS3-HMAC-SM3"|"HMAC-SHA1"
---@field user_agent? string appended to ours
---@field product? string of actions that do not name one (ebs)
---@field witness? alicloud.Interceptor is told of every attempt of a change before and after it
---@field tracer? alicloud.Tracer is told of every call and each of its attempts
---@field recorder? alicloud.Recorder records every exchange, see
---alicloud.conformance.recording.recorder
---@field caller? fun(): string?, string? run id and step that make the call, for the tracer

local function has_functions(...)
  local names = { ... }
  return function(value)
    if type(value) ~= "table" then return false end
    for _, name in ipairs(names) do
      if not schema.callable.test(value[name]) then return false end
    end
    return true
  end
end

local REGION = formats.PARAMETER.region

--- Rules of the options.
M.SCHEMA = {
  region = REGION,
  second_region = REGION,
  failed_region = REGION,
  wait_for_cloud = schema.rule('false, seconds, a duration such as "1h", or a table (seconds, '
    .. "pause, progress)", function(value)
    return value == false or type(value) == "table" or type(value) == "number"
      or type(value) == "string" and duration.parse(value) ~= nil
  end),
  access_key_id = schema.secret,
  access_key_secret = schema.secret,
  security_token = schema.secret,
  credentials = schema.typed "table",
  profile = schema.text,
  endpoint = schema.rule("host[:port] with optional http:// or https://, or a table by region",
    function(value) return type(value) == "string" or type(value) == "table" end),
  network = schema.choice("public", "vpc"),
  plain_http = schema.boolean,
  timeout = schema.seconds(0.001, 86400),
  write_timeout = schema.seconds(0.001, 86400),
  connect_timeout = schema.seconds(0.001, 86400),
  deadline = schema.seconds(0.001, 86400),
  retries = schema.integer(0, 99),
  retry = schema.typed "table",
  rate = schema.rule("false or a table (action, actions, region, reserve)", function(value)
    return value == false or type(value) == "table"
  end),
  resend = schema.choice("token", "never"),
  mode = schema.choice("normal", "observe"),
  transport = schema.rule("a table with a function send", has_functions "send"),
  runtime = schema.typed "table",
  loop = schema.rule("a table with the functions wait, sleep and now",
    has_functions("wait", "sleep", "now")),
  algorithm = schema.choice("ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "HMAC-SHA1"),
  user_agent = schema.rule("printable ASCII text", function(value)
    return type(value) == "string" and value:find("^[\x20-\x7e]+$") ~= nil
  end),
  product = plans.PRODUCT,
  witness = schema.rule("a table with the functions before and after",
    has_functions("before", "after")),
  tracer = schema.rule("a table with the function begin", has_functions "begin"),
  recorder = schema.rule("a table with the function exchange", has_functions "exchange"),
  caller = schema.callable,
}

for name, rule in pairs(net_options.SCHEMA) do M.SCHEMA[name] = rule end

local DEFAULTS = {
  plain_http = false,
  timeout = 10,
  write_timeout = 30,
  connect_timeout = 5,
  deadline = 60,
  resend = "token",
  mode = "normal",
  algorithm = "ACS3-HMAC-SHA256",
  product = "ebs",
}

--- Names of the options that are about credentials.
M.KEYS = { "credentials", "access_key_id", "access_key_secret", "security_token",
  "profile" }

--- Names of the options that decide about the transport adapter: a derived client that changes one
--- of them needs an adapter of its own.
M.ADAPTER_OPTIONS = { "transport", "connect_timeout", "mode", "runtime", "loop" }
for name in pairs(net_options.SCHEMA) do M.ADAPTER_OPTIONS[#M.ADAPTER_OPTIONS + 1] = name end

--- Names of the options that decide about the loop.
M.LOOP = { "runtime", "loop" }

--- Names of the options that only add a listener to calls. `recorder` is not among them: it changes
--- a header of the requests (accept-encoding).
M.LISTENERS = { witness = true, tracer = true, caller = true }

local function user_agent(suffix)
  local ours = ("AlibabaCloud (Lua) %s Core/%s"):format(_VERSION:gsub(" ", "/"), core.version.core)
  return suffix and ours .. " " .. suffix or ours
end

--- Whether one of some options is given.
---@param given table
---@param names string[]
---@return boolean
function M.takes(given, names)
  for _, name in ipairs(names) do
    if given[name] ~= nil then return true end
  end
  return false
end

--- Whether no other options are given than some.
---@param given table
---@param names table<string, true>
---@return boolean
function M.takes_only(given, names)
  for name in pairs(given) do
    if not names[name] then return false end
  end
  return true
end

--- A copy of the options without the keys; `with` derives clients from it. Its tables are copies.
---@param given alicloud.ClientOptions
---@return alicloud.ClientOptions
function M.without_keys(given)
  local config = tables.copy(given)
  for _, name in ipairs(M.KEYS) do config[name] = nil end
  for _, name in ipairs { "endpoint", "retry", "rate", "wait_for_cloud" } do
    if type(config[name]) == "table" then config[name] = tables.copy(config[name]) end
  end
  local rate = config.rate
  if rate and type(rate.actions) == "table" then rate.actions = tables.copy(rate.actions) end
  return config
end

local function region_of(config, runtime)
  if config.region then return config.region end
  local region = runtime.getenv("ALIBABA_CLOUD_REGION_ID")
  if not region or region == "" then return nil end
  local fault = schema.refusal(REGION, region)
  if fault then return nil, "ALIBABA_CLOUD_REGION_ID: " .. fault end
  return region
end

local function endpoint_fault(name, text, plain_http)
  local ok, reason = nil, "it is not text"
  if type(text) == "string" then ok, reason = endpoint.parse(text, plain_http) end
  return not ok and endpoint.refusal(name, text, reason) or nil
end

-- One of several faults: the least, so that it is the same every time.
local function check_endpoints(config)
  local given = config.endpoint
  if type(given) ~= "table" then
    return given and endpoint_fault("option endpoint", given, config.plain_http)
  end
  local least
  for region, text in pairs(given) do
    local fault = schema.refusal(REGION, region)
    fault = fault and "option endpoint, key: " .. fault
      or endpoint_fault("option endpoint, region " .. region, text, config.plain_http)
    if fault and (not least or fault < least) then least = fault end
  end
  return least
end

--- A loop with scopes, which runs several tasks at a time: the given one if it has scopes, else a
--- scheduler over it, or over the runtime's clock.
---@param given? alicloud.Loop
---@param runtime alicloud.Runtime
---@return alicloud.loop.Scheduler
function M.loop_for(given, runtime)
  if given and given.scope then return given end
  return given and shared_loops.over(given) or shared_loops.of_clock(runtime)
end

---@class alicloud.call.Context the settings and the state of one client, for its calls
---@field config alicloud.ClientOptions as they were given, without the keys
---@field open boolean
---@field runtime alicloud.Runtime
---@field loop alicloud.Loop
---@field mode "normal"|"observe"
---@field product string
---@field region string?
---@field failed_region string?
---@field endpoint string|table<string, string>|nil
---@field network "public"|"vpc"
---@field plain_http boolean
---@field timeout number seconds
---@field write_timeout number seconds
---@field connect_timeout number seconds
---@field deadline number seconds
---@field resend "token"|"never"
---@field algorithm string
---@field user_agent string
---@field policy alicloud.retry.Policy
---@field limiter alicloud.rate_limit.Limiter|false
---@field outage_retry alicloud.OutageRetry
---@field budget alicloud.outage_retry.Budget
---@field interceptor alicloud.Interceptor?
---@field tracer alicloud.Tracer?
---@field recorder alicloud.Recorder?
---@field endpoints table<string, alicloud.Endpoint> resolved; by product, region, explicit endpoint
---@field forms table<string, alicloud.plan.Form> by action, after the region if the call names one
---@field provider alicloud.credentials.Provider set by the client, as are the next two fields
---@field adapter alicloud.Adapter
---@field shared alicloud.call.Shared

--- Makes a context from options, defaults and environment, and checks them. The client adds the
--- provider, the adapter and the shared state.
---@param config alicloud.ClientOptions without the keys
---@return alicloud.call.Context|nil
---@return string? message what is wrong, for the caller to raise
function M.build(config)
  local context = { config = config, endpoints = {}, forms = {}, open = true }
  for name, default in pairs(DEFAULTS) do
    if config[name] == nil then context[name] = default else context[name] = config[name] end
  end
  context.endpoint, context.failed_region = config.endpoint, config.failed_region
  context.interceptor, context.tracer = config.witness, config.tracer
  context.recorder = config.recorder
  local message
  context.runtime, message = runtimes.make(config.runtime)
  if not context.runtime then return nil, message end
  context.loop = M.loop_for(config.loop, context.runtime)
  context.user_agent = user_agent(config.user_agent)
  context.region, message = region_of(config, context.runtime)
  if message then return nil, message end
  message = check_endpoints(context) or net_options.validate(config)
    or net_options.environment_fault(config, context.runtime)
  if message then return nil, message end
  context.network, message = endpoint.network(config.network, context.runtime.getenv)
  if message then return nil, message end
  context.policy, message = retry.policy(config.retry, config.retries)
  if not context.policy then return nil, message end
  context.limiter, message = rate_limit.new(config.rate)
  if context.limiter == nil then return nil, message end
  context.outage_retry, message = outage_retry.read(config.wait_for_cloud)
  if not context.outage_retry then return nil, message end
  context.budget = outage_retry.budget()
  return context
end

---@class alicloud.call.Shared what a client and all clients derived from it share
---@field bucket alicloud.retry.Bucket
---@field clock_offset number seconds that the server's clock is ahead
---@field tally alicloud.Stats
---@field outages table<string, alicloud.outage_retry.Outage> by host
---@field waits { waited: number, waited_until: number? } seconds waited for the cloud, by all of
---these clients; and the monotonic moment up to which they are counted
---@field differences alicloud.Differences
---@field tokens table<string, boolean> by ClientToken: whether every request under it was rejected
---@field token_count integer entries of `tokens`

--- Makes the shared state of a new client: retry budget, server's clock, counters, outages.
---@param context alicloud.call.Context
---@return alicloud.call.Shared
function M.new_shared(context)
  return { bucket = retry.bucket(context.policy.budget), clock_offset = 0, tally = stats.new(),
    outages = {}, waits = { waited = 0 }, differences = differences.new(context.runtime.warn),
    tokens = {}, token_count = 0 }
end

--- Makes the transport adapter that sends the requests.
---@param context { config: alicloud.ClientOptions, runtime: alicloud.Runtime, loop: alicloud.Loop,
---mode?: string, connect_timeout?: number }
---@param overrides? table options of alicloud.transport, instead of what the context says
---@return alicloud.Adapter
function M.new_adapter(context, overrides)
  local config = context.config
  if config.transport then return adapter.foreign(config.transport, context.loop) end
  local way = net_options.settings(config, context.runtime.getenv)
  way.connect_timeout = context.connect_timeout
  if context.mode == "observe" then way.observe, way.reads = true, services.reading() end
  for name, value in pairs(overrides or {}) do way[name] = value end
  return adapter.builtin(way, context.loop)
end

return M
