-- A playbook's file is taken as `lua5.4 FILE` takes it, whatever editor has written it: for every
-- command that takes one, with the modules beside it, and with true line numbers.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local dr = require "alicloud.dr"
local scratch = require "spec.scratch"

local BOM, SHEBANG = "\xEF\xBB\xBF", "#!/usr/bin/env -S alicloud-dr run\n"
local HEADS = { ["a byte order mark and a line for the system"] = BOM .. SHEBANG,
  ["neither mark nor line before it"] = "" }

-- The umlauts are bytes of Latin-1.
local BODY = table.concat({ "-- f\xfcr alle", 'local names = require "names"',
  'return require "alicloud.dr".playbook(names.own, function(run)',
  '  local orders = run:group("pg-orders", { region = "cn-shanghai" })',
  '  run:step("look", function()', '    assert(#"\xfc" == 1)',
  "    return orders:precheck()", "  end)", "end)", "" }, "\n")
local MODULE = "return { own = 'made up' }\n"

local COMMANDS = {
  { "run", "-y", "--no-ask" }, { "plan" }, { "policy" }, { "explore", "--seeds", "2" },
}

local function room(head, body, module)
  local desk, file, directory = desks.room(head .. body)
  scratch.write(directory .. "/names.lua", head .. (module or MODULE))
  return desk, file, directory
end

local function typed(desk, command, file)
  local words = table.move(command, 1, #command, 1, {})
  table.insert(words, 2, file)
  table.move({ "--region", "cn-shanghai", "--json" }, 1, 3, #words + 1, words)
  return desk:run(table.unpack(words))
end

local function unix_and_dos(text)
  return { text, (text:gsub("\n", "\r\n")) }
end

for name, head in pairs(HEADS) do
  describe("a playbook with " .. name, function()
    it("is taken by every command, also with the ends of lines of DOS", function()
      for i, body in ipairs(unix_and_dos(BODY)) do
        local begins = i == 2 and head:gsub("\n", "\r\n") or head
        local desk, file = room(begins, body)
        for _, command in ipairs(COMMANDS) do
          local ran = typed(desk, command, file)
          assert.equal(0, ran.code, command[1] .. ": " .. ran.err .. ran.out)
        end
        local ran = desk:run("playbooks", file, "--json")
        assert.equal("made up", ran.object.playbooks[1].name)
      end
    end)

    it("is told with its own lines, in itself and in its module", function()
      local line = select(2, head:gsub("\n", "")) + 2
      for _, body in ipairs(unix_and_dos "local a = 1\nlocal b = a.b.c\nreturn b\n") do
        local desk, file = room(head, body, body)
        for _, command in ipairs(COMMANDS) do
          local ran = typed(desk, command, file)
          assert.equal(2, ran.code, ran.out)
          local told = ("orders.lua:%d: attempt to index"):format(line)
          assert.truthy(ran.out:find(told, 1, true), ran.out)
        end
        scratch.write(file, head .. 'return require "names"')
        for _, command in ipairs(COMMANDS) do
          local ran = typed(desk, command, file)
          local told = ("names.lua:%d: attempt to index"):format(line)
          assert.truthy(ran.out:find(told, 1, true), ran.out)
        end
      end
    end)

    it("is walked, and names where its thread is kept", function()
      local desk, file = room(head, (BODY:gsub("local orders", "run.x = os.execute; %0")))
      local walk <close> = dr.walk(file, { client = desk.bench.client,
        journal = scratch.path ".jsonl" })
      assert.equal("look", walk:next().step)
      local line = select(2, head:gsub("\n", "")) + 4
      assert.same({ ("orders.lua line %d: os.execute"):format(line) },
        typed(desk, { "plan" }, file).object.blocking)
    end)
  end)
end

describe("the copy of a playbook that goes along with its journal", function()
  it("has the bytes of the file, and its digest", function()
    local mark = scratch.path()
    local head = BOM .. SHEBANG:gsub("\n", "\r\n")
    local body = BODY:gsub("return orders", ("if not io.open(%q) then error 'no' end %%0"):format(
      mark))
    local desk, file = room(head, body)
    local ran = typed(desk, { "run", "-y", "--no-ask" }, file)
    assert.equal(1, ran.code)
    local moved = desk:run("handover", ran.object.journal, "--to", scratch.directory(), "--json")
    assert.equal(0, moved.code, moved.out)
    local text = scratch.read(file)
    local packed = core.decode(scratch.read(moved.object.journal .. ".playbook"))
    assert.equal(text, core.unbase64(packed.text.base64))
    os.remove(file)
    os.remove((file:gsub("[^/]*$", "names.lua")))
    scratch.write(mark, "")
    ran = desk:run("resume", moved.object.journal, "--region", "cn-shanghai", "--no-ask", "-y",
      "--json")
    assert.equal(0, ran.code, ran.err .. ran.out)
  end)
end)
