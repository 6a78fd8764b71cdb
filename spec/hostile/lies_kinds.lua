-- Values of other kinds wherever something is read of a playbook.
local dr = require "alicloud.dr"
local book = dr.playbook("x", function(run)
  for _, value in ipairs { {}, print, 7, true, coroutine.create(print) } do
    pcall(run.step, run, value, value, value)
    pcall(run.group, run, value, value)
    pcall(run.each, run, value, value, value)
    pcall(run.gate, run, value, value)
  end
end)
book.name, book.kind, book.summary, book.params, book.digest = {}, {}, {}, nil, {}
return book
