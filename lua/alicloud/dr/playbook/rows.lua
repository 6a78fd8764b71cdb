--- Reads parameters that differ from group to group: a table with a row for each group, from JSON,
--- from lines with a separator (CSV), or from Lua.
---
---     group,attach,fence,stop
---     pg-orders,i-orders-sh,must,ssh orders-hz systemctl stop orders
---     pg-payments,"d-1:i-1,d-2:i-2",,

local core = require "alicloud.core"
local schema = require "alicloud.base.schema"

local M = {}

local LARGEST = 262144

--- What may be given, in words.
---@param columns { name: string }[] the first is the key
---@return string
function M.allowed(columns)
  local names = {}
  for i, column in ipairs(columns) do names[i] = column.name end
  return ("rows of %s: JSON, or lines with commas between of which the first names the columns")
    :format(table.concat(names, ", "))
end

local function index(columns)
  local by_name = {}
  for _, column in ipairs(columns) do by_name[column.name] = column end
  return by_name
end

-- The cells of a line; nil: its quotes are wrong. A cell with the separator stands in quotes, where
-- two quotes mean one. Blanks around the quotes are ignored, but not a tab that is the separator.
local function cells_of(line, separator)
  local cells, position, blanks = {}, 1, ("[^%%S%s]*"):format(separator)
  local first, further = ('^%s"(.-)"%s()'):format(blanks, blanks), ('^"(.-)"%s()'):format(blanks)
  while true do
    local quoted, after = line:match(first, position)
    while quoted and line:sub(after, after) == '"' do
      local more, behind = line:match(further, after)
      if not more then return nil end
      quoted, after = quoted .. '"' .. more, behind
    end
    if not quoted then
      local from, to = line:find("[^" .. separator .. "]*", position)
      quoted, after = line:sub(from, to):match "^%s*(.-)%s*$", to + 1
      if quoted:sub(1, 1) == '"' then return nil end
    end
    cells[#cells + 1] = quoted
    if after > #line then return cells end
    if line:sub(after, after) ~= separator then return nil end
    position = after + 1
  end
end

local function separator_of(header)
  if header:find("\t", 1, true) then return "\t" end
  return header:find(";", 1, true) and not header:find(",", 1, true) and ";" or ","
end

local function row_of(header, cells)
  local row = {}
  for i, cell in ipairs(cells) do
    if cell ~= "" then row[header[i]] = cell end
  end
  return row
end

local function lines_of(text)
  local header, separator, list, number = nil, nil, {}, 0
  for line in (text:gsub("^\u{FEFF}", "") .. "\n"):gmatch "(.-)\r?\n" do
    number = number + 1
    local where = ("line %d"):format(number)
    if line:find "%S" and not line:find "^%s*#" then
      separator = separator or separator_of(line)
      local cells = cells_of(line, separator)
      if not cells then return nil, where .. ": a quote does not end, or something follows it" end
      if not header then
        header = cells
      elseif #cells > #header then
        return nil, ("%s: %d cells under %d columns; quotes go round what holds a %s"):format(
          where, #cells, #header, separator == "\t" and "tab" or schema.show(separator))
      else
        list[#list + 1] = { where = where, row = row_of(header, cells) }
      end
    end
  end
  return list, nil, header
end

-- The rows of a Lua or JSON value: a list of rows, or rows by their key.
local function from_table(value, key)
  local list = {}
  for i, row in ipairs(value) do list[i] = { where = ("row %d"):format(i), row = row } end
  if #list > 0 then return list end
  local names = {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for i, name in ipairs(names) do
    local row = type(value[name]) == "table" and { [key] = name } or value[name]
    for column, cell in pairs(type(row) == "table" and value[name] or {}) do row[column] = cell end
    list[i] = { where = "row " .. schema.show(name), row = row }
  end
  return list
end

local function from_json(text, key)
  local value, problem = core.decode(text)
  if type(value) == "table" then return from_table(value, key) end
  return nil, "is no JSON: " .. tostring(type(problem) == "table" and problem.message or problem)
end

-- Reads one cell. Functions are refused, since a journal cannot keep them.
local function read_cell(column, cell, rule_of)
  local rule = rule_of(column)
  local value = not schema.callable.test(cell) and schema.read(rule, cell) or nil
  if value ~= nil then return value end
  return nil, ("%s: got %s; allowed: %s"):format(column.name, schema.show(cell), rule.allowed)
end

local function read_row(row, by_name, rule_of)
  if type(row) ~= "table" then return nil, ("got %s; allowed: a row"):format(schema.show(row)) end
  local stranger = schema.stranger(by_name, row)
  if stranger ~= nil then
    return nil, ("unknown column %s%s"):format(schema.show(stranger),
      schema.did_you_mean(stranger, by_name))
  end
  local own = {}
  for name, cell in pairs(row) do
    if cell ~= core.null then
      local message
      own[name], message = read_cell(by_name[name], cell, rule_of)
      if message then return nil, message end
    end
  end
  return own
end

local function check_header(header, columns, by_name)
  local seen = {}
  for _, name in ipairs(header) do
    if not by_name[name] then
      return ("unknown column %s%s"):format(schema.show(name), schema.did_you_mean(name, by_name))
    end
    if seen[name] then return ("column %s is there twice"):format(name) end
    seen[name] = true
  end
  return not seen[columns[1].name] and ("column %s is missing"):format(columns[1].name) or nil
end

local function list_of(value, columns, by_name)
  local key = columns[1].name
  if type(value) == "table" then return from_table(value, key) end
  if type(value) ~= "string" or #value > LARGEST then return nil end
  if value:find "^%s*[%[{]" then return from_json(value, key) end
  local list, message, header = lines_of(value)
  return list, message or header and check_header(header, columns, by_name)
end

--- Reads rows. Pure.
---@param value any text of a file, or a table: rows, or rows by their key
---@param columns alicloud.dr.Param[] the first is the key
---@param rule_of fun(column: alicloud.dr.Param): alicloud.schema.Rule
---@return table<string, table<string, any>>|nil rows by their key, which is taken out of them
---@return string? message with the line
function M.read(value, columns, rule_of)
  local by_name, key, rows, seen = index(columns), columns[1].name, {}, {}
  local list, message = list_of(value, columns, by_name)
  if message or not list then return nil, message end
  for _, entry in ipairs(list) do
    local row
    row, message = read_row(entry.row, by_name, rule_of)
    if not row then return nil, ("%s: %s"):format(entry.where, message) end
    local name = row[key]
    if name == nil then return nil, ("%s: %s is missing"):format(entry.where, key) end
    if seen[name] then
      return nil, ("%s: %s %s is in %s already"):format(entry.where, key, name, seen[name])
    end
    seen[name], rows[name], row[key] = entry.where, row, nil
  end
  if #list == 0 then return nil, "has no row; allowed: " .. M.allowed(columns) end
  return rows
end

return M
