--- Counts the columns of text on a terminal: wide East Asian characters take two, combining marks
--- none. Source: Unicode 15 EastAsianWidth.txt (W, F) and the categories Mn, Me.

local M = {}

-- First and last code points of ranges, in order.
local WIDE = {
  { 0x1100, 0x115F }, { 0x231A, 0x231B }, { 0x23E9, 0x23EC }, { 0x25FD, 0x25FE },
  { 0x2614, 0x2615 }, { 0x2648, 0x2653 }, { 0x26AA, 0x26AB }, { 0x26BD, 0x26BE },
  { 0x26C4, 0x26C5 }, { 0x2705, 0x2705 }, { 0x270A, 0x270B }, { 0x274C, 0x274C },
  { 0x2753, 0x2755 }, { 0x2795, 0x2797 }, { 0x2B1B, 0x2B1C }, { 0x2E80, 0x303E },
  { 0x3041, 0x33FF }, { 0x3400, 0x4DBF }, { 0x4E00, 0xA4CF }, { 0xA960, 0xA97F },
  { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF }, { 0xFE10, 0xFE19 }, { 0xFE30, 0xFE6F },
  { 0xFF01, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x16FE0, 0x18CFF }, { 0x1AFF0, 0x1B2FF },
  { 0x1F300, 0x1F320 }, { 0x1F32D, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F7E0, 0x1F7EB },
  { 0x1F90C, 0x1F9FF }, { 0x1FA70, 0x1FAFF }, { 0x20000, 0x3FFFD },
}

local NONE = {
  { 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD }, { 0x064B, 0x065F },
  { 0x0E31, 0x0E31 }, { 0x0E34, 0x0E3A }, { 0x0E47, 0x0E4E }, { 0x1AB0, 0x1AFF },
  { 0x1DC0, 0x1DFF }, { 0x200B, 0x200F }, { 0x20D0, 0x20FF }, { 0xFE00, 0xFE0F },
  { 0xFE20, 0xFE2F }, { 0xE0100, 0xE01EF },
}

local function is_in(ranges, code)
  local low, high = 1, #ranges
  while low <= high do
    local middle = (low + high) // 2
    if code < ranges[middle][1] then
      high = middle - 1
    elseif code > ranges[middle][2] then
      low = middle + 1
    else
      return true
    end
  end
  return false
end

local function of_code(code)
  if code < 0x0300 then return 1 end
  return is_in(WIDE, code) and 2 or is_in(NONE, code) and 0 or 1
end

--- The columns that a text takes.
---@param text string without control characters and colours
---@return integer
function M.of(text)
  if not utf8.len(text) then return #text end
  local columns = 0
  for _, code in utf8.codes(text) do columns = columns + of_code(code) end
  return columns
end

--- A text, filled with blanks to at least so many columns.
---@param text string
---@param columns integer
---@return string
function M.pad(text, columns)
  return text .. (" "):rep(columns - M.of(text))
end

--- A text of at most so many columns; a longer one is cut and ends in "…".
---@param text string
---@param columns integer
---@return string
function M.cut(text, columns)
  if M.of(text) <= columns or not utf8.len(text) then return text end
  local taken = 0
  for place, code in utf8.codes(text) do
    taken = taken + of_code(code)
    if taken > columns - 1 then return columns < 1 and "" or text:sub(1, place - 1) .. "…" end
  end
  return text
end

return M
