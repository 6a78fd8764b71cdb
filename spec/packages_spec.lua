-- What .debian/ says, beside what the tree says; .ci/deb-trial builds and installs the packages.

local scratch = require "spec.scratch"

-- Names of packages in a text, without versions and profiles.
local function names(text, ...)
  local set = {}
  for name in text:gsub("%b()", ""):gsub("%b<>", ""):gmatch "[%w.+-]+" do set[name] = true end
  for _, name in ipairs { ... } do
    assert.is_true(set[name], name)
    set[name] = nil
  end
  return set
end

describe("the Debian packages", function()
  it("are built with what `make setup` installs", function()
    local setup = scratch.read(".ci/setup"):match 'debian_setup="(.-)"'
    local wanted = scratch.read(".debian/control"):match "Build%-Depends: (.-)\n%u"
    -- The first two come with build-essential; the others are for whoever runs it.
    assert.same(names(setup, "gcc", "libc6-dev", "ca-certificates", "lua-readline"),
      names(wanted, "debhelper-compat"))
  end)

  it("are tried by a test that this tree passes", function()
    if not os.execute "command -v lua5.4 >/dev/null" then return pending "needs lua5.4" end
    local pipe = assert(io.popen(("env AUTOPKGTEST_TMP='%s' .debian/tests/smoke 2>&1"):format(
      scratch.directory())))
    assert.equal("smoke: 10 passed, 0 failed\n", pipe:read "a")
    pipe:close()
  end)
end)

describe("the images", function()
  it("are those that the rehearsal starts", function()
    local built, started = {}, {}
    for target in scratch.read(".ci/image"):match("for target in (.-);"):gmatch "%l+" do
      built[(("alicloud-dr-" .. target):gsub("%-command$", ""))] = true
      assert.truthy(scratch.read(".oci/Containerfile"):find("\nFROM %S+ AS " .. target .. "\n"))
    end
    for image in scratch.read(".oci/compose.yaml"):gmatch "image: (%S+)" do
      started[image] = true
    end
    assert.same(built, started)
  end)
end)
