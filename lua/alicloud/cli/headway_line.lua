--- Shows how far many runs or branches are, or one step, in one line at the bottom of a terminal
--- that other output moves down. Without a terminal nothing is shown.

local duration = require "alicloud.base.duration"
local terminal = require "alicloud.cli.terminal"
local widths = require "alicloud.cli.width"
local zones = require "alicloud.cli.zone"

local M = {}

-- Seconds between two events of headway: for a terminal, and for --events.
local MOVES, TOLD = 1, 5

local LABEL = "  "
-- Columns of the spinner's sign and the blank behind it.
local SIGN = 2

-- The same facts in ever fewer words.
local FORMS = {
  { done = "%d of %d %s", under_way = "%d under way", left_out = "%d left out",
    failed = "%d failed", calls = "%.0f of %.0f calls a second", ends = "ends about %s" },
  { done = "%d/%d %s", under_way = "%d under way", left_out = "%d left out",
    failed = "%d failed", calls = "%.0f/%.0f calls/s", ends = "ends %s" },
  { done = "%d/%d", under_way = "%d now", left_out = "%d out", failed = "%d failed",
    calls = "%.0f/%.0f/s", ends = "%s" },
}

local function in_form(event, form)
  local word = terminal.clean(event.word or "done")
  local parts = { form.done:format(event.done, event.count, word) }
  for _, name in ipairs { "under_way", "left_out", "failed" } do
    if event[name] > 0 then parts[#parts + 1] = form[name]:format(event[name]) end
  end
  if event.calls then parts[#parts + 1] = form.calls:format(event.calls, event.calls_allowed) end
  if event.ends_at then parts[#parts + 1] = form.ends:format(zones.clock(event.ends_at)) end
  return table.concat(parts, ", ")
end

--- The event in words: the longest form that fits, else the shortest.
---@param event alicloud.dr.HeadwayEvent
---@param columns integer
---@return string
function M.words(event, columns)
  local text
  for _, form in ipairs(FORMS) do
    text = in_form(event, form)
    if widths.of(text) <= columns then break end
  end
  return text
end

-- The time comes first: a narrow terminal cuts the end of the line.
local function words_of_step(event)
  local seen = event.seen and "  " .. terminal.clean(event.seen) or ""
  return duration.clock(event.elapsed) .. seen
end

---@class alicloud.cli.HeadwayLine
---@field io alicloud.cli.Io
---@field spinner { show: fun(label: string, text: string), clear: fun() }
---@field shown alicloud.dr.HeadwayEvent|alicloud.dr.UnderWayEvent|nil the last event; nil: no line
---is shown
---@field restore fun()? gives the output functions back that `stand_below` replaced
local Line = {}
Line.__index = Line

-- Makes other output appear above the line.
local function stand_below(line)
  local io = line.io
  local out, err = io.out, io.err
  local function above(write)
    return function(text)
      line.spinner.clear()
      write(text)
    end
  end
  line.spinner = terminal.spinner(setmetatable({ out = out }, { __index = io }))
  io.out, io.err = above(out), above(err)
  line.restore = function() io.out, io.err = out, err end
end

local function take_away(line)
  line.spinner.clear()
  line.restore()
  line.shown, line.restore = nil, nil
end

-- Shows only the outermost of branches within branches.
function Line:take(event)
  if not self.io.tty or self.shown and event.step ~= self.shown.step then return end
  if not self.shown and event.last then return end
  if not self.shown then stand_below(self) end
  self.shown = event
  if event.last then return take_away(self) end
  -- An open question has the line while it is answered.
  if self.io.asking then return end
  local label = LABEL .. (event.step and terminal.clean(event.step) .. " " or "")
  local room = self.io.columns - 1 - widths.of(label) - SIGN
  self.spinner.show(label, event.type == "under_way" and words_of_step(event)
    or M.words(event, room))
end

--- Returns the function that shows events of headway.
---@param io alicloud.cli.Io
---@return fun(event: alicloud.dr.HeadwayEvent|alicloud.dr.UnderWayEvent)
function M.of(io)
  local line = setmetatable({ io = io }, Line)
  return function(event) line:take(event) end
end

--- Seconds between two events of headway; nil if nobody takes them.
---@param io alicloud.cli.Io
---@param args table
---@return number|nil
function M.every(io, args)
  if io.tty and not args.json then return MOVES end
  return io.events and TOLD or nil
end

return M
