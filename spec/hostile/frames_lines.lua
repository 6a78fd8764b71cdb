-- Very many frames that mean nothing.
local link
for n = 1, 20 do
  local name, value = debug.getupvalue(package.searchers[2], n)
  if name == "link" then link = value end
end
local confine
for n = 1, 20 do
  local name, value = debug.getupvalue(link.send, n)
  if name == "confine" then confine = value end
end
while true do confine.send(('{"type":"progress"}\n'):rep(1000)) end
