--- Lists the hosts that a run needs and the region of each, and refuses calls that depend on the
--- failed region.

local endpoint = require "alicloud.net.endpoint"
local formats = require "alicloud.base.formats"
local plans = require "alicloud.call.plan"
local providers = require "alicloud.call.provider"
local proxies = require "alicloud.net.proxy"
local schema = require "alicloud.base.schema"

local M = {}

---@class alicloud.Dependency
---@field host string host[:port]
---@field purpose "endpoint"|"credentials"|"proxy"|"store"|"hook"
---@field place "region"|"machine"|"instance"|"unknown" where it is, as far as its name tells: in a
---region, on this machine, the metadata service of this instance
---@field region? string for the place "region"
---@field serves? string of an endpoint: the region whose resources it manages
---@field product? string of an endpoint
---@field source? string of an endpoint or a proxy: where the host came from
---@field failed boolean it lies in the failed region, or serves it

---@class alicloud.DependencyOptions
---@field regions? string[] whose endpoints are needed; default: the client's own
---@field products? string[] default: the client's own
---@field hooks? string[] addresses that events of the run are sent to
---@field stores? string[] hosts of the store that keeps the run

local METADATA = "100.100.100.200"
-- Region ids begin with one of these codes of countries and continents.
local WORLD = { cn = true, ap = true, us = true, eu = true, me = true, na = true, sa = true,
  af = true }

local function as_region(text)
  local part = text:match("^(%l%l)%-%l[%l%d%-]*$")
  return part and WORLD[part] and text or nil
end

--- The region that is part of the name of a host of the vendor.
---@param host string host[:port]
---@return string|nil region nil for other hosts and for central hosts of the vendor
function M.region_of(host)
  local labels = host:lower():match("^([^:]+)%.aliyuncs%.com[:%d]*$")
  for label in (labels or ""):gmatch("[^.]+") do
    local region = as_region(label) or as_region(label:match("^%l%w*%-(.+)$") or "")
    if region then return region end
  end
  return nil
end

--- The host of an address, without what could be a secret in it.
---@param address string
---@return string host[:port]
function M.host_of(address)
  local authority = address:gsub("^%a[%w+.-]*://", ""):match("^[^/?#]*")
  return (authority:match("([^@]*)$")):lower()
end

local function bare(host)
  return host:match("^%[([^%]]*)%]") or host:match("^[^:]*")
end

local function locate(dependency)
  local host = bare(dependency.host)
  dependency.region = M.region_of(dependency.host)
  if dependency.region then
    dependency.place = "region"
  elseif endpoint.is_loopback(dependency.host) then
    dependency.place = "machine"
  elseif host == METADATA then
    dependency.place = "instance"
  elseif dependency.serves then
    -- An endpoint whose name tells no region is taken to lie in the region that it serves.
    dependency.place, dependency.region = "region", dependency.serves
  else
    dependency.place = "unknown"
  end
  return dependency
end

local function add(list, context, dependency)
  local failed = context.failed_region
  locate(dependency)
  dependency.failed = failed ~= nil
    and (dependency.region == failed or dependency.serves == failed)
  list[#list + 1] = dependency
end

-- A proxy is listed once, however many endpoints are asked through it.
local function add_proxy(list, context, target)
  local proxy = proxies.toward(target, context.config, context.runtime.getenv)
  if not proxy then return end
  local host = M.host_of(proxy.host)
  for _, other in ipairs(list) do
    if other.purpose == "proxy" and other.host == host then return end
  end
  add(list, context, { host = host, purpose = "proxy", source = proxy.source })
end

local function add_endpoint(list, context, target, product, region)
  add(list, context, { host = target.host, purpose = "endpoint", product = product,
    serves = region, source = target.source })
  add_proxy(list, context, target)
end

local function add_credentials(list, context)
  for _, host in ipairs(providers.hosts(context.provider)) do
    add(list, context, { host = M.host_of(host), purpose = "credentials" })
  end
end

local function is_list_of(test)
  return function(value)
    if type(value) ~= "table" then return false end
    for _, item in ipairs(value) do
      if not test(item) then return false end
    end
    return true
  end
end

local SCHEMA = {
  regions = schema.rule("a list of region ids", is_list_of(formats.PARAMETER.region.test)),
  products = schema.rule("a list of product codes", is_list_of(plans.PRODUCT.test)),
  hooks = schema.rule("a list of addresses", is_list_of(schema.text.test)),
  stores = schema.rule("a list of hosts", is_list_of(schema.text.test)),
}

--- Lists the hosts that the client's calls and credentials, the stores and the hooks need.
---@param context alicloud.call.Context
---@param given? alicloud.DependencyOptions
---@return alicloud.Dependency[]|nil
---@return string? message what is wrong with the options
function M.list(context, given)
  local checked, message = schema.examine("dependencies", given, SCHEMA)
  if not checked then return nil, message end
  local list = {}
  for _, product in ipairs(checked.products or { context.product }) do
    for _, region in ipairs(checked.regions or { context.region }) do
      local target
      target, message = plans.target(context, product, region)
      if not target then return nil, message end
      add_endpoint(list, context, target, product, region)
    end
  end
  add_credentials(list, context)
  for _, host in ipairs(checked.stores or {}) do
    add(list, context, { host = M.host_of(host), purpose = "store" })
  end
  for _, hook in ipairs(checked.hooks or {}) do
    add(list, context, { host = M.host_of(hook), purpose = "hook" })
  end
  return list
end

local CURES = {
  endpoint = "call the other site, or give that region's endpoint another host",
  credentials = "take credentials that need no host there (keys of the environment, an STS "
    .. "endpoint of a region that lives)",
  proxy = "take a proxy elsewhere, or none",
}

--- The refusal of a call that needs hosts of the failed region.
---@param context alicloud.call.Context with failed_region
---@param plan alicloud.plan
---@return table|nil failure as core.read gives it; nil: it needs none
function M.refusal(context, plan)
  local list, named, cures = {}, {}, {}
  add_endpoint(list, context, plan.target, plan.product, plan.region)
  add_credentials(list, context)
  for _, dependency in ipairs(list) do
    if dependency.failed then
      named[#named + 1] = ("%s (%s)"):format(dependency.host, dependency.purpose)
      cures[#cures + 1] = dependency.purpose .. ": " .. CURES[dependency.purpose]
    end
  end
  if #named == 0 then return nil end
  return {
    kind = "state",
    code = "Client.FailedRegion",
    message = ("not sent: it depends on the failed region %s through %s"):format(
      context.failed_region, table.concat(named, ", ")),
    outcome = "not_sent",
    retry_class = "never",
    hint = table.concat(cures, "; "),
  }
end

return M
