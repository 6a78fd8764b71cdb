--- Renders one report over all items of a fleet: how many ended how, the spread of RTO and RPO, and
--- a line for each item with its journal. Each item has a report of its own, too.

local core = require "alicloud.core"
local html = require "alicloud.dr.report.html"
local markup = require "alicloud.dr.report.markup"
local md = require "alicloud.dr.report.md"
local plain = require "alicloud.dr.report.plain"
local tables = require "alicloud.base.tables"

local element = markup.element

local M = {}

--- The formats of such a report.
M.FORMATS = { "json", "md", "html" }

---@class alicloud.dr.Spread
---@field count integer how many items have such a figure
---@field least number seconds
---@field median number
---@field p95 number
---@field most number

local function spread_of(status, field)
  local list = {}
  for _, item in ipairs(status.items) do
    local value = item.ending and item.ending[field]
    if type(value) == "number" then list[#list + 1] = value end
  end
  if #list == 0 then return nil end
  table.sort(list)
  local function at(share) return list[math.max(1, math.ceil(#list * share))] end
  return { count = #list, least = list[1], median = at(0.5), p95 = at(0.95), most = list[#list] }
end

-- When the last item has ended.
local function last_end(status)
  local last
  for _, item in ipairs(status.items) do
    local at = item.ending and item.ending.at
    if type(at) == "number" and (not last or at > last) then last = at end
  end
  return last
end

--- The model of the report: the status, and figures over all items.
---@param status alicloud.dr.FleetStatus
---@return table
function M.model(status)
  return tables.merged(status, { rto = spread_of(status, "rto"), rpo = spread_of(status, "rpo"),
    ended_at = last_end(status) })
end

local STATES = { "done", "failed", "left_out", "under_way", "open" }
local WORDS = { left_out = "left out", under_way = "under way" }
local MARKS = { done = "✔", failed = "✘", left_out = "-", under_way = "…", open = "·" }
local TONES = { done = "good", failed = "bad", left_out = "warn", under_way = "plain",
  open = "plain" }

local function word_of(state)
  return WORDS[state] or state
end

local function verdict(model)
  if model.done == model.count then return "All done", "good" end
  if model.failed > 0 then return ("%d failed"):format(model.failed), "bad" end
  if model.hold then return "On hold", "warn" end
  return "Not all done", "warn"
end

local function counts(model)
  local parts = {}
  for _, state in ipairs(STATES) do
    if model[state] > 0 then parts[#parts + 1] = ("%d %s"):format(model[state], word_of(state)) end
  end
  return ("Of %d groups: %s."):format(model.count, table.concat(parts, ", "))
end

-- The facts of the fleet, each as label, value, detail.
local function facts(model)
  local list = { { "Begun", plain.time(model.begun_at), "by " .. plain.clean(model.by) } }
  if model.ended_at then
    list[2] = { "Last end", plain.time(model.ended_at),
      plain.duration(model.ended_at - model.begun_at) .. " after the beginning" }
  end
  for _, pair in ipairs { { "Recovery time", model.rto }, { "Recovery point", model.rpo } } do
    local spread = pair[2]
    list[#list + 1] = spread and { pair[1], plain.duration(spread.most) .. " at most",
      ("%s to %s, half of them within %s, 95 %% within %s; %d groups"):format(
        plain.duration(spread.least), plain.duration(spread.most), plain.duration(spread.median),
        plain.duration(spread.p95), spread.count) } or { pair[1], "not known", "" }
  end
  if model.hold then
    list[#list + 1] = { "On hold", model.hold.at and plain.time(model.hold.at) or "",
      ("%s (by %s)"):format(plain.clean(model.hold.why), plain.clean(model.hold.by)) }
  end
  return list
end

-- The texts of an item's row.
local function cells(item)
  local ending, words = item.ending or {}, word_of(item.state)
  if ending.code then words = ("%s: %s: %s"):format(words, ending.code, ending.message or "") end
  if ending.status == "completed_with_exceptions" then words = words .. ", with exceptions" end
  if item.holder then words = ("%s by %s on %s"):format(words, item.holder.owner or "?",
    item.holder.host or "?") end
  return { name = item.account .. "/" .. item.group, words = plain.clean(words),
    rto = ending.rto and plain.duration(ending.rto) or "",
    rpo = ending.rpo and plain.duration(ending.rpo) or "", journal = item.journal }
end

local FORMATS = {}

function FORMATS.json(model)
  return core.encode(tables.merged(model, { items = core.array(model.items) })) .. "\n"
end

function FORMATS.md(model)
  local title, tone = verdict(model)
  local lines = { ("# %s %s: fleet %s"):format(tone == "good" and "✔" or tone == "bad" and "✘"
    or "!", title, md.text(model.name)), "", counts(model), "", "| | | |", "|---|---|---|" }
  for _, fact in ipairs(facts(model)) do
    lines[#lines + 1] = ("| %s | **%s** | %s |"):format(fact[1], fact[2], md.text(fact[3]))
  end
  table.move({ "", "## Groups", "", "| Group | Result | Recovery time | Recovery point | Journal |",
    "|---|---|--:|--:|---|" }, 1, 5, #lines + 1, lines)
  for _, item in ipairs(model.items) do
    local cell = cells(item)
    lines[#lines + 1] = ("| %s | %s %s | %s | %s | %s |"):format(md.text(cell.name),
      MARKS[item.state], md.text(cell.words), cell.rto, cell.rpo, md.text(cell.journal))
  end
  return table.concat(lines, "\n") .. "\n"
end

local function html_row(item)
  local cell = cells(item)
  return element("tbody", nil,
    element("tr", nil, element("th", { scope = "row" }, element("bdi", nil, cell.name)),
      element("td", nil, element("span", { class = TONES[item.state] },
        element("span", { ["aria-hidden"] = "true" }, MARKS[item.state]), " ", cell.words)),
      element("td", { class = "number" }, cell.rto), element("td", { class = "number" }, cell.rpo)),
    element("tr", { class = "details" }, element("td", { colspan = 4 },
      element("span", nil, cell.journal))))
end

local function html_figures(model)
  local list = {}
  for i, fact in ipairs(facts(model)) do
    list[i] = element("div", nil, element("dt", nil, fact[1]),
      element("dd", { class = "value" }, fact[2]), element("dd", { class = "detail" }, fact[3]))
  end
  return element("dl", { class = "figures" }, list)
end

function FORMATS.html(model)
  local title, tone = verdict(model)
  local rows = {}
  for i, item in ipairs(model.items) do rows[i] = html_row(item) end
  local head = element("thead", nil, element("tr", nil, element("th", nil, "Group"),
    element("th", nil, "Result"), element("th", { class = "number" }, "Recovery time"),
    element("th", { class = "number" }, "Recovery point")))
  return html.page({ title, ": fleet ", model.name }, element("main", nil,
    element("header", nil, element("p", { class = "eyebrow" }, "Disaster recovery report · fleet"),
      element("h1", nil, element("bdi", nil, model.name)),
      element("div", { class = "verdict " .. tone },
        element("div", nil, element("strong", nil, title), element("p", nil, counts(model)))),
      html_figures(model)),
    element("section", { ["aria-labelledby"] = "groups" },
      element("h2", { id = "groups" }, "Groups"), element("table", nil, head, rows)),
    element("footer", nil, "Made from the ends of its items in the store; each journal tells of "
      .. "its own.")))
end

--- Renders a report.
---@param status alicloud.dr.FleetStatus
---@param format "json"|"md"|"html"
---@return string|nil text nil: there is no such format
function M.render(status, format)
  return FORMATS[format] and FORMATS[format](M.model(status))
end

return M
