--- What providers have in common: their failures, the reading of environment and files, and the
--- parsing of answers with keys.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local moment = require "alicloud.base.moment"
local runtimes = require "alicloud.base.runtime"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

-- Names of the members that hold keys, in answers and in files.
M.SECRETS = { "AccessKeySecret", "SecurityToken", "access_key_secret", "sts_token",
  "security_token", "access_token", "oauth_access_token", "oauth_refresh_token", "private_key",
  "bearer_token" }

---@class alicloud.credentials.Failure
---@field code? string Client.CredentialsProvider unless given
---@field absent? boolean this source is not set up; without it: it is set up and does not work
---@field ends_chain? boolean this source was meant: a chain must not ask the ones behind it
---@field hint? string
---@field cause? alicloud.Error

--- A failure of a provider. Nothing of the caller's own request has been sent.
---@param message string must not hold a secret
---@param more? alicloud.credentials.Failure
---@return nil
---@return alicloud.Error
function M.fail(message, more)
  local fields = {
    kind = "credentials", code = "Client.CredentialsProvider", message = message,
    outcome = "not_sent",
  }
  for name, value in pairs(more or {}) do fields[name] = value end
  return nil, errors.new(fields)
end

--- A failure because a source is not set up.
---@param message string
---@param hint? string
---@return nil
---@return alicloud.Error
function M.absent(message, hint)
  return M.fail(message, { code = "Client.MissingCredentials", absent = true, hint = hint })
end

--- Checks the options of a provider that a file configures. The rules are those of options given in
--- Lua, but a mistake is the file's and not the caller's: it is returned, not raised.
---@param what string the part of the file, begins the message
---@param module { OPTIONS: table<string, alicloud.schema.Rule> } the provider's
---@param given table
---@return table|nil checked
---@return alicloud.Error? err
function M.check_options(what, module, given)
  local checked, message = schema.examine(what, given, module.OPTIONS)
  if not checked then return M.fail(message) end
  return checked
end

--- Opens a provider that a file configures.
---@param what string as for `check_options`
---@param module { OPTIONS: table<string, alicloud.schema.Rule>, new: function } the provider's
---@param context alicloud.credentials.Context
---@param given table
---@return alicloud.credentials.Provider|nil
---@return alicloud.Error? err
function M.open(what, module, context, given)
  local checked, err = M.check_options(what, module, given)
  if not checked then return nil, err end
  return module.new(context, checked)
end

--- A variable of the environment; an empty one counts as not set.
---@param runtime alicloud.Runtime
---@param name string
---@return string|nil
function M.variable(runtime, name)
  local value = runtime.getenv(name)
  return value ~= "" and value or nil
end

-- The filter has octal numbers, because a shell at a terminal expands "!".
local function flawed(name, flaw, filter)
  return M.fail(("%s %s"):format(name, flaw), { ends_chain = true,
    hint = ("set it anew without that: export %s=\"$(printf %%s \"$%s\" | LC_ALL=C tr %s)\"")
      :format(name, name, filter) })
end

--- The fault of a variable for an id, a key or a token, if it holds characters that none of these
--- has, e.g. the line end of the file that it was set from. It ends a chain: this source was meant.
---@param runtime alicloud.Runtime
---@param name string
---@return nil
---@return alicloud.Error? err
function M.variable_fault(runtime, name)
  local flaw
  if runtimes.has_real_environment(runtime) then
    flaw = core.environment_flaw(name)
  else
    flaw = core.word_flaw(runtime.getenv(name) or "")
  end
  if flaw then return flawed(name, flaw, "-cd '\\041\\043-\\046\\050-\\176'") end
end

--- Reads a variable that gives an id.
---@param runtime alicloud.Runtime
---@param name string
---@param given? string takes precedence over the variable
---@return string|nil
---@return alicloud.Error? err
function M.word(runtime, name, given)
  if given then return given end
  local _, err = M.variable_fault(runtime, name)
  if err then return nil, err end
  return M.variable(runtime, name)
end

--- Reads a variable that gives a path or the name of a profile: there may be blanks in it.
---@param runtime alicloud.Runtime
---@param name string
---@param given? string takes precedence over the variable
---@return string|nil
---@return alicloud.Error? err
function M.line(runtime, name, given)
  if given then return given end
  local value = M.variable(runtime, name)
  local flaw = value and core.word_flaw((value:gsub("[ \x80-\xff]", "x")))
  if flaw then return flawed(name, flaw, "-d '\\000-\\037\\042\\047\\177'") end
  return value
end

-- Words that leave a switch off.
local OFF = tables.set { "", "false", "0", "no", "off" }

--- Whether a switch of the environment is on, by the vendor's rule: "true" in upper or lower case.
--- Blanks around it are ignored. Words that mean neither on nor off have no effect but a warning.
---@param context alicloud.credentials.Context
---@param name string
---@return boolean
function M.switched(context, name)
  local word = (context.runtime.getenv(name) or ""):lower():match "^%s*(.-)%s*$"
  if word ~= "true" and not OFF[word] then
    context.warn(("%s: got %s, which has no effect; allowed: true"):format(name,
      schema.show(word)))
  end
  return word == "true"
end

--- A path below the home directory.
---@param runtime alicloud.Runtime
---@param path string
---@return string|nil
function M.home(runtime, path)
  local home = M.variable(runtime, "HOME")
  return home and home .. "/" .. path
