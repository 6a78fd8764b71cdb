--- The client: options that do not change once it is made, and the calls with them.
--
-- The data of a client are in a call context that only this module can reach; the client itself is
-- an empty table whose fields cannot be set. Clients derived by `with` share the transport, the
-- retry budget, the rate of calls and what was learnt about the server's clock.

local calls = require "alicloud.call"
local contexts = require "alicloud.call.context"
local credentials = require "alicloud.credentials"
local errors = require "alicloud.base.error"
local lazy = require "alicloud.base.lazy"
local net_options = require "alicloud.net.options"
local outage_retry = require "alicloud.call.outage_retry"
local plans = require "alicloud.call.plan"
local poll_sets = require "alicloud.loop.poll_set"
local providers = require "alicloud.call.provider"
local rate_limit = require "alicloud.call.rate_limit"
local schema = require "alicloud.base.schema"
local services = require "alicloud.client.service"
local stats = require "alicloud.call.stats"
local tables = require "alicloud.base.tables"

---@module "alicloud.call.dependencies"
local dependencies = lazy.module "alicloud.call.dependencies"
---@module "alicloud.call.diagnose"
local diagnose = lazy.module "alicloud.call.diagnose"
---@module "alicloud.client.future"
local future = lazy.module "alicloud.client.future"

local M = {}

---@class alicloud.Client
---@field region string|nil
---@field product string
---@field mode "normal"|"observe"
---@field runtime alicloud.Runtime
---@field loop alicloud.Loop
---@field differences alicloud.Differences where the service was seen to differ from what is assumed
local Client = {}

local PUBLIC = { region = true, product = true, mode = true, runtime = true, loop = true,
  differences = true }

local by_client = setmetatable({}, { __mode = "k" })
local metatable

local function context_of(client)
  local context = by_client[client]
  if not context then error("not a client; call its methods with a colon", 3) end
  local ancestor = context
  repeat
    if not ancestor.open then error("the client is closed", 3) end
    ancestor = ancestor.parent
  until not ancestor
  return context
end

local function new_client(context)
  -- Contexts that are derived from this one read from it what they lack, see `heir`.
  context.__index = context
  local client = setmetatable({}, metatable)
  by_client[client] = context
  return client
end

local function execute(context, plan)
  local progress = calls.begin(context, plan)
  if outage_retry.is_patient(context) then return outage_retry.run(context, plan, progress) end
  return calls.run(context, plan, progress)
end

-- Tells the recorder of each difference, so that the recording marks it.
local function tell_differences(context)
  local recorder, differences = context.recorder, context.shared.differences
  if not (recorder and recorder.difference and differences) then return end
  differences:listen(function(assumption, text) recorder:difference(assumption, text) end)
end

--- Makes a client. Nothing is opened and nothing is sent before the first call.
---@param given? alicloud.ClientOptions
---@return alicloud.Client
function M.new(given)
  local all = schema.check("alicloud.client", given, contexts.SCHEMA, 2)
  local context, message = contexts.build(contexts.without_keys(all))
  if not context then error("alicloud.client: " .. message, 2) end
  local provider, owned = credentials.choose(all, context)
  if not provider then error("alicloud.client: " .. owned, 2) end
  context.provider, context.owned_provider = provider, owned and provider or nil
  context.shared = contexts.new_shared(context)
  tell_differences(context)
  context.adapter = contexts.new_adapter(context)
  context.owned_adapter = context.adapter
  net_options.warn(context.config, context.runtime)
  return new_client(context)
end

-- A context that reads from its parent what it lacks, and uses what the parent has opened. Each
-- group of a fleet has some of these, so they hold only what is their own.
local function heir(own) return setmetatable(own, own.parent) end

-- Listeners do not change what is sent, or where: such a client needs no checks and no adapter.
local function with_listeners(parent, given)
  local context = heir { parent = parent, config = tables.merged(parent.config, given),
    interceptor = given.witness }
  context.tracer = given.tracer
  return context
end

