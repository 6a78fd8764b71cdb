--- Shows values to people: with the content of tables, on one line if that is enough, safe for a
--- terminal. Secrets are masked in the text; the value keeps them.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"

local M = {}

local DEEPEST = 12
local LONGEST = 4000 -- bytes of one text
local WIDTH = 96

---@alias alicloud.readable.Hide fun(text: string): string masks what is known to be secret

-- Text of several lines, with secrets masked and control characters made visible.
local function clean_lines(text, hide)
  return (hide(errors.mask(text)):gsub("[^\n]+", function(line)
    return errors.text_of(line, LONGEST)
  end))
end

local function quote(text, hide)
  local escaped = hide(errors.mask(text)):gsub("[\\\"]", "\\%0"):gsub("\n", "\\n")
  return '"' .. errors.text_of(escaped, LONGEST) .. '"'
end

local function key_text(key, hide)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then return key end
  return "[" .. (type(key) == "string" and quote(key, hide) or errors.text_of(key)) .. "]"
end

-- Names of fields with secrets in requests, answers and files; other tokens give access to nothing.
local SECRET = { xacssecuritytoken = true, securitytoken = true, ststoken = true,
  accesskeysecret = true, accesstoken = true, refreshtoken = true, password = true }

local function is_secret(key)
  return type(key) == "string" and SECRET[key:lower():gsub("[_-]", "")] == true
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
    return errors.text_of(a) < errors.text_of(b)
  end)
  return keys
end

local open

-- The metatable of results that are plain data: they print as their content.
local PRINTED = { __name = "alicloud.Result" }

local function one(value, indent, seen, hide)
  if type(value) == "string" then return quote(value, hide) end
  if type(value) == "userdata" then return clean_lines(errors.words_of(value), hide) end
  if type(value) ~= "table" then return clean_lines(tostring(value), hide) end
  local metatable = getmetatable(value)
  local own = type(metatable) ~= "table" or rawget(metatable, "__tostring")
  if metatable and own and metatable ~= PRINTED and not core.is_array(value) then
    return clean_lines(errors.words_of(value), hide)
  end
  return open(value, indent, seen, hide)
end

function open(value, indent, seen, hide)
  if seen[value] or #indent >= 2 * DEEPEST then return "{ … }" end
  seen[value] = true
  local deeper, parts = indent .. "  ", {}
  local length = rawlen(value)
  for i = 1, length do parts[i] = one(rawget(value, i), deeper, seen, hide) end
  for _, key in ipairs(sorted_keys(value, length)) do
    local field = rawget(value, key)
    parts[#parts + 1] = key_text(key, hide) .. " = " .. (type(field) == "string"
      and is_secret(key) and '"***"' or one(field, deeper, seen, hide))
  end
  seen[value] = nil
  if #parts == 0 then return "{}" end
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if #indent + (utf8.len(line) or #line) <= WIDTH and not line:find "\n" then return line end
  return "{\n" .. deeper .. table.concat(parts, ",\n" .. deeper) .. "\n" .. indent .. "}"
end

PRINTED.__tostring = function(value) return M.value(value) end

--- Makes a plain table, and plain tables in it, print as their content. Objects stay as they are.
---@generic T
---@param value T
---@param ... any passed on
---@return T value the same
---@return any ...
function M.printed(value, ...)
  if type(value) ~= "table" or getmetatable(value) ~= nil and not core.is_array(value) then
    return value, ...
  end
  if not core.is_array(value) then setmetatable(value, PRINTED) end
  for _, inner in next, value do
    if type(inner) == "table" then M.printed(inner) end
  end
  return value, ...
end

--- One value as text without escapes of the terminal.
---@param value any
---@param hide? alicloud.readable.Hide
---@return string
function M.value(value, hide)
  hide = hide or tostring
  if type(value) == "string" then return clean_lines(value, hide) end
  return one(value, "", {}, hide)
end

--- Several values as the interpreter prints them.
---@param values { n: integer }
---@param hide? alicloud.readable.Hide
---@return string
function M.values(values, hide)
  local texts = {}
  for i = 1, values.n do texts[i] = M.value(values[i], hide) end
  return table.concat(texts, "\t")
end

return M
