--- Who holds a lock of a shared store: the value of its key, and words for messages.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"

local M = {}

---@class alicloud.dr.Holder
---@field owner string
---@field host string
---@field pid integer
---@field since string RFC 3339
---@field journal string address of the run
---@field account string? only for the lock of a group
---@field region string? only for the lock of a group

--- The value of a lock; it holds nothing secret.
---@param holder alicloud.dr.Holder
---@param journal string
---@return alicloud.dr.Holder
function M.note(holder, journal)
  return { owner = holder.owner, host = holder.host, pid = holder.pid, since = holder.since,
    account = holder.account, region = holder.region, journal = journal }
end

--- The holder that the value of a lock names; nil if it names none.
---@param entry alicloud.dr.Entry|nil
---@return alicloud.dr.Holder|nil
function M.of(entry)
  local holder = entry and core.decode(entry.value)
  return type(holder) == "table" and holder or nil
end

--- The holder in words.
---@param holder alicloud.dr.Holder
---@return string
function M.words(holder)
  return errors.text_of(("%s (pid %s on %s) since %s"):format(tostring(holder.owner),
    tostring(holder.pid), tostring(holder.host), tostring(holder.since)), 300)
end

--- The error of a lock that another process has.
---@param store alicloud.dr.SharedStore
---@param name string name of the lease
---@param holder alicloud.dr.Holder|nil
---@return alicloud.Error
function M.locked(store, name, holder)
  local is_run = name == "run"
  local who = holder and M.words(holder) or "somebody"
  local where = holder and not is_run and (", journal %s"):format(tostring(holder.journal)) or ""
  -- Only a lock of the run is waited for by --standby, not that of a group.
  return errors.new { kind = "journal", code = "Client.JournalLocked", outcome = "not_sent",
    holder = holder, message = ("%s is held by %s%s"):format(is_run and store.name or name, who,
      where), hint = ("wait for it%s, or end that process; its lock ends with it, within a quarter "
      .. "of a minute"):format(is_run and " with --standby" or "") }
end

return M
