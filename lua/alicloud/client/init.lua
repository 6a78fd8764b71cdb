--- The client: settings, frozen once it is made, and the calls over them.
--
-- What a client knows lies in a table that only this module can reach; the client itself is an
-- empty table whose fields cannot be set. Clients derived by `with` share the transport, the retry
-- budget, the rate of calls and what was learnt about the server's clock.

local calls = require "alicloud.call"
local credentials = require "alicloud.credentials"
local errors = require "alicloud.base.error"
local lazy = require "alicloud.base.lazy"
local network = require "alicloud.net.options"
local options = require "alicloud.base.schema"
local outage_retry = require "alicloud.call.outage_retry"
local plans = require "alicloud.call.plan"
local pollables = require "alicloud.loop.poll_set"
local providers = require "alicloud.call.provider"
local services = require "alicloud.client.service"
local settings = require "alicloud.call.context"
local stats = require "alicloud.call.stats"

---@module "alicloud.call.dependencies"
local dependencies = lazy.module "alicloud.call.dependencies"
---@module "alicloud.call.diagnose"
local diagnose = lazy.module "alicloud.call.diagnose"
---@module "alicloud.client.future"
local operation = lazy.module "alicloud.client.future"

local M = {}

---@class alicloud.Client
---@field region string|nil
---@field product string
---@field mode "normal"|"observe"
---@field runtime alicloud.Runtime
---@field loop alicloud.Loop
local Client = {}

local PUBLIC = { region = true, product = true, mode = true, runtime = true, loop = true }

local states = setmetatable({}, { __mode = "k" })
local metatable

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

local function carry_out(state, plan)
  local progress = calls.begin(state, plan)
  if state.outage_retry then return outage_retry.run(state, plan, progress) end
  return calls.run(state, plan, progress)
end

--- Makes a client. Nothing is opened and nobody is asked before the first call.
---@param given? alicloud.ClientOptions
---@return alicloud.Client
function M.new(given)
  local all = options.check("alicloud.client", given, settings.SCHEMA, 2)
  local state, message = settings.settle(settings.without_keys(all))
  if not state then error("alicloud.client: " .. message, 2) end
  local provider, owned = credentials.choose(all, state)
  if not provider then error("alicloud.client: " .. owned, 2) end
  state.provider, state.owned_provider = provider, owned and provider or nil
  state.shared = settings.new_shared(state)
  state.adapter = settings.new_adapter(state)
  state.owned_adapter = state.adapter
  return born(state)
end

--- A client that differs in some options. It shares transport, retry budget, rate and server clock
--- with this one unless the options are about them. What only observes begets nothing that changes.
---@param given alicloud.ClientOptions
---@return alicloud.Client
function Client:with(given)
  local parent = own(self)
  local all = options.check("client:with", given, settings.SCHEMA, 2)
  if parent.mode == "observe" and all.mode == "normal" then
    error('client:with: option mode: got "normal" of a client that only observes; allowed: '
      .. '"observe"', 2)
  end
  local config = settings.without_keys(parent.config)
  if all.retry then config.retries = nil end
  for name, value in pairs(settings.without_keys(all)) do config[name] = value end
  local state, message = settings.settle(config)
  if not state then error("client:with: " .. message, 2) end
  -- Tasks of a family of clients must meet in one loop.
  if not settings.takes(all, settings.LOOP) then
    state.runtime, state.loop = parent.runtime, parent.loop
  end
  state.provider = parent.provider
  if settings.takes(all, settings.KEYS) then
    local provider, owned = credentials.choose(all, state)
    if not provider then error("client:with: " .. owned, 2) end
    state.provider, state.owned_provider = provider, owned and provider or nil
  end
  state.parent, state.shared, state.adapter = parent, parent.shared, parent.adapter
  if all.rate == nil then state.limiter = parent.limiter end
  if settings.takes(all, settings.ADAPTER_OPTIONS) then
    state.adapter = settings.new_adapter(state)
    state.owned_adapter = state.adapter
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
  return carry_out(state, plan)
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
  local result, err = carry_out(state, plan)
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
  return pollables.of_client(loop, state.adapter)
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
  return diagnose.run(state, err)
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
  return credentials.identity(state.provider, state)
end

--- Closes what this client opened. A derived client that shares its parent's transport leaves it.
function Client:close()
  local state = states[self]
  if not (state and state.open) then return end
  state.open = false
  if state.owned_adapter then state.owned_adapter.close() end
  if state.owned_provider and state.owned_provider.close then state.owned_provider:close() end
end

--- The credentials that a client has without asking anybody, for whoever must not show them.
---@param client alicloud.Client
---@return alicloud.Credentials|nil
function M.held(client)
  local provider = own(client).provider
  return provider.holds and provider:holds() and providers.get(provider) or nil
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
