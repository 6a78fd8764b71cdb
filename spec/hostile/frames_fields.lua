-- A result with fields that nobody knows, and of other kinds.
local link
for n = 1, 20 do
  local name, value = debug.getupvalue(package.searchers[2], n)
  if name == "link" then link = value end
end
link.send { type = "result", value = { steps = {}, groups = {}, changes = 0, reads = 1e15,
  playbook = "other", digest = ("0"):rep(64) } }
