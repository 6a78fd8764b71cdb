local scratch = require "spec.scratch"
local shell = require "alicloud.base.shell"

local ODD = { "", " ", "a b", "it's", "'; touch MARK; '", '"$(touch MARK)"', "`touch MARK`",
  "a\\", "$HOME", "*", "~", "!!", "#x", "=ls", "-n", "--json", "a;b|c&d>e", "%s%%\\n",
  "\27]0;x\7", "a\tb", "x\u{200b}y", "\u{202e}z", "\xff", "日本 ✔", "e\u{301}", "a\nb", "-\1",
  "a\n", "\n\n" }

-- What a shell makes of a command: the words that alicloud-dr is given, and the files in the end.
local function typed(command)
  local bin, own = scratch.directory(), scratch.directory()
  scratch.write(bin .. "/alicloud-dr", "#!/bin/sh\nprintf '%s\\001|' \"$@\"\n")
  assert(os.execute("chmod 755 " .. bin .. "/alicloud-dr"))
  local file = scratch.file(("cd %s && PATH=%s:$PATH\n%s\n"):format(own, bin, command))
  local pipe = assert(io.popen("sh " .. file))
  local text = pipe:read "a"
  pipe:close()
  local words = {}
  for word in text:gmatch "(.-)\1|" do words[#words + 1] = word end
  pipe = assert(io.popen("ls -A " .. own))
  local made = pipe:read "a"
  pipe:close()
  return words, made
end

describe("a command that is printed", function()
  it("is read back as it was meant, whatever is in it, and starts nothing else", function()
    for _, word in ipairs(ODD) do
      local words, made = typed(shell.command("approve", { "j", word }, { "--key FILE" }))
      assert.equal("", made, ("%q"):format(word))
      local dashed = word:find "^-" and { "approve", "--key", "FILE", "--", "j", word }
      assert.same(dashed or { "approve", "j", word, "--key", "FILE" }, words)
      words = typed(shell.command("resume", {}, { shell.option("--as", word) }))
      assert.same(word:find "^-" and { "resume", "--as=" .. word } or { "resume", "--as", word },
        words)
    end
  end)

  it("is one line that a terminal shows whole, and that ends no code in Markdown", function()
    for _, word in ipairs(ODD) do
      local command = shell.command("explain", { word })
      assert.equal(command, require("alicloud.base.error").clean(command))
      assert.is_nil(command:find("[%c`]"))
    end
  end)

  it("leaves plain words plain, and takes what is no text", function()
    assert.equal("alicloud-dr status pg-orders --region cn-shanghai --yes", shell.command("status",
      { "pg-orders" }, { shell.option("--region", "cn-shanghai"), shell.option "--yes" }))
    assert.equal("alicloud-dr status 5", shell.command("status", { 5 }))
  end)

  it("is put together nowhere else", function()
    -- What is no name from outside: a word of a fixed choice.
    local fixed = { ["cli/commands/drill.lua"] = true, ["cli/main.lua"] = true }
    local pipe <close> = assert(io.popen "grep -rnE 'alicloud-dr [a-z -]*%' lua --include='*.lua'")
    for line in pipe:lines() do
      local file = line:match "^lua/alicloud/([^:]+):%d+:"
      assert.is_true(fixed[file], line)
    end
  end)
end)
