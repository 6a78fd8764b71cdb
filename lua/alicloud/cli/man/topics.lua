--- Makes a page in section 7 of each topic of the manual.

local manual = require "alicloud.cli.commands.manual"
local markdown = require "alicloud.cli.markdown"
local roff = require "alicloud.cli.man.roff"
local runtimes = require "alicloud.base.runtime"

local M = {}

-- Columns in which a table is laid out; its lines are shown unchanged.
local COLUMNS = 72

local SHOW = {}

function SHOW.heading(block)
  return ".SH " .. roff.prose(block[1]:match "^#+ (.*)$"):gsub("\n", " ")
end

function SHOW.text(block)
  return ".PP\n" .. roff.prose(markdown.plain(table.concat(block, " ")))
end

function SHOW.item(block)
  local number, rest = table.concat(block, " "):match "^%s*(%S+) (.*)$"
  local mark = number:find "%d" and number or "\\(bu"
  return (".IP %s 3\n%s"):format(mark, roff.prose(markdown.plain(rest)))
end

function SHOW.code(block)
  return ".PP\n" .. roff.block(block)
end

function SHOW.table(block)
  local source, lines = table.concat(block, "\n"):gsub("`", "") .. "\n", {}
  for line in markdown.render(source, COLUMNS):gmatch "[^\n]+" do lines[#lines + 1] = line end
  return ".PP\n" .. roff.block(lines)
end

local function body_of(text)
  local parts = { ".SH DESCRIPTION" }
  for _, block in ipairs(markdown.blocks(text)) do
    if block.kind ~= "blank" then parts[#parts + 1] = SHOW[block.kind](block) end
  end
  -- The first paragraph follows the heading directly; an empty DESCRIPTION loses its heading.
  return (table.concat(parts, "\n"):gsub("(%.SH [^\n]*\n)%.PP\n", "%1")
    :gsub("^%.SH DESCRIPTION\n(%.SH )", "%1"))
end

--- The pages of all topics, by file name.
---@param context alicloud.cli.PageContext
---@return table<string, string>
function M.pages(context)
  local pages, read_file = {}, runtimes.new().read_file
  for _, topic in ipairs(manual.TOPICS) do
    local summary, text = manual.text(topic, read_file):match "^# [^:\n]+: ([^\n]+)\n(.*)$"
    local name = "alicloud-dr-" .. topic
    pages[name .. ".7"] = ("%s\n.SH NAME\n%s \\-\n%s\n%s\n.SH SEE ALSO\n.BR %s (1)\n"):format(
      roff.title(name, 7, context), roff.literal(name), roff.prose(summary), body_of(text),
      roff.literal "alicloud-dr")
  end
  return pages
end

return M
