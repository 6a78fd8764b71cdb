--- Redacts free text: messages, details of failures, bodies that are not JSON, URLs, query strings.
--- It replaces originals that are known from fields, then what looks like an id, then all words
--- that are not plain.

local fields = require "alicloud.conformance.recording.fields"
local core = require "alicloud.core"
local search = require "alicloud.conformance.recording.search"
local shapes = require "alicloud.conformance.recording.shapes"

local M = {}

-- Depth to which texts inside texts are parsed; a deeper one gets a pseudonym as a whole.
local DEPTH = 4
-- Longer quotations are not taken for names.
local LONGEST_QUOTE = 256

local Redactor = {}

--- Adds the methods for text to the class of redactors.
---@param class table
function M.extend(class)
  for name, method in pairs(Redactor) do class[name] = method end
end

local function has_escapes(text) return text:find "%%%x%x" ~= nil end

-- Codes and hosts both have dots; a host is in lower case.
local function is_code(word)
  return word:find "%u" ~= nil and shapes.fits("code", word)
end

local function is_host(word)
  return word:find "^%l[%l%d%-]+%.[%l%d%.%-]*%l%l$" ~= nil
end

--- Whether a text is a region or a zone that is documented, or that was seen in a field for one.
---@param text string
---@return boolean
function Redactor:is_place(text)
  local kept = self.pseudonyms.kept
  if kept[text] and shapes.fits("zone", text) then return true end
  local region = text:match "^(.-)%-?%l$"
  return fields.is_word(text) or region ~= nil and shapes.fits("zone", text)
    and (fields.is_word(region) or kept[region] ~= nil)
end

--- A host with its port, redacted.
---@param text string
---@return string
function Redactor:host(text)
  local host, port = text:match "^(.-)(:?%d*)$"
  if port ~= "" and port:sub(1, 1) ~= ":" then host, port = text, "" end
  if shapes.is_public_host(host) then return text end
  return self.pseudonyms:of(shapes.kind_of(host) == "ip" and "ip" or "host", host) .. port
end

