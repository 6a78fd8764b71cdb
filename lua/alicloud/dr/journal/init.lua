--- A journal of what was decided, sent and seen: one JSON line for each record, in a hash chain, so
--- that a line that was edited, cut out or moved is found.
---
---     {"seq":3,"prev":"<sum of line 2>","bytes":57,"sum":"<sha256>","event":{"type":"note",…}}
---
--- `sum` is the SHA-256 of seq, prev and the event's bytes; `prev` is the sum of the line before. A
--- last line without its end was never acknowledged, and is cut when the journal is opened. Any
--- other damage is an error that names its line, since a lost intent may lead to a second failover.
---
--- A journal lies in a store, which keeps bytes without knowing their meaning. A file or several
--- machines can be a store. Its contract:
---
---   load()                     everything that was appended so far
---   append(seq, text, durable) compare-and-set: only if `seq` follows the last one in the store,
---                              whoever wrote that. With `durable` it returns after the bytes are
---                              safe from a crash of the machine. A failure is final: nothing is
---                              retried, and every later append fails alike. It may return a moment
---                              in seconds of the runtime's boottime: a call that the record
---                              announces must not leave after it.
---   settle()                   makes safe what was appended so far; optional, and a store that
---                              several machines share has none
---   cut(bytes)                 shortens it to so many bytes; only before the first append
---   reserve(bytes)             reserves space for later appends
---   lease(name, holder)        exclusive: { fence, release() }, or nil and an error that names the
---                              holder. `fence` grows with every lease of that name; a store whose
---                              leases expire refuses appends under an older one.
---   post(line), mail()         lines that other people leave for the run, in order, and who left
---                              them: { name, who, trusted, lines } for each file or sender
---   others()                   optional: the other journals beside it that can be trusted, as
---                              { name, text }, in no order; nil: it does not look for any
---   beside(ending)             optional: path of another file of the run
---   close()
---
--- A store that several machines share (`shared`) may wait in the loop at each call. Its lease can
--- be lost to another machine: `lost()` tells why, and the listener of `on_lost` is called then. A
--- process that takes a run over waits `takeover_wait` seconds before it sends a call again.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local lazy = require "alicloud.base.lazy"
local turns = require "alicloud.dr.journal.turns"

-- The first record loads it; most commands write none.
---@module "alicloud.dr.journal.shared_sync"
local shared_syncs = lazy.module "alicloud.dr.journal.shared_sync"

local M = {}

M.VERSION = 1

---@class alicloud.dr.Store
---@field name string for messages: a path
---@field load fun(self): string|nil, alicloud.Error?
---@field append fun(self, seq: integer, text: string, durable: boolean): boolean?,
---alicloud.Error|number|nil
---@field settle? fun(self): boolean|nil, alicloud.Error?
---@field cut fun(self, bytes: integer): boolean|nil, alicloud.Error?
---@field reserve fun(self, bytes: integer): boolean|nil, alicloud.Error?
---@field lease fun(self, name: string, holder: table): alicloud.dr.Lease|nil, alicloud.Error?
---@field post fun(self, line: string): boolean|nil, alicloud.Error?
---@field mail fun(self): alicloud.dr.Letters[]|nil, alicloud.Error?
---@field others? fun(self): { name: string, text: string }[]|nil
---@field beside? fun(self, ending: string): string
---@field close fun(self)
---@field shared boolean? several machines use it
---@field takeover_wait number? seconds in which a call of an earlier process may still arrive
---@field lost? fun(self): alicloud.Error|nil
---@field on_lost? fun(self, listener: fun(err: alicloud.Error))

---@class alicloud.dr.Lease
---@field fence integer
---@field release fun(self)

---@class alicloud.dr.JournalFile
---@field store alicloud.dr.Store
---@field events table[]|nil the events at opening; the reader may set it to nil to free memory
---@field seq integer how many records there are
---@field safe integer how many of them a shared sync has made safe
---@field last table? the newest event that was written, plain
---@field head string sum of the last line
---@field torn integer bytes that were cut when it was opened
---@field fault alicloud.Error? why nothing can be written any more
---@field loop alicloud.loop.Loop? in which several tasks write
---@field turns alicloud.dr.Turns
local Journal = {}
Journal.__index = Journal

--- The `prev` of the first line.
M.FIRST = ("0"):rep(64)

local HEAD = '^{"seq":(%d+),"prev":"(%x+)","bytes":(%d+),"sum":"(%x+)","event":()'
local CLOSING_BRACE = ("}"):byte()

-- Patterns of names whose values are secrets.
local SECRET_NAMES = { "secret", "passw", "credential", "authorization", "private_?key",
  "access_?key", "security_?token", "api_?key" }

M.HIDDEN = "[hidden]"

local function says_secret(name)
  local lower = name:lower()
  for _, pattern in ipairs(SECRET_NAMES) do
    if lower:find(pattern) then return true end
  end
  return false
end

-- A cache of names that were judged. Field names repeat, ids of groups and pairs do not: when it is
-- full, it is emptied, and the field names are soon in it again.
local REMEMBERED = 1000
local judged, judged_count = {}, 0

