--- Folds help that is written for 100 columns, and other lines, to the columns of a terminal.

local widths = require "alicloud.cli.width"

local M = {}

-- The column at which descriptions of options begin.
local MARGIN = 25

-- Columns of a text; escape sequences of colours take none.
local function width_of(text)
  return widths.of((text:gsub("\27%[[%d;]*m", "")))
end

-- The indentation under which a folded line goes on; nil for a command or a table, which stay.
local function indent_of(line)
  if line:find "^%S" then return "" end
  if #line:match "^ *" == MARGIN or line:find("^   %S") then return (" "):rep(MARGIN) end
end

-- The last blank before which the line fits, or the first blank if not even one word fits.
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

--- Folds too long lines at blanks, and moves the words of a folded line's rest into the next line
--- if that continues it. Only prose and options are folded: a command that is cut cannot be copied.
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

--- Adds lines filled with the words of a text.
---@param lines string[]
---@param text string
---@param first string how the first line begins
---@param rest string how the others begin
---@param columns integer
---@return string[] lines the same
function M.fill(lines, text, first, rest, columns)
  local line, is_empty = first, true
  for word in text:gmatch "%S+" do
    if not is_empty and widths.of(line) + 1 + widths.of(word) > columns then
      lines[#lines + 1] = line
      line, is_empty = rest, true
    end
    line, is_empty = line .. (is_empty and "" or " ") .. word, false
  end
  lines[#lines + 1] = line
  return lines
end

-- Stands for a blank at which a line is not folded. No text that is shown holds this byte.
local FIRM = "\1"

local COMMAND = "`[^`]+`"

local function firm(command)
  return (command:gsub(" ", FIRM))
end

--- Folds one line at blanks for a terminal; elsewhere it stays. Text in backquotes stays whole, so
--- that it can be copied.
---@param io alicloud.cli.Io
---@param line string
---@param indent integer columns by which the following lines are indented
---@return string
function M.hang(io, line, indent)
  if not io.tty then return line end
  local lines = {}
  fold_line(lines, line:gsub(COMMAND, firm), (" "):rep(indent), io.columns)
  return (table.concat(lines, "\n"):gsub(" +\n", "\n"):gsub(FIRM, " "))
end

--- Folds one line that may end in a command to copy. The command stays whole, and gets a line of
--- its own if it does not fit.
---@param io alicloud.cli.Io
---@param line string
---@param indent integer columns by which the following lines are indented
---@return string
function M.hang_command(io, line, indent)
  if not io.tty or widths.of(line) <= io.columns then return line end
  local words, command = line:match "^(.-:) (alicloud%-dr .+)$"
  if words then return M.hang(io, words, indent) .. "\n" .. (" "):rep(indent) .. command end
  local has_bare = line:gsub(COMMAND, ""):find("alicloud-dr ", 1, true)
  return has_bare and line or M.hang(io, line, indent)
end

-- Most columns of a label before a command.
local LABEL = 24

-- Folds prose with commands behind colons; each command begins a line of its own. A line with only
-- a label, or with a command within a sentence, stays.
local function hang_commands(io, line)
  local prose, commands = line:match "^(.-:) (alicloud%-dr %l.*)$"
  if not prose or #prose <= LABEL or widths.of(line) <= io.columns
    or prose:find "alicloud%-dr %l" then return line end
  local indent = #line:match "^ *" + 2
  local margin = "\n" .. (" "):rep(indent)
  return M.hang(io, prose, indent) .. margin
    .. commands:gsub(": (alicloud%-dr %l)", ":" .. margin .. "%1")
end

-- The name of the speaker before an error, e.g. of the emulator; it is no command.
local SPEAKER = "^alicloud%-dr %l+: "

local function has_command(line)
  return line:gsub(COMMAND, ""):gsub(SPEAKER, ""):find("alicloud-dr ", 1, true) ~= nil
end

--- Folds each line of a text for a terminal, indented under its own beginning. Commands to copy
--- stay whole.
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
