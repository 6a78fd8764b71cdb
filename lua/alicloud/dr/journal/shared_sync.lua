--- One sync of the disk for all who write to a journal at the same time. A disk takes milliseconds
--- for it, in which nothing else happens, and what a fleet is told at once lets hundreds write.

local M = {}

--- Whether others are ready to go on, and may be about to write.
---@param journal alicloud.dr.JournalFile
---@return boolean
function M.are_wise(journal)
  return journal.loop ~= nil and journal.store.settle ~= nil and journal.loop.is_crowded()
end

--- Lets the others go first, then makes the last record safe, unless one of them has. Whoever is
--- cancelled meanwhile gets it safe all the same.
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
