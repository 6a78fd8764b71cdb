-- Names, notes and lists of a size that nobody can read.
local giant = ("\u{1f4a3}"):rep(1 << 18)
return require "alicloud.dr".playbook("x", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step(giant, { on_error = giant, timeout = giant }, function() return nil, giant end)
  for n = 1, 200 do run:step(giant .. n, function() return giant end) end
  error(giant)
end)
