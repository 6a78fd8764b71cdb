-- #programs: completion in the shells themselves, on a terminal where they want one.

local cursors = require "spec.cli.cursors"
local declared = require "alicloud.cli.declared"
local process = require "spec.process"
local scratch = require "spec.scratch"

local HERE = process.sh "pwd":match "%C+" .. "/spec/hosts/shells/"

local list, before, typed, directory

before_each(function()
  local environment, words, lines
  list, environment = cursors.room()
  words, lines = { "env TERM=dumb LC_ALL=C.UTF-8" }, {}
  for name, value in pairs(environment) do words[#words + 1] = name .. "=" .. value end
  for i, cursor in ipairs(list) do lines[i] = cursor.line .. "\n" end
  before, typed = table.concat(words, " ") .. " ", scratch.file(table.concat(lines))
  directory = scratch.directory()
end)

local function script(shell, path)
  local text, code = process.sh("alicloud-dr completion " .. shell)
  assert.equal(0, code, text)
  scratch.write(path, text)
  assert.equal(0, (select(2, process.sh(("%s -n %s"):format(shell, path)))), shell)
  return path
end

-- Runs what asks at each line; the answers by the lines.
local function ask(line, path)
  local output, code = process.sh(before .. "timeout 100 " .. line .. " <" .. typed)
  assert.equal(0, code, output)
  return cursors.answers(path and scratch.read(path) or output)
end

local function is_installed(program)
  return select(2, process.sh("command -v " .. program)) == 0
end

-- The word that is completed, and how many words stand before it.
local function last_word(line)
  local words, count = line:gsub("'[^']*'", "quoted"):match "^(.-)%S*$", 0
  for _ in words:gmatch "%S+" do count = count + 1 end
  return line:match "%S*$", count
end

-- zsh tells of a candidate what stands behind the last = or comma, of a file its last part, and
-- of a parameter its name.
local function told_by_zsh(cursor)
  local word = last_word(cursor.line)
  if word:find "^%-%-%l+=" or cursor.line:find " %-%-assume " then return nil end
  local standing = word:match "^(.*[=,/])" or ""
  return function(candidate) return (candidate:sub(#standing + 1):gsub("=$", "")) end
end

local function ask_fish(path)
  return ask(("fish --no-config %sask.fish %s"):format(HERE, path))
end

local function ask_zsh(start)
  return ask(("zsh -f %sask.zsh %s/answers %s '%s'"):format(HERE, directory, directory, start),
    directory .. "/answers")
end

local function ask_bash(start)
  return ask(("zsh -f %sask-bash.zsh %s/answers '%s'"):format(HERE, directory, start),
    directory .. "/answers")
end

describe("#programs zsh", function()
  local function check(start)
    local answers = ask_zsh(start)
    for _, cursor in ipairs(list) do
      local offered = {}
      for i, word in ipairs(assert(answers[cursor.line], cursor.line)) do
        offered[i] = word:gsub("\\ ", " ")
      end
      cursors.check(cursor, offered, told_by_zsh(cursor))
    end
  end

  it("offers what fits at each cursor, from a file that compinit finds", function()
    if not is_installed "zsh" then return pending "zsh is not installed" end
    script("zsh", directory .. "/_alicloud-dr")
    check ""
  end)

  it("does so where the script was read behind compinit", function()
    if not is_installed "zsh" then return pending "zsh is not installed" end
    check "source <(alicloud-dr completion zsh)"
  end)
end)

describe("#programs fish", function()
  it("offers what fits at each cursor", function()
    if not is_installed "fish" then return pending "fish is not installed" end
    local path = script("fish", directory .. "/alicloud-dr.fish")
    local answers = ask_fish(path)
    for _, cursor in ipairs(list) do
      local offered, word = {}, last_word(cursor.line)
      local standing = word:match "^%-%-%l+=" or ""
      for i, line in ipairs(assert(answers[cursor.line], cursor.line)) do
        offered[i] = line:match "^([^\t]*)":gsub("/$", "")
      end
      cursors.check(cursor, offered, function(candidate) return standing .. candidate end)
    end
  end)
end)

describe("#programs bash", function()
  local function check(start)
    local answers = ask_bash(start)
    for _, cursor in ipairs(list) do
      local word, count = last_word(cursor.line)
      local words = assert(answers[cursor.line], cursor.line)
      -- All of them are inserted where one is wanted; without any the word stays as it was.
      local standing, offered = word:match "^(.*[=:])" or "", {}
      for i = count, #words do
        local told = words[i]:gsub("/$", "")
        if i == count and told:sub(1, #standing) == standing then told = told:sub(#standing + 1) end
        if words[i] ~= word or #cursor.has > 0 then offered[#offered + 1] = told end
      end
      cursors.check(cursor, offered, function(candidate)
        if standing:find "^%-%-%l+=" then return candidate end
        return candidate:sub(#standing + 1)
      end)
    end
  end

  it("offers what fits at each cursor, on a terminal", function()
    if not is_installed "zsh" then return pending "zsh, which gives the terminal, is missing" end
    check("source " .. script("bash", directory .. "/alicloud-dr"))
  end)

  it("does so with bash-completion, which loads the file when it is needed", function()
    local all = "/usr/share/bash-completion/bash_completion"
    if not is_installed("zsh && test -e " .. all) then
      return pending "zsh or bash-completion is not installed"
    end
    assert(require("alicloud.core").make_directory(directory .. "/completions"))
    script("bash", directory .. "/completions/alicloud-dr")
    check(("BASH_COMPLETION_USER_DIR=%s; source %s"):format(directory, all))
  end)
end)

describe("#programs descriptions", function()
  local NASTY = "it's [a] (b): \"c\" $HOME $(touch touched) `touch touched` \\ %s ~ * | ; & <e> 日本"

  -- What the commands declare, with such words wherever there are words.
  local function nasty()
    local all = declared.read()
    for _, command in ipairs(all.commands) do
      for _, some in ipairs { command.arguments, command.options, command.connection } do
        for _, each in ipairs(some) do each.about = NASTY end
      end
    end
    return all
  end

  local function write(shell, name)
    local path = directory .. "/" .. name
    scratch.write(path, require("alicloud.cli.completion." .. shell).script(nasty()))
    return path
  end

  it("may hold what a shell would obey", function()
    if not is_installed "zsh && command -v fish" then return pending "zsh or fish is missing" end
    local line = "alicloud-dr failover --re"
    typed = scratch.file(line .. "\n")
    before = before .. "env -C " .. directory .. " "
    local answers = ask_fish(write("fish", "alicloud-dr.fish"))
    assert.matches("^%-%-record\tit's %[a%] %(b%): \"c\" %$HOME %$%(touch", answers[line][1])
    write("zsh", "_alicloud-dr")
    answers = ask_zsh ""[line]
    table.sort(answers)
    local options = { "--record", "--region", "--replay", "--replay-mode", "--resolve" }
    assert.same(options, answers)
    assert(os.remove(directory .. "/answers"))
    assert.same({ "failover", table.unpack(options) },
      ask_bash("source " .. write("bash", "alicloud-dr"))[line])
    assert.equal(1, (select(2, process.sh("test -e " .. directory .. "/touched"))))
  end)
end)
