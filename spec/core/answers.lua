-- Exchanges as core.read takes them, from a service that answers as the real one does.
local core = require "alicloud.core"

local M = {}

M.ID = "C123F94F-4E38-19AE-942A-A8D6F44F0000"

function M.answer(status, body, headers)
  return { status = status, headers = headers or {}, body = body }
end

function M.api_body(code, message)
  return core.encode { Code = code, Message = message or "text", RequestId = M.ID,
    HostId = "ebs.cn-shanghai.aliyuncs.com", Recommend = "https://example.com/diagnose" }
end

function M.api(status, code, headers)
  return M.answer(status, M.api_body(code), headers)
end

return M
