--- Whether a run without an end is at work or was interrupted. A run holds the lock beside its
--- journal as long as its process lives, so the lock tells it, on the machine of that process.

local M = {}

---@class alicloud.dr.Presence
---@field verdict "running"|"gone"|"unknown"
---@field process table? owner, host, pid, since of whoever holds the lock
---@field why string? why it is not known

-- Nobody goes on with such a run, but a resume is not let in either. And who looks out of a
-- container does not see every process.
local function of_child(holder)
  return ("its lock is held, but process %s of %s is gone; a child that it has forked has the lock "
    .. "open until it ends"):format(tostring(holder.pid), tostring(holder.owner))
end

--- Judges a lock.
---@param hold alicloud.dr.Hold|nil nil: the records come from no file
---@param process { host: string? }|nil the newest that took the run over
---@return alicloud.dr.Presence
function M.of(hold, process)
  if not hold then return { verdict = "unknown", why = "the records come from no file" } end
  if hold.inherited then return { verdict = "unknown", why = of_child(hold.holder) } end
  if hold.held then return { verdict = "running", process = hold.holder } end
  local host = process and process.host
  if host and host ~= hold.here then
    return { verdict = "unknown", why = ("it ran on %s, and this is %s"):format(host, hold.here) }
  end
  if hold.held == nil then return { verdict = "unknown", why = hold.why } end
  return { verdict = "gone" }
end

return M
