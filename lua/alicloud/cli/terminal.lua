--- The terminal of a command: cleans what is printed there, reads lines, and chooses colours.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local widths = require "alicloud.cli.width"

local M = {}

local CAP = 400

local function cut(text, cap)
  if #text <= cap then return text end
  local last = utf8.offset(text, 0, cap + 1) or cap + 1
  return text:sub(1, last - 1) .. "…"
end

--- Makes text from outside safe to print: control characters, C1 controls, invalid UTF-8 and
--- direction overrides become visible escapes, line breaks included; long text is cut.
---@param text any
---@param cap? integer bytes (400)
---@return string
function M.clean(text, cap)
  return cut(errors.clean(tostring(text)), cap or CAP)
end

---@class alicloud.cli.Io
---@field out fun(text: string)
---@field err fun(text: string)
---@field fault? fun(): string|nil why part of the output was lost; nil if none was
---@field tty boolean the output is a terminal
---@field page? fun(text: string) shows a long text screen by screen
---@field input_tty boolean the input is a terminal, so a person can answer a question
---@field columns integer
---@field read_line fun(loop?: alicloud.Loop): string|nil, string? a typed line; nil at the end of
---the input, or with the reason why the line was refused
---@field drop_typed fun() drops typed lines that were not read
---@field asking boolean? a question is open at the terminal
---@field color boolean
---@field ended_by fun(): integer|nil number of the signal that ends the command
---@field events alicloud.cli.Events? takes the events of the command
---@field transport table? takes the requests, instead of the network
---@field runtime table? overrides of alicloud.Runtime
---@field tracing alicloud.otel.Tracing|false|nil nil until it is known whether the command is
---traced

local function wants_color(tty)
  local no_color = os.getenv "NO_COLOR"
  return tty and (no_color == nil or no_color == "") and os.getenv "TERM" ~= "dumb"
end

local INPUT = 0

-- A pollable object for a loop: it is ready when something was typed.
local typing = {
  pollfd = function() return INPUT end,
  events = function() return "r" end,
  timeout = function() return nil end,
  step = function() return core.poll(INPUT, "r", 0) and 1 or 0 end,
}

-- Polls first: a read that blocks in C would delay Ctrl-C until the next line is typed.
local function wait_for_input(loop)
  while not core.poll(INPUT, "r", loop and 0 or 0.2) do
    if loop then loop.wait(typing, math.huge) else core.checkpoint() end
  end
end

--- Bytes of the longest line that is read.
M.LONGEST_LINE = 1048576

-- Reads byte by byte to the end of the line, since a later reader may need what follows. With a
-- loop, its tasks run meanwhile.
local function read_line(loop)
  local bytes = {}
  while true do
    if #bytes > M.LONGEST_LINE then return nil, "got a line of more than 1 MiB" end
    wait_for_input(loop)
    local byte = core.take(INPUT, 1)
    if byte == "\n" or not byte and bytes[1] then return table.concat(bytes) end
    if not byte then return nil end
    bytes[#bytes + 1] = byte
  end
end

local function drop_typed()
  while core.poll(INPUT, "r", 0) do
    if not core.take(INPUT, 1) then return end
  end
end

-- Shells do not export COLUMNS, so the terminal is asked; output that is no terminal gets 100.
local function read_columns()
  local given, columns = math.tointeger(tonumber(os.getenv "COLUMNS")), core.terminal(1)
  if given or not columns then return given or 100 end
  return columns > 0 and columns or 80
end

-- A failover must not end because the reader of its output has gone. After the first failed write
-- nothing more is written, and the command reports the loss at its end.
local function careful_writer(file)
  local fault
  local function write(text)
    if fault then return end
    local ok, reason = file:write(text)
    if ok then ok, reason = file:flush() end
    if not ok then fault = reason or "unknown reason" end
  end
  return write, function() return fault end
end

--- The process's own terminal.
---@return alicloud.cli.Io
function M.io()
  local tty = core.terminal(1) ~= nil
  local out, fault = careful_writer(io.stdout)
  return {
    out = out,
    err = function(text)
      io.stderr:write(text)
      io.stderr:flush()
    end,
    fault = fault,
    tty = tty,
    page = tty and function(text) require "alicloud.cli.pager".show(text) end or nil,
    input_tty = core.terminal(0) ~= nil,
    columns = math.max(1, read_columns()),
    read_line = read_line,
    drop_typed = drop_typed,
    color = wants_color(tty),
    ended_by = core.ended_by,
  }
end

local SIGNALS = { [1] = "interrupted: the terminal is gone", [15] = "interrupted by SIGTERM" }

--- Why a command was interrupted, in words.
---@param io alicloud.cli.Io
---@return string
function M.interruption(io)
  return SIGNALS[io.ended_by()] or "interrupted"
end

local CODES = { bold = "1", dim = "2", red = "31", green = "32", yellow = "33" }

--- Colours text where the terminal shows colours.
---@param io alicloud.cli.Io
---@param color "bold"|"dim"|"red"|"green"|"yellow"
---@param text string
---@return string
function M.paint(io, color, text)
  if not io.color then return text end
  return ("\27[%sm%s\27[0m"):format(CODES[color], text)
end

local MARKS = {
  ok = { "✔", "green" }, warn = { "!", "yellow" }, unknown = { "?", "yellow" },
  fail = { "✘", "red" }, block = { "✘", "red" },
}

--- The coloured mark of a verdict.
---@param io alicloud.cli.Io
---@param verdict "ok"|"warn"|"unknown"|"fail"|"block"
---@return string
function M.mark(io, verdict)
  return M.paint(io, MARKS[verdict][2], MARKS[verdict][1])
end

local FRAMES = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏" }

--- A status line that is overwritten again and again; silent where the output is no terminal.
---@param io alicloud.cli.Io
---@return { show: fun(label: string, text: string), clear: fun() }
function M.spinner(io)
  local frame, visible = 0, false
  local function clear()
    if visible then io.out "\r\27[K" end
    visible = false
  end
  -- One column stays free: a line that fills the last one may wrap and then cannot be overwritten.
  local function show(label, text)
    if not io.tty then return end
    frame = frame % #FRAMES + 1
    io.out("\r\27[K" .. widths.cut(label .. FRAMES[frame] .. " " .. text, io.columns - 1))
    visible = true
  end
  return setmetatable({ show = show, clear = clear }, { __close = clear })
end

return M
