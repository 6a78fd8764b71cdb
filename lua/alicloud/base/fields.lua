--- Reads fields of the service's answers by their meaning: a number may come as digits in quotes, a
--- text of digits as a number, a list of one element as that element.

local M = {}

--- Reads a text.
---@param value any
---@return string|nil nil if it is not a text, or empty
function M.text(value)
  if type(value) == "number" then value = tostring(math.tointeger(value) or value) end
  return type(value) == "string" and value ~= "" and value or nil
end

--- Reads a number.
---@param value any
---@return number|nil
function M.number(value)
  if type(value) == "string" and value:find "^%s*%-?%d+%.?%d*%s*$" then value = tonumber(value) end
  if type(value) ~= "number" or value ~= value then return nil end
  return value
end

--- Reads a number of things, or of seconds.
---@param value any
---@return integer|nil nil if it is not a whole number
function M.count(value)
  local number = M.number(value)
  return number and math.tointeger(number) or nil
end

--- Reads a list of ids. The service's own sample shows one element that holds several, with commas
--- between them.
---@param value any
---@return string[]|nil nil if it is neither a list nor a text
function M.ids(value)
  if type(value) == "string" then value = { value } end
  if type(value) ~= "table" then return nil end
  local ids = {}
  for _, element in ipairs(value) do
    local id = M.text(element)
    if id and not id:find "[,%s]" then
      ids[#ids + 1] = id
    elseif id then
      for part in id:gmatch "[^,%s]+" do ids[#ids + 1] = part end
    end
  end
  return ids
end

--- Reads a list of objects, which some answers wrap into an object with one name.
---@param value any
---@param name string the name of the only field of such an object
---@return table[] empty if there is none
function M.objects(value, name)
  local list = type(value) == "table" and (value[name] or value)
  if type(list) ~= "table" then return {} end
  local objects = {}
  for _, object in ipairs(next(list) ~= nil and list[1] == nil and { list } or list) do
    if type(object) == "table" then objects[#objects + 1] = object end
  end
  return objects
end

return M
