-- A program without an event loop: nothing to set up.

return {
  loop = function() end,
  run = function(client, body) return body(client) end,
}
