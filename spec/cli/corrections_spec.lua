-- Parameters and wishes for the steps of a run that come too late, or name nothing.

local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"

local PLAYBOOK = [[
local dr = require "alicloud.dr"
return dr.playbook("two steps", function(run)
  run:step("one", function() return run.params.attach end)
  run:step("two", function()
    if not io.open("MARK") then error "not yet" end
    return true
  end)
end)
]]

-- A desk with a playbook, and the file that its second step waits for.
local function room(text)
  local desk, file, directory = desks.room("")
  local mark = directory .. "/mark"
  scratch.write(file, ((text or PLAYBOOK):gsub("MARK", mark)))
  return desk, file, mark
end

describe("a run that has come to its end", function()
  local function finished()
    local desk, file, mark = room()
    scratch.write(mark, "")
    local ran = desk:run("run", file, "attach=i-old", "about=@@home", "--region", "cn-shanghai",
      "--json")
    assert.equal(0, ran.code, ran.err)
    return desk, ran.object.journal, file
  end

  it("takes no correction, and names the command that begins a new one", function()
    local desk, journal, file = finished()
    local new = ("alicloud-dr run %s about=@@home attach=i-new --region cn-shanghai"):format(file)
    local before = scratch.read(journal)
    local ran = desk:run("resume", journal, "attach=i-new", "--why", "typo")
    assert.equal(1, ran.code)
    assert.matches("parameter attach stays i-old: the run has come to its end", ran.err, 1, true)
    assert.matches("go on:  " .. new, ran.err, 1, true)
    ran = desk:run("resume", journal, "attach=i-new", "--why", "typo", "--json")
    assert.same({ "Client.ParameterFrozen", new }, { ran.object.error.code, ran.object.run })
    ran = desk:run("run", file, "attach=i-new", "about=@@home", "--region", "cn-shanghai",
      "--journal", journal)
    assert.equal(1, ran.code)
    assert.matches("go on:  " .. new, ran.err, 1, true)
    assert.equal(before, scratch.read(journal))
    local words = {}
    for word in new:gmatch "%S+" do words[#words + 1] = word end
    ran = desk:run(table.unpack(words, 2))
    assert.equal(0, ran.code, ran.err)
    assert.is_nil(ran.out:find(journal, 1, true))
  end)

  it("says which wishes have had no effect, and is none the worse for it", function()
    local desk, journal = finished()
    local ran = desk:run("resume", journal, "attach=i-old", "--why", "it is so", "--skip",
      "two=gone", "--again", "two")
    assert.equal(0, ran.code, ran.err)
    assert.equal("alicloud-dr: the run had come to its end before, so this has had no effect: "
      .. "--skip two=gone --again two\n", ran.err)
    assert.equal("", desk:run("resume", journal).err)
  end)
end)
