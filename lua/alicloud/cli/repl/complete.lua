--- Completes the word before the cursor in the REPL: operations, their parameters and fields of
--- their answers come from the service data; names and fields from the variables of the session.

local services = require "alicloud.service"

local M = {}

local KEYWORDS = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function",
  "goto", "if", "in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until",
  "while" }

-- Modules whose METHODS and FIELDS tell what objects of a class have: the objects hide it.
local MODULES = { ["alicloud.Client"] = "alicloud.client",
  ["alicloud.Service"] = "alicloud.client.service", ["alicloud.Future"] = "alicloud.client.future",
  ["alicloud.dr.PlaybookRun"] = "alicloud.dr.playbook.run" }

local function class_of(value)
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable.__name or metatable
end

local function matching(names, prefix)
  local found, seen = {}, {}
  for _, name in ipairs(names) do
    if name:sub(1, #prefix) == prefix and not seen[name] then
      seen[name] = true
      found[#found + 1] = name
    end
  end
  table.sort(found)
  return found
end

local function keys_of(map, list)
  list = list or {}
  for key in next, map or {} do
    if type(key) == "string" and key:find "^[%a_][%w_]*$" then list[#list + 1] = key end
  end
  return list
end

local NOTHING = { METHODS = {}, FIELDS = {} }

-- METHODS and FIELDS of an object of this library; `run` is taken for the object that a playbook
-- gets, unless the session has a variable of that name.
local function class_of_object(value, path)
  local name = class_of(value)
  if value == nil and path == "run" then name = "alicloud.dr.PlaybookRun" end
  return MODULES[name] and require(MODULES[name]) or NOTHING
end

local function field_of(value, name)
  if type(value) ~= "table" then return nil end
  if class_of_object(value).FIELDS[name] then return value[name] end
  return rawget(value, name)
end

-- Follows a path of names and indexes from the session's variables without running code.
local function resolve(env, path)
  local value = env
  for name, index in (path .. "."):gmatch "([%a_][%w_]*)([%[%]%d]*)%." do
    value = field_of(value, name) or value == env and rawget(_G, name) or nil
    for i in index:gmatch "%[(%d+)%]" do
      value = type(value) == "table" and rawget(value, math.tointeger(tonumber(i))) or nil
    end
  end
  return value
end

local function product_of(env, name)
  local value = resolve(env, name)
  if class_of(value) == "alicloud.Service" then return value.product end
  if class_of(value) == "alicloud.Client" then return value.product end
end

local function operation_of(env, object, action)
  local product, own = action:match "^(%l+):(.*)$"
  local data = services.data(product or product_of(env, object) or "")
  return data and data.operations[own or action]
end

-- Object and operation of the call whose braces are still open at the end of the line.
local function open_call(line)
  local depth, at = 0, nil
  for i = #line, 1, -1 do
    local c = line:sub(i, i)
    if c == "}" then depth = depth + 1 end
    if c == "{" and depth == 0 then
      at = i
      break
    end
    if c == "{" then depth = depth - 1 end
  end
  local before = at and line:sub(1, at - 1) or ""
  local object, action = before:match '([%a_][%w_.]*):%l+%s*%(?%s*"([%w:]+)"%s*,%s*$'
  if object then return object, action end
  return before:match "([%a_][%w_.]*):(%u%w*)%s*%(?%s*$"
end

-- Fields of the answer below a path. The service data writes `Groups[].Pairs[].Status`; in a typed
-- path the brackets hold numbers.
local function response_fields(operation, path)
  local list = {}
  local within = path:gsub("%[%d*%]", "[]"):gsub("^%.", "")
  local prefix = within ~= "" and within .. "." or ""
  for _, field in ipairs(operation.response) do
    if field[1]:sub(1, #prefix) == prefix then
      list[#list + 1] = field[1]:sub(#prefix + 1):match "^[%w_]+"
    end
  end
  return list
end

local function after_quote(env, line)
  local object, method, prefix = line:match '([%a_][%w_.]*):(%l+)%s*%(?%s*"([%w_:]*)$'
  if not object then return nil end
  local product, own = prefix:match "^(%l+):(.*)$"
  local data = services.data(product or product_of(env, object) or "")
  if not data then return nil end
  if method == "service" then return matching({ "ebs", "ecs" }, prefix), prefix end
  local names = keys_of(method == "wait" and data.waiters or data.operations)
  if method == "help" then keys_of(data.waiters, names) end
  return matching(names, own or prefix), own or prefix
end

local function after_call(env, line)
  local object, action, path, prefix =
    line:match "([%a_][%w_.]*):(%u%w*)%s*%(?%s*%b{}%s*%)?([%w_.%[%]]*)%.([%w_]*)$"
  local operation = object and operation_of(env, object, action)
  if operation then return matching(response_fields(operation, path), prefix), prefix end
end

local function after_colon(env, line)
  local object, prefix = line:match "([%a_][%w_.]*):([%w_]*)$"
  if not object then return nil end
  local value = resolve(env, object)
  local names = keys_of(class_of_object(value, object).METHODS)
  if class_of(value) == "alicloud.Service" then
    keys_of((services.data(value.product) or {}).operations, names)
  end
  local index = type(getmetatable(value)) == "table" and getmetatable(value).__index
  if type(index) == "table" then keys_of(index, names) end
  return matching(names, prefix), prefix
end

local function after_dot(env, line)
  local path, prefix = line:match "([%a_][%w_.%[%]]*)%.([%w_]*)$"
  if not path then return nil end
  local value = resolve(env, path)
  local names = keys_of(class_of_object(value, path).FIELDS)
  return matching(type(value) == "table" and keys_of(value, names) or names, prefix), prefix
end

local function in_braces(env, line)
  local object, action = open_call(line)
  local operation = object and operation_of(env, object, action)
  local prefix = line:match "[{,]%s*([%w_]*)$"
  if not operation or not prefix then return nil end
  local names = {}
  for _, name in ipairs(matching(keys_of(operation.params), prefix)) do
    names[#names + 1] = name .. " = "
  end
  return names, prefix
end

local function word(env, line)
  local prefix = line:match "[%a_][%w_]*$" or ""
  local names = keys_of(env, { table.unpack(KEYWORDS) })
  return matching(keys_of(_G, names), prefix), prefix
end

--- Candidates for the end of a line.
---@param env table the session's variables
---@param line string up to the cursor
---@return string[] candidates whole words
---@return string prefix the end of the line that a candidate replaces
function M.candidates(env, line)
  for _, look in ipairs { after_quote, in_braces, after_call, after_colon, after_dot } do
    local found, prefix = look(env, line)
    if found then return found, prefix end
  end
  return word(env, line)
end

return M
