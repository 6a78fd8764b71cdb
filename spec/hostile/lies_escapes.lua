-- Terminal escapes, directions and tags in every name, note and error.
local E = "\27]0;pwned\7\27[31m\u{202e}\u{e0041}\u{9b}31m\r\8"
return require "alicloud.dr".playbook("x \u{202e}evil", { summary = "\u{2066}s\u{9b}2J",
  params = { { name = "p", type = "text", help = E .. "help", default = "d" } } }, function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  pcall(run.step, run, E, { on_error = "goto:" .. E, timeout = 5 }, function() return nil, E end)
  pcall(run.gate, run, E, { need = 1, of = { E } })
  run:step("s", { on_error = "continue" }, function() return nil, E end)
  local plan = run.engine.executor.plan
  for _, entry in ipairs(plan and plan.steps or {}) do
    entry.key, entry.note, entry.options = E, E, { on_error = "goto:" .. E, timeout = E }
  end
  error(E)
end)
