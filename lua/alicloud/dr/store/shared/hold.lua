--- Who holds a lock of a shared store, in its value and in words.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"

local M = {}

---@class alicloud.dr.Holder
---@field owner string
---@field host string
---@field pid integer
---@field since string RFC 3339
---@field journal string
---@field account string? of a group
---@field region string? of a group

--- What is written into a lock: nothing secret.
---@param holder alicloud.dr.Holder
---@param journal string
---@return alicloud.dr.Holder
function M.note(holder, journal)
  return { owner = holder.owner, host = holder.host, pid = holder.pid, since = holder.since,
    account = holder.account, region = holder.region, journal = journal }
end

--- What a lock says.
---@param entry alicloud.dr.Entry|nil
---@return alicloud.dr.Holder|nil
function M.of(entry)
  local holder = entry and core.decode(entry.value)
  return type(holder) == "table" and holder or nil
end

---@param holder alicloud.dr.Holder
---@return string
function M.words(holder)
  return errors.text_of(("%s (pid %s on %s) since %s"):format(tostring(holder.owner),
    tostring(holder.pid), tostring(holder.host), tostring(holder.since)), 300)
end

--- The error of a lock that somebody else has.
---@param store alicloud.dr.SharedStore
---@param name string of the lease
---@param holder alicloud.dr.Holder|nil
---@return alicloud.Error
function M.locked(store, name, holder)
  local is_run = name == "run"
  local who = holder and M.words(holder) or "somebody"
  local where = holder and not is_run and (", journal %s"):format(tostring(holder.journal)) or ""
  -- A standby waits for the run, and not for groups that other runs have.
  return errors.new { kind = "journal", code = "Client.JournalLocked", outcome = "not_sent",
    holder = holder, message = ("%s is held by %s%s"):format(is_run and store.name or name, who,
      where), hint = ("wait for it%s, or end that process; its lock ends with it, within a quarter "
      .. "of a minute"):format(is_run and " with --standby" or "") }
end

return M
