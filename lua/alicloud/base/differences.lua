--- Collects what live answers showed otherwise than this program assumes. It was written from
--- documents, so some of its assumptions were never seen to hold. A difference does not change a
--- call: it is told once, in one line, and to listeners such as a recorder.

local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local schema = require "alicloud.base.schema"

local M = {}

--- The assumptions of the client itself, by name. A difference is noted by one of these names, or
--- by that of an assumption of the emulator.
---@type table<string, string>
M.ASSUMED = {
  status_words = "Groups, pairs and drills show no other words as Status than the documented ones. "
    .. "A word that is not known is taken for nothing: a change that meets it goes on looking and "
    .. "in the end says that it does not know.",
  answer_fields = "What a reading operation of block storage answers has the documented fields and "
    .. "no others. Others are passed on as they are, and nothing here looks at them.",
  codes = "The service refuses with the codes of its tables and of its gateway. Whether the effect "
    .. "of another one is settled is told by its HTTP status and its form alone.",
  times_in_seconds = "LastRecoverPoint and the other times in records are unix seconds. What looks "
    .. "like milliseconds is read as such.",
  state_order = "A group or a pair goes from one status to the next as the documents say, by "
    .. "itself or because of a call. Somebody else who changes it very fast looks like a "
    .. "difference, too.",
  site_direction = "Site means the direction of replication as it is now: with production a region "
    .. "shows what it is the source of, with backup what it is the destination of.",
  pair_count = "PairNumber of a group is the number of the pairs that PairIds names. Where they "
    .. "differ, the list of pairs decides, and nothing is changed unless two of the three agree.",
  total_count = "TotalCount of a numbered page is not less than what the pages show.",
}

-- Most texts for one assumption: a service that differs altogether must not fill a terminal.
local MOST_TEXTS = 10
local MOST_BYTES = 300

---@alias alicloud.DifferenceListener fun(assumption: string, text: string)

---@class alicloud.Differences
---@field told table<string, table<string, boolean>> texts by assumption
---@field counts table<string, integer> of texts by assumption
---@field list { assumption: string, text: string }[] in the order in which they were noted
---@field listeners alicloud.DifferenceListener[]
---@field looks table? what the last reads have shown; kept by alicloud.call.differences
---@field memory table which answers were checked; kept by the same
---@field private warn fun(message: string)
local Differences = {}
Differences.__index = Differences

--- Makes an empty collection.
---@param warn fun(message: string) is told each of them once, as one line for people
---@return alicloud.Differences
function M.new(warn)
  return setmetatable({ warn = warn, told = {}, counts = {}, list = {}, listeners = {},
    memory = {} }, Differences)
end

--- The line for people.
---@param assumption string
---@param text string
---@return string
function M.line(assumption, text)
  return ("the service differs from what this program assumes (%s): %s; see `alicloud-dr explain "
    .. "%s`"):format(assumption, text, assumption)
end

--- Notes a difference. The same text for the same assumption is told once, and only the first ten
--- texts for each assumption.
---@param assumption string
---@param text string
function Differences:note(assumption, text)
  local texts = self.told[assumption] or {}
  self.told[assumption] = texts
  text = errors.text_of(text, MOST_BYTES)
  local count = self.counts[assumption] or 0
  if texts[text] or count >= MOST_TEXTS then return end
  texts[text], self.counts[assumption] = true, count + 1
  self.list[#self.list + 1] = { assumption = assumption, text = text }
  guard.call(self.warn, M.line(assumption, text))
  for _, listener in ipairs({ table.unpack(self.listeners) }) do
    guard.call(listener, assumption, text)
  end
end

--- Tells a function of each difference from now on. Its errors are ignored.
---@param listener alicloud.DifferenceListener
---@return fun() stop
function Differences:listen(listener)
  if not schema.callable.test(listener) then
    error(("differences:listen: got %s; allowed: a function"):format(schema.show(listener)), 2)
  end
  table.insert(self.listeners, listener)
  return function()
    for i, other in ipairs(self.listeners) do
      if other == listener then return table.remove(self.listeners, i) end
    end
  end
end

return M
