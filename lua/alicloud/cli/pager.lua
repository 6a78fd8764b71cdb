--- Shows a long text screen by screen, as git and man do.

local core = require "alicloud.core"

local M = {}

-- $PAGER is a command line of the user's own shell; an empty one, or `cat`, is no pager. The script
-- has nothing of ours put into it. less gets the options that git gives it: it ends where the text
-- fits the screen, shows colours, and leaves the text on the screen.
local SCRIPT = [[
: "${LESS=FRX}"
export LESS
if [ "$TERM" = dumb ] || [ -z "$TERM" ]; then exec cat; fi
if [ -n "${PAGER+set}" ]; then eval "${PAGER:-cat}"; exit; fi
for pager in less more cat; do
  command -v "$pager" >/dev/null && exec "$pager"
done]]

--- Shows a text on the terminal. Comes back when the reader has left it.
---@param text string
function M.show(text)
  local set_interrupt = core.keep_interrupt()
  local pipe <close> = assert(io.popen(SCRIPT, "w"))
  -- Ctrl-C is for the pager, which was started before this.
  set_interrupt(false)
  -- A reader may leave before the end of the text, which is no fault.
  pipe:write(text)
  pipe:close()
  set_interrupt(true)
  -- What came meanwhile was for this command.
  core.checkpoint()
end

return M
