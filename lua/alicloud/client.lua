--- The client: configuration, frozen once it is made, and the calls over it.
--
-- What a client knows lies in a table that only this module can reach; the client itself is an
-- empty table whose fields cannot be set. Clients derived by `with` share the transport, the retry
-- budget, the rate of calls and what was learnt about the server's clock.

local core = require "alicloud.core"
local blocking = require "alicloud.loop.blocking"
local calls = require "alicloud.call"
local credentials = require "alicloud.credentials"
local lending = require "alicloud.credentials.context"
local dependencies = require "alicloud.dependencies"
local endpoint = require "alicloud.endpoint"
local errors = require "alicloud.error"
local exchange = require "alicloud.exchange"
local front_door = require "alicloud.front_door"
local network = require "alicloud.network"
local operation = require "alicloud.operation"
local options = require "alicloud.options"
local patience = require "alicloud.patience"
local plans = require "alicloud.plan"
local pollables = require "alicloud.loop.pollables"
local retry = require "alicloud.retry"
local runtimes = require "alicloud.runtime"
local services = require "alicloud.service"
local stats = require "alicloud.stats"
local tasks = require "alicloud.loop.tasks"
local throttle = require "alicloud.throttle"

local M = {}

---@class alicloud.Client
---@field region string|nil
---@field product string
---@field mode "normal"|"observe"
---@field runtime alicloud.Runtime
---@field loop alicloud.Loop
local Client = {}

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
---@field rate? alicloud.throttle.Rate|false how often it may ask; false: as often as it likes
---@field resend? "token"|"never" whether a change of unknown outcome is sent again under its token
---@field wait_for_cloud? number|alicloud.Patience seconds of patience: readings outlast an outage
---@field second_region? string asked for its opinion when this one does not answer
---@field failed_region? string nothing may depend on it, see client:dependencies
---@field mode? "normal"|"observe" observe refuses everything that changes something
---@field transport? { send: function } replaces the built-in transport
---@field runtime? table overrides of alicloud.Runtime
---@field loop? alicloud.Loop of alicloud.loop.cqueues or alicloud.loop.luv, or one of your own
---@field algorithm? "ACS3-HMAC-SHA256"|"ACS3-HMAC-SM3"|"HMAC-SHA1"
---@field user_agent? string appended to ours
---@field product? string of actions without a prefix (ebs)
---@field witness? alicloud.Witness is told of every attempt to change something before it leaves

local function has_functions(...)
  local names = { ... }
  return function(value)
    if type(value) ~= "table" then return false end
    for _, name in ipairs(names) do
      if not options.callable.test(value[name]) then return false end
    end
    return true
  end
end

local REGION = options.rule(
  "a region id such as cn-shanghai (lower-case letters, digits and hyphens)",
  function(value) return endpoint.region_fault(value) == nil end)

local SCHEMA = {
  region = REGION,
  second_region = REGION,
  failed_region = REGION,
  wait_for_cloud = options.rule("a number of seconds or a table (seconds, pause, progress)",
    function(value) return type(value) == "number" or type(value) == "table" end),
  access_key_id = options.secret,
  access_key_secret = options.secret,
  security_token = options.secret,
  credentials = options.typed "table",
  profile = options.text,
  endpoint = options.rule("host[:port] with optional http:// or https://, or a table by region",
    function(value) return type(value) == "string" or type(value) == "table" end),
  network = options.choice("public", "vpc"),
  plain_http = options.boolean,
  timeout = options.seconds(0.001, 86400),
  write_timeout = options.seconds(0.001, 86400),
  connect_timeout = options.seconds(0.001, 86400),
  deadline = options.seconds(0.001, 86400),
  retries = options.integer(0, 99),
  retry = options.typed "table",
  rate = options.rule("false or a table (action, actions, region, reserve)", function(value)
    return value == false or type(value) == "table"
  end),
  resend = options.choice("token", "never"),
  mode = options.choice("normal", "observe"),
  transport = options.rule("a table with a function send", has_functions "send"),
  runtime = options.typed "table",
  loop = options.rule("a table with the functions wait, sleep and now",
    has_functions("wait", "sleep", "now")),
  algorithm = options.choice("ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", "HMAC-SHA1"),
  user_agent = options.rule("printable ASCII text", function(value)
    return type(value) == "string" and value:find("^[\x20-\x7e]+$") ~= nil
  end),
  product = plans.PRODUCT,
  witness = options.rule("a table with the functions before and after",
    has_functions("before", "after")),
}

