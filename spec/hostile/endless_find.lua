-- A pattern that takes for ever, in C, where no hook is called.
return string.find(("a"):rep(60000), (".-"):rep(40) .. "b")
