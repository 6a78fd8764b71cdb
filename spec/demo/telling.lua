--- How the demonstrations tell what they show, and what they count as they do.

local M = {}

local failures = 0

function M.say(...)
  io.stdout:write(...)
  io.stdout:flush()
end

--- Says whether something is as it should be.
---@param what string
---@param ok any
function M.expect(what, ok)
  M.say(ok and "    as it should be: " or "    NOT AS IT SHOULD BE: ", what, "\n")
  if not ok then failures = failures + 1 end
end

---@param number integer
---@param title string
---@param text string
function M.heading(number, title, text)
  M.say("\n== ", number, ". ", title, " ==\n", text, "\n\n")
end

---@param title string
---@param effects table[]
function M.show_ledger(title, effects)
  M.say("\n  ", title, "\n")
  for _, effect in ipairs(effects) do
    M.say(("    %d  %s  %s → %s  client token %s\n"):format(effect.n, effect.group, effect.from,
      effect.to, effect.client_token))
  end
end

--- The last line.
---@param topic string of the manual, which goes on from there
---@return boolean ok all was as it should be
function M.finish(topic)
  M.say("\n", failures == 0 and "Done: all as it should be. " or "Done, with mistakes. ",
    "`alicloud-dr manual ", topic, "` goes on from here.\n")
  return failures == 0
end

return M
