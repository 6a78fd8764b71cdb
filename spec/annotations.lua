--- Reads the annotations of Lua files (LuaCATS): what is declared, what types are named, and what
--- is said of each function.

local scratch = require "spec.scratch"

local M = {}

-- Types of the language, and words of annotations that are no types of ours.
local BUILTIN = {}
for name in ("any boolean false function integer lightuserdata nil number self string table thread "
  .. "true unknown userdata"):gmatch "%a+" do
  BUILTIN[name] = true
end

---@class spec.Mention
---@field name string of a type
---@field line integer

---@class spec.Annotated  what the annotations of a file say
---@field path string
---@field declared table<string, integer[]> by class, alias or enum, the lines
---@field mentions spec.Mention[] of types that are not the language's own
---@field malformed string[] annotations that are no type where one is wanted
---@field functions spec.AnnotatedFunction[]

---@class spec.AnnotatedFunction
---@field name string as it is written, "M.new" or "Emulator:reset"
---@field line integer
---@field params string[]
---@field documented string[] in the order of their annotations
---@field gives boolean returns something
---@field has_return boolean
---@field comment string[] the lines above it

-- A type at a place of a text: `visit` gets each name. Gives the place behind it, or nil.
local parse_type

local function skip(text, at) return text:match("^%s*()", at) end

local function parse_list(text, at, close, item, visit)
  at = skip(text, at)
  while text:sub(at, at) ~= close do
    at = item(text, at, visit)
    if not at then return nil end
    at = skip(text, at)
    if text:sub(at, at) == "," then at = skip(text, at + 1) end
    if at > #text then return nil end
  end
  return at + 1
end

local function parse_member(text, at, visit)
  local behind = text:match("^%[\"[^\"]*\"%]%??:()", at) or text:match("^[%a_.][%w_.]*%??:()", at)
  if behind then return parse_type(text, skip(text, behind), visit) end
  local key = text:match("^%[()", at)
  if key then
    local close = text:match("^%d+()", key) or parse_type(text, key, visit)
    behind = close and text:match("^%]:()", close)
    return behind and parse_type(text, skip(text, behind), visit)
  end
  return parse_type(text, at, visit)
end

-- A parameter of a function type may have no type, and its name may be one.
local function parse_param(text, at, visit)
  local behind = text:match("^[%a_.][%w_.]*%??:()", at)
  if behind then return parse_type(text, skip(text, behind), visit) end
  return text:match("^[%a_.][%w_.]*%??()", at)
end

local function parse_function(text, at, visit)
  at = parse_list(text, at, ")", parse_param, visit)
  local behind = at and text:match("^%s*:%s*()", at)
  if not behind then return at end
  at = parse_type(text, behind, visit)
  while at and text:find("^,%s*", at) do
    local more = parse_type(text, text:match("^,%s*()", at), visit)
    if not more then break end
    at = more
  end
  return at
end

local function parse_one(text, at, visit)
  local behind = text:match('^"[^"]*"()', at) or text:match("^'[^']*'()", at)
    or text:match("^`[^`]*`()", at) or text:match("^%-?%d[%d.]*()", at)
    or text:match("^%.%.%.()", at)
  if behind then return behind end
  if text:find("^fun%(", at) then return parse_function(text, at + 4, visit) end
  local first = text:sub(at, at)
  if first == "(" then
    local close = parse_type(text, skip(text, at + 1), visit)
    return close and text:match("^%s*%)()", close)
  end
  if first == "{" then return parse_list(text, at + 1, "}", parse_member, visit) end
  if first == "[" then return parse_list(text, at + 1, "]", parse_type, visit) end
  local name
  name, behind = text:match("^([%a_][%w_.]*)()", at)
  if not name then return nil end
  if name:sub(-1) == "." then name, behind = name:sub(1, -2), behind - 1 end
  if not BUILTIN[name] then visit(name) end
  if text:sub(behind, behind) == "<" then
    return parse_list(text, behind + 1, ">", parse_type, visit)
  end
  return behind
end

function parse_type(text, at, visit)
  repeat
    at = parse_one(text, at, visit)
    if not at then return nil end
    while text:find("^%[%]", at) or text:find("^%?", at) do at = text:match("^[%[?]%]?()", at) end
    local more = text:match("^%s*|%s*()", at)
    if more then at = more end
  until not more
  return at
end

