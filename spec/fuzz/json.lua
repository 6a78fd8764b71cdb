-- Strict JSON and values. What the reader takes is a fixed point of decode and encode, cJSON reads
-- it alike, and unseal() agrees about it.

local core = require "alicloud.core"
local support = require "spec.fuzz.support"

local check, same = support.check, support.same

-- cJSON has doubles only and writes 15 digits of them; whole numbers of more than 64 bits are text
-- with us.
local function nearly(a, b)
  if type(b) == "number" and type(a) == "string" then a = tonumber(a) end
  if type(a) ~= "number" or type(b) ~= "number" then return a == b end
  return math.abs(a - b) <= math.abs(b) * 1e-14
end

return function(text)
  local value, message = core.decode(text, { keep_null = true })
  if value == nil then
    check(message:find "^JSON: .+ at byte %d+$", "message", message)
  else
    local written = core.encode(value)
    local again = core.decode(written, { keep_null = true })
    check(same(value, again), "not a fixed point", text, written)
    check(core.encode(again) == written, "written otherwise", text, written)
    check(same(core.decode(text), core.decode(core.encode(core.decode(text)))), "nulls", text)
    local read = core.decode(cjson(written) or "", { keep_null = true })
    check(same(value, read, nearly), "cJSON reads something else", text, written)
    -- Of what is no text, cJSON is given the replacement only; it knows a mark before long ones.
    if utf8.len(text) and not text:find("\\u", 1, true) and not text:find "^\xef\xbb\xbf" then
      check(cjson(text), "cJSON cannot read it", text)
    end
  end
  -- Any bytes at all are a string that can be written, in UTF-8 then.
  local quoted = core.encode(text)
  local read = core.decode(quoted)
  check(utf8.len(quoted) and type(read) == "string", "a string that cannot be read", text, quoted)
  check(core.decode(core.encode(read)) == read, "a string changes", text, quoted)
end
