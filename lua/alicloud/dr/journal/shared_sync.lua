--- Shares one sync of the disk between all tasks that write to a journal at the same time. A sync
--- blocks for milliseconds, and one answer to a fleet may let hundreds of tasks write.

local M = {}

--- Whether other tasks are ready to run, so that they may write soon.
---@param journal alicloud.dr.JournalFile
---@return boolean
function M.are_wise(journal)
  return journal.loop ~= nil and journal.store.settle ~= nil and journal.loop.is_crowded()
end

--- Lets the other tasks run first, then syncs, unless one of them has done it. The record becomes
--- safe even if the task is cancelled meanwhile.
---@param journal alicloud.dr.JournalFile
---@return boolean|nil ok
---@return alicloud.Error? err
function M.take(journal)
  local mine = journal.seq
  journal.loop.give_way()
  if not journal.fault and journal.safe < mine then
    local upto = journal.seq
    local ok, err = journal.store:settle()
    if ok then journal.safe = upto else journal:end_with(err) end
  end
  if journal.fault then return nil, journal.fault end
  return true
end

return M
