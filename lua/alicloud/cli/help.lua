--- Arranges the help of a command: its own options first, those of the connection under their own
--- heading, and a short usage.

local M = {}

-- The options that were added to each command, split into its own and those of the connection.
local watched = setmetatable({}, { __mode = "k" })

--- Records the options that are added to a command from now on.
---@param command table of argparse
function M.watch(command)
  local add, lists = command.option, { own = {}, connection = {}, now = "own" }
  watched[command] = lists
  -- Flags are added by this method, too.
  function command.option(...)
    local option = add(...)
    table.insert(lists[lists.now], option)
    return option
  end
end

--- Adds options that say how the service is reached; they get the heading of the connection.
---@param command table of argparse
---@param add fun()
function M.connection(command, add)
  local lists = watched[command] or {}
  local before = lists.now
  lists.now = "connection"
  add()
  lists.now = before
end

-- Puts [options] in place of every single option, which would fill ten lines and follow below.
local function usage_of(command)
  local words = command:get_usage():gsub("%s+", " "):gsub(" (%b[])", function(word)
    return word:find "^%[%-" and "" or nil
  end)
  return (words:gsub("^(Usage: %S+ %S+)", "%1 [options]", 1))
end

--- The recorded options, in the order of the help.
---@param command table of argparse
---@return table[] own
---@return table[] connection
function M.options(command)
  local lists = watched[command]
  -- --help was added first and is moved to the end.
  local own = table.move(lists.own, 2, #lists.own, 1, {})
  own[#own + 1] = lists.own[1]
  return own, lists.connection
end

--- Puts the recorded options into the help.
---@param command table of argparse
function M.arrange(command)
  local lists = watched[command]
  command:usage(usage_of(command))
  if #lists.connection == 0 then return end
  local own = M.options(command)
  command:group("Options", table.unpack(own))
  command:group("Options of the connection", table.unpack(lists.connection))
end

return M
