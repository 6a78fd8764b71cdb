-- The command `manual`: its list, its texts, how they are shown; and what the texts must tell of.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local manual = require "alicloud.cli.commands.manual"
local markdown = require "alicloud.cli.markdown"
local process = require "spec.process"
local schema = require "alicloud.emulator.model.world_schema"
local scratch = require "spec.scratch"

-- Only functions are listed. Each spec file would load luv anew, which it does not bear in one
-- process: what libuv still holds of the first one is freed.
package.loaded.luv = {}

local function text_of(topic)
  return scratch.read("lua/alicloud/manual/" .. topic .. ".md")
end

local function run(given, ...)
  return desks.new(given):run("manual", ...)
end

describe("alicloud-dr manual", function()
  it("lists every text that is there, with one line each", function()
    local there = {}
    for _, name in ipairs(assert(core.list_directory "lua/alicloud/manual")) do
      there[#there + 1] = name:match "^(.*)%.md$"
    end
    local topics = table.move(manual.TOPICS, 1, #manual.TOPICS, 1, {})
    table.sort(there)
    table.sort(topics)
    assert.same(there, topics)
    local ran = run({})
    assert.equal(0, ran.code)
    local lines = desks.lines_of(ran.out)
    assert.equal(#manual.TOPICS, #lines)
    for i, line in ipairs(lines) do
      assert.equal(manual.TOPICS[i], line:match "^  ([%l-]+) +%S")
      assert.is_true(utf8.len(line) <= 100, line)
    end
  end)

  it("prints the text of a topic as it is, where nobody looks", function()
    local ran = run({}, "evidence")
    assert.equal(0, ran.code)
    assert.equal(text_of "evidence", ran.out)
  end)

  it("lists the topics within the terminal's width, and one a line in a pipe", function()
    assert.equal(#manual.TOPICS, #desks.lines_of(run { columns = 40 }.out))
    local ran = run { tty = true, columns = 60 }
    for _, line in ipairs(desks.lines_of(ran.out)) do
      assert.is_true(utf8.len(line) <= 60, line)
    end
    assert.equal((run({}).out:gsub("%s+", " ")), (ran.out:gsub("%s+", " ")))
  end)

  it("gives list and text as JSON", function()
    local ran = run({}, "--json")
    assert.equal(0, ran.object.exit)
    assert.equal(#manual.TOPICS, #ran.object.topics)
    assert.equal("first-steps", ran.object.topics[1].topic)
    assert.matches("^%w", ran.object.topics[1].summary)
    ran = run({ tty = true }, "outages", "--json")
    assert.same({ schema = 1, exit = 0, topic = "outages", text = text_of "outages" }, ran.object)
  end)

  it("refuses a topic that is not there, and names the one that was meant", function()
    for _, word in ipairs { "evidnce", "../security", "Evidence", "" } do
      local ran = run({}, word)
      assert.equal(2, ran.code)
      assert.equal("", ran.out)
      assert.matches("^alicloud%-dr: topic: got ", ran.err)
    end
    assert.matches('did you mean "evidence"%?', run({}, "evidnce").err)
    local ran = run({}, "evidnce", "--json")
    assert.equal("Client.Usage", ran.object.error.code)
  end)

  it("fits a terminal's width but for what is to be copied, and loses no word", function()
    for _, topic in ipairs(manual.TOPICS) do
      local wide, narrow = run({ tty = true, columns = 300 }, topic).out,
        run({ tty = true, columns = 80 }, topic).out
      local is_code = {}
      for body in text_of(topic):gmatch "\n```%l*\n(.-)\n```" do
        for line in body:gmatch "[^\n]+" do is_code["  " .. line] = true end
      end
      for _, line in ipairs(desks.lines_of(narrow)) do
        local first = line:find "^%a[^:]*: " and line == desks.lines_of(narrow)[1]
        assert.is_true(utf8.len(line) <= 80 or is_code[line] or first, line)
      end
      local words = {}
      for word in narrow:gmatch "[%w_]+" do words[word] = true end
      for word in wide:gmatch "[%w_]+" do assert.is_true(words[word], topic .. ": " .. word) end
      assert.is_nil(narrow:find("```", 1, true))
    end
  end)

  it("takes headings as bold where there are colours", function()
    local ran = run({ tty = true, color = true, columns = 80 }, "repl")
    assert.equal("\27[1mREPL: Lua with a client in it\27[0m", desks.lines_of(ran.out)[1])
    assert.is_nil(run({ tty = true, columns = 80 }, "repl").out:find("\27", 1, true))
  end)
end)

-- A terminal of 70 columns on which the command runs; what the terminal gets.
local function on_terminal(environment, line)
  local output = process.sh(("%s script -qec 'stty cols 70 rows 20; %s' /dev/null </dev/null")
    :format(environment, line))
  return (output:gsub("\r", ""))
end

describe("the pager", function()
  local MARK = "read by (the pager)"

  -- A pager is a command line of the user's shell, with words and quotes.
  local PAGER = [[PAGER="sed 's/^REPL: /read by (the pager) /'" TERM=xterm NO_COLOR=1]]

  it("is $PAGER, a line for the shell, on a terminal", function()
    local output = on_terminal(PAGER, "alicloud-dr manual repl")
    assert.is_truthy(output:find(MARK, 1, true), output)
  end)

  it("is not there in a pipe, with --json, in the list, or where it is empty or cat", function()
    for _, line in ipairs { "alicloud-dr manual repl | cat", "alicloud-dr manual repl --json",
      "alicloud-dr manual" } do
      local output = on_terminal("PAGER='echo PAGED' TERM=xterm", line)
      assert.is_truthy(output:find("REPL", 1, true) or output:find("repl", 1, true), output)
      assert.is_nil(output:find("PAGED", 1, true), output)
    end
    for _, pager in ipairs { "PAGER=", "PAGER=cat", "TERM=dumb PAGER='echo PAGED'" } do
      local output = on_terminal("TERM=xterm NO_COLOR=1 " .. pager, "alicloud-dr manual repl")
      assert.is_truthy(output:find("REPL: Lua with a client in it", 1, true), output)
      assert.is_nil(output:find("PAGED", 1, true), output)
    end
  end)

  it("gets no key of the environment", function()
    local output = on_terminal("ALIBABA_CLOUD_ACCESS_KEY_SECRET=hidden PAGER=env TERM=xterm",
      "alicloud-dr manual repl")
    assert.matches("\nPAGER=env\n", output)
    assert.is_nil(output:find("hidden", 1, true), output)
  end)

  it("may leave before the end, which is no failure", function()
    local output = on_terminal("PAGER=true TERM=xterm",
      "alicloud-dr manual playbooks; echo code $?")
    assert.equal("code 0\n", output)
  end)

  it("is less where none is named, and ends at once where the text fits", function()
    if not os.execute "command -v less >/dev/null" then return pending "needs less" end
    local output = process.sh("unset PAGER LESS; TERM=xterm script -qec 'stty cols 70 rows 500; "
      .. "alicloud-dr manual repl; echo code $?' /dev/null </dev/null")
    assert.matches("Lua with a client in it", output)
    assert.matches("code 0", output)
  end)
end)

describe("Markdown on a terminal", function()
  local function render(text, columns)
    return markdown.render(text, columns, function(heading) return "<" .. heading .. ">" end)
  end

  it("shows headings, paragraphs, lists and code", function()
    assert.equal("<Top>\n\none two\nthree\n\n- a `**b**`\n  `*c*`\n",
      render("# Top\n\n**one** two\n*three*\n\n- a `**b**` `*c*`\n", 11))
    assert.equal("- one\n  two\n- three\n1. four\n   five\n",
      render("- one two\n- three\n1. four five\n", 7))
    assert.equal("one two\n`a b c` d\n", render("one two `a b c` d\n", 10))
    assert.equal("a\n\n  lua   *x* that is long\n\nb\n",
      render("a\n\n```lua\nlua   *x* that is long\n```\n\nb\n", 10))
  end)

  it("shows tables, narrowing the widest column first", function()
    local text = "| a | b |\n|---|---|\n| x | one two three |\n| `p\\|q` | |\n"
    assert.equal("a      b\n-----  -------------\nx      one two three\n`p|q`\n", render(text, 40))
    assert.equal("a      b\n-----  -------\nx      one two\n       three\n`p|q`\n",
      render(text, 14))
    assert.equal("a: x\n  b: one\n    two\n    three\na: `p|q`\n", render(text, 9))
    assert.equal("x  y\n", render("| | |\n|---|--:|\n| x | y |\n", 40))
    text = "| a | b |\n|---|---|\n| four | one<br>two three |\n"
    assert.equal("a     b\n----  ---------\nfour  one\n      two three\n", render(text, 40))
    assert.equal("a: four\n  b: one\n    two\n    three\n", render(text, 9))
  end)

  it("takes what stands behind a backslash for itself, but in code", function()
    assert.equal("<*a*>\n\n`b` <br> & _c_ `\\*` `` d`\\* ``\n",
      render("# \\*a\\*\n\n\\`b\\` \\<br\\> &amp; \\_c\\_ `\\*` `` d`\\* ``\n", 80))
    assert.equal("p|q\\ <br>\n---------\n", render("| p\\|q\\\\ \\<br\\> |\n", 80))
    assert.equal("C:\\dir `open *x*\n", render("C:\\dir `open *x*\n", 80))
  end)
end)

-- What a text says of a name: as a call, `core.sign(…)`, or in its list of names.
local function tells(text, name)
  return text:find(name .. "(", 1, true) ~= nil
end

describe("the manual tells of", function()
  local all = {}
  for _, topic in ipairs(manual.TOPICS) do all[#all + 1] = text_of(topic) end
  all = table.concat(all, "\n")

  -- By the name under which the manual calls a function of it.
  local MODULES = {
    { "core", "alicloud.core" }, { "emulator", "alicloud.emulator" },
    { "server", "alicloud.emulator.server" }, { "scenarios", "alicloud.emulator.scenarios" },
    { "httpd", "alicloud.httpd" }, { "transport", "alicloud.transport" },
    { "confine", "alicloud.confine" }, { "blocking", "alicloud.loop.blocking" },
    { "cqueues", "alicloud.loop.cqueues" }, { "luv", "alicloud.loop.luv" },
    { "simulation", "alicloud.simulation" }, { "credentials", "alicloud.credentials" },
    { "dr", "alicloud.dr" }, { "alicloud", "alicloud" },
  }

  for _, pair in ipairs(MODULES) do
    it("every function of " .. pair[2], function()
      local ok, module = pcall(require, pair[2])
      if not ok then return pending("needs " .. pair[2]) end
      for name, value in pairs(module) do
        if type(value) == "function" then
          assert.is_true(tells(all, pair[1] .. "." .. name), pair[1] .. "." .. name)
        end
      end
    end)
  end

  it("every method of groups, emulators and their servers", function()
    local dr, server = require "alicloud.dr", require "alicloud.emulator.server"
    local bench = desks.new({}).bench
    local socket = server.start(bench.emu)
    local owners = { emu = bench.emu, server = socket,
      group = dr.group(bench.client, "pg-1", { region = "cn-shanghai" }) }
    for owner, object in pairs(owners) do
      for name, value in pairs(getmetatable(object).__index) do
        if type(value) == "function" and not name:find "^__" then
          local place = all:find("%f[%w_]" .. owner .. ":" .. name .. "%f[^%w_]")
          assert.is_truthy(place, owner .. ":" .. name)
        end
      end
    end
    if socket then socket:close() end
  end)

  it("every field of a world file", function()
    local text = text_of "emulator"
    local function check(rule)
      for name, inner in pairs(rule.fields or {}) do
        assert.is_truthy(text:find("`" .. name .. "`", 1, true), name)
        check(inner)
      end
      if rule.each then check(rule.each) end
    end
    check { fields = schema.SHAPE }
    for _, status in ipairs(schema.STATUSES) do
      assert.is_truthy(text:find("`" .. status .. "`", 1, true), status)
    end
    for _, state in ipairs(schema.REGION_STATES) do
      assert.is_truthy(text:find("`" .. state .. "`", 1, true), state)
    end
  end)

  it("every type of a playbook's parameters", function()
    local text = text_of "playbooks"
    local declared = scratch.read "lua/alicloud/dr/playbook/params.lua"
      :match "\n%-%-%-@field type (.-)\n%-%-%-@field"
    local count = 0
    for name in declared:gmatch '"([%l_]+)"' do
      count = count + 1
      assert.is_truthy(text:find("\n| `" .. name .. "` |", 1, true), name)
    end
    assert.equal(17, count)
  end)
end)
