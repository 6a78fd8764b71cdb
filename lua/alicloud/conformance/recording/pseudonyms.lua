--- Pseudonyms in place of ids, names, keys and addresses in a recording: the same original has the
--- same pseudonym wherever it occurs in one file.
--
-- Originals are searched for in any text, unless they are common: shorter than six bytes, without a
-- letter (except account numbers and addresses), part of a word that recordings contain anyway (a
-- status, a region, a field, a code), or like one of our pseudonyms. Finding a common original
-- somewhere proves nothing. It is replaced only where it is the whole value of a field, or a whole
-- word in a message.

local core = require "alicloud.core"
local tables = require "alicloud.base.tables"

local M = {}

-- Originals are looked up by their first bytes, so shorter ones cannot be.
local GRAM = 6

local ACCOUNT_DIGITS = 15
-- Most digits in the number of a text that looks like one of our pseudonyms.
local OWN_DIGITS = 4

--- The kinds of originals.
M.KINDS = {
  "pg", "pair", "d", "i", "drill", "res", "rg", "acct", "key", "name", "ip", "net", "text", "tag",
  "value", "token", "page", "host", "mail", "request", "field", "path",
}

local is_kind = tables.set(M.KINDS)

---@class alicloud.recording.Pseudonyms
---@field vocabulary string words in lower case that recordings contain anyway
---@field kept table<string, true> further such words, from values that were kept
---@field kept_with table<string, string[]> by gram: the words of `kept` that contain it
---@field by_original table<string, string>
---@field taken table<string, true> set of the pseudonyms in use
---@field counts table<string, integer> by kind: the highest number in use
---@field count integer number of originals
---@field grams table<string, { lengths: integer[], of: table<string, string> }> by first bytes: the
---lengths of originals, longest first, and pseudonyms by original
local Pseudonyms = {}
Pseudonyms.__index = Pseudonyms

--- Makes an empty table of pseudonyms.
---@param vocabulary string words in lower case, with line ends between
---@return alicloud.recording.Pseudonyms
function M.new(vocabulary)
  return setmetatable({ vocabulary = vocabulary, kept = {}, kept_with = {}, by_original = {},
    taken = {}, counts = {}, count = 0, grams = {} }, Pseudonyms)
end

-- The kind of a text that looks like one of our pseudonyms, else nil.
local function own_kind(text)
  local kind, digits = text:match "^(%l+)%-(%d+)$"
  return is_kind[kind] and #digits <= OWN_DIGITS and kind or nil
end

local function is_number_or_address(text)
  return text:find "^%d+$" ~= nil and #text >= ACCOUNT_DIGITS
    or text:find "^%d+%.%d+%.%d+%.%d+$" ~= nil or text:find "^[%x:]*:[%x:]*:[%x:]*$" ~= nil
end

--- Whether an original is common, see the head of this file.
---@param original string
---@return boolean
function Pseudonyms:is_common(original)
  local lower = original:lower()
  if #lower < GRAM or own_kind(lower) or self.vocabulary:find(lower, 1, true) then return true end
  if not original:find "[%a\x80-\xff]" and not is_number_or_address(original) then return true end
  for _, word in ipairs(self.kept_with[lower:sub(1, GRAM)] or {}) do
    if word:find(lower, 1, true) then return true end
  end
  return false
end

