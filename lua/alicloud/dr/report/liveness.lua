--- Tells whether a run without an end is at work or was interrupted. A run holds the lock beside
--- its journal as long as its process lives. A lock of a file tells that only on the machine of the
--- process; a lock of a shared store tells it everywhere.

local M = {}

---@class alicloud.dr.Presence
---@field verdict "running"|"gone"|"unknown"
---@field process table? owner, host, pid, since of the process that holds the lock
---@field why string? why it is not known
---@field shared boolean? the lock is in a shared store
---@field lease { id: string, left: integer }? lease of the lock in a shared store: its id in
---hexadecimal, as etcdctl takes it, and the seconds until it expires unless it is renewed

-- A lock that a forked child holds: the run does not go on, but it cannot be resumed either. From
-- inside a container not every process can be seen, so this is only "unknown".
local function of_child(holder)
  return ("its lock is held, but process %s of %s is gone; a child that it has forked has the lock "
    .. "open until it ends"):format(tostring(holder.pid), tostring(holder.owner))
end

local function lease_of(hold)
  local id = math.tointeger(tonumber(hold.session))
  return id and hold.left and { id = ("%x"):format(id), left = hold.left } or nil
end

--- Judges a lock.
---@param hold alicloud.dr.Hold|nil nil: the records come from no file
---@param process { host: string? }|nil the newest process of the run
---@return alicloud.dr.Presence
function M.of(hold, process)
  if not hold then return { verdict = "unknown", why = "the records come from no file" } end
  if hold.inherited then return { verdict = "unknown", why = of_child(hold.holder) } end
  if hold.held then
    return { verdict = "running", process = hold.holder, shared = hold.shared,
      lease = lease_of(hold) }
  end
  local host = process and process.host
  if host and host ~= hold.here and not hold.shared then
    return { verdict = "unknown", why = ("it ran on %s, and this is %s"):format(host, hold.here) }
  end
  if hold.held == nil then return { verdict = "unknown", why = hold.why } end
  return { verdict = "gone", shared = hold.shared }
end

return M
