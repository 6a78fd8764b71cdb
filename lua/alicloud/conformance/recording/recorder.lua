--- Records every exchange of a client as a redacted line of JSON that may be shown to anybody. The
--- format is in the manual (recordings). A failure of the recording is reported once, and never
--- fails a call.
--
-- Each line is written when its exchange has ended, so that a kill loses only the last one. One
-- process at a time writes to a file.

local core = require "alicloud.core"
local guard = require "alicloud.base.guard"
local writing = require "alicloud.conformance.recording.writing"
local pseudonyms = require "alicloud.conformance.recording.pseudonyms"
local fields = require "alicloud.conformance.recording.fields"
local redaction = require "alicloud.conformance.recording.redaction"
local schema = require "alicloud.base.schema"

local M = {}

---@class alicloud.recording.Options
---@field command? string[] words of the command line that is recorded
---@field keep_map? string file for the map of originals to pseudonyms; an existing one is continued
---@field drop_request_ids? boolean
---@field now? fun(): number unix seconds
---@field warn? fun(message: string) gets what is wrong with the recording, for people

local SCHEMA = {
  command = schema.typed "table",
  keep_map = schema.text,
  drop_request_ids = schema.boolean,
  now = schema.callable,
  warn = schema.callable,
}

---@class alicloud.recording.Recorder: alicloud.Recorder
---@field path string
---@field written integer number of lines that were written
---@field dropped integer number of lines that could not be proved clean
---@field file alicloud.File? nil: closed, or a write failed
---@field redactor alicloud.recording.Redactor
---@field number integer of the last line; nil before the first one
local Recorder = {}
Recorder.__index = Recorder

-- Bytes that are read at a time from an existing file.
local CHUNK = 4 << 20
-- No pseudonym is longer, so that none is missed between two chunks.
local OVERLAP = 64
-- Offset of the byte that is locked, far beyond the end of any file.
local LOCKED = 1 << 60

local function is_recording(file)
  local head = file:read(0, CHUNK)
  local first = head and core.decode(head:match "^[^\n]*" or "", { max_bytes = CHUNK })
  return type(first) == "table" and first.v == writing.VERSION and first.n == 0
    and type(first.command) == "string"
end

-- Bytes up to the end of the last complete line.
local function whole_bytes(file, bytes)
  while bytes > 0 do
    local from = math.max(0, bytes - CHUNK)
    local last = (file:read(from, bytes - from) or ""):match "^.*()\n"
    if last then return from + last end
    bytes = from
  end
  return 0
end

-- Counts on from the pseudonyms in an existing file. Cuts off an incomplete last line that a kill
-- has left: with lines after it, the file could not be read.
local function continue(file, bytes, table_of)
  for offset = 0, bytes, CHUNK do
    local text = file:read(math.max(0, offset - OVERLAP), CHUNK + OVERLAP)
    if text then table_of:continue_after(text) end
  end
  local whole = whole_bytes(file, bytes)
  if whole == bytes then return true end
  return file:truncate(whole)
end

-- Opens and locks the file to append to.
local function open_file(path, table_of)
  local file, message = core.open_file(path, "append")
  if not file then return nil, message end
  local locked, why = file:lock(LOCKED)
  local about = locked and file:stat()
  local fault
  if not locked then
    fault = why or "another command records into it"
  elseif about.bytes > 0 and not is_recording(file) then
    fault = "it is there and is no recording"
  else
    local ok, problem = continue(file, about.bytes, table_of)
    fault = not ok and tostring(problem) or nil
  end
  if fault then
    file:close()
    return nil, ("%s: %s"):format(path, fault)
  end
  return file
end

local MAX_MAP = 64 << 20

local function take_map(path, table_of)
  local file, message, code = core.open_file(path, "read")
  if not file then
    if code == "ENOENT" then return true end
    return nil, message
  end
  local text = file:read(0, MAX_MAP)
  file:close()
  local ok, fault = table_of:take(text or "")
  if not ok then return nil, ("%s: %s"):format(path, fault) end
  return true
