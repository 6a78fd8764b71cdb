--- The one error class of the library, with data inside and one readable line as its text; and safe
--- text of any value that other code has raised or returned.

local guard = require "alicloud.base.guard"

local M = {}

---@alias alicloud.Outcome
---| "not_sent" # no byte of the request can have reached the service
---| "rejected" # the service answered that it did not do it
---| "unknown"  # it may have been done: look before sending again
---| "accepted" # of a failover: the service took the call and then reported its own failure

---@alias alicloud.ErrorKind
---| "api" | "http" | "network" | "tls" | "timeout" | "decode" | "limit" | "credentials"
---| "throttled" | "cancelled"
---| "journal" # an entry that must outlast a crash could not be written
---| "precheck" | "state" # of the layers above the client

---@class alicloud.Error
---@field kind alicloud.ErrorKind
---@field code string the service's code verbatim (`Throttling.User`); ours are `Client.*`
---@field message string the service's words, with session tokens masked and access key ids cut to
---their end
---@field outcome? alicloud.Outcome
---@field retryable boolean whether the same request may succeed later
---@field hint? string what to do about it
---@field late? number of a timeout that could not be held: seconds by which it was overrun
---@field product? string
---@field action? string
---@field version? string
---@field region? string
---@field endpoint? string host[:port] that was asked
---@field status? integer HTTP status
---@field request_id? string
---@field request_ids? string[] of every attempt, in order
---@field host_id? string
---@field recommend? string address of the vendor's diagnosis page
---@field access_denied_detail? table what RAM says about a missing permission
---@field attempts? integer
---@field elapsed? number seconds over all attempts
---@field client_token? string repeat with the same one, and never with other parameters
---@field retry_after? number seconds, the delay that the service or a limit asks for
---@field stopped? string why there was no further attempt, see alicloud.call.retry; "patience": the
---outage has lasted longer than the client may wait
---@field verdict? string for a signature refusal: whose fault it is
---@field detail? string technical cause, e.g. the words of the TLS library
---@field cause? alicloud.Error the error of the attempt before
---@field last? table last response of a wait that did not end well
local Error = {}

--- Codes of refusals because the token was used before with other parameters. They do not say what
--- the earlier request has done.
---@type table<string, boolean>
M.TOKEN_REUSED = {
  ["IdempotentParameterMismatch"] = true, ["InvalidIdempotenceParameter.Mismatch"] = true,
}

local MAX_LINE = 2000
local MAX_WORDS = 65536

local function escape_bytes(bytes)
  return (bytes:gsub(".", function(c) return ("\\x%02x"):format(c:byte()) end))
end

-- First and last code points of characters that control a terminal or are not visible: C1 controls,
-- soft hyphen, joiners and fillers without a width, direction marks and overrides, line separators,
-- variation selectors, tag characters, noncharacters. Combining accents and scripts are visible.
local UNSEEN = {
  0x80, 0x9f, 0xad, 0xad, 0x34f, 0x34f, 0x61c, 0x61c, 0x115f, 0x1160, 0x17b4, 0x17b5,
  0x180b, 0x180f, 0x200b, 0x200f, 0x2028, 0x202e, 0x2060, 0x206f, 0x2800, 0x2800,
  0x3164, 0x3164, 0xfdd0, 0xfdef, 0xfe00, 0xfe0f, 0xfeff, 0xfeff, 0xffa0, 0xffa0,
  0xfff0, 0xfffb, 0xfffe, 0xffff, 0x1bca0, 0x1bca3, 0x1d173, 0x1d17a, 0xe0000, 0xe0fff,
}

-- Bytes with which these begin: most text has none of them, and is returned after one search.
local MAY_BE_UNSEEN = "[\xc2\xcd\xd8\xe1\xe2\xe3\xef\xf0\xf3]"

