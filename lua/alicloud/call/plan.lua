--- Plans a call before it is sent: operation, checked parameters, idempotency token, endpoint,
--- limits. If no plan can be made, the caller has made a mistake.

local core = require "alicloud.core"
local endpoint = require "alicloud.net.endpoint"
local params = require "alicloud.call.params"
local retry = require "alicloud.call.retry"
local schema = require "alicloud.base.schema"
local services = require "alicloud.service"

local M = {}

---@class alicloud.CallOptions
---@field product? string
---@field version? string
---@field region? string
---@field endpoint? string
---@field method? "POST"|"GET"
---@field timeout? number seconds for one attempt
---@field deadline? number seconds for the whole call
---@field retries? integer attempts after the first
---@field mutating? boolean for actions without service data
---@field client_token? string the same as the parameter ClientToken; the service ties it to the
---parameters of the first request that has it, even if that request was refused
---@field resend? "token"|"never" whether a change of unknown outcome is sent again under its token
---@field leave_within? number seconds after which no attempt of a mutating call is sent any more
---(Client.TooLate), since the reading that it was decided on is too old then

---@class alicloud.plan.Form the part of a plan that depends neither on parameters nor on the
---deadline of this call
---@field product string
---@field action string
---@field version string
---@field data table|nil service data
---@field in_body boolean parameters go in the form body
---@field mutating boolean
---@field method string
---@field region string|nil
---@field timeout number
---@field deadline number seconds, for calls that do not give their own
---@field policy alicloud.retry.Policy
---@field resend "token"|"never"
---@field leave_within number|nil seconds

---@class alicloud.plan: alicloud.plan.Form
---@field form alicloud.plan.Form shared by all calls of this form; the plan reads its fields as its
---own
---@field flat table<string, string> parameters as they are signed
---@field token string|nil
---@field target alicloud.Endpoint
---@field send_by number? moment of core.boottime after which the attempt may not leave any more

local PRODUCT = schema.rule("a product code such as ebs", function(value)
  return type(value) == "string" and value:find("^[a-z][a-z0-9%-]*$") ~= nil
end)

local SCHEMA = {
  product = PRODUCT,
  version = schema.rule("a version such as 2021-07-30", function(value)
    return type(value) == "string" and value:find("^%d%d%d%d%-%d%d%-%d%d$") ~= nil
  end),
  region = schema.text,
  endpoint = schema.typed "string",
  method = schema.choice("POST", "GET"),
  timeout = schema.seconds(0.001, 86400),
  deadline = schema.seconds(0.001, 86400),
  retries = schema.integer(0, 99),
  mutating = schema.boolean,
  client_token = schema.typed "string",
  resend = schema.choice("token", "never"),
  leave_within = schema.seconds(0.001, 86400),
}

M.PRODUCT = PRODUCT

local NO_OPTIONS, NO_PARAMETERS = {}, {}

local READING = { "^Describe", "^List", "^Get", "^Query" }

--- Whether the name of an operation without service data says that it only reads.
---@param action string without a product
---@return boolean
function M.reads_by_name(action)
  for _, prefix in ipairs(READING) do
    if action:find(prefix) then return true end
  end
  return false
end

local function split_action(action, product)
  if type(action) ~= "string" then
    return nil, ("action: got %s; allowed: \"Action\" or \"product:Action\"")
      :format(schema.show(action))
  end
  local prefix, name = action:match("^([a-z][a-z0-9%-]*):(.+)$")
  name = name or action
  if not name:find("^[A-Z][A-Za-z0-9]*$") then
    return nil, ("action: got %s; allowed: PascalCase as the API spells it, "
      .. "\"Action\" or \"product:Action\""):format(schema.show(action))
  end
  return prefix or product, name
end

local function is_mutating(operation, action, given)
  if not operation then
    if given.mutating ~= nil then return given.mutating end
    return not M.reads_by_name(action)
  end
  if given.mutating == false and operation.mutating then
    return nil, "option mutating: this operation changes something; it cannot be called reading"
  end
  return operation.mutating == true or given.mutating == true
end

-- A parameter that is null counts as absent.
local function lacks(all, name)
  return all[name] == nil or all[name] == core.null
end

--- The parameters with what the client adds: the token and the region.
local function complete(context, form, given, input)
  local all, region = {}, form.region
  for name, value in pairs(input) do all[name] = value end
  if given.client_token then
    if not lacks(all, "ClientToken") and all.ClientToken ~= given.client_token then
      return nil, "option client_token: it differs from the parameter ClientToken"
    end
    all.ClientToken = given.client_token
  end
  if form.takes_token and lacks(all, "ClientToken") then
    all.ClientToken = context.runtime.random_hex(16)
  end
  if form.takes_region then
    if lacks(all, "RegionId") then all.RegionId = region end
    -- The regional hosts of a product know only their own region's resources.
    if not given.region then region = all.RegionId end
  end
  return all, region
end

local function validate(form, all)
  local token = all.ClientToken
  local flat, message = params.validate(form.operation, all)
  if not flat then return nil, message end
  if token ~= nil and form.token_without_rule then
    local ok, complaint = params.check_token(token)
    if not ok then return nil, complaint end
  end
  return flat
