-- A result of its own making, with escapes and lies in it.
local link
for n = 1, 20 do
  local name, value = debug.getupvalue(package.searchers[2], n)
  if name == "link" then link = value end
end
link.send { type = "result", value = { steps = { { key = "\27]0;pwned\7 all good", kind = "step",
  effect = "reads", reads = 0, calls = {}, flags = {} } }, groups = {}, changes = 0 } }
