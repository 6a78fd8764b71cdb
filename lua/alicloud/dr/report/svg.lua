--- Draws the timeline as SVG for an HTML page. Horizontal positions are percentages and sizes are
--- pixels, so that the picture fills any width and its letters keep their size.

local markup = require "alicloud.dr.report.markup"
local plain = require "alicloud.dr.report.plain"
local plural = require "alicloud.base.plural"
local texts = require "alicloud.dr.report.text"
local timeline = require "alicloud.dr.report.timeline"

local element = markup.element

local M = {}

local MARK_ROW, LANE_ROW, ROW, COMPACT_ROW = 20, 30, 36, 22
local AXIS = 26
local LABEL_CAP = 40
-- Least width of a bar in percent, so that a short step can be seen.
local LEAST_WIDTH = 0.8
-- With more rows than these each lane is one row; its steps are in the table below.
local MOST_ROWS = 60

local OUTLINE = { gate = " gate", release = " gate", verify = " verify" }

-- A host may have set a locale with a decimal comma.
local function percent(value)
  return (("%.2f%%"):format(value):gsub(",", "."))
end

local function line(class, x, from, to)
  return element("line", { class = class, x1 = percent(x), x2 = percent(x), y1 = from, y2 = to })
end

local function label(class, x, y, text, anchor)
  return element("text", { class = class, x = percent(x), y = y, ["text-anchor"] = anchor }, text)
end

local function bar_of(place, row, bar, y, height)
  local x = place(bar.from)
  local width = math.max(place(bar.to) - x, LEAST_WIDTH)
  x = math.min(x, 100 - width)
  local word, tone = texts.step_status(row.entry)
  local kind = OUTLINE[row.entry.kind] or ""
  local title = ("%s: %s, %s"):format(plain.clean(row.entry.step), word,
    plain.duration(bar.to - bar.from))
  return element("rect", { class = "bar " .. tone .. kind .. (bar.cut and " cut" or ""),
    x = percent(x), y = y, width = percent(width), height = height, rx = 3 },
    element("title", nil, title))
end

local function draw_row(out, place, row, y)
  local _, tone, mark = texts.step_status(row.entry)
  local took = #row.bars > 0 and " " .. plain.duration(row.entry.seconds) or ""
  out[#out + 1] = label("name", 0, y + 13, plain.clean(row.label, LABEL_CAP))
  out[#out + 1] = element("text", { class = "took " .. tone, x = "100%", y = y + 13, dx = -8,
    ["text-anchor"] = "end" }, mark .. took)
  out[#out + 1] = element("line", { class = "track", x1 = "0%", x2 = "100%", y1 = y + 24,
    y2 = y + 24 })
  for _, bar in ipairs(row.bars) do out[#out + 1] = bar_of(place, row, bar, y + 19, 10) end
  return y + ROW
end

local function draw_compact(out, place, lane, y)
  for _, row in ipairs(lane.rows) do
    for _, bar in ipairs(row.bars) do out[#out + 1] = bar_of(place, row, bar, y + 2, 10) end
  end
  return y + COMPACT_ROW
end

local function count_rows(lanes)
  local rows = 0
  for _, lane in ipairs(lanes) do rows = rows + #lane.rows end
  return rows
end

local function draw_lanes(out, layout, y)
  local compact = count_rows(layout.lanes) > MOST_ROWS
  local named = #layout.lanes > 1
  for _, lane in ipairs(layout.lanes) do
    if named then
      out[#out + 1] = label("lane", 0, y + 19, plain.clean(lane.name or "the whole run",
        LABEL_CAP))
      y = y + LANE_ROW
    end
    if compact then
      y = draw_compact(out, layout.place, lane, y)
    else
      for _, row in ipairs(lane.rows) do y = draw_row(out, layout.place, row, y) end
    end
  end
  return y
end

-- The label of each mark has a row of its own, so that labels never cover each other.
local function draw_marks(out, layout, top, bottom)
  for i, mark in ipairs(layout.marks) do
    local x, y = layout.place(mark.at), top + (i - 1) * MARK_ROW
    local left = x > 50
    out[#out + 1] = line("mark " .. mark.kind, x, y + 4, bottom)
    out[#out + 1] = element("text", { class = "flag " .. mark.kind, x = percent(x), y = y + 14,
      dx = left and -6 or 6, ["text-anchor"] = left and "end" or "start" }, mark.label)
  end
end

local function draw_gaps(out, layout, top, bottom)
  for _, gap in ipairs(layout.gaps) do
    local from, to = layout.place(gap.from), layout.place(gap.to)
    out[#out + 1] = element("rect", { class = "gap", x = percent(from), y = top,
      width = percent(to - from), height = bottom - top },
      element("title", nil, "nobody ran it for " .. plain.duration(gap.to - gap.from)))
  end
