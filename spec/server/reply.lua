-- The bytes of answers, well formed or not.

local M = {}

local REQUEST_ID = "5F1D0C9A-6A4C-4F2B-9F30-2A5E6C7B8D90"
M.body = ('{"RequestId":"%s"}'):format(REQUEST_ID)

---An answer with Content-Length framing.
---@param body string|nil  a small JSON object if nil
---@param options { status: string|nil, headers: string|nil, version: string|nil }|nil
---@return string
function M.http(body, options)
  body, options = body or M.body, options or {}
  return ("%s %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s"):format(
    options.version or "HTTP/1.1", options.status or "200 OK", options.headers or "", #body, body)
end

---An answer in chunks.
---@param ... string  the chunks; the small JSON object in two chunks if there is none
---@return string
function M.chunked(...)
  local chunks = { ... }
  if #chunks == 0 then chunks = { M.body:sub(1, 20), M.body:sub(21) } end
  local parts = {
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
  }
  for _, chunk in ipairs(chunks) do
    parts[#parts + 1] = ("%x\r\n%s\r\n"):format(#chunk, chunk)
  end
  parts[#parts + 1] = "0\r\n\r\n"
  return table.concat(parts)
end

---An HTTP/1.0 answer whose body ends with the connection (RFC 9112 section 6.3, rule 8).
---@param body string|nil
---@return string
function M.http10(body)
  return "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" .. (body or M.body)
end

---A documented error body.
---@param status string  e.g. "403 Forbidden"
---@param code string
---@param headers string|nil  whole header lines
---@return string
function M.error(status, code, headers)
  local body = ('{"RequestId":"%s","HostId":"ebs.cn-shanghai.aliyuncs.com","Code":"%s",'
    .. '"Message":"refused"}'):format(REQUEST_ID, code)
  return M.http(body, { status = status, headers = headers })
end

return M