function Pseudonyms:index(original, pseudonym)
  local lower = original:lower()
  local gram = lower:sub(1, GRAM)
  local bucket = self.grams[gram] or { lengths = {}, of = {} }
  self.grams[gram] = bucket
  bucket.of[lower] = pseudonym
  for _, length in ipairs(bucket.lengths) do
    if length == #lower then return end
  end
  table.insert(bucket.lengths, #lower)
  table.sort(bucket.lengths, function(a, b) return a > b end)
end

--- Marks a word as written unchanged. Originals that are part of it are common from now on.
---@param word string
function Pseudonyms:keep(word)
  local lower = word:lower()
  if self.kept[lower] or #lower < GRAM then return end
  self.kept[lower] = true
  for at = 1, #lower - GRAM + 1 do
    local gram = lower:sub(at, at + GRAM - 1)
    local words, bucket = self.kept_with[gram] or {}, self.grams[gram]
    self.kept_with[gram] = words
    words[#words + 1] = lower
    for original in pairs(bucket and bucket.of or {}) do
      if lower:sub(at, at + #original - 1) == original then bucket.of[original] = nil end
    end
  end
end

function Pseudonyms:fresh(kind)
  local pseudonym
  repeat
    self.counts[kind] = (self.counts[kind] or 0) + 1
    pseudonym = ("%s-%03d"):format(kind, self.counts[kind])
  until not self.taken[pseudonym]
  return pseudonym
end

function Pseudonyms:give(original, pseudonym)
  self.taken[pseudonym], self.by_original[original] = true, pseudonym
  self.count = self.count + 1
  if not self:is_common(original) then self:index(original, pseudonym) end
end

--- The pseudonym of an original, made if it has none. An original that looks like a pseudonym of
--- its kind stays as it is, so that a recording of a replay has the same ids.
---@param kind string of M.KINDS
---@param original string
---@return string
function Pseudonyms:of(kind, original)
  local pseudonym = self.by_original[original]
  if pseudonym then return pseudonym end
  local stays = own_kind(original) == kind and original:find "%d%d%d$" and not self.taken[original]
  pseudonym = stays and original or self:fresh(kind)
  self:give(original, pseudonym)
  return pseudonym
end

--- The pseudonym of an original, nil if it has none.
---@param original string
---@return string|nil
function Pseudonyms:known(original)
  return self.by_original[original]
end

local function is_word_byte(text, at)
  return text:find("^[%w_]", at) ~= nil
end

-- The pseudonym and the length of the original that begins at a place of a text in lower case.
local function original_at(self, lower, at)
  local bucket = self.grams[lower:sub(at, at + GRAM - 1)]
  if not bucket then return nil end
  for _, length in ipairs(bucket.lengths) do
    local pseudonym = bucket.of[lower:sub(at, at + length - 1)]
    if pseudonym then return pseudonym, length end
  end
  return nil
end

-- The next original in a text in lower case; `whole`: only if it is not part of a longer word.
local function next_original(self, lower, from, whole)
  for at = from, #lower - GRAM + 1 do
    local pseudonym, length = original_at(self, lower, at)
    if pseudonym and not (whole
      and (at > 1 and is_word_byte(lower, at - 1) or is_word_byte(lower, at + length))) then
      return at, length, pseudonym
    end
  end
  return nil
end

--- Where the first original in a text begins; nil: none is in it. Common ones are not found.
---@param text string
---@return integer|nil at
function Pseudonyms:find(text)
  if next(self.grams) == nil then return nil end
  return (next_original(self, text:lower(), 1))
end

--- Replaces the originals in a text by their pseudonyms.
---@param text string
---@param whole boolean only originals that are not part of a longer word
---@param between? fun(piece: string): string maps the pieces between the originals
---@return string
function Pseudonyms:replace(text, whole, between)
  local lower, out, from = text:lower(), {}, 1
  while true do
    local at, length, pseudonym = next_original(self, lower, from, whole)
    local piece = text:sub(from, (at or #text + 1) - 1)
    out[#out + 1] = between and between(piece) or piece
    if not at then return table.concat(out) end
    out[#out + 1], from = pseudonym, at + length
  end
end

--- Counts on from the pseudonyms in a text, so that none of them is given again.
---@param text string lines of a recording
function Pseudonyms:continue_after(text)
  for kind, digits in text:gmatch "%f[%w](%l+)%-(%d%d%d+)%f[^%d]" do
    local number = is_kind[kind] and #digits < 10 and math.tointeger(tonumber(digits))
    if number then self.counts[kind] = math.max(self.counts[kind] or 0, number) end
  end
end

--- The map of originals to pseudonyms, as JSON.
---@return string
function Pseudonyms:map()
  return core.encode { format = "alicloud-dr pseudonyms 1", originals = self.by_original }
end

--- Loads a map that `map` has made.
---@param text string
---@return boolean|nil ok
---@return string? message
function Pseudonyms:take(text)
  local map, message = core.decode(text, { max_bytes = 64 << 20 })
  local originals = type(map) == "table" and map.format == "alicloud-dr pseudonyms 1"
    and map.originals
  if type(originals) ~= "table" then return nil, message or "it is no map of pseudonyms" end
  for _, original in ipairs(tables.keys(originals)) do
    local pseudonym = originals[original]
    local kind, digits = tostring(pseudonym):match "^(%l+)%-(%d%d%d+)$"
    if not is_kind[kind] or self.taken[pseudonym] then
      return nil, "it is no map of pseudonyms"
    end
    self.counts[kind] = math.max(self.counts[kind] or 0, math.tointeger(tonumber(digits)) or 0)
    self:give(original, pseudonym)
  end
  return true
end

return M
