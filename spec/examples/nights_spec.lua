-- The stories of the manual's page about nights, as they are told: each section is a world, the
-- commands are typed into it, and every line that is shown has to come, in its order.

local after = require "spec.dr.after_lab"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local lab = require "spec.dr.lab"
local scene = require "spec.playbooks.scene"
local scratch = require "spec.scratch"

local PAGE = scratch.read "lua/alicloud/manual/nights.md"

-- The transcripts of a section: commands, each with the lines that are shown.
local function transcripts(title)
  local section = assert(("\n" .. PAGE .. "\n## "):match("\n## " .. title .. "\n(.-)\n## "), title)
  local list = {}
  for body in section:gmatch "```console\n(.-)\n```" do
    for line in body:gmatch "[^\n]+" do
      local command = line:match "^%$ (.*)$"
      if command then list[#list + 1] = { command = command, shown = {} }
      else table.insert(list[#list].shown, line) end
    end
  end
  return list
end

local function words_of(command, journal)
  local words = {}
  local text = command:gsub("JOURNAL", journal or "JOURNAL")
  local rest = text
  while rest ~= "" do
    local word, after_it = rest:match "^%s*'([^']*)'(.*)$"
    if not word then word, after_it = rest:match "^%s*(%S+)(.*)$" end
    if not word then break end
    words[#words + 1], rest = word, after_it
  end
  -- Nobody is there to be asked.
  if words[2] == "run" or words[2] == "resume" then words[#words + 1] = "--no-ask" end
  return words
end

local function shows(text, lines)
  local from = 1
  for _, line in ipairs(lines) do
    local pattern = line:gsub("%p", "%%%0"):gsub("%s+", "%%s+")
    local first, last = text:find(pattern, from)
    assert(first, ("%q does not come (in its order) in:\n%s"):format(line, text))
    from = last + 1
  end
end

-- The world of the page: one group, and the machines of both sides.
local function room(faults, transport)
  local world, desk = after.world(), nil
  for _, instance in ipairs(world.instances) do
    instance.id = ({ ["i-old"] = "i-orders-hz", ["i-new"] = "i-orders-sh" })[instance.id]
      or instance.id
  end
  for _, disk in ipairs(world.disks) do disk.instance = "i-orders-hz" end
  world.instances[#world.instances + 1] = { id = "i-spare", name = "spare", status = "Stopped",
    place = "cn-shanghai/cn-shanghai-b" }
  -- The spare machine goes away while the group is opened.
  transport = transport or { send = function(request)
    local text = (request.url or "") .. (request.body or "") .. core.encode(request.headers)
    if text:find("FailoverDiskReplicaGroup", 1, true) then
      scene.lose(desk.bench.emu.world, "i-spare")
    end
    return desk.bench.emu.transport.send(request)
  end }
  desk = desks.room(false, { world = world, faults = faults, transport = transport })
  return desk
end

-- Hangzhou is dark until the group is failed over. Then it answers, with what it knew before, until
-- it is told to tell the truth.
local function liar()
  local hangzhou = { says = "nothing" }
  function hangzhou.transport(send)
    return { send = function(request)
      local text = (request.url or "") .. (request.body or "") .. core.encode(request.headers)
      local asked = text:find("cn-hangzhou", 1, true)
      if asked and hangzhou.says == "nothing" then
        return nil, { kind = "connect", code = "Client.Transport", outcome = "not_sent",
          message = "connection refused" }
      end
      if text:find("FailoverDiskReplicaGroup", 1, true) then hangzhou.says = "old" end
      local answer, err = send(request)
      if asked and answer and hangzhou.says == "old" and text:find "DescribeDiskReplica" then
        answer.body = answer.body:gsub('"Status":"failovered"', '"Status":"normal"')
      end
      return answer, err
    end }
  end
  return hangzhou
end

local function status(desk, id) return desk.bench.emu.world.instance_by_id[id].status end

-- Types the commands of a section; where a journal lies is read from what was shown.
local function tell(title, desk, between)
  local journal
  for i, each in ipairs(transcripts(title)) do
    if between then between(i, journal) end
    local words = words_of(each.command, journal)
    local ran = desk:run(table.unpack(words, 2))
    local text = ran.out .. ran.err
    shows(text, each.shown)
    journal = text:match "resume (%S+%.jsonl)" or text:match "journal (%S+%.jsonl)" or journal
  end
  return journal
end

describe("a night", function()
  it("with a typo that is found after the promote", function()
    local desk = room()
    tell("A typo that is found after the promote", desk)
    assert.equal("Running", status(desk, "i-orders-sh"))
    assert.equal(1, after.effects(desk.bench, "FailoverDiskReplicaGroup"))
  end)

  it("with a primary that comes back lying", function()
    local hangzhou, desk = liar(), nil
    desk = room(nil, hangzhou.transport(function(request)
      return desk.bench.emu.transport.send(request)
    end))
    tell("A primary that comes back lying", desk, function(i)
      if i == 5 then hangzhou.says = "truth" end
    end)
    assert.equal("Running", status(desk, "i-orders-sh"))
    assert.equal("Stopped", status(desk, "i-orders-hz"))
    assert.equal(1, after.effects(desk.bench, "FailoverDiskReplicaGroup"))
    assert.equal(1, after.effects(desk.bench, "ReprotectDiskReplicaGroup"))
  end)

  it("with a planned move that fails", function()
    local desk = room { { match = { action = "FailoverDiskReplicaGroup", nth = 1 },
      effect = lab.answer("Forbidden", 403) } }
    tell("A planned move that fails", desk, function(i)
      if i == 2 then
        assert.equal("Running", status(desk, "i-orders-hz"))
        desk.bench.emu:advance(3600)
      end
    end)
    assert.equal("Running", status(desk, "i-orders-sh"))
    assert.equal("Stopped", status(desk, "i-orders-hz"))
  end)

  it("with a colleague who takes over", function()
    local desk = room { { match = { action = "FailoverDiskReplicaGroup", nth = 1 },
      effect = lab.answer("Forbidden", 403) } }
    local ran = desk:run("run", "failover", "group=pg-orders", "region=cn-shanghai",
      "attach=i-orders-sh", "max_rpo=2h", "--no-ask", "--as", "olga")
    assert.equal(1, ran.code, ran.err)
    local journal, team = ran.err:match "resume (%S+%.jsonl)", scratch.directory()
    PAGE = PAGE:gsub("/var/lib/alicloud%-dr", (team:gsub("%%", "%%%%")))
    local list = transcripts "A colleague who takes over"
    for _, each in ipairs(list) do
      local words = words_of(each.command, journal)
      ran = desk:run(table.unpack(words, 2))
      assert.equal(0, ran.code, ran.err)
      shows(ran.out, each.shown)
      journal = ran.out:match "resume (%S+%.jsonl)" or journal
    end
    assert.equal("Running", status(desk, "i-orders-sh"))
  end)
end)
