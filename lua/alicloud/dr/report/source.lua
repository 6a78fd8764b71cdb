--- Opens the source of a report: a journal, or a list of records. Damage is no error here: the
--- records before it are read, and the damage is reported in `chain`.

local events = require "alicloud.dr.playbook.events"
local files = require "alicloud.dr.store.file"
local journals = require "alicloud.dr.journal"
local places = require "alicloud.dr.store.place"
local stores = require "alicloud.dr.store"

local M = {}

---@class alicloud.dr.Chain
---@field verdict "intact"|"torn"|"damaged"|"unchecked" unchecked: records without their sums
---@field records integer how many records could be read
---@field head string? sum of the last line that could be read
---@field torn_bytes integer? bytes of a last line without its end, which was never acknowledged
---@field line integer? the line that is damaged
---@field reason string? words about the damage
---@field newer { line: integer, what: string }? the first record that a newer version has written

---@class alicloud.dr.EvidenceSource
---@field name string? the journal's path or address
---@field events table[]
---@field sums string[]? sums of the lines
---@field keys table<string, string>? public keys that the reader holds, by name
---@field chain alicloud.dr.Chain
---@field hold alicloud.dr.Hold? state of the lock beside the journal
---@field strange boolean? strangers may have written it
---@field copied boolean? it is this machine's copy of a journal in a shared store

-- If the journal grows at each of so many reads, its writer holds the lock, whatever the lock says.
local TRIES = 5

local function verdict_of(reading, damage)
  local chain = { verdict = "intact", records = #reading.events, head = reading.head,
    newer = reading.newer }
  if damage then
    chain.verdict, chain.line, chain.reason = "damaged", damage.line, damage.reason
  elseif reading.torn > 0 then
    chain.verdict, chain.torn_bytes = "torn", reading.torn
  end
  return chain
end

--- Reads the text of a journal.
---@param text string
---@param name string?
---@param head string? beginning of a sum that was noted before; the journal must contain it
---@return alicloud.dr.EvidenceSource
function M.of_text(text, name, head)
  local reading, damage = events.read(text)
  reading = reading or damage.before
  local chain = verdict_of(reading, damage)
  if head and chain.verdict ~= "damaged" and not journals.has_head(text, head:lower()) then
    chain.verdict, chain.line = "damaged", #reading.events + 1
    chain.reason = ("is missing: no line has the sum %s; since it was noted, the end was "
      .. "cut off or lines were made anew, or it is of another journal"):format(head)
  end
  return { name = name, events = reading.events, sums = reading.sums, chain = chain }
end

-- A list of records has no sums, but the records are checked all the same.
local function of_records(list, keys)
  local line, reason, newer = events.check(list)
  local chain = { verdict = "unchecked", records = #list, newer = newer }
  if line then
    list = table.move(list, 1, line - 1, 1, {})
    chain.verdict, chain.records, chain.line, chain.reason = "damaged", line - 1, line, reason
  end
  return { events = list, keys = keys, chain = chain }
end

-- Reads a journal, and tells whether strangers may have written what was read.
local function read_text(name, context)
  local is_path = stores.is_path(name)
  local trusted = is_path and files.read_trusted(name)
  if trusted then return trusted, nil, false end
  local text, err = stores.read(name, context)
  return text, err, is_path
end

-- Reads text and lock of the same moment. If the run ended between the two reads, it would look as
-- if it had been killed.
local function read(name, context)
  local text, err, strange, hold
  for _ = 1, TRIES do
    local before = text
    text, err, strange = read_text(name, context)
    if not text then return nil, err end
    if hold and text == before then return text, hold, strange end
    hold = stores.hold(name, context)
    if hold.held ~= false then return text, hold, strange end
  end
  hold.held = true
  return text, hold, strange
end

--- Opens a source.
---@param source string|table[] path or address of a journal, or its records
---@param head string? beginning of a sum that was noted before; the journal must contain it
---@param keys table<string, string>? public keys that the reader holds, by name
---@param context? alicloud.dr.StoreContext
---@return alicloud.dr.EvidenceSource|nil
---@return alicloud.Error? err
function M.open(source, head, keys, context)
  if type(source) == "table" then
    return of_records(source, keys)
  end
  local text, hold, strange = read(source, context)
  if not text then return nil, hold end
  local found = M.of_text(text, source, head)
  found.hold, found.keys, found.copied = hold, keys, places.is_mirror(source)
  found.strange = strange
  return found
end

return M
