-- The project's Lua modules loaded once more, with mistakes put into some of them. What was loaded
-- before is as it was afterwards. The C modules have no state and are shared.

local scratch = require "spec.scratch"

local M = {}

---@class spec.simulation.Edit
---@field module string
---@field name string of a function or constant, as the module declares it at its outermost level
---@field value string an expression

local NATIVE = { ["alicloud.core"] = true, ["alicloud.transport"] = true,
  ["alicloud.httpd"] = true }

local function is_ours(name)
  return (name == "alicloud" or name:find "^alicloud%.") and not NATIVE[name]
end

local FORMS = { "local function %s(", "function %s(", "local %s = ", "%s = " }

local function declares(line, name)
  for _, form in ipairs(FORMS) do
    local beginning = form:format(name)
    if line:sub(1, #beginning) == beginning then return true end
  end
  return false
end

local function declarations(lines, name)
  local found = {}
  for number, line in ipairs(lines) do
    if declares(line, name) then found[#found + 1] = number end
  end
  return found
end

-- A declaration ends with the first line that makes it whole.
local function last_line(lines, first)
  for last = first, #lines do
    if load(table.concat(lines, "\n", first, last)) then return last end
  end
end

--- Puts a mistake into a source: another value in the place of a function or constant, right after
--- its declaration. The value sees what the declaration sees, and what it replaces as `original`.
---@param source string
---@param edit spec.simulation.Edit
---@return string
function M.put(source, edit)
  local lines = {}
  for line in (source .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  local found = declarations(lines, edit.name)
  if #found == 0 then error(("%s declares no %s"):format(edit.module, edit.name), 0) end
  if #found > 1 then error(("%s declares %s twice"):format(edit.module, edit.name), 0) end
  local last = last_line(lines, found[1])
  local place = edit.name:gsub(":", ".")
  table.insert(lines, last + 1, ("do local original = %s %s = %s end"):format(place, place,
    edit.value))
  return table.concat(lines, "\n")
end

local function searcher(edits)
  return function(name)
    if not is_ours(name) then return nil end
    local path = package.searchpath(name, package.path)
    if not path then return nil end
    local source = scratch.read(path)
    for _, edit in ipairs(edits) do
      if edit.module == name then source = M.put(source, edit) end
    end
    return assert(load(source, "@" .. path)), path
  end
end

local function take_out()
  local taken = {}
  for name, module in pairs(package.loaded) do
    if is_ours(name) then taken[name] = module end
  end
  for name in pairs(taken) do package.loaded[name] = nil end
  return taken
end

--- Calls a function while `require` gives modules with mistakes.
---@param edits spec.simulation.Edit[]
---@param body fun(): any
---@return any what it returns
function M.with(edits, body)
  local before, search = take_out(), searcher(edits)
  table.insert(package.searchers, 2, search)
  local ok, result = pcall(body)
  for i, other in ipairs(package.searchers) do
    if other == search then table.remove(package.searchers, i) end
  end
  take_out()
  for name, module in pairs(before) do package.loaded[name] = module end
  if not ok then error(result, 0) end
  return result
end

return M
