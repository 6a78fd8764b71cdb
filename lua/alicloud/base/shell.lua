--- Makes commands that are safe to type as they are printed: each value in one is a word of it and
--- nothing else, for a shell, a terminal and a ticket.

local errors = require "alicloud.base.error"

local M = {}

local function octal(character)
  return ("\\%03o"):format(character:byte())
end

--- Quotes a word for a shell. Characters that control a terminal, are not visible, or end a command
--- in Markdown are written in octal, and printf turns them back. A shell drops line ends at the end
--- of a program's output, so these come from its variable IFS.
---@param word any a journal may hold a number where a name belongs
---@return string
function M.quote(word)
  word = tostring(word)
  if word:find "^[%w_.:@%%+/-][%w_.:@%%+=/-]*$" then return word end
  if errors.clean(word) == word and not word:find("`", 1, true) then
    return "'" .. word:gsub("'", "'\\''") .. "'"
  end
  local kept, ends = word:match "^(.-)(\n*)$"
  return [["$(printf ']] .. kept:gsub("[^%w_.:@+=/ ]", octal) .. [[')]] .. ("${IFS#??}"):rep(#ends)
    .. [["]]
end

--- An option as it is typed; one without a value is a flag.
---@param name string e.g. --region
---@param value? string
---@return string
function M.option(name, value)
  if not value then return name end
  return name .. (tostring(value):find "^-" and "=" or " ") .. M.quote(value)
end

--- A command as it is typed. If an argument begins with "-", the arguments come last, behind "--".
---@param verb string e.g. "drill clear"
---@param arguments? string[] words that are not quoted yet
---@param options? string[] as `option` makes them
---@return string
function M.command(verb, arguments, options)
  local words, odd = {}, false
  for i, word in ipairs(arguments or {}) do
    words[i], odd = M.quote(word), odd or tostring(word):find "^-" ~= nil
  end
  local first, second = words, options or {}
  if odd then first, second = second, { "--", table.unpack(words) } end
  local all = table.move(first, 1, #first, 3, { "alicloud-dr", verb })
  return table.concat(table.move(second, 1, #second, #all + 1, all), " ")
end

return M
