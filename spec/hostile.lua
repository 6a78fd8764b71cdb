--- Values that others may raise or return, each with its name.

local function raising() error "trap" end
local M = {
  { "an object whose __tostring raises", setmetatable({}, { __tostring = raising }) },
  { "one that gives a number", setmetatable({}, { __tostring = function() return 42 end }) },
  { "one that gives nothing", setmetatable({}, { __tostring = function() end }) },
  { "one whose every metamethod raises", setmetatable({}, { __tostring = raising,
    __index = raising, __newindex = raising, __len = raising, __pairs = raising, __eq = raising,
    __concat = raising, __name = raising, __metatable = raising, __call = raising,
    __lt = raising, __le = raising, __unm = raising, __close = raising }) },
  { "one without a name", setmetatable({}, { __name = {} }) },
  { "one with a name of another", setmetatable({}, { __name = "alicloud.Error" }) },
  { "one that raises another one", setmetatable({}, { __tostring = function()
    error(setmetatable({}, { __tostring = raising }))
  end }) },
  { "a message that cannot be shown", { message = setmetatable({}, { __tostring = raising }) } },
  { "a thread", coroutine.create(raising) },
  { "a dead thread", coroutine.wrap(function() return coroutine.running() end)() },
  { "a function", raising },
  { "a file", io.stdout },
  { "a closed file", (function()
    local file = assert(io.open "/dev/null")
    file:close()
    return file
  end)() },
  { "nothing", nil },
  { "not a number", 0 / 0 },
  { "text that a terminal obeys", "\27[2J\r\n\0\x9b" },
  { "much text", ("ä"):rep(32 << 10) },
}
local cyclic = {}
cyclic.message, cyclic[1] = cyclic, cyclic
M[#M + 1] = { "a table in itself", cyclic }

-- Each of its fields is another one: it has no end.
local endless = {}
function endless.__index() return setmetatable({}, endless) end
M[#M + 1] = { "a table without an end", setmetatable({}, endless) }

return M