end

local function draw_axis(out, layout, top, y)
  for _, tick in ipairs(layout.ticks) do
    local x = layout.place(tick.at)
    local anchor = x < 4 and "start" or x > 96 and "end" or "middle"
    out[#out + 1] = line("tick", x, top, y)
    out[#out + 1] = label("axis", x, y + 17, tick.label, anchor)
  end
end

local function describe(model, layout)
  local parts = { ("%s from %s to %s."):format(plural.of(#model.steps, "step"),
    plain.time(model.began_at), plain.time(model.ended_at)) }
  for _, mark in ipairs(layout.marks) do
    parts[#parts + 1] = ("%s after %s."):format(mark.label,
      plain.duration(mark.at - model.began_at))
  end
  for _, gap in ipairs(layout.gaps) do
    parts[#parts + 1] = ("Nobody ran it for %s; that time is drawn shorter."):format(
      plain.duration(gap.to - gap.from))
  end
  return table.concat(parts, " ")
end

local function has(model, test)
  for _, entry in ipairs(model.steps) do
    if test(entry) then return true end
  end
  return false
end

local function was_cut(entry)
  for _, span in ipairs(entry.spans) do
    if span.cut then return true end
  end
  return false
end

-- The legend, only for signs that the picture has.
local function legend(model, layout)
  local parts = {}
  if has(model, function(entry) return entry.kind == "gate" end) then
    parts[#parts + 1] = "Outlined: waiting for people."
  end
  if has(model, function(entry) return entry.kind == "verify" end) then
    parts[#parts + 1] = "Blue: a look from outside."
  end
  if has(model, was_cut) then
    parts[#parts + 1] = "Dashed: no end is written, its process was killed or is at work."
  end
  for _, gap in ipairs(layout.gaps) do
    parts[#parts + 1] = ("Grey band: nobody ran it for %s, drawn shorter."):format(
      plain.duration(gap.to - gap.from))
  end
  return #parts > 0 and element("figcaption", nil, table.concat(parts, " ")) or nil
end

--- Draws the timeline, with a legend below.
---@param model alicloud.dr.EvidenceModel
---@return alicloud.dr.Markup[]
function M.draw(model)
  local layout = timeline.layout(model)
  local top = #layout.marks * MARK_ROW + 6
  local lanes = {}
  local bottom = draw_lanes(lanes, layout, top) + 2
  local back, front = {}, {}
  draw_axis(back, layout, top, bottom)
  draw_gaps(back, layout, top, bottom)
  draw_marks(front, layout, 0, bottom)
  local picture = element("svg", { class = "timeline", width = "100%", height = bottom + AXIS,
    role = "img", ["aria-labelledby"] = "timeline-title timeline-desc",
    xmlns = "http://www.w3.org/2000/svg" },
    element("title", { id = "timeline-title" }, "Timeline of the run"),
    element("desc", { id = "timeline-desc" }, describe(model, layout)),
    back, front, lanes)
  return { picture, legend(model, layout) }
end

return M
