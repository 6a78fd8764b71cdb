-- Another person goes on with a run: its journal and its playbook come along, once.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local process = require "spec.process"
local scratch = require "spec.scratch"
local widths = require "alicloud.cli.width"

local PLAYBOOK = [[
local names = require "names"
return require "alicloud.dr".playbook(names.own, function(run)
  run:step("one", function() return 1 end)
  run:step("two", function()
    if not io.open("MARK") then error "not yet" end
    return true
  end)
end)
]]

-- A run that has stopped, and what it waits for.
local function stopped()
  local desk, file, directory = desks.room("", {})
  local mark = directory .. "/mark"
  scratch.write(file, (PLAYBOOK:gsub("MARK", mark)))
  scratch.write(directory .. "/names.lua", 'return { own = "ours" }')
  local ran = desk:run("run", file, "--region", "cn-shanghai", "--no-ask", "--json")
  assert.equal(1, ran.code, ran.err)
  return desk, ran.object.journal, file, mark
end

local function handed(desk, journal, to, ...)
  return desk:run("handover", journal, "--to", to, "--json", ...)
end

describe("handover", function()
  it("moves journal and playbook, and the other one goes on from there", function()
    local desk, journal, file, mark = stopped()
    local to = scratch.directory()
    local ran = handed(desk, journal, to)
    assert.equal(0, ran.code, ran.out)
    assert.is_nil(core.look(journal))
    os.remove(file)
    os.remove((file:gsub("[^/]*$", "names.lua")))
    scratch.write(mark, "")
    local words = {}
    for word in ran.object.resume:gmatch "%S+" do words[#words + 1] = word end
    assert.same({ "alicloud-dr", "resume" }, { words[1], words[2] })
    words = { table.unpack(words, 2) }
    table.move({ "--as", "bob" }, 1, 2, #words + 1, words)
    ran = desk:run(table.unpack(words))
    assert.equal(0, ran.code, ran.err)
    assert.matches("taken over from operator", ran.out)
    assert.matches("taken over from operator", desk:run("report", words[2]).out)
  end)

  it("tells those who look for it at its old place", function()
    local desk, journal, file = stopped()
    local to = core.real_path(scratch.directory())
    assert.equal(0, handed(desk, journal, to).code)
    for _, words in ipairs { { "resume", journal }, { "run", file, "--region", "cn-shanghai" },
      { "explain", journal }, { "report", journal }, { "verify", journal },
      { "unfence", journal } } do
      local ran = desk:run(table.unpack(words))
      assert.equal(1, ran.code)
      assert.matches("Client.JournalMoved", ran.err, 1, true)
      assert.matches("alicloud-dr explain " .. to, ran.err, 1, true)
    end
    local ran = desk:run("bugreport", journal, "--yes")
    assert.equal(2, ran.code)
    assert.matches("was handed over, and is " .. to, ran.err, 1, true)
    assert.matches("alicloud-dr explain " .. to, ran.err, 1, true)
    ran = desk:run("run", file, "--region", "cn-shanghai", "--new", "--no-ask", "--json")
    assert.equal(1, ran.code)
    assert.equal("Client.StepFailed", ran.object.error.code)
  end)

  it("is shown at the old place as a run that goes on elsewhere", function()
    local desk, journal, _, mark = stopped()
    local old, to = journal:match "^(.*)/", core.real_path(scratch.directory())
    local target = to .. "/" .. journal:match "[^/]*$"
    assert.equal(0, handed(desk, journal, to).code)
    local ran = desk:run("runs", "--json")
    assert.equal(0, ran.code, ran.err)
    assert.equal(1, #ran.object.runs)
    local run = ran.object.runs[1]
    assert.same({ journal, "ours", "handed_over", target, "Client.JournalMoved",
      "alicloud-dr explain " .. target }, { run.journal, run.playbook, run.status, run.moved_to,
      run.code, run.command })
    assert.same({ nil, nil, {} }, { run.resume, run.holder, run.bring_up })
    local shown = desk:run("runs", old).out
    assert.matches("^  %? ours   handed over   ", shown)
    assert.matches(journal .. " was handed over, and is " .. target, shown, 1, true)
    assert.matches("\n    look:   alicloud-dr explain " .. target .. "\n", shown, 1, true)
    assert.same({}, desk:run("runs", "--open", "--json").object.runs)
    -- Handed back it is ours again, and elsewhere there.
    assert.equal(0, handed(desk, target, old).code)
    local statuses = {}
    for i, place in ipairs { old, to } do
      statuses[i] = desk:run("runs", place, "--json").object.runs[1].status
    end
    assert.same({ "failed", "handed_over" }, statuses)
    scratch.write(mark, "")
    assert.equal(0, desk:run("resume", journal).code)
  end)

  it("is found from any directory, and held for moved where nobody knows where to", function()
    local desk, journal = stopped()
    local to = core.real_path(scratch.directory())
    local up = ("../"):rep(select(2, core.real_path("."):gsub("/", "/")))
    assert.equal(0, handed(desk, journal, up .. to:sub(2)).code)
    local run = desk:run("runs", "--json").object.runs[1]
    assert.equal(to .. "/" .. journal:match "[^/]*$", run.moved_to)
    os.remove(journal .. ".lock")
    run = desk:run("runs", "--json").object.runs[1]
    assert.same({ "handed_over", ("alicloud-dr explain %s.moved"):format(journal) },
      { run.status, run.command })
    assert.is_nil(run.moved_to)
  end)

  it("names whole paths, since the other one is elsewhere, in lines that fit", function()
    local desk, journal = stopped()
    local to = core.real_path(scratch.directory())
    local up = ("../"):rep(select(2, core.real_path("."):gsub("/", "/")))
    desk.given.tty, desk.given.columns = true, 80
    -- The second time it stays where it is.
    for _ = 1, 2 do
      local ran = desk:run("handover", up .. journal:sub(2), "--to", up .. to:sub(2))
      journal = to .. "/" .. journal:match "[^/]*$"
      assert.equal(0, ran.code, ran.err)
      assert.matches("\n    go on:  alicloud-dr resume " .. journal .. "\n", ran.out, 1, true)
      for _, line in ipairs(desks.lines_of(ran.out)) do
        local is_path = line:find("/", 1, true) and not line:find "nobody"
        assert.is_true(is_path or widths.of(line) <= 80, line)
      end
    end
  end)

  it("does not hand over what was edited, or has ended, or where nobody said", function()
    local desk, journal, file, mark = stopped()
    local to, text = scratch.directory(), scratch.read(file)
    scratch.write(file, text .. "-- edited\n")
    local ran = handed(desk, journal, to)
    assert.equal("Client.PlaybookChanged", ran.object.error.code)
    local copy = file:gsub("[^/]*$", "copy.lua")
    scratch.write(copy, text)
    assert.matches("%-%-to: is missing", desk:run("handover", journal, "--file", copy).err)
    assert.equal(0, handed(desk, journal, to, "--file", copy).code)
    scratch.write(mark, "")
    scratch.write(file, text)
    local target = to .. "/" .. journal:match "[^/]*$"
    assert.equal(0, desk:run("resume", target).code)
    ran = desk:run("handover", target, "--to", scratch.directory())
    assert.equal(2, ran.code)
    assert.matches("has come to its end", ran.err)
  end)

  it("is not what another file of the same name does", function()
    local desk, journal, file = stopped()
    local other = scratch.directory() .. "/" .. file:match "[^/]*$"
    scratch.write(other, 'return require "alicloud.dr".playbook("ours", function(run)\n'
      .. '  run:step("one", function() return 1 end)\nend)')
    local ran = desk:run("run", other, "--region", "cn-shanghai", "--no-ask", "--json")
    assert.equal(0, ran.code, ran.out)
    assert.not_equal(journal, ran.object.journal)
    -- A copy of it is the same playbook, wherever it lies.
    local copy = scratch.directory() .. "/" .. file:match "[^/]*$"
    scratch.write(copy, scratch.read(file))
    scratch.write((copy:gsub("[^/]*$", "names.lua")), 'return { own = "ours" }')
    ran = desk:run("run", copy, "--region", "cn-shanghai", "--no-ask", "--json")
    assert.equal(journal, ran.object.journal)
  end)

  it("refuses a copy of the playbook that is another one", function()
    local desk, journal, file = stopped()
    local to = scratch.directory()
    assert.equal(0, handed(desk, journal, to).code)
    os.remove(file)
    local target = to .. "/" .. journal:match "[^/]*$"
    scratch.write(target .. ".playbook", core.encode { path = file, modules = {},
      text = 'return require "alicloud.dr".playbook("ours", function() end)' })
    local ran = desk:run("resume", target, "--no-ask")
    assert.equal(1, ran.code)
    assert.matches("Client.PlaybookChanged", ran.err)
    os.execute(("chmod 600 '%s.playbook'"):format(target))
    scratch.write(target .. ".playbook", "rubbish")
    ran = desk:run("resume", target, "--no-ask")
    assert.equal(2, ran.code)
    assert.matches("it holds no playbook", ran.err)
  end)
end)

-- A small disk of its own.
local function mounted(size)
  local path = scratch.directory()
  local _, code = process.sh(("mount -t tmpfs -o size=%s,mode=700 tmpfs %s"):format(size, path))
  if code ~= 0 then return nil end
  return path
end

describe("a journal whose disk is full", function()
  local small = mounted "64k"
  if not small then return pending "needs the right to mount" end
  process.sh("umount " .. small)

  -- A disk with `size`, and whatever is on it gone at the end.
  local function with_disk(size, body)
    local path = mounted(size)
    local ok, raised = pcall(body, path)
    process.sh("umount " .. path)
    if not ok then error(raised, 0) end
  end

  local function typed(desk, line)
    local ran
    for part in (line .. " && "):gmatch "(.-) && " do
      local words = {}
      for word in part:gmatch "%S+" do words[#words + 1] = word end
      ran = desk:run(table.unpack(words, 2))
      assert.equal(0, ran.code, ran.err)
    end
    return ran
  end

  it("is begun elsewhere by the command that is printed", function()
    with_disk("64k", function(path)
      local desk, file = desks.room()
      desk.env.ALICLOUD_DR_JOURNALS, desk.env.XDG_STATE_HOME = path, scratch.directory()
      local ran = desk:run("run", file, "--region", "cn-shanghai", "max_rpo=2h", "--no-ask")
      assert.equal(1, ran.code)
      assert.matches("no space left", ran.err)
      assert.equal(0, #desk:sends())
      ran = typed(desk, ran.err:match "go on:  ([^\n]+)")
      assert.matches("completed", ran.out)
      assert.equal(1, #desk:sends())
    end)
  end)

  it("is moved, and gone on with, once it is full", function()
    with_disk("400k", function(path)
      local desk, file, directory = desks.room()
      local other = scratch.directory()
      local mark = directory .. "/mark"
      scratch.write(file, (PLAYBOOK:gsub("MARK", mark)))
      scratch.write(directory .. "/names.lua", 'return { own = "ours" }')
      desk.env.ALICLOUD_DR_JOURNALS, desk.env.XDG_STATE_HOME = path, other
      assert.equal(1, desk:run("run", file, "--region", "cn-shanghai", "--no-ask").code)
      scratch.write(mark, "")
      local journal = process.sh(("ls %s/*.jsonl"):format(path)):gsub("\n", "")
      -- Another file has what a run reserves for itself.
      process.sh(("cp -p %s %s/own && mv %s/own %s && head -c 390000 /dev/zero >%s/fill"):format(
        journal, path, path, journal, path))
      local ran = desk:run("resume", journal, "--no-ask")
      assert.matches("no space left", ran.err)
      ran = typed(desk, ran.err:match "go on:  ([^\n]+)")
      assert.matches("completed", ran.out)
    end)
  end)
end)
