-- The manual pages: what they hold, and how text becomes roff. Formatters are asked in spec/hosts.

local declared = require "alicloud.cli.declared"
local history = require "alicloud.cli.repl.history"
local man = require "alicloud.cli.man"
local manual = require "alicloud.cli.commands.manual"
local roff = require "alicloud.cli.man.roff"
local run_journal = require "alicloud.cli.run_journal"
local scratch = require "spec.scratch"
local tables = require "alicloud.base.tables"

describe("the manual pages", function()
  local pages, all

  setup(function()
    pages, all = man.pages "2026-11-22", declared.read()
  end)

  it("are one for the program, one for each command and one for each topic", function()
    local names = { "alicloud-dr.1" }
    for _, topic in ipairs(manual.TOPICS) do
      names[#names + 1] = ("alicloud-dr-%s.7"):format(topic)
    end
    for _, command in ipairs(all.commands) do
      names[#names + 1] = ("alicloud-dr-%s.1"):format(command.name)
    end
    table.sort(names)
    assert.same(names, tables.keys(pages))
  end)

  it("have a heading, every option, and how it ends", function()
    for _, command in ipairs(all.commands) do
      local page = pages[("alicloud-dr-%s.1"):format(command.name)]
      local heading = ([[.TH ALICLOUD\-DR\-%s 1 "2026-11-22" "alicloud\-dr ]]):format(
        command.name:upper())
      assert.equal(heading, page:sub(1, #heading))
      for _, list in ipairs { command.options, command.connection } do
        for _, option in ipairs(list) do
          local head = roff.bold(option.names[#option.names])
          assert.is_truthy(page:find(head, 1, true), command.name .. " " .. head)
        end
      end
      for _, title in ipairs { "NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "SEE ALSO" } do
        assert.is_truthy(page:find("\n.SH " .. title .. "\n", 1, true), command.name .. title)
      end
    end
  end)

  it("tell of the exit codes one by one, and of the variables that they mention", function()
    local page = pages["alicloud-dr-run.1"]
    for code, about in pairs { [0] = "done", [4] = "the journal could not be written to its end",
      [143] = "by SIGTERM" } do
      assert.is_truthy(page:find((".TP\n\\fB%d\\fR\n%s\n"):format(code, about), 1, true))
    end
    assert.matches("\n%.PP\nWhere a run was begun", page)
    assert.matches("ALICLOUD_DR_STORE", page)
    assert.is_nil(pages["alicloud-dr-verify.1"]:find("ENVIRONMENT", 1, true))
  end)

  it("name files where they are", function()
    local home = scratch.directory()
    local function getenv(name) return name == "HOME" and home or nil end
    for name, path in pairs { repl = history.place(getenv), runs = run_journal.directory(getenv,
      "/no/such") } do
      local page = pages[("alicloud-dr-%s.1"):format(name)]
      assert.is_truthy(page:find(roff.literal("~" .. path:sub(#home + 1)), 1, true), path)
    end
  end)

  it("name as others only pages that are there", function()
    for name, page in pairs(pages) do
      for other, section in page:gmatch "\n%.BR (%S+) %((%d)%)" do
        assert.is_not_nil(pages[other:gsub("\\", "") .. "." .. section], name .. ": " .. other)
      end
    end
  end)

  it("hold the whole text of each topic", function()
    for _, topic in ipairs(manual.TOPICS) do
      local text = scratch.read(("lua/alicloud/manual/%s.md"):format(topic))
      local page = pages[("alicloud-dr-%s.7"):format(topic)]:gsub("\\%-", "-")
      local words = {}
      text = text:gsub("^# [^:]+", ""):gsub("```%l*", "")
      for word in text:gmatch "%w+" do words[word] = true end
      for word in pairs(words) do
        assert.is_truthy(page:find(word, 1, true), topic .. ": " .. word)
      end
    end
  end)

  it("have no name of an option that fills a line, which a formatter could not break", function()
    for name, page in pairs(pages) do
      for head in page:gmatch "\n(\\fB[^\n]+)" do
        for word in head:gmatch "%S+" do assert.is_true(#word < 70, name .. ": " .. word) end
      end
    end
  end)

  it("have a date that no clock gives", function()
    assert.equal("2023-11-14", man.date("1700000000", "\n## [2.0] - 2026-01-01\n"))
    assert.equal("2026-01-01", man.date(nil, "\n## [Unreleased]\n\n## [2.0] - 2026-01-01\n"
      .. "\n## [1.0] - 2025-01-01\n"))
    assert.equal("", man.date(nil, "\n## [Unreleased]\n"))
    assert.same(pages, man.pages "2026-11-22")
  end)

  it("are written as files", function()
    local directory = scratch.directory()
    man.write(directory, "CHANGELOG.md")
    local text = scratch.read(directory .. "/alicloud-dr-status.1")
    assert.matches("\n%.SH NAME\nalicloud\\%-dr\\%-status \\%-\nshow groups", text)
  end)
end)

describe("roff", function()
  it("keeps what is typed, and gives no order that nobody gave", function()
    assert.equal([[a\eb \-\-x \(aqq\(aq \(gac\(ga \(tid \(hae]],
      roff.literal [[a\b --x 'q' `c` ~d ^e]])
    assert.equal("\\&.TH is none", roff.prose ".TH is none")
    assert.equal("\\&'tis", roff.prose "'tis")
    assert.equal("a \\-\\-b c-d e\\[u2026]", roff.prose "a --b c-d e…")
    assert.equal("see \\fBalicloud\\-dr run\\fR now", roff.prose "see `alicloud-dr run` now")
    assert.equal(".RS 4\n.nf\n\\&.x\n  y\n.fi\n.RE", roff.block { ".x", "  y" })
  end)

  it("breaks prose into lines of its source, of which none begins an order", function()
    local prose = roff.prose(("word .x 'y "):rep(40))
    for line in prose:gmatch "[^\n]+" do
      assert.is_true(#line <= 80, line)
      assert.is_nil(line:find "^[.']")
    end
    assert.equal(("word .x 'y "):rep(40), (prose:gsub("\\&", ""):gsub("\n", " ")) .. " ")
  end)

  it("tells paragraphs from lines that stay as they are", function()
    assert.equal("a b\n.PP\n.RS 4\n.nf\nx\n  y\n.fi\n.RE\n.PP\nc", roff.text "a\nb\n  x\n    y\nc")
  end)
end)
