-- `alicloud-dr conformance --throwaway`: what it asks first, what it writes, and the commands that
-- it names when it ends early.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"
local throwaway = require "spec.conformance.throwaway_world"

local TARGETS = "d-sh-1 d-sh-2 d-sh-3"

local function words(output, more)
  local all = { "conformance", "--region", "cn-shanghai", "--throwaway", "--disks",
    "d-hz-1=d-sh-1,d-hz-2=d-sh-2,d-hz-3=d-sh-3", "--instance-source", "i-hz",
    "--instance-target", "i-sh", "--output", output }
  return table.unpack(table.move(more or {}, 1, #(more or {}), #all + 1, all))
end

-- A desk whose emulator is out of reach from the nth change on.
local function room(given)
  given.world, given.columns = throwaway.world(), 80
  local desk, _, directory = desks.room(false, given)
  return desk, directory .. "/seen.json"
end

local function interrupt_at(desk, nth)
  local inner, count = desk.bench.emu.transport, 0
  desk.given.transport = { send = function(request)
    local action = request.headers and request.headers["x-acs-action"] or ""
    if not action:find "^Describe" and not action:find "^List" then count = count + 1 end
    if count == nth then
      desk.given.transport = nil
      error("interrupted!", 0)
    end
    return inner.send(request)
  end }
end

local function is_as_before(emu)
  assert.equal(2, #emu.world.groups)
  assert.equal(3, #emu.world.pairs)
end

local function command_in(text, flag)
  local line = text:gsub("\n%s+", " "):match("alicloud%-dr (conformance " .. flag .. "[^\n]+)")
  local list = {}
  for word in assert(line, text):gmatch "%S+" do list[#list + 1] = word end
  return list
end

describe("alicloud-dr conformance --throwaway", function()
  it("says what will be overwritten, and sends nothing without the ids", function()
    local desk, output = room { input_tty = true, typed = { "yes" } }
    local ran = desk:run(words(output))
    assert.equal(1, ran.code)
    assert.matches("overwritten", ran.err)
    for _, id in ipairs { "d-sh-1", "d-sh-2", "d-sh-3" } do
      assert.truthy(ran.err:find(id, 1, true))
    end
    assert.same({}, desk:requests())
  end)

  it("lives the whole life, writes what it saw, and leaves nothing", function()
    local desk, output = room { input_tty = true, typed = { TARGETS } }
    local ran = desk:run(words(output))
    assert.equal(0, ran.code, ran.err)
    is_as_before(desk.bench.emu)
    local file = core.decode(scratch.read(output))
    assert.equal("keep", file.assume.reprotect_recover_point)
    assert.equal("initial", file.assume.side_names)
    assert.is_true(file.timings.initial_sync ~= nil)
    assert.is_nil(scratch.read(output):find("d-sh-1", 1, true))
  end)

  it("names both ways on when it is interrupted, and either of them works", function()
    for _, flag in ipairs { "--continue", "--cleanup" } do
      local again_typed = flag == "--cleanup" and "cleanup" or TARGETS
      local desk, output = room { input_tty = true, typed = { TARGETS, again_typed } }
      interrupt_at(desk, 40)
      local ran = desk:run(words(output))
      assert.equal(130, ran.code, ran.err)
      command_in(ran.err, "%-%-continue")
      assert.is_true(#desk.bench.emu.world.groups > 2)
      local again = desk:run(table.unpack(command_in(ran.err, flag:gsub("%-", "%%-"))))
      assert.equal(0, again.code, again.err)
      is_as_before(desk.bench.emu)
    end
  end)

  it("refuses a disk that is attached with exit code 3, and changes nothing", function()
    local desk, output = room { input_tty = true, typed = { TARGETS } }
    desk.bench.emu.world.disk_by_id["d-hz-1"].status = "In_use"
    local ran = desk:run(words(output))
    assert.equal(3, ran.code)
    assert.truthy((ran.err:gsub("%s+", " ")):find("d-hz-1 is attached", 1, true), ran.err)
    assert.same({}, desk:ledger())
  end)
end)
