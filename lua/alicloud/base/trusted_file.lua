--- Whether a file is trusted to be executed, to name what is executed, or to decide what is done. A
--- program that acts with a user's rights obeys that user and the administrator, and nobody who can
--- merely write to the place where it looks.
---
--- Trusted is a regular file that belongs to the user or to root and that nobody else may write, in
--- a directory that, like every directory above it, belongs to one of them and is not writable by
--- others. In a sticky directory (/tmp) nobody can put another file in the place of one's own, so
--- there it is enough that what lies in it belongs to the user or to root.
---
--- A directory of a team is the exception: setgid, its group one of this process's, not writable by
--- others. Only members can put files there, and what they put there carries its group; members
--- are trusted like the user. Others may not write such a file either.
---
--- A group that has no member but the user, as many systems give each user one, is trusted, too.
---
--- Who may write is read from owner, group and mode. The group's bits of the mode show what an
--- access control list grants at most.

local core = require "alicloud.core"
local shell = require "alicloud.base.shell"

local M = {}

--- The code of a refusal, in the place of a code of the system.
M.UNTRUSTED = "EUNTRUSTED"

local SLICE = 16 * 1024 * 1024
local SETGID, STICKY = tonumber("2000", 8), tonumber("1000", 8)
local GROUP_WRITES, OTHERS_WRITE = tonumber("020", 8), tonumber("002", 8)

local function has(about, bits)
  return about.mode & bits ~= 0
end

local function is_known(uid, user)
  return uid == 0 or uid == user.uid
end

--- A user's name and number.
---@param uid integer
---@return string
function M.name(uid)
  local name = core.user_name(uid)
  return name and ("%s (uid %d)"):format(name, uid) or ("uid %d"):format(uid)
end

local function is_team(about, user)
  return has(about, SETGID) and not has(about, OTHERS_WRITE) and user.groups[about.gid] == true
end

local function fault(path, why, cure)
  return { path = path, why = why, cure = cure }
end

local function change_mode(bits, path)
  return ("chmod %s %s"):format(bits, shell.quote(path))
end

local function is_written(about)
  return has(about, OTHERS_WRITE)
    or has(about, GROUP_WRITES) and about.gid ~= core.private_group()
end

local function writers_fault(path, about)
  if not is_written(about) then return nil end
  local others = has(about, OTHERS_WRITE)
  return fault(path, ("may be written by %s (mode %o)"):format(others and "everybody"
    or "its group", about.mode), change_mode(not others and "g-w"
    or has(about, SETGID) and core.user().groups[about.gid] and "o-w" or "go-w", path))
end

-- The fault of a directory. `entry` is what lies in it on the path; the caller checks that itself.
local function directory_fault(path, about, entry, user)
  if is_team(about, user) then return nil end
  if not is_known(about.uid, user) then
    return fault(path, "belongs to " .. M.name(about.uid),
      "take a directory of your own, or of a group of yours (chmod 2770)")
  end
  local wrong = writers_fault(path, about)
  if not wrong then return nil end
  -- If everybody may write to a setgid directory, a stranger's directory in it gets the group, too.
  local tells_member = not (has(about, SETGID) and has(about, OTHERS_WRITE))
  local is_kept = has(about, STICKY) and (not entry or is_known(entry.uid, user)
    or tells_member and is_team(entry, user))
  return not is_kept and wrong or nil
end

local function parent_of(path)
  local parent = path:match "^(.*)/[^/]+$"
  return parent == "" and "/" or parent
end

---@class alicloud.TrustFault
---@field path string what is wrong: the file, or a directory above it
---@field why string
---@field cure string? a command, or what to do

---@class alicloud.Place
---@field team integer? the group, if it is a directory of a team
---@field fault alicloud.TrustFault? why strangers could change what lies there
---@field strangers alicloud.TrustFault? why they could put something there

--- Judges a directory and all above it.
---@param path string
---@return alicloud.Place|nil
---@return string? message
---@return string? code
function M.place(path)
  local real, message, code = core.real_path(path)
  if not real then return nil, message, code end
  local user, place, entry = core.user(), {}, nil
  local at = real
  while at do
    local about
    about, message, code = core.look(at)
    if not about then return nil, message, code end
    if at == real then
      place.team = is_team(about, user) and about.gid or nil
      place.strangers = not place.team and writers_fault(at, about) or nil
    end
    place.fault = place.fault or directory_fault(at, about, entry, user)
    at, entry = parent_of(at), about
  end
  return place
end

--- Judges an open file by itself.
---@param about alicloud.FileStat
---@param path string
---@param place alicloud.Place of its directory
---@return alicloud.TrustFault|nil
function M.file_fault(about, path, place)
  local user = core.user()
  if has(about, OTHERS_WRITE) then
    return fault(path, ("may be written by everybody (mode %o)"):format(about.mode),
      change_mode("go-w", path))
  end
  if place.team and about.gid == place.team then return nil end
  if not is_known(about.uid, user) then
    return fault(path, "belongs to " .. M.name(about.uid),
      ("read it, then take a copy of your own: cp %s COPY"):format(shell.quote(path)))
  end
  if is_written(about) then
    return fault(path, ("may be written by its group (mode %o)"):format(about.mode),
      change_mode("g-w", path))
  end
  return nil
end

--- A fault in one line that ends with its cure.
---@param wrong alicloud.TrustFault
---@return string
function M.words(wrong)
  return ("%s: %s%s"):format(wrong.path, wrong.why, wrong.cure and "; " .. wrong.cure or "")
end

--- The bytes of an open file.
---@param file alicloud.File
---@return string|nil bytes
---@return string? message
---@return string? code
function M.read_all(file)
  local parts, offset = {}, 0
  while true do
    local part, message, code = file:read(offset, SLICE)
    if not part then return nil, message, code end
    parts[#parts + 1], offset = part, offset + #part
    if #part < SLICE then return table.concat(parts) end
  end
end

local function judge(file, path)
  local place, message, code = M.place(parent_of(path))
  if not place then return nil, message, code end
  local wrong = place.fault or M.file_fault(file:stat(), path, place)
  if wrong then return nil, M.words(wrong), M.UNTRUSTED end
  return true
end

--- Opens a file if it is trusted. A link is followed, and what it leads to is judged.
---@param path string
---@return alicloud.File|nil file to read
---@return string? message
---@return string? code M.UNTRUSTED, or the system's
function M.open(path)
  local real, message, code = core.real_path(path)
  if not real then return nil, message, code end
  local file
  file, message, code = core.open_file(real, "read")
  if not file then return nil, message, code end
  local ok
  ok, message, code = judge(file, real)
  if ok then return file end
  file:close()
  return nil, message, code
end

--- Reads a file if it is trusted. What is read is the open file that was judged.
---@param path string
---@return string|nil text
---@return string? message
---@return string? code as of `open`
function M.read(path)
  local file <close>, message, code = M.open(path)
  if not file then return nil, message, code end
  return M.read_all(file)
end

return M
