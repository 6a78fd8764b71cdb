-- A loop without an end at the top of the file.
while true do end