--- Derives a client that differs in some options. It shares transport, retry budget, rate and
--- server clock with this one unless the options are about them. From a client that only observes,
--- none can be derived that changes something.
---@param given alicloud.ClientOptions
---@return alicloud.Client
function Client:with(given)
  local parent = context_of(self)
  local all = schema.check("client:with", given, contexts.SCHEMA, 2)
  if contexts.takes_only(all, contexts.LISTENERS) then
    return new_client(with_listeners(parent, all))
  end
  if parent.mode == "observe" and all.mode == "normal" then
    error('client:with: option mode: got "normal" of a client that only observes; allowed: '
      .. '"observe"', 2)
  end
  local config = contexts.without_keys(parent.config)
  if all.retry then config.retries = nil end
  for name, value in pairs(contexts.without_keys(all)) do config[name] = value end
  local context, message = contexts.build(config)
  if not context then error("client:with: " .. message, 2) end
  -- Tasks of a family of clients must meet in one loop.
  if not contexts.takes(all, contexts.LOOP) then
    context.runtime, context.loop = parent.runtime, parent.loop
  end
  context.provider = parent.provider
  if contexts.takes(all, contexts.KEYS) then
    local provider, owned = credentials.choose(all, context)
    if not provider then error("client:with: " .. owned, 2) end
    context.provider, context.owned_provider = provider, owned and provider or nil
  end
  context.parent, context.shared, context.adapter = parent, parent.shared, parent.adapter
  if all.wait_for_cloud == nil then
    context.outage_retry, context.budget = parent.outage_retry, parent.budget
  end
  if all.rate == nil then context.limiter = parent.limiter end
  if contexts.takes(all, contexts.ADAPTER_OPTIONS) then
    context.adapter = contexts.new_adapter(context)
    context.owned_adapter = context.adapter
  end
  return new_client(context)
end

--- Derives a client for one piece of work that outlasts an outage: its reads are repeated for ten
--- minutes in total, or for as long as this client waits for the cloud (`wait_for_cloud`).
---@param given? { seconds: number?, progress: fun(event: alicloud.outage_retry.Event)? } seconds:
---for this work, whatever the client's option says; 0: none. `progress` is told of each wait
---@return alicloud.Client
function Client:outlasting(given)
  local parent = context_of(self)
  local settings, budget = outage_retry.for_work(parent.outage_retry, given or {})
  return new_client(heir { parent = parent, outage_retry = settings, budget = budget })
end

--- Begins the ten minutes of `outlasting` anew, for another piece of work. A time that an option
--- has set is for all the work together, and is not renewed.
function Client:renew_patience()
  local budget = context_of(self).budget
  if budget.renewable then budget.waited = 0 end
end

--- Limits this client, and all that share its rate, to a part of the account's quota, since other
--- processes use the rest of it. The caller has to renew the share before it lapses.
---@param share alicloud.rate_limit.Share
function Client:share_rate(share)
  local context = context_of(self)
  if context.limiter then rate_limit.share(context.limiter, share, context.loop.now()) end
end

--- How much of its most used quota this client uses, with all clients that share its rate.
---@return alicloud.rate_limit.Use|nil nil: the client has no limit, or has called nothing yet
function Client:rate_use()
  local context = context_of(self)
  return context.limiter and rate_limit.use(context.limiter, context.loop.now()) or nil
end

--- Seconds that this client may still wait for the cloud.
---@return number
function Client:patience()
  return outage_retry.left(context_of(self))
end

--- Sleeps while a state or a refusal is expected to pass by itself, at most for as long as the
--- client may still wait, and tells the listener of `wait_for_cloud`.
---@param pause alicloud.outage_retry.Pause
function Client:wait_out(pause)
  outage_retry.pause(context_of(self), pause)
end

