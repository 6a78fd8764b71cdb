--- Makes help that is written for 100 columns fit a terminal that has fewer, and other lines, too.

local widths = require "alicloud.cli.width"

local M = {}

-- Where descriptions begin.
local MARGIN = 25

-- Columns that are seen: colours take none.
local function width_of(text)
  return widths.of((text:gsub("\27%[[%d;]*m", "")))
end

-- What a folded line goes on under; nothing of a line that is to be copied, or a table.
local function indent_of(line)
  if line:find "^%S" then return "" end
  if #line:match "^ *" == MARGIN or line:find("^   %S") then return (" "):rep(MARGIN) end
end

-- The place of the last blank up to which the line fits, or of the first one where no word fits.
local function cut_of(line, indent, columns)
  local last
  for place in line:gmatch "() " do
    if last and width_of(line:sub(1, place - 1)) > columns then break end
    if place > #indent + 1 then last = place end
  end
  return last
end

local function fold_line(lines, line, indent, columns)
  local folded = false
  while width_of(line) > columns do
    local cut = cut_of(line, indent, columns)
    if not cut then break end
    lines[#lines + 1] = line:sub(1, cut - 1)
    line, folded = indent .. line:sub(cut + 1), true
  end
  lines[#lines + 1] = line
  return folded
end

--- Folds lines that are too long at a blank; a line that goes on in the next one takes its words.
--- Lines with another indentation than prose or options stay, since a command that is cut in two
--- cannot be copied.
---@param text string
---@param columns integer
---@return string
function M.fold(text, columns)
  local lines, tail = {}, nil
  for written in (text .. "\n"):gmatch "(.-)\n" do
    local line, indent = written, indent_of(written)
    if tail == indent and indent and line:sub(1, #indent + 1):find "^ *%S$" then
      line = table.remove(lines) .. " " .. line:sub(#indent + 1)
    end
    tail = indent and fold_line(lines, line, indent, columns) and indent or nil
    if not indent then lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n")
end

-- Stands for a blank at which no line is folded; no text that is shown has it.
local FIRM = "\1"

local COMMAND = "`[^`]+`"

local function firm(command)
  return (command:gsub(" ", FIRM))
end

--- Folds one line at blanks for a terminal; where the output is none, the line stays as it is. What
--- stands in backquotes is to be copied, and stays whole.
---@param io alicloud.cli.Io
---@param line string
---@param indent integer columns under which it goes on
---@return string
function M.hang(io, line, indent)
  if not io.tty then return line end
  local lines = {}
  fold_line(lines, line:gsub(COMMAND, firm), (" "):rep(indent), io.columns)
  return (table.concat(lines, "\n"):gsub(" +\n", "\n"):gsub(FIRM, " "))
end

--- Folds one line for a terminal whose last words may be a command to be copied. That one stays
--- whole, and comes on a line of its own if it does not fit.
---@param io alicloud.cli.Io
---@param line string
---@param indent integer columns under which it goes on
---@return string
function M.hang_command(io, line, indent)
  if not io.tty or widths.of(line) <= io.columns then return line end
  local words, command = line:match "^(.-:) (alicloud%-dr .+)$"
  if words then return M.hang(io, words, indent) .. "\n" .. (" "):rep(indent) .. command end
  local has_bare = line:gsub(COMMAND, ""):find("alicloud-dr ", 1, true)
  return has_bare and line or M.hang(io, line, indent)
end

-- A label of this many columns stands before its command.
local LABEL = 24

-- Prose in which commands stand behind colons: it is folded, and each command begins a line of its
-- own. A line with a label alone, or with a command in the middle of a sentence, stays.
local function hang_commands(io, line)
  local prose, commands = line:match "^(.-:) (alicloud%-dr %l.*)$"
  if not prose or #prose <= LABEL or widths.of(line) <= io.columns
    or prose:find "alicloud%-dr %l" then return line end
  local indent = #line:match "^ *" + 2
  local margin = "\n" .. (" "):rep(indent)
  return M.hang(io, prose, indent) .. margin
    .. commands:gsub(": (alicloud%-dr %l)", ":" .. margin .. "%1")
end

-- Who speaks, in an error of the emulator.
local SPEAKER = "^alicloud%-dr %l+: "

local function has_command(line)
  return line:gsub(COMMAND, ""):gsub(SPEAKER, ""):find("alicloud-dr ", 1, true) ~= nil
end

--- Folds the lines of a text for a terminal, each under its own beginning. A command that is to be
--- copied stays whole.
---@param io alicloud.cli.Io
---@param text string
---@return string
function M.lines(io, text)
  if not io.tty then return text end
  return (text:gsub("[^\n]+", function(line)
    if has_command(line) then return hang_commands(io, line) end
    return M.hang(io, line, #line:match "^ *" + 2)
  end))
end

return M
