-- A loop that catches every error that would stop it.
while true do pcall(function() while true do end end) end