--- A resource name, acs:product:region:account:type/id, redacted.
---@param text string
---@return string
function Redactor:arn(text)
  local product, region, account, resource = text:match "^acs:([^:]*):([^:]*):([^:]*):(.*)$"
  if not product then return self.pseudonyms:of("text", text) end
  local parts, kind = {}, "name"
  for part in resource:gmatch "[^/]+" do
    local is_type = #parts == 0 and (fields.is_word(part) or part:find "^%l+%-?%l+$")
    if is_type or part == "*" then
      kind = fields.KIND[fields.canonical(part:gsub("^disk", "") .. "id")] or kind
      parts[#parts + 1] = part
    else
      parts[#parts + 1] = self:string(nil, part, kind)
    end
  end
  return ("acs:%s:%s:%s:%s"):format(self:string("product", product),
    region == "*" and region or self:string("regionid", region),
    account == "*" and account or self:string("accountid", account), table.concat(parts, "/"))
end

local function pair_of(piece)
  local name, value = piece:match "^([^=]*)=(.*)$"
  return name and name:find "^%a[%w%.%-_]*$" and name, value
end

--- A list of percent-encoded name=value with & between, redacted.
---@param text string
---@param depth integer
---@return string
function Redactor:query(text, depth)
  local pieces = {}
  for piece in (text .. "&"):gmatch "([^&]*)&" do
    local name, value = pair_of(piece)
    if name then
      local canonical = self:canonical_of(name)
      if not fields.is_dropped(canonical) then
        local plain = search.percent_decode(value)
        local clean = self:string(canonical, plain)
        pieces[#pieces + 1] = self:key(name) .. "="
          .. (clean == plain and value or core.percent_encode(clean))
      end
    else
      pieces[#pieces + 1] = piece == "" and "" or self:word(piece, depth + 1)
    end
  end
  return table.concat(pieces, "&")
end

--- A URL, redacted; user and password are left out.
---@param text string
---@param depth integer
---@return string
function Redactor:url(text, depth)
  local scheme, authority, path, query = text:match "^(%a[%w+.%-]*)://([^/?#]*)([^?#]*)%??([^#]*)"
  local parts = {}
  for part in path:gmatch "[^/]+" do parts[#parts + 1] = self:word(part, depth + 1) end
  local slash = path:sub(1, 1) == "/" and "/" or ""
  return ("%s://%s%s%s%s"):format(scheme, self:host(authority:gsub("^.*@", "")), slash,
    table.concat(parts, "/"), query ~= "" and "?" .. self:query(query, depth) or "")
end

-- The pseudonym of a quoted text, which is taken for a name; nil if it may stay or is no name.
function Redactor:quoted(text)
  if text == "" or #text > LONGEST_QUOTE or text:find "[=%%&\n]" or text:find("://", 1, true) then
    return nil
  end
  local known = self.pseudonyms:known(text)
  if fields.is_word(text) or self.pseudonyms.taken[text] then return nil end
  if known then return known end
  local speaks = shapes.is_harmless(text) or self:is_place(text) or text:find "^acs:"
    or shapes.kind_of(text)
  return not speaks and self.pseudonyms:of("text", text) or nil
end

-- A word with parts, name:value or one/two, redacted; nil if it is no such word.
local function compound(self, word, depth)
  local name, value = word:match "^(%a[%w%-_]*):(.+)$"
  if name and not name:find "^%x%x?%x?%x?$" then
    local canonical = fields.canonical(name)
    if fields.is_dropped(canonical) then return name .. ":" end
    local listed = fields.KIND[canonical] or fields.KEPT[canonical]
    return self:key(name) .. ":" .. (listed and self:string(canonical, value)
      or self:word(value, depth + 1))
  end
  if word:find("/", 1, true) then
    return (word:gsub("[^/]+", function(part) return self:word(part, depth + 1) end))
  end
  return nil
end

local function structured(self, word, depth)
  if depth > DEPTH then return self.pseudonyms:of("text", word) end
  if word:find "^%a[%w+.%-]*://" then return self:url(word, depth) end
  if word:find "^acs:" then return self:arn(word) end
  if word:find "[&=]" then return self:query(word, depth) end
  if has_escapes(word) then
    local plain = search.percent_decode(word)
    local clean = self:inner_text(plain, depth + 1)
    return clean == plain and word or core.percent_encode(clean)
  end
  return nil
end

--- One word of a text without marks around it, redacted.
---@param word string
---@param depth integer
---@return string
function Redactor:bare_word(word, depth)
  local pseudonyms = self.pseudonyms
  local known = pseudonyms:known(word)
  if pseudonyms.taken[word] or fields.is_word(word) then return word end
  if known then return known end
  local special = structured(self, word, depth)
  if special then return special end
  if shapes.is_loopback(word) then return word end
  local kind = shapes.kind_of(word)
  if kind then return pseudonyms:of(kind, word) end
  if shapes.fits("uuid", word) then return self:request_id(word) end
  if shapes.is_harmless(word) or self:is_place(word) or shapes.is_written(word)
    or is_code(word) then
    return word
  end
  if is_host(word) or word:find "^[%w%.%-]+:%d+$" then return self:host(word) end
  return compound(self, word, depth) or pseudonyms:of("text", word)
end

--- One word with the marks around it, redacted.
---@param word string
---@param depth integer
---@return string
function Redactor:word(word, depth)
  if depth > DEPTH then return self.pseudonyms:of("text", word) end
  local before, bare, after = word:match "^([%.:!?*#$]*)(.-)([%.:!?*#$]*)$"
  if bare == "" then return word end
  -- "=" is no such mark, since base64 ends in it.
  return before .. self:bare_word(bare, depth) .. after
end

-- Pairs of quotes. An apostrophe inside a word is not one.
local QUOTES = { '()"([^"\n]*)"()', "()%f[%w']'([^'\n]*)'()", "()`([^`\n]*)`()" }
local PUNCTUATION = "\xe2\x80[\x80-\xbf]"

local function words_of(self, text, depth)
  return (text:gsub("[^%s\"'`<>%[%](){},;|\\]+", function(word)
    if not word:find(PUNCTUATION) then return self:word(word, depth) end
    local out, from = {}, 1
    while true do
      local at, last = word:find(PUNCTUATION, from)
      local piece = word:sub(from, (at or #word + 1) - 1)
      out[#out + 1] = piece ~= "" and self:word(piece, depth) or ""
      if not at then break end
      out[#out + 1], from = word:sub(at, last), last + 1
    end
    return table.concat(out)
  end))
end

-- Resource names and URLs are parsed as a whole, before known originals in them are replaced.
local function whole_names(self, text, depth)
  if depth > DEPTH then return text end
  text = text:gsub("%f[%w]acs:[%w%-%*]*:[%w%-%*]*:[%d%*]*:[%w%-_%./%*:]*[%w%*]", function(name)
    return self:arn(name)
  end)
  return (text:gsub("%f[%w]%a[%w+.%-]*://[^%s\"'`<>|\\,;%)%]}]+", function(url)
    return self:url(url, depth)
  end))
end

local function without_known(self, text, depth)
  for _, pattern in ipairs(QUOTES) do
    text = text:gsub(pattern, function(at, inner, after)
      local clean = not text:find("^%w", after) and self:quoted(inner)
      local quote = text:sub(at, at)
      return clean and quote .. clean .. quote or nil
    end)
  end
  return words_of(self, text, depth)
end

local ENTITY = { ["&amp;"] = "&", ["&lt;"] = "<", ["&gt;"] = ">", ["&quot;"] = '"',
  ["&apos;"] = "'" }
local ESCAPE = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function element(self, name, value)
  local canonical = fields.canonical(name)
  if fields.is_dropped(canonical) then return "" end
  local clean = self:string(canonical, (value:gsub("&%a+;", ENTITY)))
  return ("<%s>%s</%s>"):format(self:key(name), clean:gsub("[&<>\"]", ESCAPE), self:key(name))
end

--- Text inside a text, redacted.
---@param text string
---@param depth integer
---@return string
function Redactor:inner_text(text, depth)
  return self.pseudonyms:replace(whole_names(self, text, depth), true, function(piece)
    return without_known(self, piece, depth)
  end)
end

--- Free text, redacted.
---@param text string
---@return string
function Redactor:text(text)
  text = text:gsub("<(%a[%w]*)>([^<]*)</%1>", function(name, value)
    return element(self, name, value)
  end)
  -- At last originals that are part of a longer word.
  return self.pseudonyms:replace(self:inner_text(text, 1), false)
end

return M
