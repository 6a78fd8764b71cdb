--- Writes text in the macros of man(7), as groff and mandoc take them without a warning.

local M = {}

-- Most columns of a line in the source; the formatter breaks lines anew.
local WIDEST = 78

-- Characters that formatters replace by typographic ones, so that copied text would be wrong.
local LITERAL = { ["\\"] = "\\e", ["-"] = "\\-", ["'"] = "\\(aq", ["`"] = "\\(ga", ["^"] = "\\(ha",
  ["~"] = "\\(ti" }

local function beyond_ascii(character)
  local code = utf8.codepoint(character)
  return code < 128 and character or ("\\[u%04X]"):format(code)
end

local function ascii(text)
  return (text:gsub(utf8.charpattern, beyond_ascii))
end

-- A dot or an apostrophe at the beginning of a line would begin a request of roff.
local function guarded(line)
  return line:find "^[.']" and "\\&" .. line or line
end

---@class alicloud.cli.PageContext
---@field date string YYYY-MM-DD, or ""
---@field version string

local VOLUMES = { [1] = "User Commands", [7] = "Manual of alicloud\\-dr" }

--- The first lines of a page. Hyphenation is off, so that names and codes can be copied.
---@param name string
---@param section 1|7
---@param context alicloud.cli.PageContext
---@return string
function M.title(name, section, context)
  return ('.TH %s %d "%s" "alicloud\\-dr %s" "%s"\n.nh\n.ad l'):format(M.literal(name:upper()),
    section, context.date, context.version, VOLUMES[section])
end

--- Escapes text that is shown exactly as typed.
---@param text string
---@return string
function M.literal(text)
  return ascii((text:gsub("[\\%-'`^~]", LITERAL)))
end

---@param text string
---@return string
function M.bold(text)
  return "\\fB" .. M.literal(text) .. "\\fR"
end

---@param text string
---@return string
function M.italic(text)
  return "\\fI" .. M.literal(text) .. "\\fR"
end

-- Escapes prose; options and paths in it can still be copied.
local function words_of(text)
  return ascii((text:gsub("\\", "\\e"):gsub("%f[%-]%-%-", "\\-\\-"):gsub("[~^]", LITERAL)))
end

--- Prose in lines of the source of at most WIDEST columns, with text in backticks in bold.
---@param text string
---@return string
function M.prose(text)
  local marked = text:gsub("%s+", " "):gsub("([^`]*)(`?[^`]*`?)", function(words, code)
    if code == "" then return words_of(words) end
    -- Blanks in a code span become NUL here, so that no line is broken there.
    return words_of(words) .. M.bold(code:gsub("`", "")):gsub(" ", "\0")
  end)
  local lines, line = {}, ""
  for word in marked:gmatch "[^ ]+" do
    if line ~= "" and #line + 1 + #word > WIDEST then
      lines[#lines + 1], line = guarded(line), word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  lines[#lines + 1] = guarded(line)
  return (table.concat(lines, "\n"):gsub("%z", " "))
end

--- A block of lines that are shown unchanged.
---@param lines string[]
---@return string
function M.block(lines)
  local literal = {}
  for i, line in ipairs(lines) do literal[i] = guarded(M.literal(line)) end
  return (".RS 4\n.nf\n%s\n.fi\n.RE"):format(table.concat(literal, "\n"))
end

--- A list of terms with descriptions.
---@param items string[][] term, already escaped, and description as prose
---@return string
function M.list(items)
  local parts = {}
  for i, item in ipairs(items) do parts[i] = (".TP\n%s\n%s"):format(item[1], M.prose(item[2])) end
  return table.concat(parts, "\n")
end

-- Splits a text into paragraphs and blocks of indented lines.
local function pieces_of(text)
  local pieces, last = {}, nil
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local kind = line:find "^%s*$" and "gap" or line:find "^%s" and "block" or "prose"
    if kind ~= last and kind ~= "gap" then pieces[#pieces + 1] = { kind = kind, lines = {} } end
    if kind ~= "gap" then table.insert(pieces[#pieces].lines, line) end
    last = kind
  end
  return pieces
end

--- Formats the text of a help: paragraphs, and indented lines that are shown unchanged.
---@param text string
---@return string
function M.text(text)
  local parts = {}
  for i, piece in ipairs(pieces_of(text)) do
    if piece.kind == "block" then
      local indent = 80
      for _, line in ipairs(piece.lines) do indent = math.min(indent, #line:match "^ *") end
      for n, line in ipairs(piece.lines) do piece.lines[n] = line:sub(indent + 1) end
      parts[i] = M.block(piece.lines)
    else
      parts[i] = M.prose(table.concat(piece.lines, " "))
    end
    -- The first paragraph follows the heading of the section directly.
    if i > 1 then parts[i] = ".PP\n" .. parts[i] end
  end
  return table.concat(parts, "\n")
end

return M
