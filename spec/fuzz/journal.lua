-- Journals: any bytes are read or refused, never raised about; and of a journal whose sums are
-- right, with events that are any bytes, no changed byte goes unseen.

local core = require "alicloud.core"
local events = require "alicloud.dr.playbook.events"
local journal = require "alicloud.dr.journal"
local support = require "spec.fuzz.support"

local check = support.check

-- Records that are not as they must be end what can be believed.
local function records(text, whole)
  local reading, damage = events.read(text)
  local found = reading or damage.before
  check(#found.events <= #whole.events, "more records than lines", text)
  check(#found.sums == #found.events and #found.head == 64, "sums", text)
  for i = 1, #found.events do check(not events.fault(found.events[i]), "a fault", text) end
end

local function read(text)
  local reading, damage = journal.read(text)
  local whole = reading or damage.before
  records(text, whole)
  check(whole.bytes <= #text and #whole.head == 64, "how far it is whole", text)
  if reading then
    check(reading.bytes + reading.torn == #text, "bytes", text)
  else
    check(damage.line == #whole.events + 1 and type(damage.reason) == "string", "damage", text)
    check(journal.damaged("j", damage).outcome == "not_sent", "error", text)
  end
  for _, event in ipairs(whole.events) do check(type(event) == "table", "event", text) end
  local before = journal.read(text:sub(1, whole.bytes))
  check(before and #before.events == #whole.events and before.torn == 0, "not whole", text)
  local first = journal.first(text)
  check((first ~= nil) == (whole.events[1] ~= nil), "first", text)
  check(whole.bytes == 0 or journal.has_head(text, whole.head), "head", text)
  return reading, damage
end

-- Every line of the input becomes the event of a line whose sums are right.
local function chain(input)
  local lines, head = {}, ("0"):rep(64)
  for body in input:gmatch "[^\n]+" do
    local seq = #lines + 1
    local sum = core.sha256(("%d\n%s\n%s"):format(seq, head, body))
    lines[seq] = ('{"seq":%d,"prev":"%s","bytes":%d,"sum":"%s","event":%s}\n'):format(seq, head,
      #body, sum, body)
    head = sum
  end
  return table.concat(lines), #lines
end

return function(input)
  read(input)
  local text, lines = chain(input)
  local reading, damage = read(text)
  if not reading then return check(damage.reason:find "^holds no event", damage.reason, text) end
  check(#reading.events + (reading.torn > 0 and 1 or 0) == lines, "lines", text)
  if lines == 0 or reading.torn > 0 then return end
  -- One bit, somewhere.
  local at = (#input * 7919 + input:byte(1)) % reading.bytes + 1
  local changed = string.char(text:byte(at) ~ 1 << #input % 8)
  local again = read(text:sub(1, at - 1) .. changed .. text:sub(at + 1))
  check(not again or again.torn > 0 and #again.events == lines - 1, "a change is not seen", text,
    at, changed)
  -- An event that was read can be written, and is the same then.
  for _, event in ipairs(reading.events) do
    local line = journal.line(1, ("0"):rep(64), journal.plain(event))
    check(#read(line).events == 1, "cannot be read again", line)
  end
end
