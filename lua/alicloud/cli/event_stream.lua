--- Writes lines of events to a file, FIFO or descriptor without ever waiting for its reader. Up to
--- MOST bytes wait in memory for a slow reader; whole lines beyond that are left out. A target that
--- fails is warned of once, and nothing more is written to it.

local core = require "alicloud.core"

local M = {}

local MOST = 1048576
-- Seconds that the reader has at the end to take the rest.
local REST = 2

local WORDS = { ENXIO = "nobody reads from it" }

---@class alicloud.cli.EventStream
---@field sink alicloud.Sink? nil once nothing is written any more
---@field rest string bytes that are still to be written
---@field warn fun(words: string)
---@field left_out boolean? lines were left out, which was warned of
local Stream = {}
Stream.__index = Stream

local function give_up(self, why)
  self.warn(("--events: %s; no more events are written"):format(why))
  if self.sink then self.sink:close() end
  self.sink, self.rest = nil, ""
end

---@param where string|integer a path or a descriptor
---@param warn fun(words: string)
---@return alicloud.cli.EventStream
function M.open(where, warn)
  local sink, message, code = core.open_sink(where)
  local self = setmetatable({ sink = sink, warn = warn, rest = "" }, Stream)
  if not sink then give_up(self, WORDS[code] and where .. ": " .. WORDS[code] or message) end
  return self
end

local function flush(self)
  if self.rest == "" then return end
  local written, message = self.sink:write(self.rest)
  if not written then return give_up(self, message) end
  self.rest = self.rest:sub(written + 1)
end

---@param line string with its newline
function Stream:write(line)
  if not self.sink then return end
  if #self.rest + #line > MOST then
    if not self.left_out then
      self.warn "--events: they are not read fast enough; some are left out, which seq shows"
    end
    self.left_out = true
  else
    self.rest = self.rest .. line
  end
  flush(self)
end

--- Writes the rest, as far as its reader takes it within REST seconds, and closes the target.
function Stream:close()
  local ends = core.monotonic() + REST
  while self.sink and self.rest ~= "" do
    local left = ends - core.monotonic()
    if left <= 0 then return give_up(self, "they are not read") end
    core.poll(self.sink:fd(), "w", left)
    flush(self)
  end
  if self.sink then self.sink:close() end
end

return M
