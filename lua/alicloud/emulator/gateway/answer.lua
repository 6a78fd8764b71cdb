--- Renders an answer as bytes: JSON or XML, with headers that say that it is the emulator's.

local core = require "alicloud.core"
local errors = require "alicloud.emulator.gateway.errors"
local tables = require "alicloud.base.tables"

local M = {}

M.SERVER = "alicloud-dr-emulator"

---@class alicloud.emulator.Answer
---@field status integer
---@field headers table<string, string>
---@field body string

local XML = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escape_xml(text) return (tostring(text):gsub('[&<>"]', XML)) end

local write_xml

local function write_element(out, name, value)
  out[#out + 1] = "<" .. name .. ">"
  if type(value) == "table" then write_xml(out, value) else out[#out + 1] = escape_xml(value) end
  out[#out + 1] = "</" .. name .. ">"
end

-- Lists carry the singular of their name on every element, as RPC products of the vendor do.
local function singular(name) return (name:gsub("s$", "")) end

function write_xml(out, object)
  for _, name in ipairs(tables.keys(object)) do
    local value = object[name]
    if core.is_array(value) then
      out[#out + 1] = "<" .. name .. ">"
      for _, element in ipairs(value) do write_element(out, singular(name), element) end
      out[#out + 1] = "</" .. name .. ">"
    else
      write_element(out, name, value)
    end
  end
end

local function to_xml(root, object)
  local out = { '<?xml version="1.0" encoding="UTF-8"?>\n' }
  write_element(out, root, object)
  return table.concat(out)
end

--- Renders an object.
---@param call alicloud.emulator.Call
---@param status integer
---@param object table  has RequestId
---@param date string  for the Date header
---@param headers table<string, string>|nil  more headers
---@return alicloud.emulator.Answer
function M.render(call, status, object, date, headers)
  local xml = call.format == "XML"
  local root = status >= 400 and "Error" or (call.action or "Unknown") .. "Response"
  local all = {
    ["date"] = date,
    ["server"] = M.SERVER,
    ["x-emulator"] = "alicloud-dr",
    ["x-acs-request-id"] = object.RequestId,
    ["content-type"] = xml and "text/xml;charset=utf-8" or "application/json;charset=utf-8",
  }
  for name, value in pairs(headers or {}) do all[name] = value end
  return { status = status, headers = all,
    body = xml and to_xml(root, object) or core.encode(object) }
end

-- How the service spells its products in the address of the diagnosis page.
local SPELLED = { ecs = "Ecs", sts = "Sts" }

local function recommend(call, refusal)
  if refusal.recommend or not errors.of_gateway[refusal.code] then return refusal.recommend end
  local product = SPELLED[call.product] or call.product or "ebs"
  return ("https://api.alibabacloud.com/troubleshoot?q=%s&product=%s&requestId=%s")
    :format(refusal.code, product, call.request_id)
end

--- Renders a refusal as the vendor's error body; only the gateway's own have a Recommend.
---@param call alicloud.emulator.Call
---@param refusal alicloud.emulator.Refusal
---@param date string
---@return alicloud.emulator.Answer
function M.refusal(call, refusal, date)
  local object = {
    RequestId = call.request_id,
    HostId = call.host,
    Code = refusal.code,
    Message = refusal.message,
    Recommend = recommend(call, refusal),
    AccessDeniedDetail = refusal.access_denied,
  }
  return M.render(call, refusal.status, object, date, refusal.headers)
end

return M