--- Calls an operation. Operational failure is `nil, err`; a mistake in the call itself raises, and
--- in both cases `err` or the message says whether anything was sent.
---@param action string "Action" (of the client's product) or "product:Action"
---@param params? table as the API spells them
---@param call_options? alicloud.CallOptions
---@return table|nil result
---@return alicloud.Error? err
function Client:call(action, params, call_options)
  local context = context_of(self)
  local plan, message = plans.new(context, action, params, call_options)
  if not plan then error(message, 2) end
  return execute(context, plan)
end

--- Like `call`, but raises the error object.
---@param action string
---@param params? table
---@param call_options? alicloud.CallOptions
---@return table result
function Client:must(action, params, call_options)
  local context = context_of(self)
  local plan, message = plans.new(context, action, params, call_options)
  if not plan then error(message, 2) end
  local result, err = execute(context, plan)
  if not result then error(err, 0) end
  return result
end

--- Starts a call and returns at once. The call goes on whenever this thread waits for something
--- through the client's loop, or asks `done`.
---@param action string
---@param params? table
---@param call_options? alicloud.CallOptions
---@return alicloud.Future
function Client:start(action, params, call_options)
  local context = context_of(self)
  local plan, message = plans.new(context, action, params, call_options)
  if not plan then error(message, 2) end
  return future.start(context, plan)
end

--- One pollable for a program with a select loop of its own: it stands for everything that was
--- started in this client's loop, by this client or another one. `step` never waits.
---@return alicloud.Pollable
function Client:pollable()
  local loop = context_of(self).loop
  return poll_sets.of_loop(loop)
end

--- Signs a call without sending it; the result is that of `core.sign`.
---@param action string
---@param params? table
---@param call_options? alicloud.CallOptions
---@return table|nil signed
---@return alicloud.Error? err e.g. missing credentials
function Client:prepare(action, params, call_options)
  local context = context_of(self)
  local plan, message = plans.new(context, action, params, call_options)
  if not plan then error(message, 2) end
  return calls.prepare(context, plan)
end

--- Checks a call without signing or sending it.
---@param action string
---@param params? table
---@param call_options? alicloud.CallOptions
---@return boolean|nil ok
---@return string? message the same that `call` would raise
function Client:validate(action, params, call_options)
  local plan, message = plans.new(context_of(self), action, params, call_options)
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
  context_of(self)
  if not plans.PRODUCT.test(product) then
    error(("service: got %s; allowed: %s"):format(schema.show(product), plans.PRODUCT.allowed), 2)
  end
  return services.new(self, product)
end

--- How requests to a product reach it: endpoint, proxy, roots, pinned addresses. Nothing is sent.
---@param product? string the client's unless given
---@return alicloud.Network|nil
---@return string? message
function Client:network(product)
  local context = context_of(self)
  local target, message = plans.target(context, product or context.product)
  if not target then return nil, message end
  return net_options.describe(context.config, target, context.runtime.getenv)
end

--- Why a call got no useful answer, and whether waiting helps. May ask a second region, with one
--- reading call; the sentence becomes the hint of the error.
---@param err alicloud.Error of a call of this client
---@return alicloud.Diagnosis
function Client:diagnose(err)
  local context = context_of(self)
  if not errors.is_error(err) then
    error("client:diagnose: got " .. schema.show(err) .. "; allowed: an error of a call", 2)
  end
  return diagnose.run(context, err)
end

--- Every host that a run needs, and the region in which it lies. Nothing is sent.
---@param given? alicloud.DependencyOptions
---@return alicloud.Dependency[] those in the option failed_region are marked as `failed`
function Client:dependencies(given)
  local list, message = dependencies.list(context_of(self), given)
  if not list then error("client:" .. message, 2) end
  return list
end

--- What this client and those that share its budget have done so far; also of a closed client.
---@return alicloud.Stats
function Client:stats()
  local context = by_client[self]
  if not context then error("not a client; call its methods with a colon", 2) end
  return stats.report(context)
end

--- Who the client is: which provider its credentials came from, the tail of the key id, how long
--- they last, and which other providers were tried before. Asks the provider and nothing else.
---@return alicloud.Identity|nil
---@return alicloud.Error? err with `tried`
function Client:identity()
  local context = context_of(self)
  return credentials.identity(context.provider, context)
end

--- Closes what this client opened. A transport that it shares with its parent stays open.
function Client:close()
  local context = by_client[self]
  if not (context and context.open) then return end
  context.open = false
  local adapter, provider = rawget(context, "owned_adapter"), rawget(context, "owned_provider")
  if adapter then adapter.close() end
  if provider and provider.close then provider:close() end
end

--- The credentials that a client has without a request, for code that must not show them.
---@param client alicloud.Client
---@return alicloud.Credentials|nil
function M.held(client)
  local provider = context_of(client).provider
  return providers.holds(provider) and providers.get(provider) or nil
end

local function describe(client)
  local context = by_client[client]
  return ("alicloud.Client { region = %s, credentials = %s, mode = %s }"):format(
    context.region or "(none)", providers.describe(context.provider), context.mode)
end

--- The methods and the fields of a client, by name.
M.METHODS, M.FIELDS = Client, PUBLIC

metatable = {
  __name = "alicloud.Client",
  __index = function(client, key)
    if key == "differences" then return by_client[client].shared.differences end
    if PUBLIC[key] then return by_client[client][key] end
    return Client[key]
  end,
  __newindex = function(_, key)
    error(("a client's configuration is frozen (%s); derive another with client:with{…}")
      :format(schema.show(key)), 2)
  end,
  __tostring = describe,
  __close = Client.close,
  __metatable = "alicloud.Client",
}

return M
