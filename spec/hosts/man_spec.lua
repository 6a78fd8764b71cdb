-- #programs: the manual pages that `make man` writes, for mandoc and for man of Debian.

local process = require "spec.process"

local function is_installed(program)
  return select(2, process.sh("command -v " .. program)) == 0
end

describe("#programs the manual pages", function()
  setup(function()
    local output, code = process.sh "SOURCE_DATE_EPOCH=1700000000 make --no-print-directory -s man"
    assert.equal(0, code, output)
  end)

  it("are taken by mandoc without a warning", function()
    if not is_installed "mandoc" then return pending "mandoc is not installed" end
    assert.equal("", (process.sh "mandoc -T lint build/man/*"))
  end)

  it("are taken by groff without a warning, and found by what they are for", function()
    if not is_installed "man && command -v groff" then
      return pending "man-db or groff is not installed"
    end
    assert.equal("", (process.sh [[
      for page in build/man/*; do
        LC_ALL=C.UTF-8 MANROFFSEQ= MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" \
          >/dev/null
      done]]))
    local found = process.sh "lexgrog build/man/alicloud-dr-failover.1"
    assert.matches("alicloud%-dr%-failover %- fail a group over to its secondary site", found)
  end)
end)
