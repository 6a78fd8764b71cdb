--- Reads the settings of traces from the environment, under the names of the OpenTelemetry
--- specification. An empty variable counts as not set.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local http = require "alicloud.net.http"
local net_options = require "alicloud.net.options"
local runtimes = require "alicloud.base.runtime"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"
local trusts = require "alicloud.net.trust"

local M = {}

---@class alicloud.otel.Settings
---@field url string where spans are posted to
---@field headers table<string, string> may contain a key
---@field timeout number seconds for one request
---@field resource table<string, string> attributes of this program
---@field trust table options for alicloud.transport
---@field parent { trace_id: string, span_id: string }? the span in which the command was started

-- Default (the protocol's) and maximum, in milliseconds.
local TIMEOUT, LONGEST = 10000, 600000

-- The value and name of a variable. The one for traces wins over the one for all signals.
local function exporter(getenv, name)
  for _, prefix in ipairs { "OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_" } do
    local value = getenv(prefix .. name)
    if value and value ~= "" then return value, prefix .. name end
  end
end

local function decoded(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- Reads "a=b,c=d" with percent-encoded values; nil if the text is not of this form.
local function pairs_of(text)
  local map = {}
  for part in (text or ""):gmatch "[^,]+" do
    local name, value = part:match "^%s*([^=%s]+)%s*=%s*(.-)%s*$"
    if not name then return nil end
    map[name] = decoded(value)
  end
  return map
end

-- Whether all are HTTP header fields. If not, messages do not show them: they may contain a key.
local function are_fields(map)
  for name, value in pairs(map) do
    if name:find "[^%w!#$&'*+.^_`|~-]" or value:find "[^\x20-\x7e]" then return false end
  end
  return true
end

local function url_of(getenv)
  local text, name = exporter(getenv, "ENDPOINT")
  local parts, why = http.parse_url(text)
  if not parts then return nil, ("%s: %s"):format(name, why) end
  if name == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" then return text end
  return (text:gsub("/*$", "")) .. "/v1/traces"
end

-- Reads TRACEPARENT: version, trace, span, flags; later versions may add more. Returns the parent,
-- or nil, and whether to trace: false if the parent is not sampled.
local function parent_of(text)
  local version, trace_id, span_id, flags =
    (text or ""):match "^(%x%x)%-(%x+)%-(%x+)%-(%x%x)%f[-\0]"
  local is_one = version and version ~= "ff" and #trace_id == 32 and #span_id == 16
    and trace_id:find "[^0]" and span_id:find "[^0]"
  if not is_one then return nil, true end
  return { trace_id = trace_id:lower(), span_id = span_id:lower() },
    tonumber(flags, 16) & 1 == 1
end

local function resource_of(getenv)
  local given = pairs_of(getenv "OTEL_RESOURCE_ATTRIBUTES")
  if not given then return nil, "OTEL_RESOURCE_ATTRIBUTES: allowed: NAME=VALUE, NAME=VALUE" end
  local service = getenv "OTEL_SERVICE_NAME"
  return tables.merged({ ["service.name"] = "alicloud-dr", ["service.version"] = core.version.core,
    ["host.name"] = core.process().host, ["telemetry.sdk.name"] = "alicloud-dr",
    ["telemetry.sdk.language"] = "lua", ["telemetry.sdk.version"] = core.version.core }, given,
    { ["service.name"] = service ~= "" and service or nil })
end

local function timeout_of(getenv)
  local text, name = exporter(getenv, "TIMEOUT")
  local number = tonumber(text or TIMEOUT)
  if number and number > 0 and number <= LONGEST then return number / 1000 end
  return nil, ("%s: got %s; allowed: milliseconds from 1 to %d"):format(name, schema.show(text),
    LONGEST)
end

local function protocol_fault(getenv)
  local text, name = exporter(getenv, "PROTOCOL")
  if text == nil or text == "http/json" then return nil end
  return ("%s: got %s; allowed: http/json"):format(name, schema.show(text))
end

local function headers_of(getenv)
  local text, name = exporter(getenv, "HEADERS")
  local headers = pairs_of(text)
  if headers and are_fields(headers) then return headers end
  return nil, name .. ": got text (not shown); allowed: NAME=VALUE,NAME=VALUE"
end

-- Reads each file first: a FIFO or a device could block the command, which must not wait for that.
local function trust_of(getenv)
  local config, runtime = {}, runtimes.new { getenv = getenv }
  for field, name in pairs { ca_file = "CERTIFICATE", client_cert = "CLIENT_CERTIFICATE",
    client_key = "CLIENT_KEY" } do
    local path, variable = exporter(getenv, name)
    local text, message
    if path then text, message = runtimes.read_regular(runtime, path) end
    if path and not text then return nil, ("%s: %s"):format(variable, errors.clean(message)) end
    config[field] = path
  end
  local fault = trusts.fault(config, runtime)
  if fault then return nil, fault end
  return net_options.settings(config, getenv)
end

-- Whether the environment switches tracing off.
local function is_off(getenv)
  return (getenv "OTEL_SDK_DISABLED" or ""):lower() == "true"
    or getenv "OTEL_TRACES_EXPORTER" == "none"
end

--- Reads the settings.
---@param getenv fun(name: string): string|nil
---@return alicloud.otel.Settings|nil nil: nothing is traced
---@return string? fault what is wrong in the environment; nil if tracing was switched off
function M.read(getenv)
  local parent, is_kept = parent_of(getenv "TRACEPARENT")
  if is_off(getenv) or not is_kept then return nil end
  local url, wrong_url = url_of(getenv)
  local timeout, wrong_timeout = timeout_of(getenv)
  local resource, wrong_resource = resource_of(getenv)
  local headers, wrong_headers = headers_of(getenv)
  local trust, wrong_trust = trust_of(getenv)
  local fault = protocol_fault(getenv) or wrong_url or wrong_timeout or wrong_resource
    or wrong_headers or wrong_trust
  if fault then return nil, fault end
  return { url = url, headers = headers, timeout = timeout, resource = resource, parent = parent,
    trust = trust }
end

return M
