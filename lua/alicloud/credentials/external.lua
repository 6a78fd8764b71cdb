--- Credentials from a program that is configured: it is run without a shell and with a time limit;
--- its output is limited, too, and never becomes a Lua string.

local cached = require "alicloud.credentials.cached"
local core = require "alicloud.core"
local programs = require "alicloud.base.program"
local schema = require "alicloud.base.schema"
local support = require "alicloud.credentials.support"

local M = {}

M.DISABLED = "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS"

local NAME = "external"
local TIMEOUT = 60
local MAX_OUTPUT = 64 * 1024

---@class alicloud.credentials.ExternalOptions
---@field command string|string[] words as a shell would split them, or the arguments themselves
---@field timeout? number seconds (60)

local ESCAPED = { ['"'] = true, ["\\"] = true, ["$"] = true, ["`"] = true, ["\n"] = true }

-- Reads a word that begins at a place; quotes and backslashes as in POSIX, nothing is expanded.
local function read_word(text, at)
  local parts, quote = {}, nil
  while at <= #text do
    local c = text:sub(at, at)
    local follower = text:sub(at + 1, at + 1)
    if quote and c == quote then
      quote = nil
    elseif c == "\\" and (not quote or quote == '"' and ESCAPED[follower]) then
      if follower == "" then return nil, "it ends in a backslash" end
      parts[#parts + 1] = follower ~= "\n" and follower or ""
      at = at + 1
    elseif not quote and (c == "'" or c == '"') then
      quote = c
    elseif not quote and c:find("%s") then
      break
    else
      parts[#parts + 1] = c
    end
    at = at + 1
  end
  if quote then return nil, "a quote is not closed" end
  return table.concat(parts), at
end

--- Splits a command line into words.
---@param text string
---@return string[]|nil
---@return string? reason does not repeat the command, which may hold a secret
function M.split(text)
  local words, at = {}, text:find("%S")
  while at do
    local word, after = read_word(text, at)
    if not word then return nil, after end
    words[#words + 1] = word
    at = text:find("%S", after)
  end
  if #words == 0 or words[1] == "" then return nil, "it is empty" end
  return words
end

local function is_command(value)
  if type(value) == "string" then return M.split(value) ~= nil end
  if type(value) ~= "table" or #value == 0 or #value > 64 then return false end
  for _, word in ipairs(value) do
    if type(word) ~= "string" or word:find("\0", 1, true) then return false end
  end
  return value[1] ~= ""
end

M.OPTIONS = {
  command = {
    allowed = "a command line with closed quotes, or a list of 1 to 64 words", secret = true,
    test = is_command,
  },
  timeout = schema.seconds(0.001, 3600),
}

-- The program gets the whole environment, as from the vendor's tool: its keys may come from there.
local function run(context, argv, timeout)
  local said = context.runtime.said
  local ended, fault = programs.run(context.loop, argv, { max = MAX_OUTPUT, timeout = timeout,
    leashed = true, say = said and function(line) said("credentials", line) end })
  if not ended then return support.fail("the program: " .. fault) end
  if ended.late then
    return support.fail(("the program did not end within %g s and was killed"):format(timeout))
  end
  if not ended.output then
    return support.fail(("the program wrote more than %d bytes"):format(MAX_OUTPUT))
  end
  if ended.signal then
    return support.fail(("the program was ended by signal %d"):format(ended.signal))
  end
  if ended.code and ended.code ~= 0 then
    return support.fail(("the program ended with exit code %d"):format(ended.code))
  end
  return ended.output
end

-- The modes whose keys are used as they are. Keys of another mode are meant for getting others with
-- them; used as they are they would be another identity.
local AS_THEY_ARE = { AK = true, StsToken = true }

local function session_of(object)
  if object.mode ~= nil and not AS_THEY_ARE[object.mode] then
    return nil, "its mode is neither AK nor StsToken"
  end
  local session, err = support.keys_of(object)
  if not session then return nil, err.message end
  session.provider = NAME
  if object.mode == "StsToken" and not session.security_token then
    return nil, "sts_token is missing"
  end
  local expiration = object.expiration
  if expiration == nil or expiration == "" then return session end
  session.expiration = support.seconds_of(expiration)
  if not session.expiration then return nil, "expiration is no time: " .. support.TIMES end
  return session
end

local function fetch(context, given)
  if support.switched(context, M.DISABLED) then
    return support.fail("programs are switched off by " .. M.DISABLED)
  end
  local argv, reason = given.command, nil
  if type(argv) == "string" then argv, reason = M.split(argv) end
  if not argv then return support.fail("the program's command line: " .. reason) end
  local output, err = run(context, argv, given.timeout or TIMEOUT)
  if not output then return nil, err end
  local object, message = core.unseal(output, "json", support.SECRETS)
  if not object then return support.fail("the program's output: " .. message) end
  local session
  session, message = session_of(object)
  if not session then return support.fail("the program's output: " .. message) end
  return session
end

---@param context alicloud.credentials.Context
---@param given alicloud.credentials.ExternalOptions
---@return alicloud.credentials.Provider
function M.new(context, given)
  return cached.new({ name = NAME, fetch = function() return fetch(context, given) end }, context)
end

return M
