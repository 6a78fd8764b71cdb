--- Keeps what is known of a result besides its content, such as the request id, for as long as the
--- result lives. It is put together when it is asked for: most callers never do.

local M = {}

---@class alicloud.Meta
---@field request_id string
---@field request_ids string[] of all attempts
---@field status integer
---@field attempts integer
---@field elapsed number seconds
---@field server_time? number unix seconds, the answer's Date header
---@field heard_at number unix seconds by the clock of this machine at which the answer had come
---@field client_token? string
---@field endpoint string

local metas = setmetatable({}, { __mode = "k" })

--- Keeps what the metadata of a result are made from.
---@param result table
---@param progress { make_meta: fun(progress: table): alicloud.Meta }
function M.keep(result, progress)
  metas[result] = progress
end

--- The metadata of a result; nil: it is not the result of a call.
---@param result table as returned by a call
---@return alicloud.Meta|nil
function M.of(result)
  local known = metas[result]
  if known and known.make_meta then
    known = known.make_meta(known)
    metas[result] = known
  end
  return known
end

return M
