-- Whatever names a journal, a playbook or the service hold: a command that is printed among them
-- can be copied into a shell, and no name has a terminal do anything.

local aftermath = require "alicloud.cli.view_change"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local errors = require "alicloud.base.error"
local explain = require "alicloud.cli.explain_code"
local scratch = require "spec.scratch"
local shell = require "alicloud.base.shell"

local ODD = { "a; touch MARK", "p'; touch MARK; '", "$(touch MARK)", "`touch MARK`",
  "a\\'; touch MARK", "\27]0;x\7; touch MARK\n touch MARK", "x\u{202e}; touch MARK" }

local bin = scratch.directory()
scratch.write(bin .. "/alicloud-dr", "#!/bin/sh\n")
assert(os.execute("chmod 755 " .. bin .. "/alicloud-dr"))

-- Types all commands of a text, from their beginning to the end of the line or of the code.
local function paste(text)
  local own, count = scratch.directory(), 0
  for line in text:gmatch "[^\n]+" do
    local command = line:match "`(alicloud%-dr%s+%l[^`]*)`" or line:match "alicloud%-dr%s+%l.*"
    if command then
      count = count + 1
      local file = scratch.file(("cd %s && PATH=%s:$PATH\n%s\n"):format(own, bin, command))
      os.execute("sh " .. file .. " >/dev/null 2>&1 </dev/null")
    end
  end
  local pipe = assert(io.popen("ls -A " .. own))
  local made = pipe:read "a"
  pipe:close()
  assert.equal("", made, text)
  return count
end

local function demand_clean(text)
  assert.is_nil(text:gsub("\n", ""):find "%c", text)
  assert.is_nil(text:find("\u{202e}", 1, true), text)
end

-- A journal whose every name is odd, its sums made anew.
local function journal(word, damaged)
  local now = 1790000000
  local events = {
    { type = "run", at = now, digest = ("a"):rep(64), file = "/no/" .. word, kind = "unplanned",
      mode = "graceful", params = { [word] = word }, playbook = word, region = word,
      requester = word, run_id = "9b7666b402191500", incident = word, version = 1 },
    { type = "attempt", at = now + 1, n = 1, owner = word, host = word, pid = 99999, fence = 1,
      digest = ("a"):rep(64) },
    { type = "gate_open", gate = word, need = 1, of = { word }, expires = 60, at = now + 2 },
    { type = "approval", gate = word, by = word, approved_at = now + 3, at = now + 3,
      text = ("a"):rep(64), signature = ("a"):rep(128), mail = word },
    { type = "step_begin", step = word, at = now + 4 },
    { type = "intent", verb = word, key = word, step = word, at = now + 5, resend_window = 120,
      intent = { group_id = word, region = word, client_token = word } },
    { type = "note", text = word, at = now + 6 },
    { type = "step_end", step = word, ok = false, at = now + 7,
      err = { code = word, message = word } } }
  local lines, previous = {}, ("0"):rep(64)
  for i, event in ipairs(events) do
    local text = core.encode(event)
    local sum = core.sha256(("%d\n%s\n%s"):format(i, previous, text))
    lines[i] = ('{"seq":%d,"prev":"%s","bytes":%d,"sum":"%s","event":%s}\n'):format(
      damaged and i == 8 and 9 or i, previous, #text, sum, text)
    previous = sum
  end
  local directory = scratch.directory() .. "/" .. word:gsub("[/\n]", "")
  assert(core.make_directory(directory))
  local path = directory .. "/a.jsonl"
  scratch.write(path, table.concat(lines))
  assert(os.execute("chmod 600 " .. shell.quote(path)))
  return path
end

describe("with odd names, what is printed to be typed", function()
  for i, word in ipairs(ODD) do
    it(("starts nothing else: journals, %d"):format(i), function()
      local desk, count = desks.new(), 0
      for _, damaged in ipairs { false, true } do
        local path = journal(word, damaged)
        for _, words in ipairs { { "explain", path }, { "report", path }, { "verify", path },
          { "resume", path }, { "approve", path, "x", "--as", "y" } } do
          local ran = desk:run(table.unpack(words))
          demand_clean(ran.out .. ran.err)
          count = count + paste(ran.out .. ran.err)
        end
      end
      assert.is_true(count >= 4, "commands: " .. count)
    end)

    it(("starts nothing else: a run that waits at a gate and fails, %d"):format(i), function()
      local desk, file = desks.room(([[
        return require "alicloud.dr".playbook(%q, function(run)
          run:step(%q, function() return true end)
          run:gate(%q, { need = 1, of = { [%q] = ("ab"):rep(32) }, expires = "1s" })
        end)]]):format((word:gsub("%c", "")), word, word, word))
      desk.env.ALICLOUD_DR_JOURNALS = scratch.directory() .. "/" .. word:gsub("[/\n]", "")
      local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--as",
        "x" .. word:gsub("%c", ""))
      demand_clean(ran.out .. ran.err)
      -- A name with control characters is refused.
      assert.equal(word:find "%c" and 0 or 4, paste(ran.out .. ran.err))
    end)

    it(("starts nothing else: errors and drills, %d"):format(i), function()
      for _, fields in ipairs { { action = "FailoverDiskReplicaGroup", outcome = "unknown" },
        { action = "StartDrill" }, { kind = "credentials" }, {} } do
        fields.code, fields.group_id, fields.region, fields.client_token = "X", word, word, word
        assert.equal(2, paste(tostring(explain.error(errors.new(fields)))))
      end
      local text = aftermath.drill_started({}, { group_id = word, drill_id = word, region = word,
        elapsed = 1, disks = {}, attempts = 0 })
      demand_clean(text)
      assert.equal(1, paste(text))
    end)
  end

  it("is not asked of a directory of journals with a line end in its name", function()
    for _, name in ipairs { "ALICLOUD_DR_JOURNALS", "XDG_STATE_HOME" } do
      local desk, file = desks.room [[
        return require "alicloud.dr".playbook("none", function() end)]]
      desk.env.ALICLOUD_DR_JOURNALS = nil
      desk.env[name] = scratch.directory() .. "/a\nb"
      for _, words in ipairs { { "run", file, "--region", "cn-shanghai" }, { "runs" } } do
        local ran = desk:run(table.unpack(words))
        assert.equal(2, ran.code)
        assert.matches(name .. ".*: got .*; allowed: text without control characters", ran.err)
      end
    end
  end)
end)
