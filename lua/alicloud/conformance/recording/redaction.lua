--- Makes copies of requests and answers that may be shown. The name of a field tells what it holds,
--- else the form of its value does; a value that neither tells as harmless gets a pseudonym.
--
-- Before a copy is written, `proves` checks that no original of a pseudonym and no secret is left
-- in it, in any encoding that `search` knows.

local core = require "alicloud.core"
local fields = require "alicloud.conformance.recording.fields"
local pseudonyms = require "alicloud.conformance.recording.pseudonyms"
local schema = require "alicloud.base.schema"
local search = require "alicloud.conformance.recording.search"
local shapes = require "alicloud.conformance.recording.shapes"
local tables = require "alicloud.base.tables"
local texts = require "alicloud.conformance.recording.texts"

local M = {}

---@class alicloud.recording.RedactionOptions
---@field pseudonyms? alicloud.recording.Pseudonyms default: a new table
---@field drop_request_ids? boolean

local SCHEMA = { pseudonyms = schema.typed "table", drop_request_ids = schema.boolean }

---@class alicloud.recording.Redactor
---@field pseudonyms alicloud.recording.Pseudonyms
---@field secrets alicloud.recording.Secrets
---@field drops_request_ids boolean
---@field learning boolean? true: only learns what fields hold; no copy is used
local Redactor = {}
Redactor.__index = Redactor
texts.extend(Redactor)

-- Deeper tables are cut; answers are not nested so deeply.
local MAX_DEPTH = 40

--- Makes a redactor.
---@param given? alicloud.recording.RedactionOptions
---@return alicloud.recording.Redactor
function M.new(given)
  local options = schema.check("redaction.new", given, SCHEMA, 2)
  return setmetatable({
    pseudonyms = options.pseudonyms or pseudonyms.new(fields.vocabulary()),
    secrets = search.secrets(), drops_request_ids = options.drop_request_ids == true,
  }, Redactor)
end

--- Takes the keys of a request, which no copy may contain.
---@param keys alicloud.Credentials|nil
function Redactor:take_keys(keys)
  if not keys or keys == self.latest_keys then return end
  self.latest_keys = keys
  if type(keys.access_key_id) == "string" and keys.access_key_id ~= "" then
    self.pseudonyms:of("key", keys.access_key_id)
  end
  self.secrets:add(keys.access_key_secret)
  self.secrets:add(keys.security_token)
end