end

local SHARED, OTHERS = tonumber("044", 8), tonumber("004", 8)

-- Whether others can read a file and its user should be warned. Not if it belongs to another user,
-- if it was given to another group on purpose, or in a volume of Kubernetes (which changes the link
-- ..data): there the mode is the volume's.
local function is_careless(path, mode)
  if mode & SHARED == 0 then return false end
  local real = core.real_path(path)
  local about = real and core.look(real)
  if not about or not about.own or real:find("/..", 1, true) then return false end
  return mode & OTHERS ~= 0 or about.gid == core.user().gid
end

--- Reads a file with keys in it. If the runtime reads real files, the text never becomes a Lua
--- string, and a file of the user's own that others may read is warned of.
---@param context alicloud.credentials.Context
---@param path string
---@param format "json"|"ini"
---@return table|nil document
---@return string? message quotes nothing of the file
---@return boolean? missing whether there is no such file
function M.read_document(context, path, format)
  local runtime = context.runtime
  local text, detail
  if runtimes.has_real_files(runtime) then
    text, detail = core.secret_from_file(path)
    if text and is_careless(path, detail) then
      context.warn(("%s holds secrets and can be read by other users (mode %03o); chmod 600 it")
        :format(path, detail))
    end
  else
    text = runtime.read_file(path)
    detail = "no such file"
  end
  if not text then return nil, path .. ": " .. detail, detail == "no such file" end
  local document, message = core.unseal(text, format, M.SECRETS)
  if not document then return nil, path .. ": " .. message end
  return document
end

--- Parses an answer with keys in it, which become secrets of the core; nil: it is not JSON.
---@param body string
---@return table|nil
function M.read_answer(body)
  return (core.unseal(body, "json", M.SECRETS))
end

--- Makes a function that puts a provider's name before that of the provider it asks, as the
--- vendor's SDKs do. It returns a copy; the same keys give the same copy.
---@param name string
---@return fun(keys: alicloud.Credentials): alicloud.Credentials
function M.renamer(name)
  local seen, shown
  return function(keys)
    if keys ~= seen then
      seen, shown = keys, {}
      for field, value in pairs(keys) do shown[field] = value end
      shown.provider = name .. "/" .. tostring(keys.provider)
    end
    return shown
  end
end

--- The keys of a profile or a section, with a session token: each value is used or refused.
---@param entry table
---@return { access_key_id: string, access_key_secret: alicloud.Secret, security_token?: any }|nil
---@return alicloud.Error? err `absent` where there are none at all
function M.keys_of(entry)
  local token = entry.sts_token ~= nil and "sts_token" or "security_token"
  local found, missing = {}, {}
  for i, name in ipairs { "access_key_id", "access_key_secret", token } do
    local value = entry[name] ~= "" and entry[name] or nil
    local right = type(value) == (i == 1 and "string" or "userdata")
    if value ~= nil and not right then return M.fail(name .. " is no text") end
    local flaw = right and core.word_flaw(value)
    if flaw then return M.fail(("%s %s"):format(name, flaw)) end
    found[i] = value
    if i < 3 and not right then missing[#missing + 1] = name end
  end
  if #missing == 2 and not found[3] then return M.absent "it has no keys" end
  if #missing > 0 then
    local verb = #missing > 1 and "are" or "is"
    return M.fail(("%s %s missing"):format(table.concat(missing, " and "), verb))
  end
  return { access_key_id = found[1], access_key_secret = found[2], security_token = found[3] }
end

--- A time as issuers write it, in unix seconds.
---@param value any as RFC 3339 writes it, or seconds
---@return number|nil
function M.seconds_of(value)
  local at = moment.parse(value)
  return at
end

--- What messages say of times.
M.TIMES = 'allowed: unix seconds, or one such as "2026-11-22T03:12:40Z" or '
  .. '"2026-11-22T11:12:40+08:00"'

---@class alicloud.credentials.Session: alicloud.Credentials
---@field expiration? number unix seconds by the issuer's clock
---@field issued_at? number unix seconds, the Date header of the issuer's answer, if it has one

local MEMBERS = { { "AccessKeyId", "access_key_id" }, { "AccessKeySecret", "access_key_secret" },
  { "SecurityToken", "security_token" } }

--- Makes a session of an issuer's answer, or says what is missing from it.
---@param answer table
---@param provider string
---@param issued_at? number unix seconds of the answer's Date header
---@return alicloud.credentials.Session|nil
---@return string? message
function M.session(answer, provider, issued_at)
  local session = { expiration = M.seconds_of(answer.Expiration), issued_at = issued_at,
    provider = provider }
  for i, member in ipairs(MEMBERS) do
    local name, value = member[1], answer[member[1]]
    local is_text = type(value) == "string" and value ~= ""
    if not is_text and (i == 1 or type(value) ~= "userdata") then
      return nil, "the answer has no usable " .. name
    end
    local flaw = core.word_flaw(value)
    if flaw then return nil, ("the answer's %s %s"):format(name, flaw) end
    session[member[2]] = i > 1 and is_text and core.secret(value) or value
  end
  if answer.Expiration ~= nil and not session.expiration then
    return nil, "the answer's Expiration is no time: " .. M.TIMES
  end
  return session
end

return M
