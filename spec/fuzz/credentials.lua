-- Files with keys: the first line is "json" or "ini", the rest the document. Nothing is raised, no
-- key becomes text, and no complaint repeats one.

local core = require "alicloud.core"
local support = require "spec.fuzz.support"

local check, same = support.check, support.same

local CANARY = "canary-secret-7f3a"
local KEYS = { "access_key_secret", "AccessKeySecret", "sts_token", "key" }
local secret = {}
for _, name in ipairs(KEYS) do secret[name] = true end

local function look(value, text)
  for name, inner in pairs(value) do
    if type(inner) == "table" then
      look(inner, text)
    else
      check(not secret[name] or type(inner) ~= "string", "a key as text", text, name)
    end
  end
end

return function(input)
  local format, document = input:match "^(%l+)\n(.*)$"
  if format ~= "json" and format ~= "ini" then return end
  local value, message = core.unseal(document, format, KEYS)
  check(type(value) == "table" or type(message) == "string", "neither", document)
  if value then look(value, document) end
  if message then check(not message:find(CANARY, 1, true), "a key is quoted", document, message) end
  local fits, held = pcall(core.secret, document)
  if fits then
    local again = core.unseal(held, format, KEYS)
    check((again ~= nil) == (value ~= nil), "as a Secret", document)
  end

  -- Without names it is a document like any other.
  local plain = core.unseal(document, format, {})
  check(plain or not value, "names make it a better document", document)
  if format == "json" then
    local decoded = core.decode(document)
    check((plain ~= nil) == (type(decoded) == "table" and not core.is_array(decoded)),
      "two readers disagree", document)
    check(not plain or same(plain, decoded), "two readers read otherwise", document)
  end
end
