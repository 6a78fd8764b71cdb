-- What the annotations tell an editor: every type that they name is declared once, and every
-- function that a user may call says what it takes and gives.

local annotations = require "spec.annotations"

-- Only functions are listed. Each spec file would load luv anew, which it does not bear in one
-- process: what libuv still holds of the first one is freed.
package.loaded.luv = {}

local function paths_of(...)
  local pipe <close> = assert(io.popen(("find %s -name '*.lua' | sort")
    :format(table.concat({ ... }, " "))))
  local list = {}
  for path in pipe:lines() do list[#list + 1] = path end
  return list
end

local files, by_path = {}, {}
for index, path in ipairs(paths_of "lua") do
  files[index] = annotations.read(path)
  by_path[path] = files[index]
end

describe("the annotations", function()
  it("can be read", function()
    local problems = {}
    for _, file in ipairs(files) do
      table.move(file.malformed, 1, #file.malformed, #problems + 1, problems)
    end
    assert.same({}, problems)
  end)

  it("name no type that is declared nowhere, or twice", function()
    local places, undeclared, again = {}, {}, {}
    for _, file in ipairs(files) do
      for name, lines in pairs(file.declared) do
        places[name] = places[name] or {}
        for _ = 1, #lines do table.insert(places[name], file.path) end
      end
    end
    for name, list in pairs(places) do
      if #list > 1 then again[#again + 1] = name .. ": " .. table.concat(list, " ") end
    end
    for _, file in ipairs(files) do
      for _, mention in ipairs(file.mentions) do
        if not places[mention.name] then
          undeclared[#undeclared + 1] = file.path .. ": " .. mention.name
        end
      end
    end
    assert.same({}, undeclared)
    assert.same({}, again)
  end)
end)

-- Those whose functions a user calls by `require`.
local PUBLIC = {
  "alicloud", "alicloud.dr", "alicloud.emulator", "alicloud.emulator.server",
  "alicloud.emulator.scenarios", "alicloud.core", "alicloud.transport", "alicloud.httpd",
  "alicloud.loop.blocking", "alicloud.loop.cqueues", "alicloud.loop.luv", "alicloud.playbooks",
  "alicloud.simulation", "alicloud.credentials",
}

-- Files with the objects that those functions give.
local OBJECTS = { "lua/alicloud/client/init.lua", "lua/alicloud/dr/group.lua" }

local function function_at(path, line)
  for _, one in ipairs(by_path[path] and by_path[path].functions or {}) do
    if one.line == line then return one end
  end
  return nil
end

-- What is missing of each function that a module holds, wherever it stands.
local function problems_of_module(name)
  local found, module = {}, require(name)
  for key, value in pairs(type(module) == "table" and module or {}) do
    local info = type(value) == "function" and debug.getinfo(value, "S")
    if info and info.what ~= "C" then
      local path = info.source:match "(lua/alicloud/.*)$"
      local one = function_at(path, info.linedefined)
      local problems = one and annotations.problems(one, false) or { "is not annotated" }
      for _, problem in ipairs(problems) do
        found[#found + 1] = ("%s.%s: %s"):format(name, key, problem)
      end
    end
  end
  return found
end

local function problems_of_file(path)
  local found = {}
  for _, one in ipairs(by_path[path].functions) do
    local is_metamethod = one.name:find "[.:]__" ~= nil
    local is_declaration = path:find "%.d%.lua$" ~= nil
    for _, problem in ipairs(is_metamethod and {} or annotations.problems(one, is_declaration)) do
      found[#found + 1] = ("%s %s: %s"):format(path, one.name, problem)
    end
  end
  return found
end

describe("the annotations of what a user may call", function()
  it("say what it takes and what it gives", function()
    local found = {}
    for _, name in ipairs(PUBLIC) do
      local loaded, problem = pcall(require, name)
      assert(loaded or problem:find "not found", problem)
      local list = loaded and problems_of_module(name) or {}
      table.move(list, 1, #list, #found + 1, found)
    end
    local paths = paths_of "lua/alicloud/emulator lua/alicloud/*.d.lua"
    table.move(OBJECTS, 1, #OBJECTS, #paths + 1, paths)
    for _, path in ipairs(paths) do
      local list = problems_of_file(path)
      table.move(list, 1, #list, #found + 1, found)
    end
    assert.same({}, found)
  end)

  -- The options may be left out.
  it("give each way to make a playbook", function()
    local info = debug.getinfo(require("alicloud.dr").playbook, "S")
    local one = function_at(info.source:match "(lua/alicloud/.*)$", info.linedefined)
    local found = {}
    for _, line in ipairs(one.comment) do
      found[#found + 1] = line:match "^%-%-%-@overload fun(%b())"
    end
    assert.same({ "(name: string, body: fun(run: alicloud.dr.PlaybookRun))" }, found)
  end)
end)

describe("what reads the annotations", function()
  local scratch = require "spec.scratch"

  local function read(text) return annotations.read(scratch.file(text, ".lua")) end

  local function names(text)
    local list = {}
    for index, mention in ipairs(read(text).mentions) do list[index] = mention.name end
    return table.concat(list, " ")
  end

  it("finds each name in a type", function()
    for text, expected in pairs {
      ["---@param a A"] = "A", ["---@param a? A|B[]|nil text of C"] = "A B",
      ["---@return table<A, B.C>|nil, D rest"] = "A B.C D", ['---@field a "x"|A  text'] = "A",
      ["---@field public a A"] = "A", ["---@field public string its"] = "its",
      ['---@field ["public"] A'] = "A", ["---@type { a: A, b?: B, [C]: D, [1]: E }"] = "A B C D E",
      ["---@param f fun(a: A, b): B, C told"] = "A B C", ["---@param f (fun(a: A): B)|nil"] = "A B",
      ["---@class A: B, C"] = "B C", ["---@class A  a text: of words"] = "",
      ["---@alias A B|C"] = "B C", ["---@alias A\n---| \"x\"\n---| B"] = "B",
      ["---@param a A|\n---B"] = "A B", ["---@overload fun(a: A): B"] = "A B",
      ["---@generic T\n---@param a T\n---@return T"] = "", ["local a --[[@as A]]"] = "A",
      ["---@type A, B"] = "A B", ["---@param a [A, B]"] = "A B",
    } do
      assert.equal(expected, names(text), text)
    end
  end)

  it("finds what is no type, and what is declared twice", function()
    assert.equal(2, #read("---@param a\n---@return =x\n").malformed)
    assert.same({ A = { 1, 3 }, B = { 2 }, C = { 4 } },
      read("---@class A\n---@class (exact) B\n---@enum A\n---@alias C A").declared)
  end)

  local function problems(text)
    return annotations.problems(read(text).functions[1], false)
  end

  it("compares a function with what is said of it", function()
    for text, expected in pairs {
      ["function M.f(a) end"] = { "takes (a), documents ()" },
      ["---@param b A\nfunction M.f(a) end"] = { "has no parameter b", "takes (a), documents (b)" },
      ["---@param b A\n---@param a A\nfunction M:f(a, b) end"] =
        { "takes (a, b), documents (b, a)" },
      ["---@param ... A\nfunction M.f(_, ...) end"] = {},
      ["function M.f() return 1 end"] = { "returns something that is not documented" },
      ["function M.f() if a then return nil end end"] =
        { "returns something that is not documented" },
      ["function M.f() local g = function() return 1 end end"] = {},
      ["function M.f() for _ in a do return end end -- return 1"] = {},
      ["function M.f() g(function() if a then return 1 end end) local s = 'return 1' end"] = {},
      ["---@return A\nfunction M.f() while a do b() end return 1 end"] = {},
    } do
      assert.same(expected, problems(text), text)
    end
  end)
end)
