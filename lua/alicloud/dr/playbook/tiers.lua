--- Reads tiers, which say which groups move first: each is a number and a pattern of ids or names.
---
---     1:db-*,2:app-*          on a command line
---
---     # databases first       in a file
---     1 db-*
---     2 app-*

local schema = require "alicloud.base.schema"

local M = {}

---@class alicloud.dr.Tier
---@field tier integer lower ones move first
---@field pattern string of an id or a name; * stands for any text

M.ALLOWED = "TIER:PATTERN with a comma between, e.g. 1:db-*,2:app-*; or lines of TIER PATTERN"

--- The tier of groups that no pattern matches: after all others.
M.LAST = math.maxinteger

local LARGEST = 1000

local function one(text, where)
  local number, pattern = text:match "^(%d+)%s*[:%s]%s*(.*%S)$"
  local tier = math.tointeger(tonumber(number))
  if tier and tier >= 1 and tier <= LARGEST and not pattern:find "%c" then
    return { tier = tier, pattern = pattern }
  end
  return nil, ("%sgot %s; allowed: a number from 1 to %d and a pattern, e.g. 1:db-*"):format(where,
    schema.show(text), LARGEST)
end

local function add(list, text, where)
  local entry, message = one(text, where)
  list[#list + 1] = entry
  return message
end

local function add_lines(list, text)
  local number = 0
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    local before_remark = (" " .. line:gsub("^\u{FEFF}", "")):gsub("%s#.*$", "")
    local entry = before_remark:match "^%s*(.-)%s*$"
    local message = entry ~= "" and add(list, entry, ("line %d: "):format(number))
    if message then return message end
  end
end

local function add_words(list, text)
  for word in (text .. ","):gmatch "%s*([^,]-)%s*," do
    local message = add(list, word, "")
    if message then return message end
  end
end

--- Reads tiers. Pure.
---@param value any text, or a list of texts
---@return alicloud.dr.Tier[]|nil in the order in which they were given
---@return string? message
function M.read(value)
  local list, texts = {}, type(value) == "table" and value or { value }
  for _, text in ipairs(texts) do
    if type(text) ~= "string" then return nil end
    local message = (text:find("\n", 1, true) and add_lines or add_words)(list, text)
    if message then return nil, message end
  end
  if #list == 0 then return nil, "has no tier; allowed: " .. M.ALLOWED end
  return list
end

-- Whether a text matches a pattern: the pieces between the stars must follow one another in it.
local function matches(pattern, text)
  local first, rest = pattern:match "^([^*]*)(.*)$"
  if rest == "" then return text == first end
  if text:sub(1, #first) ~= first then return false end
  local last = rest:match "([^*]*)$"
  local position, stop = #first + 1, #text - #last
  for piece in rest:sub(1, #rest - #last):gmatch "[^*]+" do
    local from, to = text:find(piece, position, true)
    if not from or to > stop then return false end
    position = to + 1
  end
  return position <= stop + 1 and text:sub(stop + 1) == last
end

--- The first tier whose pattern matches a group. Pure.
---@param tiers alicloud.dr.Tier[]
---@param id string
---@param name string? of the group
---@return alicloud.dr.Tier|nil
function M.of(tiers, id, name)
  for _, entry in ipairs(tiers) do
    if matches(entry.pattern, id) or name and matches(entry.pattern, name) then return entry end
  end
  return nil
end

return M
