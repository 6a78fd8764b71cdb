--- Reads lines for the REPL: at a terminal with history and completion if the Lua module `readline`
--- is installed, else without.

local complete = require "alicloud.cli.repl.complete"
local options = require "alicloud.cli.options"

local M = {}

local WITHOUT = "alicloud-dr: without the Lua module readline Tab completes nothing, and there is "
  .. "no history; on Debian: apt-get install lua-readline, elsewhere: luarocks install readline\n"

---@class alicloud.cli.repl.Reader
---@field read fun(prompt: string): string|nil a line; nil at the end of the input
---@field close fun() writes the history

local function plain(io)
  return {
    read = function(prompt)
      if io.input_tty then io.out(prompt) end
      local line, fault = io.read_line()
      if fault then options.refuse("standard input: " .. fault) end
      return line
    end,
    close = function() end,
  }
end

local function begin(readline, env, history)
  readline.set_readline_name "alicloud-dr"
  -- Without histfile = "" the module would write a history that everybody may read.
  readline.set_options { histfile = "", completion = true, auto_add = false }
  for _, line in ipairs(history and history.lines or {}) do readline.add_history(line) end
  readline.set_complete_function(function(line, from, to)
    readline.set_completion_append_character ""
    local word = line:sub(from, to)
    local found, prefix = complete.candidates(env, line:sub(1, to))
    -- The word of readline may begin before or after the prefix found here.
    local lead = word:sub(1, #word - #prefix)
    local words = {}
    for i, candidate in ipairs(found) do
      words[i] = #prefix <= #word and lead .. candidate or candidate:sub(#prefix - #word + 1)
    end
    return words
  end)
end

-- readline waits in C, where an interrupt cannot be raised, so interrupts are off meanwhile. Its
-- callback interface would let other tasks run, but the module (3.2) closes the terminal before
-- readline has restored it.
local function with_readline(readline, env, history, interrupt)
  begin(readline, env, history)
  local reader = {}

  function reader.read(prompt)
    interrupt(false)
    local _ <close> = setmetatable({}, { __close = function() interrupt(true) end })
    local line = readline.readline(prompt)
    if line and history and history:add(line) then readline.add_history(line) end
    return line
  end

  function reader.close()
    if history then history:close() end
  end

  return reader
end

--- Returns the reader for this terminal.
---@param io alicloud.cli.Io
---@param env table the session's variables, for completion
---@param history alicloud.cli.repl.History|nil
---@param interrupt fun(wanted: boolean) see core.keep_interrupt
---@return alicloud.cli.repl.Reader
function M.new(io, env, history, interrupt)
  if not (io.input_tty and io.tty) then return plain(io) end
  local ok, readline = pcall(require, "readline")
  if not ok then
    io.err(WITHOUT)
    return plain(io)
  end
  return with_readline(readline, env, history, interrupt)
end

return M
