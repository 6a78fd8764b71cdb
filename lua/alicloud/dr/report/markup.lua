--- Makes markup safe from injection: an element is made from its name, attributes and children, and
--- every string among them is cleaned and escaped. The result is both HTML and XML.

local plain = require "alicloud.dr.report.plain"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Markup
---@field text string
local Markup = {}
Markup.__index = Markup
Markup.__tostring = function(markup) return markup.text end

-- Elements of HTML that have neither content nor an end tag.
local VOID = { meta = true, br = true }

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
  ["'"] = "&#39;" }

-- Most bytes of a text; a longer one is cut.
local CAP = 4000

--- Cleans and escapes a text.
---@param value any
---@return string
function M.escape(value)
  return (plain.clean(value, CAP):gsub("[&<>\"']", ESCAPES))
end

--- Takes a text as markup, unescaped; it must not come from outside.
---@param text string
---@return alicloud.dr.Markup
function M.raw(text)
  return setmetatable({ text = text }, Markup)
end

local function is_markup(value)
  return getmetatable(value) == Markup
end

local function attributes_of(given)
  local parts = {}
  for i, name in ipairs(tables.keys(given)) do
    parts[i] = (' %s="%s"'):format(name, M.escape(given[name]))
  end
  return table.concat(parts)
end

local function append(parts, child)
  if is_markup(child) then
    parts[#parts + 1] = child.text
  elseif type(child) == "table" then
    for _, each in ipairs(child) do append(parts, each) end
  elseif child ~= nil and child ~= false then
    parts[#parts + 1] = M.escape(child)
  end
end

--- Makes an element.
---@param name string is not escaped
---@param attributes table<string, string|number>|nil
---@param ... any text, markup, lists of both; nil and false are left out
---@return alicloud.dr.Markup
function M.element(name, attributes, ...)
  local parts = { "<", name, attributes and attributes_of(attributes) or "", ">" }
  for i = 1, select("#", ...) do append(parts, (select(i, ...))) end
  if not VOID[name] then parts[#parts + 1] = ("</%s>"):format(name) end
  return M.raw(table.concat(parts))
end

return M
