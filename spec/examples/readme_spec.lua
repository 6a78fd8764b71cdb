-- The snippets of README and manual, run as a reader would: scripts and shell lines against an
-- emulator that is a process of its own, the REPL by typing into it.
local emulators = require "alicloud.emulator"
local manual = require "alicloud.cli.commands.manual"
local process = require "spec.process"
local scratch = require "spec.scratch"

local function read_texts()
  local texts = { "\n" .. scratch.read "README.md" }
  for _, topic in ipairs(manual.TOPICS) do
    texts[#texts + 1] = "\n" .. scratch.read("lua/alicloud/manual/" .. topic .. ".md")
  end
  return texts
end

local function read_blocks(language)
  local blocks = {}
  for _, text in ipairs(read_texts()) do
    for fence, body in text:gmatch "\n```(%w*)\n(.-)\n```" do
      if fence == language then blocks[#blocks + 1] = body end
    end
  end
  return blocks
end

-- One line of a transcript may cut text out with "…".
local function shows(line, output)
  local pattern = line:gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0"):gsub("…", ".*")
  return output:find(pattern) ~= nil
end

local function matching_line(pattern)
  local found
  for _, block in ipairs(read_blocks "sh") do found = block:match(pattern) or found end
  return found
end

local function lines_where(test)
  local lines = {}
  for _, block in ipairs(read_blocks "sh") do
    for line in block:gmatch "[^\n]+" do
      if test(line) then lines[#lines + 1] = line end
    end
  end
  return lines
end

-- The file that a snippet names in its first line.
local function snippet_of(name)
  for _, script in ipairs(read_blocks "lua") do
    if script:find("-- " .. name, 1, true) == 1 then return script end
  end
  error("no snippet " .. name)
end

local function names_ready_playbook(line)
  return line:find "^alicloud%-dr %l+ %l+ groups?=" ~= nil
end

local function playbook_lines()
  return lines_where(function(line)
    local ours = line:find("my[-_]orders") or line:find("my_journal", 1, true)
    return ours and not line:find("explore", 1, true)
  end)
end

local function playbook_script()
  local lines = playbook_lines()
  return ([[
    dir=$(mktemp -d)
    cd "$dir" && ALICLOUD_DR_JOURNALS=$dir/journals && export ALICLOUD_DR_JOURNALS
    cat >my-orders.lua <<'END'
%s
END
    %s
    echo "planned $?"
    %s
    echo "ran once $?"
    %s
    echo "ran twice $?"
    set -e
    %s]]):format(snippet_of "my-orders.lua", lines[1], lines[2], lines[3],
      table.concat(lines, "\n", 4))
end

local function rehearsal_script()
  return ([[
    cd "$(mktemp -d)" && cat >my-orders.lua <<'END'
%s
END
    %s]]):format(snippet_of "my-orders.lua", matching_line "[^\n]*explore[^\n]*")
end

local function is_short(line)
  return line:find("shanghai.lua", 1, true) ~= nil
end

local function short_script()
  return ([[
    set -e
    dir=$(mktemp -d)
    cd "$dir" && ALICLOUD_DR_JOURNALS=$dir/journals && export ALICLOUD_DR_JOURNALS
    cat >shanghai.lua <<'END'
%s
END
    %s]]):format(snippet_of "shanghai.lua", table.concat(lines_where(is_short), "\n"))
end

-- The service must have copied again before a failover with a limit of its age.
local UNTIL_COPIED = [[
while alicloud-dr readiness pg-orders --region cn-shanghai --max-rpo 15m >/dev/null; [ $? = 2 ]
do :; done
]]

local function ready_script()
  local lines = lines_where(names_ready_playbook)
  for i, line in ipairs(lines) do
    if line:find "run failover" then lines[i] = UNTIL_COPIED .. line end
  end
  return "set -e; dir=$(mktemp -d); export ALICLOUD_DR_JOURNALS=$dir\n"
    .. table.concat(lines, "\n") .. "\necho all done"
end

-- What takes long waits for the emulator's clock most of the time, so all of it waits at once.
local function begin_all()
  local flows = {}
  local function begin(name, how, text, speed)
    local emulator = process.start_emulator { speed = speed }
    flows[name] = { emulator = emulator, job = emulator[how](emulator, text) }
  end
  for i, script in ipairs(read_blocks "lua") do begin(i, "begin_lua", script) end
  -- Slower: on a busy machine the recovery point must not grow too old between its commands.
  begin("playbook", "begin", playbook_script(), 120)
  begin("ready", "begin", ready_script(), 120)
  begin("short", "begin", short_script(), 120)
  return flows
end

describe("README with the manual", function()
  local emulator, begun

  -- Not in a setup: busted calls that even where it has no spec of this file to run.
  local function flow_of(name)
    begun = begun or begin_all()
    return begun[name]
  end

  teardown(function()
    for _, flow in pairs(begun or {}) do flow.emulator:stop() end
  end)

  before_each(function() emulator = process.start_emulator() end)
  after_each(function() emulator:stop() end)

  it("has the snippets that this spec runs", function()
    assert.equal(17, #read_blocks "lua")
    assert.equal(19, #read_blocks "sh")
    assert.equal(1, #read_blocks "")
    assert.equal(14, #read_blocks "console")
  end)

  for i, script in ipairs(read_blocks "lua") do
    it("has a Lua snippet that runs: number " .. i, function()
      local flow = flow_of(i)
      local output, ok = flow.job:finish()
      assert.is_true(ok, output)
      if script:find("group:failback", 1, true) then
        assert.truthy(output:find("drilled\t0 drills left open", 1, true), output)
        assert.truthy(output:find("failed_back\treprotect start catch_up stop_service fence sync "
          .. "failover serve protect restart", 1, true), output)
      end
      if script:find("orders:failover {   --", 1, true) then
        assert.truthy(output:find("failovered, open in cn%-shanghai: RTO %d+ s, RPO %d+ s, "
          .. "token %x+"), output)
        assert.equal(1, flow.emulator:effects())
        output, ok = flow.emulator:run_lua(script)
        assert.is_true(ok, output)
        assert.truthy(output:find("already_failovered, open in cn%-shanghai: RTO unknown s, "
          .. "RPO unknown s"), output)
        assert.equal(1, flow.emulator:effects())
      end
    end)
  end

  it("has a fault file that the emulator takes", function()
    local faulty = process.start_emulator { faults = snippet_of "my-faults.lua" }
    local output, ok = faulty:shell("alicloud-dr failover pg-orders --region cn-shanghai --yes")
    local effects = faulty:effects()
    faulty:stop()
    assert.is_true(ok, output)
    assert.equal(1, effects)
  end)

  it("has a world that the emulator takes", function()
    local world = load(snippet_of "my-world.lua", "my-world.lua", "t", {})()
    assert.is_nil(emulators.world_problem(world))
  end)

  it("has ten lines of playbook that are planned, run and rehearsed", function()
    local flow = flow_of "short"
    assert.equal(3, #lines_where(is_short))
    local output, ok = flow.job:finish()
    assert.is_true(ok, output)
    assert.matches("ebs:FailoverDiskReplicaGroup pg%-orders in cn%-shanghai\n", output)
    assert.matches("✔ completed, RTO ", output)
    assert.matches("✔ 50 seeds, .*no violation", output)
  end)

  it("has a playbook that is planned, run, and run again", function()
    local flow = flow_of "playbook"
    assert.equal(10, #playbook_lines())
    local output = flow.job:finish()
    assert.matches("FailoverDiskReplicaGroup pg%-orders in cn%-shanghai\n.-planned 0\n", output)
    assert.matches("✔ completed, RTO .-ran once 0\n", output)
    assert.matches("✔ completed.-ran twice 0\n", output)
    assert.matches("report  my%-move.html\n", output)
    assert.matches("# Two runs of orders: move to Shanghai\n", output)
    assert.matches("send again   there is nothing to send\n", output)
    assert.equal(1, flow.emulator:effects())
  end)

  it("has a playbook that is rehearsed", function()
    local output, ok = emulator:shell(rehearsal_script())
    assert.is_true(ok, output)
    assert.matches("✔ 200 seeds, .*no violation", output)
    assert.equal(0, emulator:effects())
  end)

  it("has ready playbooks that run, one after the other", function()
    local flow = flow_of "ready"
    assert.equal(6, #lines_where(names_ready_playbook))
    local output = flow.job:finish()
    assert.matches("all done\n$", output)
    local _, completed = output:gsub("✔ completed", "")
    assert.equal(5, completed, output)
    local _, lossless = output:gsub("RPO 0 s", "")
    assert.equal(2, lossless, output)
    local moves, drills = 0, 0
    for _, effect in ipairs(flow.emulator:ledger()) do
      if effect.action == "FailoverDiskReplicaGroup" then moves = moves + 1 end
      if effect.action:find "ReplicaGroupDrill$" then drills = drills + 1 end
    end
    assert.equal(4, moves)
    assert.equal(2, drills)
  end)

  it("has shell lines of the command that run", function()
    local ran = 0
    for _, line in ipairs(lines_where(function(line)
      return line:find "^alicloud%-dr" and not line:find "my[-_]" and not is_short(line)
        and not names_ready_playbook(line)
    end)) do
      local output, ok = emulator:shell(line)
      assert.is_true(ok, line .. "\n" .. output)
      ran = ran + 1
    end
    assert.equal(16, ran)
    assert.equal(2, emulator:effects())
  end)

  it("has a line that holds the assumptions against a service", function()
    local line = matching_line "[^\n]*conformance [^\n]*my%-account[^\n]*"
    local output, ok = emulator:shell(("cd '%s' && %s"):format(scratch.directory(), line))
    assert.is_true(ok, output)
    assert.matches("✔ %d+ as assumed, 0 otherwise, 0 that nobody knew, %d+ not told\n", output)
    assert.equal(0, emulator:effects())
  end)

  it("opens with a command whose lines look like that", function()
    local transcript = read_blocks "console"[1]
    local output, ok = emulator:shell(transcript:match "^%$ ([^\n]+)")
    assert.is_true(ok, output)
    for _, start in ipairs { "  pg%-orders  orders   cn%-hangzhou/g → cn%-shanghai/b   normal ",
      "  pre%-check   ✔ group  ✔ direction", "  failover    accepted, request id %x+",
      "  ✔ failovered, RTO .+, RPO .+ %(recovery point .+ [+-]%d%d:%d%d%)" } do
      assert.truthy(transcript:find(start), start)
      assert.truthy(output:find(start), output)
    end
  end)

  it("has a REPL transcript that a REPL repeats", function()
    local transcript = read_blocks ""[1]
    local typed, expected = {}, {}
    for line in transcript:gmatch "[^\n]+" do
      local input = line:match "^> (.*)"
      if input then
        typed[#typed + 1] = input
      else
        expected[#expected + 1] = line
      end
    end
    local output = emulator:repl(typed)
    for _, line in ipairs(expected) do
      assert.is_true(shows(line, output), line .. "\n" .. output)
    end
    assert.equal(0, emulator:effects())
  end)
end)
