--- Renders a report as Markdown, e.g. for a ticket.

local plain = require "alicloud.dr.report.plain"
local targets = require "alicloud.dr.report.targets"
local texts = require "alicloud.dr.report.text"
local vouches = require "alicloud.dr.report.vouch"

local M = {}

-- Within a word an underscore needs no escape.
local function escape_underscores(text)
  return (text:gsub("()_", function(at)
    local inside = text:sub(at - 1, at - 1):find("%w") and text:sub(at + 1, at + 1):find("%w")
    return inside and "_" or "\\_"
  end))
end

-- Words that GitHub, GitLab and others turn into a link or a notification even if escaped: a
-- mention, a reference, a URL, a commit hash.
local LINKED = { "[@#!$~%%&^]%w", "://", "[Ww][Ww][Ww]%.", "%f[%w][Gg][Hh]%-%d",
  "%f[%w]%x%x%x%x%x%x%x+%f[^%w]" }

local function is_linked(word)
  for _, pattern in ipairs(LINKED) do
    if word:find(pattern) then return true end
  end
  return false
end

local function escape_words(text)
  return (escape_underscores(text:gsub("[\\`*%[%]<>|~#$]", "\\%0")):gsub("&", "&amp;"))
end

-- Puts a word into a code span, where nothing is linked. Characters that would end the span, or the
-- table cell around it, stand outside.
local function code(word)
  return (word:gsub("([^`|<>]*)([`|<>]?)", function(rest, special)
    return (rest ~= "" and "`" .. rest .. "`" or "") .. (special ~= "" and "\\" or "") .. special
  end))
end

-- A command in a code span, unescaped so that it can be copied: its fence is longer than every run
-- of backticks inside.
local function verbatim(text)
  local longest = 0
  for ticks in text:gmatch "`+" do longest = math.max(longest, #ticks) end
  local fence = ("`"):rep(longest + 1)
  return longest > 0 and fence .. " " .. text .. " " .. fence or fence .. text .. fence
end

-- Punctuation at the end of a word stays outside of the span, so that it is not copied.
local function escape_word(word)
  if not is_linked(word) then return escape_words(word) end
  local bare, mark = word:match "^(.-)([,;:.]*)$"
  return code(bare) .. mark
end

local function escape(text)
  local escaped = text:gsub("%S+", escape_word)
  -- At the beginning of a line these would make a list.
  return (escaped:gsub("^[-+]", "\\%0"):gsub("^(%d+)([.)])", "%1\\%2"))
end

--- Text from outside, escaped for Markdown.
---@param value any
---@return string
function M.text(value)
  return escape(plain.clean(value))
end

local MARK = { good = "✔", warn = "!", bad = "✘", plain = "·" }

local function add(lines, ...)
  lines[#lines + 1] = table.concat({ ... })
end

local function head(lines, model)
  local title, tone = texts.verdict(model)
  add(lines, "# ", MARK[tone], " ", title, ": ", M.text(model.playbook.name))
  add(lines, "")
  add(lines, escape(texts.sentence(model)), model.resume
    and " Resume it with: " .. verbatim(model.resume) or "")
  add(lines, "")
  add(lines, "| | | |")
  add(lines, "|---|---|---|")
  for _, fact in ipairs(targets.figures(model)) do
    add(lines, "| ", fact.label, " | **", fact.value, "** | ", escape(fact.detail or ""), " |")
  end
  local chain, chain_tone = texts.chain(model.chain)
  add(lines, "| Journal | **", MARK[chain_tone], "** | ", escape(chain), " |")
end

local function list(lines, title, items)
  if #items == 0 then return end
  add(lines, "")
  add(lines, "## ", title)
  add(lines, "")
  for _, item in ipairs(items) do add(lines, "- ", escape(item)) end
end

local function steps(lines, model)
  add(lines, "")
  add(lines, "## Steps")
  add(lines, "")
  add(lines, "| Step | From the start | Took | Result | |")
  add(lines, "|---|--:|--:|---|---|")
  for _, entry in ipairs(model.steps) do
    local word, _, mark = texts.step_status(entry)
    local details = {}
    for i, line in ipairs(texts.details(entry)) do details[i] = escape(line) end
    add(lines, "| ", M.text(entry.step), entry.kind ~= "step" and " (" .. entry.kind .. ")" or "",
      " | ", entry.begun_at and "+" .. plain.duration(entry.begun_at - model.began_at) or "",
      " | ", entry.begun_at and plain.duration(entry.seconds) or "", " | ", mark, " ", word,
      " | ", table.concat(details, "<br>"), " |")
  end
end

local function about(lines, model)
  add(lines, "")
  add(lines, "## About this run")
  add(lines, "")
  for _, pair in ipairs(texts.about(model)) do
    add(lines, "- ", pair[1], ": ", escape(pair[2]))
  end
end

local function map(items, convert)
  local result = {}
  for i, item in ipairs(items) do result[i] = convert(item) end
  return result
end

local function note(entry)
  return plain.time(entry.at) .. ": " .. plain.clean(entry.text)
end

--- Renders a report.
---@param model alicloud.dr.EvidenceModel
---@return string
function M.render(model)
  local lines = {}
  head(lines, model)
  list(lines, "Not to be overlooked", texts.attention(model))
  steps(lines, model)
  list(lines, "Who ran it", map(model.processes, texts.process))
  list(lines, "Who vouches for it", vouches.lines(model.vouching, model.chain.records))
  add(lines, "")
  add(lines, escape(vouches.CHAIN))
  list(lines, "Notes", map(model.notes, note))
  about(lines, model)
  return table.concat(lines, "\n") .. "\n"
end

return M
