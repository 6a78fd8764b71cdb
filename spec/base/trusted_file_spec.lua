-- Which files may give orders. What needs another owner is tried by root only.

local core = require "alicloud.core"
local scratch = require "spec.scratch"
local trusted_file = require "alicloud.base.trusted_file"

local ROOT = core.user().uid == 0

local function sh(line, ...)
  assert(os.execute(line:format(...)))
end

local function refusal(path)
  local text, message, code = trusted_file.read(path)
  assert.is_nil(text)
  assert.equal(trusted_file.UNTRUSTED, code)
  return message
end

describe("a file that is to be obeyed", function()
  it("is the user's own, and nobody else may write it", function()
    local path = scratch.file("text", ".lua", "644")
    assert.equal("text", trusted_file.read(path))
    for _, case in ipairs { { "664", "may be written by its group %(mode 664%); chmod g%-w " },
      { "646", "may be written by everybody %(mode 646%); chmod go%-w " } } do
      sh("chmod %s %s", case[1], path)
      local message = refusal(path)
      assert.matches(case[2], message)
      sh("%s", message:match "; (.*)$")
      assert.equal("text", trusted_file.read(path))
    end
  end)

  it("lies in directories that nobody else may write", function()
    local above = scratch.directory()
    sh("mkdir %s/in", above)
    local path = above .. "/in/file"
    scratch.write(path, "text")
    sh("chmod 600 %s", path)
    for _, case in ipairs { { "770", "g%-w" }, { "777", "go%-w" }, { "2777", "o%-w" } } do
      for _, directory in ipairs { above, above .. "/in" } do
        sh("chmod %s %s", case[1], directory)
        local message = refusal(path)
        assert.matches("^" .. directory:gsub("%p", "%%%0") .. ": may be written by .*; chmod "
          .. case[2], message)
        sh("chmod 00755 %s", directory)
      end
    end
    sh("chmod 1777 %s", above)
    assert.equal("text", trusted_file.read(path))
    sh("chmod 3777 %s/in", above)
    assert.equal("text", trusted_file.read(path))
  end)

  it("is looked at where a link leads", function()
    local path, link = scratch.file("text", nil, "600"), scratch.path()
    sh("ln -s %s %s", path, link)
    assert.equal("text", trusted_file.read(link))
    sh("chmod 606 %s", path)
    assert.matches("may be written by everybody", refusal(link))
  end)

  it("is a regular file that is there", function()
    local pipe = scratch.path()
    sh("mkfifo %s", pipe)
    for path, code in pairs { [pipe] = "EINVAL", ["/dev/null"] = "EINVAL",
      [scratch.path()] = "ENOENT", [scratch.directory()] = "EINVAL" } do
      local text, message, got = trusted_file.read(path)
      assert.is_nil(text)
      assert.is_string(message)
      assert.equal(code, got, path)
    end
  end)

  local it_as_root = ROOT and it or function(name) pending(name .. " (needs root)") end

  it_as_root("belongs to the user or to root, and so do the directories", function()
    local directory = scratch.directory()
    local path = directory .. "/file"
    scratch.write(path, "text")
    sh("chmod 644 %s; chown 65534 %s", path, path)
    assert.matches("belongs to .*uid 65534.*; read it, then take a copy of your own: cp ",
      refusal(path))
    sh("chown 0 %s; chown 65534 %s", path, directory)
    assert.matches("^" .. directory:gsub("%p", "%%%0") .. ": belongs to ", refusal(path))
    sh("chown 0 %s", directory)
    assert.equal("text", trusted_file.read(path))
  end)

  it_as_root("is somebody else's where a team keeps its files, of the group and not of others",
    function()
      local directory = scratch.directory()
      local path = directory .. "/file"
      scratch.write(path, "text")
      sh("chown 65534:0 %s %s; chmod 2770 %s; chmod 660 %s", directory, path, directory, path)
      assert.equal("text", trusted_file.read(path))
      assert.equal(0, trusted_file.place(directory).team)
      sh("chmod 662 %s", path)
      assert.matches("may be written by everybody", refusal(path))
      sh("chmod 660 %s; chgrp 65534 %s", path, path)
      assert.matches("belongs to ", refusal(path))
      sh("chgrp 0 %s; chmod 2777 %s", path, directory)
      assert.matches("belongs to ", refusal(path))
      sh("chgrp 65534 %s; chmod 2770 %s", directory, directory)
      assert.matches("belongs to ", refusal(path))
    end)

  it_as_root("is not trusted for a directory in a sticky one that belongs to a stranger", function()
    local above = scratch.directory()
    local inside = above .. "/in"
    sh("chmod 1777 %s; mkdir %s; touch %s/file; chown 65534 %s", above, inside, inside, inside)
    assert.matches("/in: belongs to ", refusal(inside .. "/file"))
    -- A team's is fine there, unless everybody's directories get the group there.
    sh("chown 65534:0 %s; chmod 2770 %s", inside, inside)
    assert.equal("", trusted_file.read(inside .. "/file"))
    sh("chmod 3777 %s", above)
    assert.matches("may be written by everybody %(mode 3777%)", refusal(inside .. "/file"))
  end)
end)