--- The name of a field, redacted: users choose some names, such as those of tags.
---@param name string
---@return string
function Redactor:key(name)
  local parts = {}
  for part in (name .. "."):gmatch "(.-)%." do
    local stays = part:find "^%d+$" and #part < 6 or fields.is_name(part)
      or part:find "%u" and shapes.is_written(part) and not self.pseudonyms:known(part)
    parts[#parts + 1] = stays and part or self.pseudonyms.taken[part] and part
      or self.pseudonyms:of("field", part)
  end
  return table.concat(parts, ".")
end

--- The canonical name of a flat parameter: that of Tag.1.Key is tagkey.
---@param name string
---@return string
function Redactor:canonical_of(name)
  local joined, last = {}, name
  for part in name:gmatch "[^%.]+" do
    if not part:find "^%d+$" then joined[#joined + 1], last = part, part end
  end
  local whole = fields.canonical(table.concat(joined))
  local is_listed = fields.KIND[whole] or fields.KEPT[whole] or fields.is_dropped(whole)
  return is_listed and whole or fields.canonical(last)
end

--- A request id. It is kept, since the vendor's support asks for it, unless `drop_request_ids`.
---@param id string
---@return string
function Redactor:request_id(id)
  if shapes.fits("uuid", id) and not self.drops_request_ids then return id end
  return self.pseudonyms:of("request", id)
end

-- By kind: whether a field may hold several ids, separated by commas.
local LISTS = { pg = true, pair = true, d = true, i = true, drill = true, res = true, net = true,
  ip = true, page = false }
local NOTHING = { [""] = true, ["-"] = true, ["*"] = true }

local function one(self, kind, value)
  if NOTHING[value] or self.pseudonyms.taken[value] then return value end
  if value:find "^acs:" then return self:arn(value) end
  local looks = kind == "res" and shapes.kind_of(value) or kind
  return self.pseudonyms:of(looks, value)
end

local function by_kind(self, kind, value)
  if not LISTS[kind] then return one(self, kind, value) end
  return (value:gsub("[^,%s]+", function(id) return one(self, kind, id) end))
end

-- Redacts JSON inside a text, such as the list of ids that DescribeDisks takes; nil if it is none.
local function packed(self, canonical, value)
  if not value:find "^%s*[%[{]" then return nil end
  local inner = core.decode(value, { keep_null = true })
  if type(inner) ~= "table" then return nil end
  return core.encode(self:value(inner, canonical, 1))
end

local HELD = {}

function HELD.message(self, value) return self.learning and value or self:text(value) end
function HELD.request(self, value) return self:request_id(value) end
function HELD.host(self, value) return self:host(value) end

local function by_looks(self, value)
  if self.learning then return value end
  if shapes.is_harmless(value) or self.pseudonyms.taken[value] then return value end
  if value:find "^%a[%w+.%-]*://" then return self:url(value, 1) end
  if value:find "^acs:" then return self:arn(value) end
  return self.pseudonyms:of(shapes.kind_of(value) or "text", value)
end

--- The text of a field, redacted.
---@param canonical string|nil canonical name of the field
---@param value string
---@param kind? string kind of pseudonym, whatever the name
---@return string
function Redactor:string(canonical, value, kind)
  if value == "" then return value end
  local clean = packed(self, canonical, value)
  if clean then return clean end
  kind = kind or fields.KIND[canonical]
  if kind then return by_kind(self, kind, value) end
  local held = fields.KEPT[canonical]
  if HELD[held] then return HELD[held](self, value) end
  if held and shapes.fits(held, value) then
    self.pseudonyms:keep(value)
    return value
  end
  if held == "code" and not self.learning then return self:text(value) end
  return by_looks(self, value)
end

local LARGEST_NUMBER = 10 ^ 14

local function number(self, canonical, value)
  if fields.KIND[canonical] or math.abs(value) > LARGEST_NUMBER then
    local form = math.type(value) == "integer" and "%d" or "%.17g"
    local written = form:format(value)
    return self:string(canonical, written, fields.KIND[canonical] or "acct")
  end
  return value
end

--- A value of JSON, as a redacted copy.
---@param value any
---@param canonical string|nil name of the field that holds it
---@param depth? integer
---@return any
function Redactor:value(value, canonical, depth)
  depth = depth or 1
  local kind = type(value)
  if kind == "string" then return self:string(canonical, value) end
  if kind == "number" then return number(self, canonical, value) end
  if kind ~= "table" or depth > MAX_DEPTH then
    return kind == "table" and "…" or value
  end
  local copy = {}
  if core.is_array(value) or #value > 0 then
    for i, inner in ipairs(value) do copy[i] = self:value(inner, canonical, depth + 1) end
    return core.array(copy)
  end
  for _, name in ipairs(tables.keys(value)) do
    local own = fields.canonical(name)
    if not fields.is_dropped(own) then
      copy[self:key(name)] = self:value(value[name], own, depth + 1)
    end
  end
  return copy
end

--- Flat parameters, as a redacted copy.
---@param params table<string, any>
---@return table<string, any>
function Redactor:params(params)
  local copy = {}
  for _, name in ipairs(tables.keys(params)) do
    local canonical = self:canonical_of(name)
    if not fields.is_dropped(canonical) then
      copy[self:key(name)] = self:value(params[name], canonical)
    end
  end
  return copy
end

local function content_type(value)
  local kind, charset = value:match "^(%a+/[%a%-%+%.]+);?%s*(.*)$"
  if not kind or not kind:find "^%l+/[%l%-%+%.]+$" or #kind > 50 then return nil end
  return charset:lower():find "^charset=[\"']?utf%-?8[\"']?$" and kind .. "; charset=utf-8" or kind
end

local DATE = "^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$"

local HEADER = {
  contenttype = content_type,
  date = function(value) return value:match(DATE) end,
  accept = content_type,
}

-- The header of a quota, as Limit:40,Remain:0,TimeLeft:12; nil for any other text.
local function counts(value)
  return value:find "^%a+:%d+[%a%d:,%s]*$" and #value <= 100 and value or nil
end

--- The listed header fields (`fields.HEADERS`), as a redacted copy.
---@param headers table<string, string>|nil
---@param side "request"|"response"
---@return table<string, string>
function Redactor:headers(headers, side)
  local copy = {}
  for _, name in ipairs(tables.keys(headers or {})) do
    local canonical, value = fields.canonical(name), tostring(headers[name])
    if fields.HEADERS[side][canonical] then
      local read = HEADER[canonical] or canonical:find "^xratelimit" and counts
      local clean
      if read then clean = read(value)
      elseif fields.KEPT[canonical] then clean = self:string(canonical, value)
      else clean = self:text(value) end
      copy[name:lower()] = clean
    end
  end
  return copy
end

-- Options of the command line that hold the same as a field of the service.
local OPTION = { ["--region"] = "regionid", ["--second-region"] = "regionid", ["--to"] = "zoneid",
  ["--failed-region"] = "regionid", ["--endpoint"] = "host", ["--client-token"] = "clienttoken" }

--- A command line, redacted, as text.
---@param argv string[] without the program
---@return string
function Redactor:command(argv)
  local words = {}
  for i, word in ipairs(argv) do
    local name, value = word:match "^(%-%-%a[%a%-]*)=(.*)$"
    local held = OPTION[name or argv[i - 1]]
    if name then
      words[i] = name .. "=" .. (held and self:string(held, value) or self:argument(value))
    elseif word:find "^%-%-%a[%a%-]*$" or word:find "^%-%a$" then
      words[i] = word
    else
      words[i] = held and self:string(held, word) or self:argument(word, i == 1)
    end
  end
  return table.concat(words, " ")
end

--- One word of a command line, redacted.
---@param word string
---@param is_command? boolean true: it is the name of the command
---@return string
function Redactor:argument(word, is_command)
  if is_command and word:find "^%l+$" then return word end
  local name, value = word:match "^(%a[%w_%.]*)=(.*)$"
  if not name then name, value = word:match "^(name):(.+)$" end
  if name then
    local canonical = fields.canonical(name)
    if fields.is_dropped(canonical) then return name .. "=" end
    local mark = word:sub(#name + 1, #name + 1)
    local kind = canonical == "group" and "pg" or canonical == "name" and "name" or nil
    local shown = fields.is_word(name) and name or self:key(name)
    return shown .. mark .. self:string(self:canonical_of(name), value, kind)
  end
  if word == "" then return word end
  return (word:gsub("[^,]+", function(part)
    if shapes.is_harmless(part) or self:is_place(part) then return part end
    return by_looks(self, part)
  end))
end

-- Collects each text in a value once, also names, without our pseudonyms.
local function leaves(self, value, seen, out)
  local kind = type(value)
  if kind == "table" then
    for name, inner in pairs(value) do
      if type(name) == "string" then leaves(self, name, seen, out) end
      leaves(self, inner, seen, out)
    end
  elseif kind == "string" or kind == "number" then
    local text = tostring(value)
    if seen[text] or self.pseudonyms.taken[text] then return out end
    seen[text] = true
    out[#out + 1] = text
  end
  return out
end

--- Whether a value contains no secret and no original that has a pseudonym: plain, percent-encoded,
--- in base64 or in hexadecimal digits.
---@param value any
---@return boolean
function Redactor:proves(value)
  local views = search.views(table.concat(leaves(self, value, {}, {}), "\n"))
  return not self.secrets:are_in(views) and self.pseudonyms:find(views) == nil
end

--- A redacted copy of an answer; nil if it cannot be proved that nothing private is left in it.
---@param value any of JSON
---@return any
function Redactor:clean(value)
  self:learn(value)
  local copy = self:value(value)
  if self:proves(copy) then return copy end
  return nil
end

--- Learns what the fields of a value hold, so that it is also found in texts before these fields.
---@param value any of JSON
function Redactor:learn(value)
  self.learning = true
  local ok, raised = pcall(self.value, self, value)
  self.learning = nil
  if not ok then error(raised, 0) end
end

return M
