-- Answers to questions that nobody has asked, and the other end of the talk.
local link
for n = 1, 20 do
  local name, value = debug.getupvalue(package.searchers[2], n)
  if name == "link" then link = value end
end
for _, kind in ipairs { "answer", "job", "begin", "block", "module", "confined", "ready" } do
  pcall(link.send, { type = kind, name = "x", text = "os.execute 'touch @MARK@'", path = "x" })
end
