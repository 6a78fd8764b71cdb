--- Keeps the output of a program line by line: the last lines for a journal, and all of them in a
--- file if there are more.

local core = require "alicloud.core"

local M = {}

-- The last bytes that are kept, where a program says how it went.
local KEPT = 4096
-- Most bytes of the file, so that an endless program does not fill the disk.
local MOST = 64 * 1024 * 1024
-- Bytes that are written at once.
local PIECE = 65536
local MODE = tonumber("600", 8)

---@class alicloud.dr.KeptLines
---@field lines table<integer, string> the last ones, from `first` to `last`
---@field first integer
---@field last integer
---@field size integer bytes of these lines, with their ends
---@field bytes integer bytes of the whole output
---@field path string
---@field file? alicloud.File
---@field pending string[] lines that are not in the file yet
---@field pending_size integer
---@field written integer bytes in the file
---@field fault? string why the file lacks a part of the output
local Kept = {}
Kept.__index = Kept

---@param path string the file, if one is needed
---@return alicloud.dr.KeptLines
function M.new(path)
  return setmetatable({ path = path, lines = {}, first = 1, last = 0, size = 0, bytes = 0,
    pending = {}, pending_size = 0, written = 0 }, Kept)
end

function Kept:write()
  local text = table.concat(self.pending)
  self.pending, self.pending_size = {}, 0
  if self.fault then return end
  local some = text:sub(1, MOST - self.written)
  local ok, message = self.file:append(some)
  if not ok then
    self.fault = message
    return
  end
  self.written = self.written + #some
  if #some < #text then self.fault = self.path .. ": the file is too large" end
end

function Kept:put(line)
  if self.fault then return end
  self.pending[#self.pending + 1] = line .. "\n"
  self.pending_size = self.pending_size + #line + 1
  if self.pending_size > PIECE then self:write() end
end

-- Before the first line is dropped, all of them go into the file.
function Kept:open()
  local message
  self.file, message = core.open_file(self.path, "create", MODE)
  if not self.file then self.fault = message end
  for i = self.first, self.last do self:put(self.lines[i]) end
end

--- Takes one line of output.
---@param line string
function Kept:take(line)
  local bytes = #line + 1
  self.bytes, self.size = self.bytes + bytes, self.size + bytes
  self.last = self.last + 1
  self.lines[self.last] = line
  if self.file or self.fault then self:put(line) end
  while self.size > KEPT and self.first < self.last do
    if not self.file and not self.fault then self:open() end
    self.size = self.size - #self.lines[self.first] - 1
    self.lines[self.first] = nil
    self.first = self.first + 1
  end
end

--- Ends the output.
---@return string text the last lines
---@return alicloud.Overflow|nil overflow nil: the text is the whole output
function Kept:finish()
  if self.file then
    self:write()
    self.file:close()
  end
  local overflow = (self.file or self.fault) and { bytes = self.bytes, kept = self.written,
    fault = self.fault } or nil
  return table.concat(self.lines, "\n", self.first, self.last), overflow
end

return M
