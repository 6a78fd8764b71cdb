--- Recordings for specs: what goes by a transport, in the form of the file, without any redaction;
--- and single lines written by hand.

local core = require "alicloud.core"

local M = {}

local OF_SIGNATURE = {
  AccessKeyId = true, Action = true, Format = true, SecurityToken = true, Signature = true,
  SignatureMethod = true, SignatureNonce = true, SignatureType = true, SignatureVersion = true,
  Timestamp = true, Version = true, ClientToken = true,
}

--- A moment as a recording has it.
---@param unix number
---@return string
function M.moment(unix)
  local ms = math.floor(unix * 1000 + 0.5)
  return ("%s.%03dZ"):format(core.iso8601(ms // 1000):sub(1, 19), ms % 1000)
end

local function params_of(request)
  local params = {}
  local is_form = (request.headers["content-type"] or ""):find "urlencoded"
  for _, text in ipairs { request.url:match "%?(.*)$" or "", is_form and request.body or "" } do
    for name, value in text:gmatch "([^&=]+)=([^&]*)" do
      local plain = core.percent_decode(name)
      if not OF_SIGNATURE[plain] then params[plain] = core.percent_decode(value) end
    end
  end
  return params
end

---@class spec.Noted
---@field lines string[]
---@field transport alicloud.ForeignTransport
local Noted = {}
Noted.__index = Noted

--- Wraps a transport.
---@param inner alicloud.ForeignTransport
---@param time fun(): number
---@return spec.Noted
function M.new(inner, time)
  local self = setmetatable({ lines = {} }, Noted)
  self:add { v = 1, n = 0, at = M.moment(time()), tool = "alicloud-dr 0", command = "spec" }
  self.transport = { send = function(request)
    local began = time()
    local answer = inner.send(request)
    local params = params_of(request)
    local json = answer.body and core.decode(answer.body)
    self:add { v = 1, n = #self.lines, at = M.moment(began),
      product = request.host:match "^(%a+)[.-]", version = request.headers["x-acs-version"],
      action = request.action, region = params.RegionId,
      mutating = request.mutating,
      request = { method = request.method, host = request.host, params = params, headers = {} },
      response = answer.status and { status = answer.status, headers = answer.headers,
        json = json, text = not json and answer.body or nil } or nil,
      failure = answer.failure and { kind = answer.failure, sent = answer.sent,
        detail = answer.detail } or nil,
      ms = math.floor((time() - began) * 1000 + 0.5), attempt = 1 }
    return answer
  end }
  return self
end

---@param line table
function Noted:add(line) self.lines[#self.lines + 1] = core.encode(line) end

---@return string
function Noted:text() return table.concat(self.lines, "\n") .. "\n" end

--- One exchange, as a table.
---@param n integer
---@param action string
---@param params table<string, string>
---@param answer table fields of the answer; of a failure: { failure = table }
---@param more? table fields of the line
---@return table
function M.exchange(n, action, params, answer, more)
  local line = { v = 1, n = n, at = M.moment(1795316400 + n), product = "ebs",
    version = "2021-07-30", action = action, region = params.RegionId,
    mutating = not action:find "^Describe", ms = 20, attempt = 1,
    request = { method = "POST", host = "ebs.cn-shanghai.aliyuncs.com", params = params,
      headers = {} } }
  if answer.failure then
    line.failure = answer.failure
  else
    line.response = { status = answer.status or 200, headers = {}, json = answer }
    answer.status = nil
    answer.RequestId = answer.RequestId or "REQ-" .. n
  end
  for name, value in pairs(more or {}) do line[name] = value end
  return line
end

--- The text of a recording of such lines.
---@param list table[]
---@return string
function M.text(list)
  local lines = { core.encode { v = 1, n = 0, at = M.moment(1795316400), tool = "alicloud-dr 0",
    command = "spec" } }
  for _, line in ipairs(list) do lines[#lines + 1] = core.encode(line) end
  return table.concat(lines, "\n") .. "\n"
end

return M
