--- Takes every exchange of a client down, into lines of JSON that may be shown to anybody. The
--- format is the manual's (recordings). What went wrong with it is told once, and hurts no call.
--
-- Each line is written when its exchange has ended, so that a kill leaves all but the last. One
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
---@field command? string[] the words of the command line that it is of
---@field keep_map? string file for the key to the pseudonyms; one that is there is gone on with
---@field drop_request_ids? boolean
---@field now? fun(): number unix seconds
---@field warn? fun(message: string) what is wrong with the recording, for people

local SCHEMA = {
  command = schema.typed "table",
  keep_map = schema.text,
  drop_request_ids = schema.boolean,
  now = schema.callable,
  warn = schema.callable,
}

---@class alicloud.recording.Recorder: alicloud.Recorder
---@field path string
---@field written integer lines of exchanges
---@field dropped integer lines that could not be proved
---@field file alicloud.File? nil: closed, or it could not be written
---@field redactor alicloud.recording.Redactor
---@field number integer of the last line; nil before the first one
local Recorder = {}
Recorder.__index = Recorder

-- Read at a time from what is there already.
local CHUNK = 4 << 20
-- No pseudonym is longer, so that none is missed between two chunks.
local OVERLAP = 64
-- A line whose byte is locked, far beyond any end.
local LOCKED = 1 << 60

local function is_recording(file)
  local head = file:read(0, CHUNK)
  local first = head and core.decode(head:match "^[^\n]*" or "", { max_bytes = CHUNK })
  return type(first) == "table" and first.v == writing.VERSION and first.n == 0
    and type(first.command) == "string"
end

-- Bytes up to the end of the last line that is whole.
local function whole_bytes(file, bytes)
  while bytes > 0 do
    local from = math.max(0, bytes - CHUNK)
    local last = (file:read(from, bytes - from) or ""):match "^.*()\n"
    if last then return from + last end
    bytes = from
  end
  return 0
end

-- What a kill has left of a line is taken away: nobody could read the file with it.
local function continue(file, bytes, table_of)
  for offset = 0, bytes, CHUNK do
    local text = file:read(math.max(0, offset - OVERLAP), CHUNK + OVERLAP)
    if text then table_of:continue_after(text) end
  end
  local whole = whole_bytes(file, bytes)
  if whole == bytes then return true end
  return file:truncate(whole)
end

-- The file to append to.
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

--- Opens a recording. A file that is there is gone on with, under pseudonyms of its own unless the
--- key to those before is given.
---@param path string
---@param given? alicloud.recording.Options
---@return alicloud.recording.Recorder|nil
---@return string? message
function M.open(path, given)
  local options = schema.check("recorder.open", given, SCHEMA, 2)
  local table_of = pseudonyms.new(fields.vocabulary())
  local file, message = open_file(path, table_of)
  if not file then return nil, message end
  -- Only now: a map that is the recording by another name is there by now, and is none.
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

-- The map holds what no line holds, so it is written with every line that brings something new: a
-- kill must not part them.
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

-- A line that is made and proved, or the one that stands for it.
function Recorder:prove(make, ...)
  local ok, line = guard.call(make, self.redactor, ...)
  local proved = ok and select(2, guard.call(self.redactor.proves, self.redactor, line)) == true
  return proved and line or nil
end

-- The command line is told when the first answer has said what its words are.
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

--- Takes an exchange down.
---@param exchange alicloud.RecordedExchange
function Recorder:exchange(exchange)
  if not self.file then return end
  local read_ok, read = guard.call(writing.read, exchange.answer)
  local learnt = read_ok and guard.call(writing.learn, self.redactor, exchange, read)
  -- What could not be learnt cannot be proved to be gone.
  local make = learnt and writing.exchange or error
  self:put(make, exchange, read, self.now())
end

--- Takes down that the service differs from what is assumed of it.
---@param assumption string
---@param text string
function Recorder:difference(assumption, text)
  if self.file then self:put(writing.difference, assumption, text, self.now()) end
end

--- Ends the recording, and says what is missing from it.
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
