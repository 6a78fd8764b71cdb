-- A program without an event loop, all of which is a task.

local function run(client, body)
  local over
  local task = client.loop.spawn(function()
    local _ <close> = setmetatable({}, { __close = function() over = true end })
    return body(client)
  end)
  -- An interrupt is told to whoever waits here, too, and is meant for the body.
  while not over do
    client.loop.step()
    pcall(task.wait, task)
  end
  return task:result()
end

return { loop = function() end, run = run }