-- What stands before the type in each annotation that has one, as a pattern with the place behind.
local BEFORE = {
  param = "^[%w_.]+%??%s+()", ["return"] = "^()", type = "^()", overload = "^()",
  cast = "^[%w_.]+%s+[+-]?()", vararg = "^()",
}
local SCOPES = { private = true, protected = true, public = true, package = true }

-- A word of scope may stand before the name, so that a field of such a name needs brackets.
local function field_type_at(text)
  local scope, rest = text:match("^(%a+)%s+()")
  local from = scope and SCOPES[scope] and text:find("^%S+%s+%S", rest) and rest or 1
  return text:match("^%[%b\"\"%]%??%s+()", from) or text:match("^[%w_]+%??%s+()", from)
    or text:match("^%b[]%s+()", from)
end

local function read_declaration(file, tag, text, line, visit)
  local name = text:match("^%(%a+%)%s*([%w_.]+)") or text:match("^([%w_.]+)")
  if not name then return false end
  file.declared[name] = file.declared[name] or {}
  table.insert(file.declared[name], line)
  if tag == "alias" then
    local at = text:match("^[%w_.]+%s+()%S")
    return not at or parse_type(text, at, visit) ~= nil
  end
  local at = text:match("^%(%a+%)%s*[%w_.]+%s*:%s*()") or text:match("^[%w_.]+%s*:%s*()")
  local ok = true
  while tag == "class" and at and ok do
    at = parse_type(text, at, visit)
    ok, at = at ~= nil, at and text:match("^,%s*()", at)
  end
  return ok
end

