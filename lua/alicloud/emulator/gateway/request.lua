--- Reads one HTTP request as the gateway does: GET or POST, parameters in the query or a form body,
-- operation named by a header (V3 signatures) or by a parameter (RPC signatures).

local core = require "alicloud.core"

local M = {}

---@class alicloud.emulator.Call
---@field protocol "V3"|"RPC"
---@field method string
---@field path string  as on the wire
---@field query string  as on the wire
---@field headers table<string, string>  lower-case names
---@field body string
---@field query_list table[]  { name, value } decoded, in wire order
---@field form_list table[]
---@field params table<string, string>  query and form, the form wins
---@field action string|nil
---@field version string|nil
---@field host string
---@field format "JSON"|"XML"
---@field request_id string
---@field mount "in-process"|"http"
---@field endpoint_region string|nil  region of the port that the request came to; nil: shared port
---@field authorization table|nil  algorithm, key_id, signed_headers and their names
---@field signature string|nil
---@field by_value boolean|nil  true: it came as a plan, and is answered with a table
---@field access_key_id string|nil  set when the signature is checked, or from the plan
---@field product string|nil  "ebs", "ecs" or "sts", once the operation is known
---@field operation alicloud.emulator.Operation|nil
---@field entry alicloud.emulator.RequestEntry  of the log
---@field token_use "first"|"repeat"|nil  whether its ClientToken was seen before
---@field near_miss string|nil  what the server signed, where the signature does not match

local function decode(text)
  return core.percent_decode((text:gsub("%+", " ")))
end

local function as_it_is(text) return text end

--- Splits `a=1&b=2`.
---@param text string
---@return table[]|nil list  { name, value } pairs, nil when an escape is broken
function M.split_query(text)
  local coded = text:find("%", 1, true) or text:find("+", 1, true)
  local list, read = {}, coded and decode or as_it_is
  for part in text:gmatch("[^&]+") do
    local sign = part:find("=", 1, true)
    local name, value = read(part:sub(1, (sign or 0) - 1)), read(sign and part:sub(sign + 1) or "")
    if not name or not value then return nil end
    list[#list + 1] = { name, value }
  end
  return list
end

local FORM = "application/x-www-form-urlencoded"

local function read_form(call)
  local kind = call.headers["content-type"]
  if call.body == "" or not kind or kind:sub(1, #FORM):lower() ~= FORM then return {} end
  return M.split_query(call.body)
end

local function wanted_format(params, accept, default)
  local format = params.Format
  if format and format ~= "" then return format:upper() == "XML" and "XML" or "JSON" end
  if accept then
    if accept:find("json", 1, true) then return "JSON" end
    if accept:find("xml", 1, true) then return "XML" end
  end
  return default
end

local function read_params(call)
  local params = {}
  for _, pair in ipairs(call.query_list) do params[pair[1]] = pair[2] end
  for _, pair in ipairs(call.form_list) do params[pair[1]] = pair[2] end
  return params
end

--- Reads a request.
---@param received table  { method, path, query, headers (lower-case names), body, mount, region }
---@param settings table<string, any>
---@return alicloud.emulator.Call
---@return boolean readable  false: an escape sequence is broken
function M.read(received, settings)
  local headers = received.headers
  local call = {
    method = received.method, path = received.path, query = received.query or "",
    headers = headers, body = received.body or "", host = headers.host or "",
    protocol = headers.authorization and "V3" or "RPC", mount = received.mount,
    endpoint_region = received.region,
  }
  local query, form = M.split_query(call.query), read_form(call)
  call.query_list, call.form_list = query or {}, form or {}
  call.params = read_params(call)
  if headers["x-acs-action"] and not call.params.Signature then call.protocol = "V3" end
  -- An RPC signature covers parameters, not headers, so its parameters come first.
  local said = call.protocol == "RPC" and call.params or {}
  call.action = said.Action or headers["x-acs-action"] or call.params.Action
  call.version = said.Version or headers["x-acs-version"] or call.params.Version
  local rpc = call.protocol == "RPC" and call.params.Signature ~= nil
  call.format = wanted_format(call.params, headers.accept,
    rpc and settings.default_format_rpc or settings.default_format)
  return call, query ~= nil and form ~= nil
end

--- Makes the call that a plan of the client would become on the wire.
---@param plan alicloud.PlannedRequest
---@param settings table<string, any>
---@return alicloud.emulator.Call
function M.of_plan(plan, settings)
  return {
    method = plan.method, path = "/", host = plan.host, protocol = "V3", mount = "in-process",
    params = plan.params, action = plan.action, version = plan.version,
    access_key_id = plan.access_key_id, by_value = true,
    format = wanted_format(plan.params, "application/json", settings.default_format),
  }
end

return M
