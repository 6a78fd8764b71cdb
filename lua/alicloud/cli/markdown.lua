--- Shows Markdown on a terminal: fits paragraphs, lists and tables to its width and leaves blocks
--- of code unchanged. It reads only what the manual and the reports use.

local fold = require "alicloud.cli.fold"
local terminal = require "alicloud.cli.terminal"
local width = require("alicloud.cli.width").of

local M = {}

-- Most columns of a line: longer ones are hard to read.
local WIDEST = 100

local GAP = 2

-- Most columns of a code span that is kept on one line.
local LONGEST = 40

-- The part that begins at `at`, as it is shown, and the index of its last byte.
local function part_of(text, at)
  local fence, mark = text:match("^`+", at), text:match("^\\(%p)", at)
  if fence then
    local _, last = text:find(fence, at + #fence, true)
    return text:sub(at, last), last or #text
  end
  if mark then return mark, at + 1 end
  local words = text:match("^.[^`\\]*", at)
  local shown = words:gsub("%*%*", ""):gsub("%*(%a[^*]*)%*", "%1"):gsub("&amp;", "&")
  return shown, at + #words - 1
end

--- Text without marks of emphasis and without backslashes before punctuation; code spans stay.
---@param text string
---@return string
function M.plain(text)
  local parts, last = {}, 0
  while last < #text do
    parts[#parts + 1], last = part_of(text, last + 1)
  end
  return table.concat(parts)
end

-- Keeps short code spans and commands on one line, so that they can be copied.
local function bind(text)
  return (text:gsub("`[^`]*`", function(code)
    if width(code) > LONGEST and not code:find "^`alicloud%-dr " then return nil end
    return (code:gsub(" ", "\0"))
  end))
end

local function cells_of(row)
  local cells = {}
  row = row:gsub("\\|", "\0"):gsub("^|", "")
  for cell in row:gmatch "([^|]*)|" do
    local text = cell:gsub("\0", "|"):gsub("<br>", "\n")
    cells[#cells + 1] = M.plain(text:match "^%s*(.-)%s*$")
  end
  return cells
end

-- The same for each line of a table's cell.
local function fill_cell(lines, cell, first, rest, columns)
  for text in cell:gmatch "[^\n]+" do
    fold.fill(lines, text, first, rest, columns)
    first = rest
  end
  return lines
end

-- For each column, the columns that it wants and the least that its longest word allows.
local function measure(rows)
  local wanted, least = {}, {}
  for _, cells in ipairs(rows) do
    for i, cell in ipairs(cells) do
      wanted[i] = wanted[i] or 1
      for text in cell:gmatch "[^\n]+" do wanted[i] = math.max(wanted[i], width(text)) end
      for word in cell:gmatch "%S+" do least[i] = math.max(least[i] or 1, width(word)) end
      least[i] = least[i] or 1
    end
  end
  return wanted, least
end

-- Takes from the widest column first. Nil if not even the longest words fit side by side.
local function widths_of(rows, columns)
  local widths, least = measure(rows)
  local total = GAP * (#widths - 1)
  for _, wide in ipairs(widths) do total = total + wide end
  while total > columns do
    local widest
    for i, wide in ipairs(widths) do
      if wide > least[i] and (not widest or wide > widths[widest]) then widest = i end
    end
    if not widest then return nil end
    widths[widest], total = widths[widest] - 1, total - 1
  end
  return widths
end

local function add_row(lines, cells, widths)
  local parts, height = {}, 0
  for i, wide in ipairs(widths) do
    parts[i] = fill_cell({}, cells[i] or "", "", "", wide)
    height = math.max(height, #parts[i])
  end
  for n = 1, height do
    local line = ""
    for i, wide in ipairs(widths) do
      local text = parts[i][n] or ""
      line = line .. text .. (" "):rep(wide - width(text) + GAP)
    end
    lines[#lines + 1] = line:gsub("%s+$", "")
  end
end

-- Shows each row as a paragraph, each cell with its column's heading.
local function add_records(lines, rows, columns)
  local head = rows[1]
  for n = 2, #rows do
    for i, cell in ipairs(rows[n]) do
      local name, indent = head[i] == "" and "" or head[i] .. ": ", i == 1 and "" or "  "
      fill_cell(lines, cell ~= "" and name .. cell or "", indent, indent .. "  ", columns)
    end
  end
end

local function add_table(lines, block, columns)
  local rows = {}
  for _, row in ipairs(block) do
    if not row:find "^[|%s:-]*%-[|%s:-]*$" then rows[#rows + 1] = cells_of(row) end
  end
  local widths = widths_of(rows, columns)
  if not widths then return add_records(lines, rows, columns) end
  for i, cells in ipairs(rows) do
    local is_empty = table.concat(cells) == ""
    if not is_empty then add_row(lines, cells, widths) end
    if i == 1 and not is_empty then
      local rule = {}
      for n, wide in ipairs(widths) do rule[n] = ("-"):rep(wide) end
      lines[#lines + 1] = table.concat(rule, (" "):rep(GAP))
    end
  end
end

local function add_text(lines, block, columns)
  local first, text = block[1]:match "^(%s*[-*] )(.*)$"
  if not first then first, text = block[1]:match "^(%s*%d+%. )(.*)$" end
  if not first then first, text = "", block[1] end
  text = text .. " " .. table.concat(block, " ", 2)
  fold.fill(lines, bind(M.plain(text)), first, (" "):rep(#first), columns)
end

local function kind_of(line)
  if line == "" then return "blank" end
  if line:find "^```" then return "fence" end
  if line:find "^#+ " then return "heading" end
  if line:find "^|" then return "table" end
  if line:find "^%s*[-*] " or line:find "^%s*%d+%. " then return "item" end
  return "text"
end

-- Whether a line belongs to the block before it.
local function goes_on(block, kind)
  return kind == "text" and (block.kind == "text" or block.kind == "item")
    or (kind == "table" or kind == "code") and block.kind == kind
end

---@class alicloud.cli.MarkdownBlock
---@field kind "heading"|"text"|"item"|"table"|"code"|"blank"
---@field [integer] string lines

--- Splits a text into blocks.
---@param text string
---@return alicloud.cli.MarkdownBlock[]
function M.blocks(text)
  local blocks, block, in_code = {}, nil, false
  for line in text:gmatch "([^\n]*)\n" do
    local kind = kind_of(line)
    if kind == "fence" then
      in_code, block = not in_code, nil
    else
      kind = in_code and "code" or kind
      if block and goes_on(block, kind) then
        block[#block + 1] = line
      else
        block = { line, kind = kind }
        blocks[#blocks + 1] = block
      end
    end
  end
  return blocks
end

--- Renders Markdown for a width.
---@param text string
---@param columns integer
---@param paint? fun(heading: string): string must be given if the text has headings
---@return string
function M.render(text, columns, paint)
  local lines = {}
  for _, block in ipairs(M.blocks(text)) do
    if block.kind == "table" then
      add_table(lines, block, columns)
    elseif block.kind == "code" then
      for _, line in ipairs(block) do lines[#lines + 1] = line == "" and "" or "  " .. line end
    elseif block.kind == "heading" then
      lines[#lines + 1] = paint(M.plain(block[1]:match "^#+ (.*)$"))
    elseif block.kind == "blank" then
      lines[#lines + 1] = ""
    else
      add_text(lines, block, columns)
    end
  end
  return (table.concat(lines, "\n"):gsub("\0", " ")) .. "\n"
end

--- Shows a text: rendered and paged on a terminal; elsewhere the source.
---@param io alicloud.cli.Io
---@param text string
function M.show(io, text)
  if not io.tty then return io.out(text) end
  local shown = M.render(text, math.min(io.columns, WIDEST), function(heading)
    return terminal.paint(io, "bold", heading)
  end)
  return (io.page or io.out)(shown)
end

return M
