-- Two operators of one machine, and a stranger: users 2001 and 2002 of the group 2500, and 2003.

local bare = require "spec.bare"
local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"

local BIN = os.getenv "ALICLOUD_BUILD" or "build"

local sh = process.sh

local function as(uid, groups, line)
  local bin = sh("realpath " .. BIN .. "/bin"):gsub("\n", "")
  return sh(("setpriv --reuid=%d --regid=%d --groups=%s env -i PATH=%s:/usr/bin:/bin HOME=/nowhere "
    .. "USER=u%d %s%s"):format(uid, uid, groups, bin, uid, bare.words(), line))
end

local function usable()
  if core.user().uid ~= 0 then return false, "needs root" end
  if select(2, sh "command -v setpriv") ~= 0 then return false, "needs setpriv" end
  if select(2, as(2003, "2003", "alicloud-dr version")) ~= 0 then
    return false, "the tree cannot be read by others"
  end
  return true
end

local PLAYBOOK = [[
local fixed = ...
return require "alicloud.dr".playbook("NAME", function(run)
  local group = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("look", function() return group:precheck { max_rpo = "1d" } end)
  run:step("fails", function()
    if not io.open("MARK") then error "not yet" end
    return true
  end)
end)
]]

describe("operators of one machine", function()
  local fit, why = usable()
  if not fit then return pending(why) end
  local emulator, root

  setup(function()
    emulator = process.start_emulator {}
    root = sh "mktemp -d /tmp/two_users.XXXXXX":gsub("\n", "")
    sh("chmod 755 " .. root)
  end)

  teardown(function()
    emulator:stop()
    os.execute("rm -rf '" .. root .. "'")
  end)

  local count = 0
  local function directory(owner, mode)
    count = count + 1
    local path = ("%s/%d"):format(root, count)
    assert(os.execute(("mkdir %s; chown %s %s; chmod %s %s"):format(path, owner, path, mode, path)))
    return path
  end

  local function playbook(name)
    local path = ("%s/%s-%d.lua"):format(root, name, count)
    local mark = ("%s/mark-%d"):format(root, count)
    scratch.write(path, (PLAYBOOK:gsub("NAME", name):gsub("MARK", mark)))
    return path, mark
  end

  local function run(uid, groups, journals, words)
    return as(uid, groups, ("ALICLOUD_DR_JOURNALS=%s %s alicloud-dr %s"):format(journals,
      emulator:environment(), words))
  end

  it("go on with each other's runs in the directory of their group", function()
    local team = directory("2001:2500", "2770")
    local path, mark = playbook "shared"
    local text, code = run(2001, 2500, team, "run " .. path)
    assert.equal(1, code, text)
    local journal = sh("ls " .. team .. "/*.jsonl"):gsub("\n", "")
    assert.equal("660 2500 660 2500\n", (sh(("stat -c '%%a %%g' %s %s/groups.lock | tr '\\n' ' ' "
      .. "| sed 's/ $/\\n/'"):format(journal, team))))
    scratch.write(mark, "")
    text, code = run(2003, 2003, team, "resume " .. journal)
    assert.equal(1, code, text)
    assert.matches("permission denied.*hint: it is somebody else's, or of a team", text)
    assert.not_matches("need not be yours", (run(2002, 2500, team, "explain " .. journal)))
    text, code = run(2002, 2500, team, "resume " .. journal)
    assert.equal(0, code, text)
    assert.matches("going on, process 2 of this run", text)
    text, code = run(2001, 2500, team, "run " .. path)
    assert.equal(0, code, text)
  end)

  it("may have files that their own group may write, if it is theirs alone", function()
    local known = sh "getent passwd 1; getent group 1"
    if not known:find "^daemon:[^\n]*:1:1:[^\n]*\ndaemon:[^:]*:1:\n" then
      return pending "no user daemon with a group of that name"
    end
    local own = directory("1:1", "775")
    local path, mark = playbook "private"
    scratch.write(mark, "")
    sh(("cp %s %s/own.lua; chown 1:1 %s/own.lua; chmod 664 %s/own.lua"):format(path, own, own, own))
    local text, code = run(1, 1, own, "run " .. own .. "/own.lua")
    assert.equal(0, code, text)
    sh(("chown 1:2500 %s/own.lua"):format(own))
    text, code = run(1, 2500, own, "run " .. own .. "/own.lua")
    assert.equal(2, code, text)
    assert.matches("may be written by its group %(mode 664%)", text)
    sh(("chown 1:1 %s/own.lua"):format(own))
    text, code = run(2001, 2001, own, "run " .. own .. "/own.lua")
    assert.equal(2, code, text)
  end)

  it("are told who has made a lock for himself", function()
    local team = directory("root:2500", "2770")
    local path, mark = playbook "blocked"
    scratch.write(mark, "")
    assert(os.execute(("install -m 600 -o 2002 -g 2500 /dev/null %s/groups.lock"):format(team)))
    local text, code = run(2001, 2500, team, "run " .. path)
    assert.equal(1, code, text)
    local cure = text:match "uid 2002 made it; while nobody runs: (rm [^\n]*groups%.lock)"
    assert.is_string(cure, text)
    assert.equal(0, select(2, as(2001, 2500, cure)))
    text, code = run(2001, 2500, team, "run " .. path)
    assert.equal(0, code, text)
  end)

  it("are told who has made the directory of the notes for himself", function()
    local team = directory("root:2500", "2770")
    local path, mark = playbook "noted"
    scratch.write(mark, "")
    sh(("install -d -m 700 -o 2002 -g 2500 %s/groups.notes; touch %s/groups.notes/x"):format(team,
      team))
    local text, code = run(2001, 2500, team, "run " .. path)
    assert.equal(1, code, text)
    local cure = text:match "uid 2002 made it; while nobody runs: (mv [^\n]*groups%.notes%.old)"
    assert.is_string(cure, text)
    assert.equal(0, select(2, as(2001, 2500, cure)))
    text, code = run(2001, 2500, team, "run " .. path)
    assert.equal(0, code, text)
  end)

  it("are handed a run that was begun in a directory of its owner alone", function()
    local own, team = directory("2001:2001", "700"), directory("2001:2500", "2770")
    local mark = ("%s/mark-%d"):format(root, count)
    local path = own .. "/private.lua"
    scratch.write(path, (PLAYBOOK:gsub("NAME", "private"):gsub("MARK", mark)))
    sh(("chown 2001:2001 %s; chmod 600 %s"):format(path, path))
    local text, code = run(2001, 2500, own, "run " .. path)
    assert.equal(1, code, text)
    local journal = sh("ls " .. own .. "/*.jsonl"):gsub("\n", "")
    text, code = run(2001, 2500, own, ("handover %s --to %s"):format(journal, team))
    assert.equal(0, code, text)
    local go_on = text:match "go on:  alicloud%-dr ([^\n]+)"
    scratch.write(mark, "")
    -- Its owner finds it no more where it was, and is told where it is.
    text, code = run(2001, 2500, own, "run " .. path)
    assert.equal(1, code, text)
    assert.matches("was handed over, and is " .. team:gsub("%-", "%%-"), text)
    text, code = run(2003, 2003, own, go_on)
    assert.equal(1, code, text)
    -- The file of the playbook cannot be read by the other; its copy is.
    text, code = run(2002, 2500, team, go_on)
    assert.equal(0, code, text)
    assert.matches("process 2 of this run, taken over from u2001", text)
  end)

  it("lock no group where anybody could make the lock", function()
    local open = directory("root:root", "1777")
    local path = playbook "open"
    local text, code = run(2001, 2500, open, "run " .. path)
    assert.equal(1, code, text)
    assert.matches("groups cannot be locked here: .* may be written by everybody %(mode 1777%)",
      text)
    assert.matches("keep journals in a directory of your own %(mode 700%), or of a team", text)
    local own = directory("2001:2001", "700")
    scratch.write(root .. "/mark-" .. count - 1, "")
    sh(("mv %s/*.jsonl %s"):format(open, own))
    text, code = run(2001, 2500, own, "resume " .. own .. "/*.jsonl")
    assert.equal(0, code, text)
  end)

  it("are not kept from a run by a stranger's files", function()
    local open = directory("root:root", "1777")
    local path = root .. "/alone.lua"
    scratch.write(path, [[
return require "alicloud.dr".playbook("alone", function(run)
  run:step("one", function() return true end)
end)]])
    local text, code = run(2001, 2001, open, "run " .. path)
    assert.equal(0, code, text)
    local first = sh("ls " .. open .. "/*.jsonl"):gsub("\n", "")
    local stem = first:match "^(.*)1%.jsonl$"
    as(2003, 2003, ("touch %s2.jsonl %s3.jsonl.lock"):format(stem, stem))
    as(2003, 2003, ("mkdir %s4.jsonl"):format(stem))
    text, code = run(2001, 2001, open, "run " .. path)
    assert.equal(0, code, text)
    assert.equal(0, select(2, sh("test -f " .. stem .. "5.jsonl")))
  end)

  it("give orders to a run only as its user or as a member of its team", function()
    local gated = root .. "/gated.lua"
    scratch.write(gated, [[
return require "alicloud.dr".playbook("gated", function(run)
  run:gate("promote", { need = 1, of = { dba = ("ab"):rep(32) }, expires = "10m" })
end)]])
    local team, open = directory("root:2500", "2770"), directory("root:root", "1777")
    for _, case in ipairs { { open, 2003, 2003, false }, { team, 2002, 2500, true },
      { open, 2001, 2001, true } } do
      local where, uid, group, obeyed = table.unpack(case)
      local journal = where .. "/gated-" .. uid .. ".jsonl"
      local output, number = scratch.path(), scratch.path()
      os.execute(("setpriv --reuid=2001 --regid=2001 --groups=2500 env -i "
        .. "PATH=%s/bin:/usr/bin:/bin HOME=/nowhere %s%s alicloud-dr run %s --as alice --journal "
        .. "%s >%s 2>&1 & echo $! >%s"):format((sh("realpath " .. BIN):gsub("\n", "")),
        bare.words(), emulator:environment(), gated, journal, output, number))
      local text
      local function wait_for(...)
        local words = { ... }
        process.wait_until(words[1] .. " in " .. journal, function()
          text = sh("cat " .. journal)
          for _, word in ipairs(words) do
            if text:find(word, 1, true) then return true end
          end
        end)
      end
      wait_for '"gate_open"'
      local id = text:match '"run_id":"(%x+)"'
      scratch.write(root .. "/letter", core.encode { type = "mode", run = id, mode = "ungraceful",
        by = "the CTO", why = "the region is gone" } .. "\n")
      as(uid, group, obeyed and ("alicloud-dr ungraceful %s --as lead --why 'it burns'"):format(
        journal) or ("sh -c 'umask 022; cp %s/letter %s.mail.x'"):format(root, journal))
      wait_for('"type":"mode"', "not obeyed")
      assert(os.execute("kill " .. scratch.read(number)))
      wait_for '"interrupted"'
      assert.equal(obeyed, text:find '"type":"mode"' ~= nil, text)
      if obeyed then
        assert.matches('"from":"[^"]*uid ' .. uid, text)
      else
        assert.matches("not obeyed: mode was left by uid 2003", text)
      end
    end
  end)
end)
