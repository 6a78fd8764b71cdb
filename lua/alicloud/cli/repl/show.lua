--- Values as a reader of a terminal wants them: tables open, one line where one is enough.

local core = require "alicloud.core"
local terminal = require "alicloud.cli.terminal"

local M = {}

local DEEPEST = 12
local LONGEST = 4000 -- bytes of one text
local WIDTH = 96

-- Our own texts have lines; whatever else is in them is made visible.
local function clean_lines(text)
  return (text:gsub("[^\n]+", function(line) return terminal.clean(line, LONGEST) end))
end

local function quote(text)
  local escaped = text:gsub("[\\\"]", "\\%0"):gsub("\n", "\\n")
  return '"' .. terminal.clean(escaped, LONGEST) .. '"'
end

local function key_text(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then return key end
  return "[" .. (type(key) == "string" and quote(key) or tostring(key)) .. "]"
end

-- Names before numbers, each in order.
local function sorted_keys(value, length)
  local keys = {}
  for key in next, value do
    local listed = math.type(key) == "integer" and key >= 1 and key <= length
    if not listed then keys[#keys + 1] = key end
  end
  table.sort(keys, function(a, b)
    if type(a) ~= type(b) then return type(a) > type(b) end
    if type(a) == "number" or type(a) == "string" then return a < b end
    return tostring(a) < tostring(b)
  end)
  return keys
end

local open

local function one(value, indent, seen)
  if type(value) == "string" then return quote(value) end
  if type(value) ~= "table" then return clean_lines(tostring(value)) end
  local metatable = getmetatable(value)
  local own = type(metatable) ~= "table" or metatable.__tostring
  if metatable and own and not core.is_array(value) then return clean_lines(tostring(value)) end
  return open(value, indent, seen)
end

function open(value, indent, seen)
  if seen[value] or #indent >= 2 * DEEPEST then return "{ … }" end
  seen[value] = true
  local deeper, parts = indent .. "  ", {}
  local length = rawlen(value)
  for i = 1, length do parts[i] = one(rawget(value, i), deeper, seen) end
  for _, key in ipairs(sorted_keys(value, length)) do
    parts[#parts + 1] = key_text(key) .. " = " .. one(rawget(value, key), deeper, seen)
  end
  seen[value] = nil
  if #parts == 0 then return "{}" end
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if #indent + (utf8.len(line) or #line) <= WIDTH and not line:find "\n" then return line end
  return "{\n" .. deeper .. table.concat(parts, ",\n" .. deeper) .. "\n" .. indent .. "}"
end

--- One value as text without escapes of the terminal.
---@param value any
---@return string
function M.value(value)
  if type(value) == "string" then return clean_lines(value) end
  return one(value, "", {})
end

--- Several values as the interpreter prints them.
---@param values { n: integer }
---@return string
function M.values(values)
  local texts = {}
  for i = 1, values.n do texts[i] = M.value(values[i]) end
  return table.concat(texts, "\t")
end

return M