--- Whether a character above ASCII controls a terminal or is not visible.
---@param code integer code point
---@return boolean
function M.is_unseen(code)
  for i = 1, #UNSEEN, 2 do
    if code <= UNSEEN[i + 1] then return code >= UNSEEN[i] end
  end
  return false
end

local function show_unseen(character)
  return M.is_unseen(utf8.codepoint(character)) and escape_bytes(character) or nil
end

--- Makes text from outside safe for a terminal, a document and one line: characters that control a
--- terminal or are not visible become visible escapes, and so do line ends.
---@param text string
---@return string
function M.clean(text)
  if not utf8.len(text) then text = text:gsub("[\x80-\xff]", escape_bytes) end
  text = text:gsub("\r?\n", "\\n"):gsub("[%z\1-\31\127]", escape_bytes)
  if not text:find(MAY_BE_UNSEEN) then return text end
  return (text:gsub("[\xc2-\xf4][\x80-\xbf]+", show_unseen))
end

-- In the string to sign of HMAC-SHA1 a value is percent-encoded twice, so only an encoded ampersand
-- ends it.
local function mask_encoded_token(text)
  return (text:gsub("(SecurityToken%%2?5?3[Dd])(%S+)", function(name, rest)
    local after = rest:find(name:find "%%253" and "%2526" or "%26", 1, true)
    return name .. "***" .. (after and mask_encoded_token(rest:sub(after)) or "")
  end))
end

-- The end of a key id, as `alicloud-dr whoami` shows it: it tells whether two texts mean one key.
local function tail(id)
  return #id > 4 and "…" .. id:sub(-4) or "…"
end

-- Key ids are found by what stands before them, percent-encoded up to twice, or by their form.
local KEY_ID = "([%w%._%-]+)"
local BEFORE_KEY_ID = {
  "([aA]ccess_?[kK]ey_?[iI]d=)", "([aA]ccess_?[kK]ey_?[iI]d%%3[Dd])",
  "([aA]ccess_?[kK]ey_?[iI]d%%253[Dd])", '([aA]ccess_?[kK]ey_?[iI]d"%s*:%s*")',
  "([cC]redential=)", "([cC]redential%%3[Dd])", "([aA]ccess[kK]ey%-?[iI]d:%s*)",
}
local SHORTEST_KEY_ID = 12

local function mask_key_ids(text)
  if text:find "[kK]ey_?%-?[iI]d" or text:find "[cC]redential" then
    for _, before in ipairs(BEFORE_KEY_ID) do
      text = text:gsub(before .. KEY_ID, function(name, id) return name .. tail(id) end)
    end
  end
  for _, shape in ipairs { "LTAI%w+", "STS%.%w+" } do
    if text:find(shape) then
      text = text:gsub("%f[%w]" .. shape, function(id)
        return #id >= SHORTEST_KEY_ID and tail(id) or nil
      end)
    end
  end
  return text
end

--- Hides the session token and the access key id of a signed request that a text shows. The service
--- repeats our string to sign when a signature does not match, and both are part of that string; a
--- session that came in an unusable answer is in the excerpt of that answer.
---@param text string
---@return string
function M.mask(text)
  return (mask_encoded_token(mask_key_ids(text))
    :gsub("(SecurityToken=)[^&%s]+", "%1***")
    :gsub('("AccessKeySecret"%s*:%s*")[^"]*', "%1***")
    :gsub('("SecurityToken"%s*:%s*")[^"]*', "%1***")
    :gsub("([xX]%-[aA]cs%-[sS]ecurity%-[tT]oken:%s*)[^\r\n]+", "%1***"))
end

local function glob(pattern)
  return "^" .. pattern:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*") .. "$"
end

--- Whether code or kind matches one of the patterns; `*` stands for any text.
---@param ... string e.g. "Throttling*", "network"
---@return boolean
function Error:is(...)
  for i = 1, select("#", ...) do
    local pattern = select(i, ...)
    if type(pattern) ~= "string" then
      error("alicloud.Error:is: got a " .. type(pattern) .. "; allowed: code or kind patterns", 2)
    end
    local lua_pattern = glob(pattern)
    if self.code:find(lua_pattern) or self.kind:find(lua_pattern) then return true end
  end
  return false