end

local function resolve(context, form, region)
  local explicit = form.explicit
  local key = ("%s\0%s\0%s"):format(form.product, region or "", explicit or "")
  if context.endpoints[key] then return context.endpoints[key] end
  local found, message = endpoint.resolve {
    product = form.product,
    region = region,
    network = context.network,
    endpoint = explicit or context.endpoint,
    patterns = form.data and form.data.endpoint,
    plain_http = context.plain_http,
    getenv = context.runtime.getenv,
  }
  context.endpoints[key] = found
  return found, message
end

--- The endpoint that calls of a product go to.
---@param context alicloud.call.Context
---@param product string
---@param region? string the client's own unless given
---@return alicloud.Endpoint|nil
---@return string? message
function M.target(context, product, region)
  return resolve(context, { product = product, data = services.data(product) },
    region or context.region)
end

local function locate(context, form, region)
  local found, message = resolve(context, form, region)
  form.targets[region or ""] = found
  return found, message
end

local function describe(context, action, given)
  local product, name = split_action(action, given.product or context.product)
  if not product then return nil, name end
  local data = services.data(product)
  -- A misspelt operation would be sent without the token and the checks of the one that is meant.
  if data and not data.operations[name] and not given.version then
    local nearest = services.misspelt(name, data.operations)
    if nearest then
      return nil, ('%s: no operation %s; did you mean "%s"? (option version sends it as it is)')
        :format(product, schema.show(name), nearest)
    end
  end
  local version = given.version or data and data.version
  if not version then
    return nil, ("%s:%s: option version is required, there is no service data for %s; "
      .. 'allowed: the date of an API, e.g. "2014-05-26"'):format(product, name, product)
  end
  -- The data describes one version; the parameters of another may differ.
  local operation = data and data.version == version and data.operations[name] or nil
  return {
    product = product, action = name, version = version, data = data, operation = operation,
    title = product .. ":" .. name,
  }
end

local function limit(context, form, given)
  local operation = form.operation
  local name = form.mutating and "write_timeout" or "timeout"
  local usual = context.config[name] or operation and operation.timeout or context[name]
  form.timeout = given.timeout or usual
  form.deadline = context.deadline
  form.method = given.method or "POST"
  form.in_body = operation ~= nil and operation.form == true and form.method == "POST"
  form.resend = given.resend or context.resend
  form.leave_within = form.mutating and given.leave_within or nil
  form.policy = given.retries and retry.policy(context.policy, given.retries) or context.policy
end

--- Makes the part of a plan that does not depend on parameters. Plans read it as their metatable.
local function make_form(context, action, given)
  local form, message = describe(context, action, given)
  if not form then return nil, message end
  form.mutating, message = is_mutating(form.operation, form.action, given)
  if form.mutating == nil then return nil, form.title .. ": " .. message end
  form.region = given.region or context.region
  form.explicit = given.endpoint
  form.targets, form.signers = {}, {}
  local operation, data = form.operation, form.data
  form.takes_token = operation ~= nil and operation.token == true
  form.token_without_rule = not (operation and operation.params.ClientToken)
  form.takes_region = operation ~= nil and operation.params.RegionId ~= nil
  form.names_provider = data ~= nil and data.names_provider == true
  limit(context, form, given)
  form.plan_metatable = { __index = form }
  return form
end

-- Key of the form in the cache. Calls that give no option but region and deadline share a form;
-- calls with other options have none in the cache (nil).
local function key_of(action, given)
  for name in next, given do
    if name ~= "region" and name ~= "deadline" then return nil end
  end
  if not given.region or type(action) ~= "string" then return action end
  return given.region .. "\0" .. action
end

local function fill(context, form, given, input)
  local all, region = complete(context, form, given, input)
  if not all then return nil, region end
  local flat, message = validate(form, all)
  if not flat then return nil, message end
  local target = form.targets[region or ""]
  if not target then
    target, message = locate(context, form, region)
    if not target then return nil, message end
  end
  return setmetatable({ form = form, flat = flat, token = flat.ClientToken, region = region,
    target = target, deadline = given.deadline }, form.plan_metatable)
end

--- Makes the plan of a call.
---@param context alicloud.call.Context
---@param action string "Action" or "product:Action"
---@param input? table parameters, PascalCase
---@param given? alicloud.CallOptions
---@return alicloud.plan|nil
---@return string? message one line: what, the value, what is allowed
function M.new(context, action, input, given)
  local checked, key = NO_OPTIONS, action
  local form, plan, message
  if given ~= nil then
    checked, message = schema.examine("call", given, SCHEMA)
    if not checked then return nil, message end
    key = key_of(action, checked)
  end
  form = context.forms[key]
  if not form then
    form, message = make_form(context, action, checked)
    if not form then return nil, message end
    if key then context.forms[key] = form end
  end
  if input ~= nil and type(input) ~= "table" then
    return nil, ("%s: parameters: got %s; allowed: a table"):format(form.title, schema.show(input))
  end
  plan, message = fill(context, form, checked, input or NO_PARAMETERS)
  if not plan then return nil, form.title .. ": " .. message end
  return plan
end

return M
