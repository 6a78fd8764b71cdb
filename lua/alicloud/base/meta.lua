--- What is known of a result besides its content. It is kept beside the result, as long as that
--- lives, and made up when somebody asks: most callers never do.

local M = {}

---@class alicloud.Meta
---@field request_id string
---@field request_ids string[] of all attempts
---@field status integer
---@field attempts integer
---@field elapsed number seconds
---@field server_time? number unix seconds, the answer's Date header
---@field heard_at number unix seconds by the clock of this machine, when the answer had come
---@field client_token? string
---@field endpoint string

local metas = setmetatable({}, { __mode = "k" })

--- Keeps what a result came with.
---@param result table
---@param progress { make_meta: fun(progress: table): alicloud.Meta }
function M.keep(result, progress)
  metas[result] = progress
end

--- What is known of a result.
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