end

--- Opens a recording. An existing file is continued, with new pseudonyms unless the map of those in
--- the file is given.
---@param path string
---@param given? alicloud.recording.Options
---@return alicloud.recording.Recorder|nil
---@return string? message
function M.open(path, given)
  local options = schema.check("recorder.open", given, SCHEMA, 2)
  local table_of = pseudonyms.new(fields.vocabulary())
  local file, message = open_file(path, table_of)
  if not file then return nil, message end
  -- The map is read after the recording is opened: if both are the same file, it exists by now and
  -- is refused as no map.
  local ok = true
  if options.keep_map then ok, message = take_map(options.keep_map, table_of) end
  if not ok then
    file:close()
    return nil, message
  end
  local now = options.now or core.time
  return setmetatable({
    path = path, file = file, now = now, began = now(), written = 0, dropped = 0,
    warn = options.warn or function() end, command = options.command or {},
    keep_map = options.keep_map,
    redactor = redaction.new { pseudonyms = table_of, drop_request_ids = options.drop_request_ids },
  }, Recorder)
end

function Recorder:give_up(message)
  self.file:close()
  self.file = nil
  guard.call(self.warn, ("the recording ends here, and the command goes on: %s"):format(message))
end

-- Writes the map after every line with a new pseudonym, so that after a kill the map has all that
-- are in the file.
function Recorder:save_map()
  local count = self.redactor.pseudonyms.count
  if not self.keep_map or count == self.saved then return end
  self.saved = count
  local ok, message = core.write_file(self.keep_map, self.redactor.pseudonyms:map(), "private")
  if ok then return end
  guard.call(self.warn, "the key to the pseudonyms is not written: " .. tostring(message))
  self.keep_map = nil
end

function Recorder:append(line)
  if not self.file then return end
  line.n = self.number
  local text = core.encode(line) .. "\n"
  local ok, message = self.file:append(text)
  if not ok then self:give_up(tostring(message)) end
end

-- Makes a line. Returns nil if that fails, or if the line cannot be proved clean.
function Recorder:prove(make, ...)
  local ok, line = guard.call(make, self.redactor, ...)
  local proved = ok and select(2, guard.call(self.redactor.proves, self.redactor, line)) == true
  return proved and line or nil
end

-- Writes the line of the command, once. This is done at the first exchange, whose fields teach the
-- redactor what the words of the command line are.
function Recorder:begin()
  if self.number then return end
  self.number = 0
  self:append(self:prove(writing.header, self.command, self.began)
    or writing.header(self.redactor, {}, self.began))
end

function Recorder:put(make, ...)
  self:begin()
  local line = self:prove(make, ...)
  self.number = self.number + 1
  if line then self.written = self.written + 1 else self.dropped = self.dropped + 1 end
  self:append(line or writing.dropped(self.now()))
  self:save_map()
end

--- Records an exchange.
---@param exchange alicloud.RecordedExchange
function Recorder:exchange(exchange)
  if not self.file then return end
  local read_ok, read = guard.call(writing.read, exchange.answer)
  local learnt = read_ok and guard.call(writing.learn, self.redactor, exchange, read)
  -- Without the originals in its fields, the line cannot be proved clean, so it is dropped.
  local make = learnt and writing.exchange or error
  self:put(make, exchange, read, self.now())
end

--- Records that the service differs from an assumption.
---@param assumption string
---@param text string
function Recorder:difference(assumption, text)
  if self.file then self:put(writing.difference, assumption, text, self.now()) end
end

--- Ends the recording, and warns if lines are missing from it.
function Recorder:close()
  if not self.file then return end
  self:begin()
  self:save_map()
  if self.file then self.file:close() end
  self.file = nil
  if self.dropped > 0 then
    guard.call(self.warn, ("%d of %d lines are not in the recording: it could not be proved that "
      .. "nothing private is left in them"):format(self.dropped, self.dropped + self.written))
  end
end

Recorder.__close = Recorder.close

return M
