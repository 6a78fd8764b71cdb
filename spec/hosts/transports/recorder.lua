-- A transport that passes everything on to another one and writes down what went by, one JSON
-- object for each line: to look at, or for strict.lua to play again. Signatures and keys are left
-- out; what is written may be shown.
--
--   local file = assert(io.open("calls.jsonl", "a"))
--   local function write(line) file:write(line, "\n") end
--   alicloud.client { transport = recorder.new(host_http, write) }

local core = require "alicloud.core"

local M = {}

-- New with every attempt, or secret, and so never the same again.
local VOLATILE = {
  AccessKeyId = true, SecurityToken = true, Signature = true, SignatureNonce = true,
  SignatureMethod = true, SignatureType = true, SignatureVersion = true, Timestamp = true,
}

local function add_fields(params, text)
  for encoded, value in (text or ""):gmatch("([^&=]+)=([^&]*)") do
    local name = core.percent_decode(encoded)
    if not VOLATILE[name] then params[name] = core.percent_decode(value) end
  end
end

--- What a request asks for, without what changes from one attempt to the next.
---@param request alicloud.Request
---@return { action: string, host: string, params: table<string, string>, token: boolean }
function M.essence(request)
  local params = {}
  add_fields(params, request.url:match "%?(.*)$")
  if (request.headers["content-type"] or ""):find "urlencoded" then
    add_fields(params, request.body)
  end
  local token = params.ClientToken ~= nil
  params.ClientToken = nil
  return { action = request.action, host = request.host, params = params, token = token }
end

--- Wraps a transport.
---@param inner { send: fun(request: alicloud.Request): table|nil, any }
---@param write fun(line: string) takes one line without its end
---@return { send: function }
function M.new(inner, write)
  local recorder = {}

  function recorder.send(request)
    local answer, err = inner.send(request)
    local kept = answer and { status = answer.status, headers = answer.headers,
      body = answer.body, failure = answer.failure, sent = answer.sent }
    write(core.encode { request = M.essence(request), answer = kept, refused = err })
    return answer, err
  end

  return recorder
end

return M
