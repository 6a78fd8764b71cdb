--- The inbox of a run in files: lines that people leave beside its journal. Each line is a file
--- PATH.mail.TIME, so that its owner shows who left it, and nobody can keep others from leaving
--- one.

local core = require "alicloud.core"
local trusted_files = require "alicloud.base.trusted_file"

local M = {}

local MODE, TEAM_MODE = tonumber("600", 8), tonumber("640", 8)
local FOREIGN_WRITE = tonumber("022", 8)
-- Most bytes that are read: a line of the command has a few hundred.
local MAX_BYTES = 65536
local DOT = ("."):byte()

---@class alicloud.dr.Letters the lines of one file
---@field name string path of the file
---@field who string owner of the file
---@field trusted boolean the line may give orders: its owner is the user, root or a team member
---@field lines string[] whole lines

--- Leaves a line.
---@param path string path of the journal
---@param place alicloud.Place of its directory
---@param line string without a newline
---@return boolean|nil ok
---@return string? message
---@return string? code
function M.post(path, place, line)
  local name = ("%s.mail.%017.6f.%s"):format(path, core.time(), core.random_hex(4))
  local file <close>, message, code = core.open_file(name, "create",
    place.team and TEAM_MODE or MODE)
  if not file then return nil, message, code end
  local ok
  ok, message, code = file:append(line .. "\n")
  if ok then ok, message, code = file:sync() end
  return ok, message, code
end

-- Whether a file may give orders. Only members can make files with the group of a team's directory.
local function may_order(about, place)
  if about.links ~= 1 or about.mode & FOREIGN_WRITE ~= 0 then return false end
  return about.own or about.uid == 0 or place.team ~= nil and about.gid == place.team
end

-- Reads one file; nil if it is no file or cannot be read.
local function read(path, place)
  local file <close> = core.open_file(path, "read")
  local text = file and file:read(0, MAX_BYTES)
  if not text then return nil end
  local about, lines = file:stat(), {}
  for line in text:gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  return { name = path, who = trusted_files.name(about.uid), trusted = may_order(about, place),
    lines = lines }
end

--- The lines that were left, the oldest first.
---@param path string path of the journal
---@param place alicloud.Place of its directory
---@return alicloud.dr.Letters[]|nil
---@return string? message
---@return string? code
function M.read(path, place)
  local directory, base = path:match "^(.-)/?([^/]*)$"
  if directory == "" then directory = path:sub(1, 1) == "/" and "/" or "." end
  local prefix = base .. ".mail"
  local names, message, code = core.list_directory(directory, prefix)
  if not names then return nil, message, code end
  local list = {}
  table.sort(names)
  for _, name in ipairs(names) do
    local letters = (name:byte(#prefix + 1) or DOT) == DOT and read(directory .. "/" .. name, place)
    if letters then list[#list + 1] = letters end
  end
  return list
end

return M
