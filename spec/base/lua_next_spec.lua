-- What Lua 5.4 takes and Lua 5.5 does not: an assignment to the first variable of a loop, and the
-- name `global`. The compiler of 5.4 tells the former where such a variable is made a constant.

local scratch = require "spec.scratch"
local tree = require "spec.tree"

-- What holds no words of the language: comments, strings, numbers.
local PASSED_OVER = { "^%-%-%[(=*)%[.-%]%1%]", "^%-%-[^\n]*", "^%[(=*)%[.-%]%1%]", '^"[^"]*"',
  "^'[^']*'", "^%d[%w.]*" }

local function end_of_none(text, at)
  for _, pattern in ipairs(PASSED_OVER) do
    local _, last = text:find(pattern, at)
    if last then return last end
  end
  return at
end

-- The words of a chunk, with the place at which each ends.
local function words_of(chunk)
  local text, list = chunk:gsub("\\.", "__"), {}
  local at = text:find "[%w_%-%[\"']"
  while at do
    local _, last = text:find("^[%a_][%w_]*", at)
    if last then list[#list + 1] = { text:sub(at, last), last } end
    at = text:find("[%w_%-%[\"']", (last or end_of_none(text, at)) + 1)
  end
  return list
end

local OPENS = { ["function"] = true, ["if"] = true, ["do"] = true }

-- The chunk with `local name <const> = name` at the head of every loop, in its line.
local function with_constants(chunk)
  local loops, depth, parts, from, before = {}, 0, {}, 1, nil
  for _, entry in ipairs(words_of(chunk)) do
    local word, last, loop = entry[1], entry[2], loops[#loops]
    if before == "for" then loops[#loops + 1] = { name = word, depth = depth } end
    if word == "do" and loop and loop.depth == depth then
      parts[#parts + 1] = ("%s local %s <const> = %s;"):format(chunk:sub(from, last), loop.name,
        loop.name)
      from, loops[#loops] = last + 1, nil
    end
    depth = depth + (OPENS[word] and 1 or word == "end" and -1 or 0)
    before = word
  end
  return table.concat(parts) .. chunk:sub(from)
end

local function complaint(chunk, name)
  for _, entry in ipairs(words_of(chunk)) do
    if entry[1] == "global" then return name .. " has the name `global`" end
  end
  return select(2, load(with_constants(chunk), "@" .. name, "t"))
end

describe("Lua 5.5", function()
  it("takes every file: none assigns to a loop's first variable, or says `global`", function()
    local complaints = {}
    for _, folder in ipairs { "lua", "spec" } do
      for _, path in ipairs(tree.files(folder, "*.lua")) do
        complaints[#complaints + 1] = complaint(scratch.read(path), path)
      end
    end
    assert.same({}, complaints)
  end)

  it("refuses what the rule finds", function()
    for chunk, expected in pairs {
      ["for i = 1, 2 do i = i + 1 end"] = "x:1: attempt to assign to const variable 'i'",
      ["for _, each in\nf(function() do end for a in b do c() end end) do\neach, _ = 1 end"]
        = "x:3: attempt to assign to const variable '_'",
      ["local global = 1"] = "x has the name `global`",
      ["for i = 1, 2 do local i = '\\'for x do'; i = 2 end"] = false,
      ["while f() do i = 1 end for i = 1, 2 do end i = [[for global do]] -- global"] = false,
    } do
      assert.equal(expected, complaint(chunk, "x") or false)
    end
  end)
end)
