--- The operations of a product as methods.

local lazy = require "alicloud.base.lazy"
local schema = require "alicloud.base.schema"
local services = require "alicloud.service"

---@module "alicloud.service.help"
local help = lazy.module "alicloud.service.help"
---@module "alicloud.client.pager"
local pager = lazy.module "alicloud.client.pager"
---@module "alicloud.client.waiter"
local waiter = lazy.module "alicloud.client.waiter"

local M = {}

---@class alicloud.Service
---@field product string
---@field client alicloud.Client
local Service = {}

local METATABLE_LOCK = "alicloud.Service"

local states = setmetatable({}, { __mode = "k" })

local function own(service)
  local state = states[service]
  if not state then error("not a service; call its methods with a colon", 3) end
  return state
end

local function scoped(state, action)
  if type(action) == "string" and not action:find(":", 1, true) then
    return state.product .. ":" .. action
  end
  return action
end

--- Calls an operation, also one that has no service data.
---@param action string
---@param params? table
---@param call_options? alicloud.CallOptions
---@return table|nil result
---@return alicloud.Error? err
function Service:call(action, params, call_options)
  local state = own(self)
  return state.client:call(scoped(state, action), params, call_options)
end

--- Like `call`, but raises the error object.
---@param action string
---@param params? table
---@param call_options? alicloud.CallOptions
---@return table result
function Service:must(action, params, call_options)
  local state = own(self)
  return state.client:must(scoped(state, action), params, call_options)
end

--- Signs a call without sending it.
---@param action string
---@param params? table
---@param call_options? alicloud.CallOptions
---@return table|nil signed
---@return alicloud.Error? err
function Service:prepare(action, params, call_options)
  local state = own(self)
  return state.client:prepare(scoped(state, action), params, call_options)
end

--- Checks a call without signing or sending it.
---@param action string
---@param params? table
---@param call_options? alicloud.CallOptions
---@return boolean|nil ok
---@return string? message
function Service:validate(action, params, call_options)
  local state = own(self)
  return state.client:validate(scoped(state, action), params, call_options)
end

--- The same service over a derived client.
---@param client_options table as for alicloud.client
---@return alicloud.Service
function Service:with(client_options)
  local state = own(self)
  return M.new(state.client:with(client_options), state.product)
end

local function named(state, kind, name)
  local known = state.data and state.data[kind] or {}
  local entry = type(name) == "string" and known[name]
  if entry then return entry end
  return nil, ("%s: no %s %s%s"):format(state.product, kind:sub(1, -2), schema.show(name),
    schema.did_you_mean(name, known))
end

--- Goes over the items of all pages, for the generic `for`; errors are raised as error objects. A
--- page number or page size among the parameters asks for numbered pages instead of tokens.
---@param action string an operation with paging
---@param params? table
---@param call_options? table as for call, and max_pages (default 1000)
---@return fun(): table|nil, table
---@return nil
---@return nil
---@return table closing closes the traversal when the loop is left early
function Service:each(action, params, call_options)
  local state = own(self)
  local operation, message = named(state, "operations", action)
  if not operation then error(message, 2) end
  if not operation.paging then
    error(("%s:%s has no pages"):format(state.product, action), 2)
  end
  local max_pages
  call_options, max_pages = pager.split_options(call_options)
  local ok
  ok, message = self:validate(action, params, call_options)
  if not ok then error(message, 2) end
  local function fetch(page_params)
    return self:call(action, page_params, call_options)
  end
  return pager.each(fetch, operation.paging, params, {
    max_pages = max_pages, product = state.product, action = action,
  })
end

-- A wait judges every item, so it reads all pages, within one deadline.
local function read_whole(service, state, action, params, deadline)
  local paging = state.data.operations[action].paging
  if not paging then return service:call(action, params, { deadline = deadline }) end
  local loop = state.client.loop
  local ends = loop.now() + deadline
  local function fetch(page_params)
    return service:call(action, page_params, { deadline = math.max(ends - loop.now(), 0.001) })
  end
  return pager.all(fetch, paging, params, { product = state.product, action = action })
end

--- Waits until every item of a Describe operation, on all its pages, has reached a state. Each id
--- that the parameters name has to be among them; without ids, all that the region lists is waited
--- for. An id that is not listed counts as "(absent)" and is waited for until the timeout: it may
--- appear yet. Groups of a secondary site are listed under `Site = "backup"` only.
---@param name string a waiter of the service data, e.g. "group_failovered"
---@param params table parameters of the waiter's operation
---@param wait_options? alicloud.waiter.Options
---@return table|nil result last response
---@return alicloud.Error? err carries the last response as `last`
function Service:wait(name, params, wait_options)
  local state = own(self)
  local definition, message = named(state, "waiters", name)
  if not definition then error(message, 2) end
  local checked
  checked, message = waiter.options(definition, wait_options)
  if not checked then error(message, 2) end
  local ok
  ok, message = self:validate(definition.operation, params)
  if not ok then error(message, 2) end
  return waiter.run {
    name = name,
    product = state.product,
    definition = definition,
    options = checked,
    loop = state.client.loop,
    asked = waiter.asked_ids(definition, params),
    poll = function(deadline)
      return read_whole(self, state, definition.operation, params, deadline)
    end,
    outlasted = function() return state.client:stats().waited_for_cloud end,
  }
end

--- What is known about an operation, a waiter or an error code; all operations without a name. The
--- answer shows itself in the REPL and turns into text by tostring.
---@param name? string
---@return alicloud.Help
function Service:help(name)
  local state = own(self)
  if not state.data then
    error(("%s: there is no service data, so there is no help"):format(state.product), 2)
  end
  local found, message = help.about(state.data, name)
  if not found then error(message, 2) end
  return found
end

local function bind(service, state, action)
  local name = state.product .. ":" .. action
  local client = state.client
  local function operation(self, params, call_options)
    if self ~= service then error(name .. ": call it with a colon", 2) end
    return client:call(name, params, call_options)
  end
  state.bound[action] = operation
  return operation
end

local function index(service, key)
  local method = Service[key]
  if method then return method end
  local state = states[service]
  if key == "product" or key == "client" then return state[key] end
  if state.bound[key] then return state.bound[key] end
  local operations = state.data and state.data.operations or {}
  local sendable = type(key) == "string" and key:find("^[A-Z]%w*$")
  if operations[key] or sendable and not services.misspelt(key, operations) then
    return bind(service, state, key)
  end
  error(("%s: no operation %s; names are PascalCase as the API spells them%s"):format(
    state.product, schema.show(key), schema.did_you_mean(key, operations)), 2)
end

--- The methods and fields of a service besides its operations, by name.
M.METHODS, M.FIELDS = Service, { product = true, client = true }

local metatable = {
  __name = "alicloud.Service",
  __index = index,
  __newindex = function() error("a service is read-only", 2) end,
  __tostring = function(service)
    local state = states[service]
    return ("alicloud.Service %s of %s"):format(state.product, state.client)
  end,
  __metatable = METATABLE_LOCK,
}

--- Binds a product to a client.
---@param client alicloud.Client
---@param product string
---@return alicloud.Service
function M.new(client, product)
  local service = setmetatable({}, metatable)
  states[service] = {
    client = client,
    product = product,
    data = services.data(product),
    bound = {},
  }
  return service
end

return M