local function judge(_, name)
  if judged_count == REMEMBERED then
    for known in next, judged do judged[known] = nil end
    judged_count = 0
  end
  judged[name], judged_count = says_secret(name), judged_count + 1
  return judged[name]
end

setmetatable(judged, { __index = judge })

--- Whether a name says that its value is a secret.
---@param name any
---@return boolean
function M.is_secret_name(name)
  return type(name) == "string" and judged[name]
end

local DEPTH = 24
-- Most tables in one value: a table that contains itself twice would have copies without end.
local MOST_TABLES = 250000

local copy_table
local tables_left

local function is_plain(text)
  return not text:find "[^\1-\127]" or utf8.len(text) ~= nil and not text:find("\0", 1, true)
end

-- The text as it will be read back: U+FFFD in place of NUL and of bytes that are not UTF-8.
local function plain_text(text)
  if is_plain(text) then return text end
  return core.decode(core.encode { text }, { max_bytes = 6 * #text + 1000 })[1]
end

-- Like plain_text, but two different names must not become the same.
local function plain_name(name)
  return is_plain(name) and name or errors.clean(name)
end

local function plain(value, depth)
  local kind = type(value)
  if kind == "table" then return copy_table(value, depth + 1) end
  if kind == "string" then return plain_text(value) end
  if kind == "boolean" then return value end
  if kind == "number" and value == value and value ~= math.huge and value ~= -math.huge then
    return value
  end
  return nil
end

function copy_table(source, depth)
  if depth > DEPTH then return "[too deep]" end
  tables_left = tables_left - 1
  if tables_left < 0 then return "[too much]" end
  local copy, length = {}, rawlen(source)
  if length > 0 or core.is_array(source) then
    for i = 1, length do
      copy[i] = plain(rawget(source, i), depth)
      if copy[i] == nil then copy[i] = core.null end
    end
    return core.array(copy)
  end
  for name, value in next, source do
    if type(name) == "string" or type(name) == "number" then
      local key = plain_name(tostring(name))
      if M.is_secret_name(key) then copy[key] = M.HIDDEN else copy[key] = plain(value, depth) end
    end
  end
  return copy
end

--- A fast copy of a table that has only plain values, as nearly all have.
---@param value table
---@return table|nil copy as a journal gives it back; nil: `plain` has to copy it
function M.usual_copy(value)
  return core.plain_copy(value, judged, M.HIDDEN)
end

--- A copy for JSON, with the values under names that say secret hidden. Metatables are ignored.
---@param value any functions, userdata, NaN and infinity become nil
---@return any
function M.plain(value)
  local copy = type(value) == "table" and M.usual_copy(value) or nil
  if copy then return copy end
  tables_left = MOST_TABLES
  return plain(value, 0)
end

local function sum_of(seq, prev, text)
  return core.sha256(("%d\n%s\n%s"):format(seq, prev, text))
end

---@param seq integer
---@param prev string sum of the line before
---@param event table plain
---@return string line with its end
---@return string sum
function M.line(seq, prev, event)
  local text = core.encode(event)
  local sum = sum_of(seq, prev, text)
  return ('{"seq":%d,"prev":"%s","bytes":%d,"sum":"%s","event":%s}\n'):format(
    seq, prev, #text, sum, text), sum
end

-- The decoder's default limit in bytes.
local DECODED = 1048576

-- Reads the line between two positions of the whole text, which is copied as little as possible.
local function read_line(whole, first, last, seq, prev)
  local found, before, bytes, sum, body = whole:match(HEAD, first)
  if not found or body > last then return nil, "is not a line of a journal" end
  if tonumber(found) ~= seq then
    return nil, ("has the number %s, expected %d: a line is missing or moved"):format(found, seq)
  end
  if before ~= prev then return nil, "does not follow the line before it" end
  local text = whole:sub(body, last - 1)
  local fits = tonumber(bytes) == #text and whole:byte(last) == CLOSING_BRACE
  if not fits or sum ~= sum_of(seq, prev, text) then
    return nil, "was changed after it was written"
  end
  local event, message = core.decode(text, #text > DECODED and { max_bytes = #text } or nil)
  if type(event) ~= "table" then return nil, "holds no event: " .. tostring(message) end
  return event, sum
end

---@class alicloud.dr.JournalReading
---@field events table[]
---@field sums string[] sums of the lines
---@field head string sum of the last line
---@field bytes integer up to the end of the last whole line
---@field torn integer bytes after it

---@class alicloud.dr.JournalDamage
---@field line integer
---@field reason string
---@field before alicloud.dr.JournalReading the lines before that line

--- Reads and checks the text of a journal. Pure.
---@param text string
---@return alicloud.dr.JournalReading|nil
---@return alicloud.dr.JournalDamage|nil damage
function M.read(text)
  local events, sums, head, position = {}, {}, M.FIRST, 1
  while position <= #text do
    local stop = text:find("\n", position, true)
    -- Pages of one write may reach the disk in any order; a page that is missing reads as zeros.
    if not stop or stop == #text and text:find("\0", position, true) then break end
    local event, sum = read_line(text, position, stop - 1, #events + 1, head)
    if not event then
      return nil, { line = #events + 1, reason = sum,
        before = { events = events, sums = sums, head = head, bytes = position - 1, torn = 0 } }
    end
    events[#events + 1], sums[#events + 1], head, position = event, sum, sum, stop + 1
  end
  return { events = events, sums = sums, head = head, bytes = position - 1,
    torn = #text - position + 1 }
end

--- Reads and checks the first record of a journal alone.
---@param text string
---@return table|nil event
---@return alicloud.dr.JournalDamage|nil damage
function M.first(text)
  local reading, damage = M.read(text:match("^[^\n]*\n") or "")
  return reading and reading.events[1], damage
end

--- Whether a whole line of a journal has a sum with this beginning.
---@param text string
---@param head string hexadecimal digits
---@return boolean
function M.has_head(text, head)
  for line in text:gmatch "([^\n]*)\n" do
    local sum = line:match '^{"seq":%d+,"prev":"%x+","bytes":%d+,"sum":"(%x+)"'
    if sum and sum:sub(1, #head) == head then return true end
  end
  return false
end

--- The error of a journal that is damaged.
---@param name string
---@param damage alicloud.dr.JournalDamage
---@return alicloud.Error
function M.damaged(name, damage)
  return errors.new {
    kind = "journal", code = "Client.JournalDamaged", outcome = "not_sent", line = damage.line,
    message = ("%s: line %d %s"):format(name, damage.line, damage.reason),
    hint = "nothing is continued from it: look at the groups, then begin a new run",
  }
end

local function cut_torn_end(store, reading)
  if reading.torn == 0 then return true end
  return store:cut(reading.bytes)
end

--- Opens a journal for writing: checks it, cuts a torn end.
---@param store alicloud.dr.Store leased by the caller
---@param loop? alicloud.loop.Loop of the writers; nil: only one task writes
---@return alicloud.dr.JournalFile|nil
---@return alicloud.Error? err
function M.open(store, loop)
  local text, err = store:load()
  if not text then return nil, err end
  local reading, damage = M.read(text)
  if not reading then return nil, M.damaged(store.name, damage) end
  local ok, fault = cut_torn_end(store, reading)
  if not ok then return nil, fault end
  return setmetatable({ store = store, events = reading.events, seq = #reading.events, safe = 0,
    head = reading.head, torn = reading.torn, loop = loop, turns = turns.new(loop) }, Journal)
end

--- Makes every further write fail.
---@param err alicloud.Error why; the first one counts
function Journal:end_with(err)
  self.fault = self.fault or err
end

local function append(journal, event, durable, told)
  if journal.fault then return nil, journal.fault end
  local seq = journal.seq + 1
  local kept = M.plain(type(event) == "function" and event() or event)
  local line, sum = M.line(seq, journal.head, kept)
  local ok, more = journal.store:append(seq, line, durable)
  if not ok then journal:end_with(more) end
  if ok then
    journal.seq, journal.last, journal.head = seq, kept, sum
    if told then told(kept) end
  end
  -- The lease may be lost during the append: an error, although the record is there.
  if journal.fault then return nil, journal.fault end
  return true, more
end

-- The timeout is longer than a store needs to find out whether a record was written.
local WHOLE = { shield = true, timeout = 60 }

-- Appends in a shielded scope: a task that is cancelled in the middle could not tell whether the
-- record was written.
local function append_whole(journal, event, durable, told)
  local ok, more = journal.loop.scope(function()
    return append(journal, event, durable, told)
  end, WHOLE)
  if ok or journal.fault then return ok, more end
  journal:end_with(errors.new { kind = "journal", code = "Client.JournalFailed",
    outcome = "not_sent", cause = more,
    message = ("%s: record %d was not written: %s"):format(journal.store.name, journal.seq + 1,
      more.message) })
  return nil, journal.fault
end

local function take_turn(journal, event, durable, told)
  local turn <close> = journal.turns:new_turn()
  local ok, err = turn:take()
  if not ok then
    journal:end_with(err)
    return nil, journal.fault
  end
  local put = journal.loop and journal.store.shared and append_whole or append
  return put(journal, event, durable, told)
end

local write = core.aside(function(journal, event, durable, told)
  local shared = durable and shared_syncs.are_wise(journal)
  local ok, more = take_turn(journal, event, durable and not shared, told)
  if ok and shared then return shared_syncs.take(journal) end
  return ok, more
end)

--- Appends an event. Several tasks take turns, first come, first served. A task that is cancelled
--- before its turn writes nothing and raises; during its turn the record is written first. After
--- the first failure every further write fails with the same error.
---@param event table|fun(): table with `type`, or a function that makes it at its turn; it is made
---plain, with secrets hidden
---@param durable? boolean return only after the event is safe from a crash
---@param told? fun(kept: table) called with the plain event before another task writes
---@return boolean|nil ok
---@return number|alicloud.Error|nil more with ok: seconds of the runtime's boottime after which a
---call that the event announces must not leave, nil: no limit; without ok: why it was not written
function Journal:write(event, durable, told)
  return write(self, event, durable == true, told)
end

return M