local function read_types(text, at, tag, visit)
  at = parse_type(text, at, visit)
  while at and (tag == "return" or tag == "type") and text:find("^,%s*", at) do
    at = parse_type(text, text:match("^,%s*()", at), visit)
  end
  -- Nothing but a blank, or the end, may stand behind a type.
  return at ~= nil and (at > #text or text:find("^[%s,#]", at) ~= nil)
end

local function read_annotation(file, tag, text, line, generics)
  local function visit(name)
    if not generics[name] then
      file.mentions[#file.mentions + 1] = { name = name, line = line }
    end
  end
  if tag == "class" or tag == "alias" or tag == "enum" then
    return read_declaration(file, tag, text, line, visit)
  end
  if tag == "generic" then
    for name in text:gmatch "[%w_]+" do generics[name] = true end
    return true
  end
  if tag ~= "field" and not BEFORE[tag] then return true end
  local at = tag == "field" and field_type_at(text) or BEFORE[tag] and text:match(BEFORE[tag])
  return at ~= nil and read_types(text, at, tag, visit)
end

-- An annotation that ends in the middle of a type goes on in the next line of its comment.
local function whole(lines, index)
  local text, last = lines[index]:match("^%s*%-%-%-@%l+%s*(.-)%s*$"), index
  while text:find "[|,({:]$" and (lines[last + 1] or ""):find "^%s*%-%-%-?%s*[^@%s|]" do
    last = last + 1
    text = text .. " " .. lines[last]:match("^%s*%-%-%-?%s*(.-)%s*$")
  end
  return text
end

local function add_malformed(file, lines, index)
  file.malformed[#file.malformed + 1] = ("%s:%d: %s"):format(file.path, index, lines[index])
end

-- A word of an alias in a line of its own, and a type within code.
local function read_rest(file, lines, index)
  local function visit(name)
    file.mentions[#file.mentions + 1] = { name = name, line = index }
  end
  local word = lines[index]:match "^%-%-%-|%s*[>+]*%s*(.*)$"
  if word and not parse_type(word, 1, visit) then add_malformed(file, lines, index) end
  for text in lines[index]:gmatch "%-%-%[%[@as%s+(.-)%]%]" do parse_type(text, 1, visit) end
end

local function read_comments(file, lines)
  local generics = {}
  for index, line in ipairs(lines) do
    local tag = line:match "^%s*%-%-%-@(%l+)"
    if tag and not read_annotation(file, tag, whole(lines, index), index, generics) then
      add_malformed(file, lines, index)
    end
    read_rest(file, lines, index)
  end
end

-- Where the string or comment ends that begins at a place; nil where none does.
local function end_of_text(text, from)
  local long = text:match("^%-%-%[(=*)%[", from) or text:match("^%[(=*)%[", from)
  if long then return select(2, text:find("]" .. long .. "]", from, true)) end
  if text:find("^%-%-", from) then return (text:find("\n", from, true) or #text + 1) - 1 end
  local quote = text:match("^[\"']", from)
  if not quote then return nil end
  local at = from
  repeat
    at = text:find("[\\" .. quote .. "]", at + 1)
    local escapes = text:sub(at, at) == "\\"
    if escapes then at = at + 1 end
  until not escapes
  return at
end

-- The code alone: strings and comments are blank, and the lines are as before.
local function bare(text)
  local out, at = {}, 1
  while true do
    local from = text:find("[%-\"'%[]", at)
    if not from then break end
    local to = end_of_text(text, from)
    out[#out + 1] = text:sub(at, to and from - 1 or from)
    if to then out[#out + 1] = text:sub(from, to):gsub("[^\n]", " ") end
    at = (to or from) + 1
  end
  out[#out + 1] = text:sub(at)
  return table.concat(out)
end

local OPENS = { ["function"] = 1, ["do"] = 1, ["if"] = 1, ["repeat"] = 1, ["end"] = -1,
  ["until"] = -1 }
local NOTHING = { ["end"] = true, ["else"] = true, ["elseif"] = true, ["until"] = true }

-- Whether the function whose parameters end at `at` returns a value itself.
local function gives_value(code, at)
  local depth, inner = 1, {}
  for word, behind in code:sub(at):gmatch "%f[%w_]([%a_][%w_]*)()" do
    local step = OPENS[word]
    if step then
      depth = depth + step
      if word == "function" then inner[#inner + 1] = depth end
      if step < 0 and depth < (inner[#inner] or 0) then inner[#inner] = nil end
      if depth == 0 then return false end
    elseif word == "return" and #inner == 0 then
      local rest = code:sub(at + behind - 1):match "^%s*(%S[%w_]*)"
      if rest and not NOTHING[rest] and rest ~= ";" then return true end
    end
  end
  return false
end

local function comment_above(lines, line)
  local first = line
  while (lines[first - 1] or ""):find "^%s*%-%-" do first = first - 1 end
  return table.move(lines, first, line - 1, 1, {})
end

local function read_function(lines, code, name, line, params, at)
  local one = { name = name, line = line, params = {}, documented = {}, has_return = false,
    comment = comment_above(lines, line), gives = gives_value(code, at) }
  for param in params:gmatch "[%w_.]+" do one.params[#one.params + 1] = param end
  for _, text in ipairs(one.comment) do
    local param = text:match "^%s*%-%-%-@param%s+([%w_.]+)"
    one.documented[#one.documented + 1] = param
    if text:find "^%s*%-%-%-@return" then one.has_return = true end
  end
  return one
end

local function read_functions(file, lines, text)
  local code, line, at = bare(text), 1, 1
  for from, name, params, behind in ("\n" .. code)
    :gmatch "()\nfunction%s+([%w_]+[.:][%w_.:]+)%s*(%b())()" do
    line = line + select(2, code:sub(at, from - 1):gsub("\n", ""))
    at = from
    file.functions[#file.functions + 1] =
      read_function(lines, code, name, line, params, behind - 1)
  end
end

--- Reads a file.
---@param path string
---@return spec.Annotated
function M.read(path)
  local text, lines = scratch.read(path), {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  local file = { path = path, declared = {}, mentions = {}, malformed = {}, functions = {} }
  read_comments(file, lines)
  read_functions(file, lines, text)
  return file
end

--- What is missing or wrong in what is said of a function.
---@param one spec.AnnotatedFunction
---@param is_declaration boolean the function has no body
---@return string[] problems
function M.problems(one, is_declaration)
  local problems, wanted, known = {}, {}, {}
  for _, param in ipairs(one.params) do
    known[param] = true
    if not param:find "^_" then wanted[#wanted + 1] = param end
  end
  local given = {}
  for _, param in ipairs(one.documented) do
    if not param:find "^_" then given[#given + 1] = param end
    if not known[param] then problems[#problems + 1] = "has no parameter " .. param end
  end
  if table.concat(given, " ") ~= table.concat(wanted, " ") then
    problems[#problems + 1] = ("takes (%s), documents (%s)"):format(table.concat(wanted, ", "),
      table.concat(given, ", "))
  end
  if one.gives and not one.has_return and not is_declaration then
    problems[#problems + 1] = "returns something that is not documented"
  end
  return problems
end

return M
