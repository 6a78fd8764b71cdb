--- Reads and makes files of keys: a person's private key, which nobody else may read, and the
--- public keys of those who may approve.

local core = require "alicloud.core"
local decisions = require "alicloud.dr.playbook.decision"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local terminal = require "alicloud.cli.terminal"
local trusted_files = require "alicloud.base.trusted_file"

---@module "alicloud.dr.playbook.gate"
local gates = lazy.module "alicloud.dr.playbook.gate"

local M = {}

local MAKE = "a key is made by alicloud-dr approve --new-key FILE --as NAME"

local FOREIGN_BITS = tonumber("077", 8)

--- Makes a private key and writes it to a new file.
---@param path string nothing may be there
---@return string|nil public 64 hexadecimal digits
---@return string? message
function M.make(path)
  local seed = core.random_hex(32)
  local file <close>, message = core.open_file(path, "create")
  local ok = file ~= nil
  if ok then ok, message = file:append(seed .. "\n") end
  if ok then ok, message = file:sync() end
  if not ok then return nil, message end
  return core.ed25519_public(seed)
end

--- Reads a private key; refuses a file that holds none or that others may read.
---@param field string for messages
---@param path string|nil
---@return alicloud.Secret
function M.private(field, path)
  if not path then
    options.refuse(("%s: is missing; %s"):format(field, MAKE))
  end
  local shown = terminal.clean(path)
  local file <close>, message = core.open_file(path, "read")
  if not file then options.refuse(("%s: %s; %s"):format(field, terminal.clean(message), MAKE)) end
  local about = file:stat()
  if not about.own or about.mode & FOREIGN_BITS ~= 0 then
    options.refuse(("%s: %s may be read by others; chmod 600 it"):format(field, shown))
  end
  local seed = (file:read(0, 200) or ""):match("^%s*(%x+)%s*$")
  if not seed or #seed ~= 64 then
    options.refuse(("%s: %s is no key; %s"):format(field, shown, MAKE))
  end
  return core.secret(seed)
end

--- The person and the key that sign when an attempt of a run ends; nil without --sign.
---@param path string|nil of --sign
---@param person string|nil
---@return { by: string, key: alicloud.Secret }|nil
function M.signer(path, person)
  if not path then return nil end
  if not person then options.refuse "--sign: needs --as NAME or $USER: who signs" end
  return { by = person, key = M.private("--sign", path) }
end

local function parse(field, path, text)
  local keys, number = {}, 0
  -- Without this, an editor's byte order mark would become part of the first name.
  for line in text:gsub("^\xEF\xBB\xBF", ""):gmatch("([^\n]*)\n?") do
    number = number + 1
    local name, key = line:match("^%s*(%S+)%s+(%S+)%s*$")
    local ignored = line:find("^%s*#") or not line:find("%S")
    if not ignored and not (name and gates.KEY.test(key)) then
      -- The line is not shown: in the wrong file it may be a private key.
      options.refuse(("%s: %s: line %d: allowed: NAME and a key of %s"):format(field,
        terminal.clean(path), number, gates.KEY.allowed))
    end
    if not ignored and keys[name] and keys[name]:lower() ~= key:lower() then
      options.refuse(("%s: %s: line %d: %s has another key in a line above; a name has one key, so "
        .. "take one of the lines out"):format(field, terminal.clean(path), number,
        terminal.clean(name)))
    end
    if not ignored then keys[name] = key end
  end
  return keys
end

--- Reads public keys: lines of NAME KEY.
---@param field string for messages
---@param path string
---@param read_file fun(path: string): string|nil, string?
---@return table<string, string> keys by name
function M.public(field, path, read_file)
  local text, message = read_file(path)
  if not text then
    options.refuse(("%s: %s; every machine that goes on with a run needs a copy of this file")
      :format(field, terminal.clean(message)))
  end
  return parse(field, path, text)
end

--- Where a file's keys come from, in words for the journal: its path and owner.
---@param path string
---@return string
function M.origin(path)
  local file <close> = core.open_file(path, "read")
  local about = file and file:stat()
  local owner = about and trusted_files.name(about.uid)
  return ("file %s, of %s"):format(core.real_path(path) or path, owner or "nobody: it is gone")
end

--- Prints whose keys count at a gate, so that the person sees a name that should not be there.
---@param io alicloud.cli.Io
---@param event table gate_open
function M.tell(io, event)
  for _, each in ipairs(event.decision.approvers) do
    local from = each.from == "requester" and event.keys_from or "playbook"
    io.out(("      %s, key %s, %s\n"):format(terminal.clean(each.name), M.show(each.key),
      terminal.clean(from)))
  end
end

--- The first digits of a public key, as it is shown.
---@param key string
---@return string
function M.show(key)
  return key:sub(1, decisions.KEY_DIGITS):lower() .. "…"
end

return M
