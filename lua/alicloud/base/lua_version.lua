--- Refuses every Lua but those that the modules are written for, in a sentence, before anything of
-- theirs is read. What a program may require first requires this first, and is written, as this
-- file is, so that every Lua can read it.

if _VERSION ~= "Lua 5.4" and _VERSION ~= "Lua 5.5" then
  local jit = rawget(_G, "jit")
  error("alicloud-dr needs Lua 5.4 or 5.5, and this is " .. (jit and jit.version or _VERSION), 0)
end

return _VERSION
