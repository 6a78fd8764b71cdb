-- Reports in a real browser: Chromium without a head reads pages whose every text is hostile, and
-- tells what it has made of them: lua5.4 spec/interop/browser.lua CHROMIUM
-- Reports "reports in Chromium: N passed, N failed".

local dr = require "alicloud.dr"
local journals = require "alicloud.dr.journal"
local scratch = require "spec.scratch"
local stages = require "spec.dr.playbook.stage"

local chromium = arg[1] or "chromium"

local FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
  .. "--disable-background-networking --disable-component-update --disable-sync "
  .. "--disable-dev-shm-usage "
  .. "--hide-scrollbars --virtual-time-budget=5000"

local HOSTILE = {
  "</script><script>document.title='broken out'</script>",
  '"><img src=x onerror="document.title=\'broken out\'">',
  "</style><style>body{display:none}</style>", "</svg></title><h1>mine</h1>", "<!-- ]]>",
  "\u{202e}drowssap \u{2066}", "a\27[2Jb\0c", "&lt;&#60;b&#62;", "'\" style='position:fixed",
}

local directory = scratch.directory()

local function hostile_page()
  local stage = stages.new()
  local book = dr.playbook(HOSTILE[1], function(run)
    run:note(HOSTILE[2])
    for _, name in ipairs(HOSTILE) do
      run:step((journals.plain(name):gsub("[%c/]", "!")), { on_error = "continue" },
        function() error(name, 0) end)
    end
    run:step("promote", { point_of_no_return = true }, function()
      return run:group("pg-orders", { region = "cn-shanghai" }):failover()
    end)
  end)
  assert(stage:run(book, { requester = HOSTILE[3], kind = "planned",
    declared = { rto = "1s", rpo = "1d" } }))
  return assert(dr.report(stage:events())):render "html"
end

local path = directory .. "/report.html"
local page = hostile_page()
scratch.write(path, page)

local started = 0

-- A browser that crashes or stands still before it has read the page is started again, as anybody
-- would; what it makes of the page is judged once.
local function browse(what, width)
  local text, ended
  for _ = 1, 3 do
    started = started + 1
    local pipe = assert(io.popen(("timeout -k 5 120 '%s' %s --user-data-dir='%s/profile-%d' "
      .. "--window-size=%d,1200 %s 'file://%s' 2>'%s/log'"):format(chromium, FLAGS, directory,
      started, width, what, path, directory)))
    text = pipe:read "a"
    ended = pipe:close()
    if ended then break end
  end
  if not ended then io.stderr:write(scratch.read(directory .. "/log")) end
  return text
end

local passed, failed = 0, 0

local function check(name, ok, detail)
  if ok then
    passed = passed + 1
  else
    failed = failed + 1
    io.stderr:write(("%s: %s\n"):format(name, tostring(detail)))
  end
end

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

local dom = browse("--dump-dom", 500)
check("the page is read to its end", dom:find("</footer>", 1, true), #dom)
check("no name has become the title", dom:find("<title>Completed with exceptions: ", 1, true),
  dom:match("<title>.-</title>"))
for _, element in ipairs { "script", "img", "style>", "h1" } do
  check("no name has become an element: " .. element,
    count(dom, "<" .. element) == count(page, "<" .. element),
    count(dom, "<" .. element))
end
check("no element was added or moved", count(dom, "<%a") == count(page, "<%a") , ("%d, %d"):format(
  count(dom, "<%a"), count(page, "<%a")))
check("no element has a handler", not dom:find("<[^>]*%son%l+=%s*[\"']"), "a handler")
check("the picture is one", count(dom, "<svg ") == 1 and dom:find('class="bar ', 1, true), "svg")

local function picture(width)
  local target = ("%s/%d.png"):format(directory, width)
  browse("--screenshot=" .. target, width)
  local file <close> = io.open(target, "rb")
  local bytes = file and file:read "a" or ""
  local wide = #bytes > 24 and (">I4"):unpack(bytes, 17) or 0
  return #bytes, wide
end

for _, width in ipairs { 500, 1200 } do
  local bytes, wide = picture(width)
  check(("it is drawn %d pixels wide"):format(width), wide == width and bytes > 20000, bytes)
end

local pdf = directory .. "/report.pdf"
browse("--no-pdf-header-footer --print-to-pdf=" .. pdf, 800)
local printed = io.open(pdf, "rb")
check("it is printed", printed and printed:read(5) == "%PDF-", "no PDF")
if printed then printed:close() end

print(("reports in Chromium: %d passed, %d failed"):format(passed, failed))
os.exit(failed == 0, true)