end

-- Cuts a text, but not in the middle of a character.
local function cut(text, most)
  if #text <= most then return text end
  local last = most
  while last > most - 3 and text:find("^[\x80-\xbf]", last + 1) do last = last - 1 end
  return text:sub(1, last) .. "…"
end

-- The text of a value; in place of a mere address, its `message` or its type.
local function own_words(value)
  local ok, text = guard.call(tostring, value)
  if ok and not text:find("^[^\n]* %(?0x%x+%)?$") then return text end
  local message = type(value) == "table" and rawget(value, "message")
  if type(message) == "string" then return message end
  return ("a %s%s"):format(type(value), ok and "" or " that cannot be shown")
end

local HAVE_WORDS = { table = true, userdata = true }
local NAMELESS = { ["function"] = true, thread = true }

--- The text of any value: text as it is, what its `__tostring` says, or the `message` of a table.
--- If `__tostring` raises or gives something else than text, it says that the value cannot be
--- shown. Only an interrupt and a cancellation go through.
---@param value any
---@return string at most 64 KiB
function M.words_of(value)
  local kind = type(value)
  if HAVE_WORDS[kind] then value = own_words(value) end
  if NAMELESS[kind] then return "a " .. kind end
  return cut(tostring(value), MAX_WORDS)
end

--- The same on one line that is safe for a terminal and a document.
---@param value any
---@param most? integer bytes of it that are shown (2000)
---@return string
function M.text_of(value, most)
  return M.clean(cut(M.words_of(value), most or MAX_LINE))
end

-- Code that gets an error may have put anything into its fields.
local function piece(value)
  return type(value) == "string" and cut(value, MAX_LINE) or M.text_of(value)
end

local function subject(err)
  if not err.action then return "" end
  return (err.product and piece(err.product) .. ":" or "") .. piece(err.action) .. " "
end

local function facts(err)
  local list = {}
  for _, name in ipairs { "request_id", "outcome", "attempts" } do
    if err[name] ~= nil then list[#list + 1] = name .. "=" .. piece(err[name]) end
  end
  return #list > 0 and " [" .. table.concat(list, " ") .. "]" or ""
end

local function to_line(err)
  local status = err.status and (" (%s)"):format(piece(err.status)) or ""
  local hint = err.hint and " hint: " .. piece(err.hint) or ""
  return M.clean(subject(err) .. piece(err.code) .. status .. ": " .. piece(err.message)
    .. facts(err) .. hint)
end

local metatable = {
  __name = "alicloud.Error",
  __index = Error,
  __tostring = to_line,
  __concat = function(left, right) return tostring(left) .. tostring(right) end,
  __metatable = "alicloud.Error",
}

local errors = setmetatable({}, { __mode = "k" })

local function text_or(value, default)
  if value == nil then return default end
  return type(value) == "string" and value or M.words_of(value)
end

--- Makes an error object. Fields are copied; `kind`, `code` and `message` are always strings
--- afterwards, and `hint` and `detail` if they are there: code that reads them need not check.
---@param fields table see alicloud.Error
---@return alicloud.Error
function M.new(fields)
  local err = {}
  for name, value in pairs(fields) do err[name] = value end
  err.kind = text_or(err.kind, "api")
  err.code = text_or(err.code, "Client.Error")
  err.message = M.mask(text_or(err.message or err.detail or nil, "no message"))
  if err.detail ~= nil then err.detail = M.mask(text_or(err.detail)) end
  if err.hint ~= nil then err.hint = text_or(err.hint) end
  err.retryable = err.retryable == true
  errors[err] = true
  return setmetatable(err, metatable)
end

--- Whether a value is an error object of this library.
---@param value any
---@return boolean
function M.is_error(value)
  return type(value) == "table" and errors[value] == true
end

return M
