--- Appends records to a journal in a shared store: they are created only if their keys do not exist
--- and the run's lock is ours. An older process fails, since its successor has written records.
---
--- A lost answer may belong to a write that was done. The same bytes are then sent again, and a
--- refusal that shows these bytes in place counts as success.

local M = {}

---@class alicloud.dr.Record
---@field key string
---@field text string one line of the journal

---@class alicloud.dr.Batch
---@field lock string key of the run's lock
---@field fence string `created` that the lock must still have
---@field before string? key of the record before the first one
---@field records alicloud.dr.Record[] in the order of the journal

local function ends_of(batch)
  local first, last = batch.records[1], batch.records[#batch.records]
  return first, last
end

-- Writes all records in one transaction.
local function in_one(keys, batch)
  local first, last = ends_of(batch)
  local when, put = { { key = batch.lock, created = batch.fence } }, {}
  when[2] = { key = first.key, absent = true }
  if batch.before then when[3] = { key = batch.before, present = true } end
  for i, record in ipairs(batch.records) do put[i] = { key = record.key, value = record.text } end
  local read = { batch.lock, first.key }
  if last ~= first then read[3] = last.key end
  if batch.before then read[#read + 1] = batch.before end
  return keys:txn { when = when, put = put, read = read }
end

-- Writes the records one by one, for a store without transactions: there only the keys of records
-- fence an older process off.
local function one_by_one(keys, batch)
  local lock, err = keys:get(batch.lock)
  if lock == nil then return nil, err end
  local found = { [batch.lock] = lock or nil }
  if not lock or lock.created ~= batch.fence then return false, found end
  for _, record in ipairs(batch.records) do
    local made, there = keys:create(record.key, record.text)
    if made == nil then return nil, there end
    if not made and there.value ~= record.text then
      found[record.key] = there
      return false, found
    end
  end
  return true
end

--- Tries once.
---@param keys alicloud.dr.Keys
---@param batch alicloud.dr.Batch
---@return "done"|"lost"|"conflict"|"missing"|nil end_ nil: not done, or not known
---@return table|alicloud.Error|nil found entries that were found instead, or the error
function M.try(keys, batch)
  local done, found = (keys.txn and in_one or one_by_one)(keys, batch)
  if done then return "done" end
  if done == nil then return nil, found end
  local lock = found[batch.lock]
  if not lock or lock.created ~= batch.fence then return "lost", found end
  local first, last = ends_of(batch)
  local one, other = found[first.key], found[last.key]
  if one and other and one.value == first.text and other.value == last.text then return "done" end
  if not one and batch.before and not found[batch.before] then return "missing", found end
  return "conflict", found
end

return M