for name, rule in pairs(network.SCHEMA) do SCHEMA[name] = rule end

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

local KEY_OPTIONS = { "credentials", "access_key_id", "access_key_secret", "security_token",
  "profile" }
-- A derived client that changes one of these needs a transport of its own.
local CARRIER_OPTIONS = { "transport", "connect_timeout", "mode", "runtime", "loop" }
for name in pairs(network.SCHEMA) do CARRIER_OPTIONS[#CARRIER_OPTIONS + 1] = name end

local LOOP_OPTIONS = { "runtime", "loop" }

local PUBLIC = { region = true, product = true, mode = true, runtime = true, loop = true }

local states = setmetatable({}, { __mode = "k" })
local metatable

local function user_agent(suffix)
  local ours = ("AlibabaCloud (Lua) %s Core/%s"):format(_VERSION:gsub(" ", "/"), core.version.core)
  return suffix and ours .. " " .. suffix or ours
end

local function carrier_for(state, special)
  local config = state.config
  if config.transport then return exchange.foreign(config.transport) end
  local settings = network.settings(config)
  settings.connect_timeout = state.connect_timeout
  settings.observe = state.mode == "observe"
  for name, value in pairs(special or {}) do settings[name] = value end
  return exchange.builtin(settings, state.loop)
end

-- What the credentials of a client borrow of it: they may have to ask somebody too.
local function means_of(state)
  return lending.lend(state, { client = M.new, carrier = carrier_for, meta = calls.meta,
    options = CARRIER_OPTIONS })
end

local function region_of(config, runtime)
  if config.region then return config.region end
  local region = runtime.getenv("ALIBABA_CLOUD_REGION_ID")
  if not region or region == "" then return nil end
  local fault = endpoint.region_fault(region)
  if fault then return nil, "ALIBABA_CLOUD_REGION_ID: " .. fault end
  return region
end

local function check_endpoints(config)
  local given = config.endpoint
  local list = type(given) == "table" and given or { given }
  for region, text in pairs(list) do
    local where = type(given) == "table" and "option endpoint, region " .. tostring(region)
      or "option endpoint"
    local ok, reason = nil, "it is not text"
    if type(text) == "string" then ok, reason = endpoint.parse(text, config.plain_http) end
    if not ok then
      return ("%s: got %s: %s; allowed: host[:port] with optional http:// or https://")
        :format(where, options.show(text), reason)
    end
  end
end

local function takes(given, names)
  for _, name in ipairs(names) do
    if given[name] ~= nil then return true end
  end
  return false
end

local function copy_of(source)
  local copy = {}
  for name, value in pairs(source) do copy[name] = value end
  return copy
end

--- What is remembered of the options for `with`: everything but the keys, and by value.
local function without_keys(given)
  local config = copy_of(given)
  for _, name in ipairs(KEY_OPTIONS) do config[name] = nil end
  for _, name in ipairs { "endpoint", "retry", "rate", "wait_for_cloud" } do
    if type(config[name]) == "table" then config[name] = copy_of(config[name]) end
  end
  return config
end

-- Several calls at a time need a loop that can carry them; one that cannot is carried by ours.
local function loop_for(given, runtime)
  if given and given.spawn then return given end
  return tasks.new(given or blocking.new(runtime))
end

local function settle(config)
  local state = { config = config, endpoints = {}, open = true }
  for name, default in pairs(DEFAULTS) do
    if config[name] == nil then state[name] = default else state[name] = config[name] end
  end
  state.endpoint, state.failed_region = config.endpoint, config.failed_region
  state.witness = config.witness
  local message
  state.runtime, message = runtimes.make(config.runtime)
  if not state.runtime then return nil, message end
  state.loop = loop_for(config.loop, state.runtime)
  state.user_agent = user_agent(config.user_agent)
  state.region, message = region_of(config, state.runtime)
  if message then return nil, message end
  message = check_endpoints(state) or network.settle(config)
  if message then return nil, message end
  state.network, message = endpoint.network(config.network, state.runtime.getenv)
  if message then return nil, message end
  state.policy, message = retry.policy(config.retry, config.retries)
  if not state.policy then return nil, message end
  state.limiter, message = throttle.new(config.rate)
  if state.limiter == nil then return nil, message end
  state.patience, message = patience.read(config.wait_for_cloud)
  if state.patience == nil then return nil, message end
  return state
end

local function own(client)
  local state = states[client]
  if not state then error("not a client; call its methods with a colon", 3) end
  local ancestor = state
  repeat
    if not ancestor.open then error("the client is closed", 3) end
    ancestor = ancestor.parent
  until not ancestor
  return state
end

local function born(state)
  local client = setmetatable({}, metatable)
  states[client] = state
  return client
end

--- Makes a client. Nothing is opened and nobody is asked before the first call.
---@param given? alicloud.ClientOptions
---@return alicloud.Client
function M.new(given)
  local all = options.check("alicloud.client", given, SCHEMA, 2)
  local state, message = settle(without_keys(all))
  if not state then error("alicloud.client: " .. message, 2) end
  local provider, owned = credentials.choose(all, means_of(state))
  if not provider then error("alicloud.client: " .. owned, 2) end
  state.provider, state.owned_provider = provider, owned and provider or nil
  state.shared = { bucket = retry.bucket(state.policy.budget), clock_offset = 0,
    tally = stats.new(), outages = {} }
  state.carrier = carrier_for(state)
  state.owned_carrier = state.carrier
  return born(state)
end

--- A client that differs in some options. It shares transport, retry budget, rate and server clock
--- with this one unless the options are about them.
---@param given alicloud.ClientOptions
---@return alicloud.Client
function Client:with(given)
  local parent = own(self)
  local all = options.check("client:with", given, SCHEMA, 2)
  local config = without_keys(parent.config)
  if all.retry then config.retries = nil end
  for name, value in pairs(without_keys(all)) do config[name] = value end
  local state, message = settle(config)
  if not state then error("client:with: " .. message, 2) end
  -- Tasks of a family of clients must meet in one loop.
  if not takes(all, LOOP_OPTIONS) then state.runtime, state.loop = parent.runtime, parent.loop end
  state.provider = parent.provider
  if takes(all, KEY_OPTIONS) then
    local provider, owned = credentials.choose(all, means_of(state))
    if not provider then error("client:with: " .. owned, 2) end
    state.provider, state.owned_provider = provider, owned and provider or nil
  end
  state.parent, state.shared, state.carrier = parent, parent.shared, parent.carrier
  if all.rate == nil then state.limiter = parent.limiter end
  if takes(all, CARRIER_OPTIONS) then
    state.carrier = carrier_for(state)
    state.owned_carrier = state.carrier
  end
  return born(state)
end

--- Calls an operation. Operational failure is `nil, err`; a mistake in the call itself raises, and
--- in both cases `err` or the message says whether anything was sent.
---@param action string "Action" (of the client's product) or "product:Action"
---@param params? table as the API spells them
---@param call_options? alicloud.CallOptions
---@return table|nil result
---@return alicloud.Error? err
function Client:call(action, params, call_options)
  local state = own(self)
  local plan, message = plans.new(state, action, params, call_options)
  if not plan then error(message, 2) end
  return patience.run(state, plan, calls.begin(state, plan))
end

--- Like `call`, but raises the error object.
---@param action string
---@param params? table
---@param call_options? alicloud.CallOptions
---@return table result
function Client:must(action, params, call_options)
  local state = own(self)
  local plan, message = plans.new(state, action, params, call_options)
  if not plan then error(message, 2) end
  local result, err = patience.run(state, plan, calls.begin(state, plan))
  if not result then error(err, 0) end
  return result
end

--- Starts a call and comes back at once. It goes on whenever this thread waits for something
--- through the client's loop, or asks `done`.
---@param action string
---@param params? table
---@param call_options? alicloud.CallOptions
---@return alicloud.Operation
function Client:start(action, params, call_options)
  local state = own(self)
  local plan, message = plans.new(state, action, params, call_options)
  if not plan then error(message, 2) end
  return operation.start(state, plan)
end

--- What a program with a select loop of its own waits for: this client's transport, and everything
--- that was started in its loop. `step` never waits.
---@return alicloud.Pollable
function Client:pollable()
  local state = own(self)
  local loop = state.loop
  if not loop.step then error("pollable: the client's loop steps its tasks by itself", 2) end
  return pollables.of_client(loop, state.carrier)
end

--- Signs a call without sending it; the result is that of `core.sign`.
---@param action string
---@param params? table
---@param call_options? alicloud.CallOptions
---@return table|nil signed
---@return alicloud.Error? err e.g. missing credentials
function Client:prepare(action, params, call_options)
  local state = own(self)
  local plan, message = plans.new(state, action, params, call_options)
  if not plan then error(message, 2) end
  return calls.prepare(state, plan)
end

--- Checks a call without signing or sending it.
---@param action string
---@param params? table
---@param call_options? alicloud.CallOptions
---@return boolean|nil ok
---@return string? message the same that `call` would raise
function Client:validate(action, params, call_options)
  local plan, message = plans.new(own(self), action, params, call_options)
  if not plan then return nil, message end
  return true
end

--- The operations of a product as methods.
---@overload fun(self: alicloud.Client, product: "ebs"): alicloud.ebs.Service
---@overload fun(self: alicloud.Client, product: "ecs"): alicloud.ecs.Service
---@overload fun(self: alicloud.Client, product: "sts"): alicloud.sts.Service
---@param product string
---@return alicloud.Service
function Client:service(product)
  own(self)
  if not plans.PRODUCT.test(product) then
    error(("service: got %s; allowed: %s"):format(options.show(product), plans.PRODUCT.allowed), 2)
  end
  return services.new(self, product)
end

--- What requests to a product meet on their way: endpoint, proxy, roots, pinned addresses. Nothing
--- is opened or asked.
---@param product? string the client's unless given
---@return alicloud.Network|nil
---@return string? message
function Client:network(product)
  local state = own(self)
  local target, message = plans.target(state, product or state.product)
  if not target then return nil, message end
  return network.describe(state.config, target, state.runtime.getenv)
end

--- Why a call got no useful answer, and whether waiting helps. May ask a second region, with one
--- reading call; the sentence becomes the hint of the error.
---@param err alicloud.Error of a call of this client
---@return alicloud.Diagnosis
function Client:diagnose(err)
  local state = own(self)
  if not errors.is_error(err) then
    error("client:diagnose: got " .. options.show(err) .. "; allowed: an error of a call", 2)
  end
  return front_door.diagnose(state, err)
end

--- Every host that a run needs, and the region in which it lies. Nobody is asked.
---@param given? alicloud.DependencyOptions
---@return alicloud.Dependency[] those in the option failed_region are marked as `failed`
function Client:dependencies(given)
  local list, message = dependencies.list(own(self), given)
  if not list then error("client:" .. message, 2) end
  return list
end

--- What this client and those that share its budget have done so far; also of a closed client.
---@return alicloud.Stats
function Client:stats()
  local state = states[self]
  if not state then error("not a client; call its methods with a colon", 2) end
  return stats.report(state)
end

--- Who the client is: which provider its credentials came from, the tail of the key id, how long
--- they last, and which other providers were tried before. Asks the provider, nobody else.
---@return alicloud.Identity|nil
---@return alicloud.Error? err with `tried`
function Client:identity()
  local state = own(self)
  return credentials.identity(state.provider, means_of(state))
end

--- Closes what this client opened. A derived client that shares its parent's transport leaves it.
function Client:close()
  local state = states[self]
  if not (state and state.open) then return end
  state.open = false
  if state.owned_carrier then state.owned_carrier.close() end
  if state.owned_provider and state.owned_provider.close then state.owned_provider:close() end
end

local function describe(client)
  local state = states[client]
  local provider = state.provider
  local keys = provider.describe and provider:describe() or "provider"
  return ("alicloud.Client { region = %s, credentials = %s, mode = %s }"):format(
    state.region or "(none)", keys, state.mode)
end

metatable = {
  __name = "alicloud.Client",
  __index = function(client, key)
    if PUBLIC[key] then return states[client][key] end
    return Client[key]
  end,
  __newindex = function(_, key)
    error(("a client's configuration is frozen (%s); derive another with client:with{…}")
      :format(options.show(key)), 2)
  end,
  __tostring = describe,
  __close = Client.close,
  __metatable = "alicloud.Client",
}

return M
