--- How far many runs or branches are, or one step, in a line that moves below what else is printed.
--- Where the output is no terminal there is none.

local duration = require "alicloud.base.duration"
local terminal = require "alicloud.cli.terminal"
local widths = require "alicloud.cli.width"
local zones = require "alicloud.cli.zone"

local M = {}

-- Seconds between two events of it: at a terminal, and for whoever reads events along.
local MOVES, TOLD = 1, 5

local LABEL = "  "
-- The sign that moves, and a blank.
local SIGN = 2

-- How it is said in so many words, and in ever fewer.
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

--- In words, as many as there is room for.
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

-- What is cut where there is no room comes last.
local function words_of_step(event)
  local seen = event.seen and "  " .. terminal.clean(event.seen) or ""
  return duration.clock(event.elapsed) .. seen
end

---@class alicloud.cli.HeadwayLine
---@field io alicloud.cli.Io
---@field spinner { show: fun(label: string, text: string), clear: fun() }
---@field shown alicloud.dr.HeadwayEvent|alicloud.dr.UnderWayEvent|nil nil: there is no line
---@field restore fun()? takes it out of the way of the others for good
local Line = {}
Line.__index = Line

-- Whatever else is printed comes above the line.
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

-- Of branches within branches the outermost are shown.
function Line:take(event)
  if not self.io.tty or self.shown and event.step ~= self.shown.step then return end
  if not self.shown and event.last then return end
  if not self.shown then stand_below(self) end
  self.shown = event
  if event.last then return take_away(self) end
  -- What is typed stands there meanwhile.
  if self.io.asking then return end
  local label = LABEL .. (event.step and terminal.clean(event.step) .. " " or "")
  local room = self.io.columns - 1 - widths.of(label) - SIGN
  self.spinner.show(label, event.type == "under_way" and words_of_step(event)
    or M.words(event, room))
end

--- Makes what shows the events of headway, and nothing else.
---@param io alicloud.cli.Io
---@return fun(event: alicloud.dr.HeadwayEvent|alicloud.dr.UnderWayEvent)
function M.of(io)
  local line = setmetatable({ io = io }, Line)
  return function(event) line:take(event) end
end

--- Seconds between two events, if somebody is to be told of it.
---@param io alicloud.cli.Io
---@param args table
---@return number|nil
function M.every(io, args)
  if io.tty and not args.json then return MOVES end
  return io.events and TOLD or nil
end

return M
