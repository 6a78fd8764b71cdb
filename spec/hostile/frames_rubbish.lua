-- Bytes that are no frames.
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
confine.send("\0\255{]\n")
confine.send(("["):rep(100000) .. "\n")
