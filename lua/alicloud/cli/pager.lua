--- Shows a long text screen by screen, as git and man do.

local core = require "alicloud.core"

local M = {}

-- $PAGER is a command line for the user's shell; an empty one and `cat` mean no pager. No text of
-- ours is put into the script. less gets the options that git gives it: it ends at once if the text
-- fits the screen, shows colours, and leaves the text on the screen.
local SCRIPT = [[
: "${LESS=FRX}"
export LESS
if [ "$TERM" = dumb ] || [ -z "$TERM" ]; then exec cat; fi
if [ -n "${PAGER+set}" ]; then eval "${PAGER:-cat}"; exit; fi
for pager in less more cat; do
  command -v "$pager" >/dev/null && exec "$pager"
done]]

--- Shows a text on the terminal; returns when the reader has left the pager.
---@param text string
function M.show(text)
  local set_interrupt = core.keep_interrupt()
  local pipe <close> = assert(io.popen(SCRIPT, "w"))
  -- Ctrl-C is now for the pager, which has its own handling since before this call.
  set_interrupt(false)
  -- A reader may leave before the end of the text: a failed write is no error.
  pipe:write(text)
  pipe:close()
  set_interrupt(true)
  -- Raises for a signal that came meanwhile.
  core.checkpoint()
end

return M
