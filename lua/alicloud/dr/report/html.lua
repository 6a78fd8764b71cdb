--- Renders a report as one HTML page without scripts, fonts or network. Its Content-Security-Policy
--- forbids them, in case a text from outside were ever not escaped.

local markup = require "alicloud.dr.report.markup"
local plain = require "alicloud.dr.report.plain"
local style = require "alicloud.dr.report.style"
local svg = require "alicloud.dr.report.svg"
local targets = require "alicloud.dr.report.targets"
local texts = require "alicloud.dr.report.text"
local vouches = require "alicloud.dr.report.vouch"

local element, raw = markup.element, markup.raw

local M = {}

local POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

local SIGN = { good = "✔", warn = "!", bad = "✘", plain = "·" }

-- Isolates a name: a text that runs from right to left must not reorder the text around it.
local function name(value)
  return element("bdi", nil, value)
end

local function sign(tone)
  return element("span", { class = "sign", ["aria-hidden"] = "true" }, SIGN[tone])
end

local function verdict(model)
  local title, tone = texts.verdict(model)
  return element("div", { class = "verdict " .. tone }, sign(tone),
    element("div", nil, element("strong", nil, title),
      element("p", nil, texts.sentence(model),
        model.resume and { " Resume it with: ", element("code", nil, model.resume) })))
end

local function figures(model)
  local cells = {}
  for i, fact in ipairs(targets.figures(model)) do
    cells[i] = element("div", { class = fact.tone },
      element("dt", nil, fact.label), element("dd", { class = "value" }, fact.value),
      element("dd", { class = "detail" }, fact.detail))
  end
  return element("dl", { class = "figures" }, cells)
end

local function chain(model)
  local text, tone = texts.chain(model.chain)
  return element("p", { class = "chain" },
    element("span", { class = tone }, element("span", { ["aria-hidden"] = "true" }, SIGN[tone]),
      " Journal "), text, ".")
end

local function section(id, title, ...)
  return element("section", { ["aria-labelledby"] = id },
    element("h2", { id = id }, title), ...)
end

local function listed(class, items)
  local rows = {}
  for i, item in ipairs(items) do rows[i] = element("li", nil, item) end
  return element("ul", { class = class }, rows)
end

-- The details stand below their step, over the whole width, since a phone has no room beside it.
local function details(entry)
  local lines = texts.details(entry)
  if #lines == 0 then return nil end
  for i, line in ipairs(lines) do lines[i] = element("span", nil, line) end
  return element("tr", { class = "details" }, element("td", { colspan = 4 }, lines))
end

local function step_rows(model, entry)
  local word, tone, mark = texts.step_status(entry)
  local kind = entry.kind ~= "step" and element("span", { class = "kind" }, " ", entry.kind) or nil
  return element("tbody", nil, element("tr", nil,
    element("th", { scope = "row" }, name(entry.step), kind),
    element("td", { class = "number" },
      entry.begun_at and "+" .. plain.duration(entry.begun_at - model.began_at) or "–"),
    element("td", { class = "number" },
      entry.begun_at and plain.duration(entry.seconds) or "–"),
    element("td", { class = "state " .. tone },
      element("span", { ["aria-hidden"] = "true" }, mark), " ",
      element("span", { class = "word" }, word))), details(entry))
end

local function steps(model)
  local rows = {}
  for i, entry in ipairs(model.steps) do rows[i] = step_rows(model, entry) end
  return element("table", nil,
    element("caption", nil, "In the order in which the run came to them; times in UTC from ",
      plain.time(model.began_at)),
    element("thead", nil, element("tr", nil,
      element("th", { scope = "col" }, "Step"),
      element("th", { scope = "col", class = "number" }, "Began"),
      element("th", { scope = "col", class = "number" }, "Took"),
      element("th", { scope = "col" }, "Result"))),
    rows)
end

local function processes(model)
  local lines = {}
  for i, process in ipairs(model.processes) do lines[i] = texts.process(process) end
  return listed("processes", lines)
end

local function notes(model)
  local lines = {}
  for i, note in ipairs(model.notes) do
    lines[i] = ("%s: %s"):format(plain.time(note.at), plain.clean(note.text))
  end
  return listed("notes", lines)
end

local function about(model)
  local cells = {}
  for _, pair in ipairs(texts.about(model)) do
    cells[#cells + 1] = element("dt", nil, pair[1])
    cells[#cells + 1] = element("dd", nil, name(pair[2]))
  end
  return element("dl", { class = "about" }, cells)
end

local KIND = { drill = "drill", planned = "planned failover", unplanned = "unplanned failover" }

local function body(model)
  local attention = texts.attention(model)
  return element("main", nil,
    element("header", nil,
      element("p", { class = "eyebrow" }, "Disaster recovery report · ",
        KIND[model.run.kind] or model.run.kind),
      element("h1", nil, name(model.playbook.name)),
      verdict(model), figures(model), chain(model)),
    #attention > 0 and section("attention", "Not to be overlooked",
      listed("attention", attention)),
    section("timeline", "Timeline", element("figure", nil, svg.draw(model))),
    section("steps", "Steps", steps(model)),
    section("people", "Who ran it", processes(model)),
    section("vouching", "Who vouches for it",
      listed("notes", vouches.lines(model.vouching, model.chain.records))),
    #model.notes > 0 and section("notes", "Notes", notes(model)),
    section("about", "About this run", about(model)),
    element("footer", nil, "Made from the journal alone. ", vouches.CHAIN))
end

--- Makes a whole HTML page, with style and policy.
---@param title any text, or a list of texts
---@param content alicloud.dr.Markup
---@return string
function M.page(title, content)
  local head = element("head", nil,
    element("meta", { charset = "utf-8" }),
    element("meta", { ["http-equiv"] = "Content-Security-Policy", content = POLICY }),
    element("meta", { name = "viewport", content = "width=device-width, initial-scale=1" }),
    element("meta", { name = "referrer", content = "no-referrer" }),
    element("title", nil, title),
    element("style", nil, raw(style)))
  return "<!doctype html>\n" .. element("html", { lang = "en" }, head,
    element("body", nil, content)).text .. "\n"
end

--- Renders a report.
---@param model alicloud.dr.EvidenceModel
---@return string
function M.render(model)
  return M.page({ (texts.verdict(model)), ": ", model.playbook.name }, body(model))
end

return M
