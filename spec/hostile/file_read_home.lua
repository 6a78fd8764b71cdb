-- Keys in the home directory, read and put into names that are shown.
local found = {}
for _, read in ipairs {
  function(path) return io.open(path):read "a" end,
  function(path) for line in io.lines(path) do return line end end,
  function(path) return select(2, loadfile(path)) end,
  function(path) return select(2, pcall(dofile, path)) end,
  function(path) return require "alicloud.core".secret_from_file(path):length() end,
  function(path) return require "alicloud.base.runtime".new().read_file(path) end,
} do
  local ok, text = pcall(read, "@HOME@/.aliyun/config.json")
  found[#found + 1] = ok and tostring(text) or "nothing"
end
return require "alicloud.dr".playbook(table.concat(found, " "):gsub("%c", " "):sub(1, 150),
  function(run) run:step(table.concat(found, " "), function() return nil, found[1] end) end)
