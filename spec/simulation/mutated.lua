-- The project's Lua modules loaded once more, with mistakes put into some of them. What was loaded
-- before is as it was afterwards. The C modules have no state and are shared.

local scratch = require "spec.scratch"

local M = {}

local NATIVE = { ["alicloud.core"] = true, ["alicloud.transport"] = true,
  ["alicloud.httpd"] = true }

local function is_ours(name)
  return (name == "alicloud" or name:find "^alicloud%.") and not NATIVE[name]
end

-- Puts a mistake into a source; the text to be replaced must be there, and once.
local function put(source, edit)
  local first, last = source:find(edit.from, 1, true)
  if not first then error(("%s has no %q any more"):format(edit.module, edit.from), 0) end
  if source:find(edit.from, last + 1, true) then
    error(("%s has %q more than once"):format(edit.module, edit.from), 0)
  end
  return source:sub(1, first - 1) .. edit.to .. source:sub(last + 1)
end

local function searcher(edits)
  return function(name)
    if not is_ours(name) then return nil end
    local path = package.searchpath(name, package.path)
    if not path then return nil end
    local source = scratch.read(path)
    for _, edit in ipairs(edits) do
      if edit.module == name then source = put(source, edit) end
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
---@param edits { module: string, from: string, to: string }[]
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
