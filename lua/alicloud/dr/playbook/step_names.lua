--- Reads the names of steps and gates from the text of a playbook, before it is executed. Without
--- them, a wish to skip a step that does not exist would be found only when the run has ended.

local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.StepNames
---@field names table<string, true> "fence", "gate:approve"; in a branch "GROUP/fence"
---@field critical table<string, boolean> those that are critical wherever the text has them
---@field whole boolean the playbook has no other names
---@field text string? the text, which may hold other names; nil: the names are known without it
---@field numbered boolean? a repeated step may have a number behind its name

-- By method of a run: the prefix of the name in a wish.
local KINDS = { step = "", verify = "", gate = "gate:" }

-- Functions that run other texts, in which there may be other names.
local LOADERS = { "%f[%w_]load", "%f[%w_]dofile" }

local REQUIRED = "require%s*%(?%s*[\"']([%w_.-]+)"

local function takes_others(text, modules)
  -- A module whose name is made at run time may be any.
  for at in text:gmatch "%f[%w_]require%f[^%w_]()" do
    if not text:find("^%s*%(?%s*[\"'][%w_.-]+[\"']", at) then return true end
  end
  for _, loader in ipairs(LOADERS) do
    if text:find(loader) then return true end
  end
  for name in text:gmatch(REQUIRED) do
    local is_library = name:find "^alicloud%f[\0.]" and not name:find "^alicloud%.playbooks"
    if not is_library and not modules[name] then return true end
  end
  return false
end

-- The form of a name in a branch.
local function in_group(name)
  local gate, rest = name:match "^(gate:)(.*)$"
  return (gate or "") .. "GROUP/" .. (rest or name)
end

-- Whether a call of a step has `critical = true` in the table of options behind its name. Looks at
-- no more than 1000 bytes, without strings and remarks, in which there may be braces.
local function is_critical(text, at)
  local call = text:sub(at, at + 1000):gsub('"[^"\n]*"', '""'):gsub("'[^'\n]*'", '""')
    :gsub("%-%-[^\n]*", "")
  local options = call:match '^%(%s*""%s*,%s*(%b{})'
  return options ~= nil
    and options:sub(2, -2):gsub("%b{}", ""):find "%f[%w_]critical%s*=%s*true%f[^%w_]" ~= nil
end

local function add(found, name, critical)
  found.names[name] = true
  found.critical[name] = critical and found.critical[name] ~= false
end

-- Adds the names in a text. If a call has no literal name, or a method is taken as a value, there
-- may be other names.
local function add_text(found, text, has_branches)
  for method, kind in pairs(KINDS) do
    if text:find("%[%s*[\"']" .. method .. "[\"']") then found.whole = false end
    for dot, at in text:gmatch("([:.])%s*" .. method .. "%f[^%w_]%s*()") do
      local rest = text:sub(at, at + 200)
      local name = rest:match '^%(%s*"([^"\\\n]+)"%s*[,)]'
        or rest:match "^%(%s*'([^'\\\n]+)'%s*[,)]"
      local is_field = dot == "." and method == "verify" and rest:sub(1, 1) ~= "("
      local critical = name and is_critical(text, at)
      if name then add(found, kind .. name, critical) end
      if name and has_branches then add(found, in_group(kind .. name), critical) end
      if not name and not is_field then found.whole = false end
    end
  end
end

--- The names of a playbook.
---@param source alicloud.dr.PlaybookSource of a ready one, `steps` alone will do for the names
---@return alicloud.dr.StepNames
function M.of(source)
  local texts = { source.text }
  for _, name in ipairs(tables.keys(source.modules or {})) do
    texts[#texts + 1] = source.modules[name]
  end
  local all = table.concat(texts, "\n")
  local found = { names = {}, critical = {}, whole = true, text = all }
  add_text(found, all, all:find "[:.]each%f[^%w_]" or all:find "[:.]parallel%f[^%w_]")
  if source.steps then
    return { names = tables.set(source.steps), critical = found.critical, whole = true,
      numbered = true }
  end
  found.whole = found.whole and not takes_others(all, source.modules)
  return found
end

--- The form that a wish's name has in `names`: any branch becomes "GROUP".
---@param wish string
---@return string
function M.form(wish)
  local gate, name = wish:match "^(gate:)(.*)$"
  return (gate or "") .. (name or wish):gsub("^.*/", "GROUP/")
end

-- Whether the text has the name as a string, from which a step may get its name at run time.
local function is_text(found, wish)
  local name = wish:gsub("^gate:", ""):match "[^/]*$"
  return found.text:find('"' .. name .. '"', 1, true) ~= nil
    or found.text:find("'" .. name .. "'", 1, true) ~= nil
end

--- Whether a wish names a step or gate of the playbook, or may do so.
---@param found alicloud.dr.StepNames
---@param wish string
---@return boolean
function M.has(found, wish)
  local form = M.form(wish)
  return found.names[form] or found.numbered and found.names[form:gsub(" %d+$", "")]
    or not found.whole and is_text(found, wish)
end

--- Whether a wish names a step that is critical, so nobody may skip it.
---@param found alicloud.dr.StepNames
---@param wish string
---@return boolean
function M.is_critical(found, wish)
  return found.critical[M.form(wish)] == true
end

--- A guess at the name that was meant by a wish that names no step or gate.
---@param found alicloud.dr.StepNames
---@param wish string
---@return string guess `; did you mean "x"?`, or ""
function M.near(found, wish)
  -- The words of a gate in a branch are easily swapped: "pg-1/gate:ok".
  local swapped
  wish, swapped = wish:gsub("^(.*/)gate:", "gate:%1")
  local form, branch = M.form(wish), wish:gsub("^gate:", ""):match "^(.*/)"
  local elsewhere = branch and form:gsub("GROUP/", "") or in_group(form)
  local known = swapped > 0 and found.names[form] and form or found.names[elsewhere] and elsewhere
  local meant = known and ('; did you mean "%s"?'):format(known)
    or schema.did_you_mean(form, found.names)
  return (meant:gsub("GROUP/", function() return branch end))
end

return M
