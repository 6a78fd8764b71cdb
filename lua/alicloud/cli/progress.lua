--- Shows a change while it runs, and keeps what an interrupted command has to tell.

local duration = require "alicloud.base.duration"
local snapshots = require "alicloud.dr.model.snapshot"
local terminal = require "alicloud.cli.terminal"
local view = require "alicloud.cli.view_group"

local M = {}

local clean = terminal.clean

---@class alicloud.cli.Reporter
---@field io alicloud.cli.Io
---@field quiet boolean print only the token
---@field go_on fun(token: string): string the command that goes on with a token
---@field client_token string? once it is known
---@field sent boolean the call may have left this machine
---@field joined boolean? a change that somebody else began is waited for
---@field progress (fun(snapshot: alicloud.dr.Snapshot): string)? nil: the words of the event
---@field describe (fun(snapshot: alicloud.dr.Snapshot): string)? the group in words; nil if the
---change is not of the group but of machines
---@field seen table<string, string> the state of each thing that is changed, from its newest look
---@field things string[] keys of `seen`, in the order in which they were first seen
local Reporter = {}
Reporter.__index = Reporter

---@param io alicloud.cli.Io
---@param quiet boolean
---@param noun string the kind of change, which begins each line
---@param change? alicloud.cli.Change nil: nothing is changed
---@return alicloud.cli.Reporter
function M.new(io, quiet, noun, change)
  local about = change or {}
  return setmetatable({ io = io, quiet = quiet, go_on = about.go_on, sent = false,
    progress = about.progress, seen = {}, things = {},
    describe = not about.of_machines and (about.describe or snapshots.state) or nil,
    label = ("  %-12s"):format(noun), spinner = terminal.spinner(io) }, Reporter)
end

--- Prints a line above the spinner.
---@param text string
function Reporter:line(text)
  if self.quiet then return end
  self.spinner.clear()
  self.io.out(text)
end

function Reporter:note(text)
  self:line(self.label .. text .. "\n")
end

local on = {}

function on.looked(self, event)
  if self.shown_group then return end
  self.shown_group = true
  if event.snapshot.role ~= "absent" then
    self:line(view.group_line(self.io, event.snapshot))
  end
end

-- An obstacle may pass by itself. A terminal shows how long it is still waited for.
function on.settling(self, event)
  local reason = clean(event.reason)
  if not self.quiet and self.io.tty then
    return self.spinner.show(self.label, ("looking again for %s: %s"):format(
      duration.clock(event.left), reason))
  end
  if reason ~= self.shown_reason then
    self.shown_reason = reason
    self:note("looking again: " .. reason)
  end
end

function on.checked(self, event)
  -- Obstacles are shown once, at the end, by the failure.
  if not event.report.ok or self.shown_check then return end
  self.shown_check = true
  self:line(view.precheck_line(self.io, event.report))
end

-- The token goes to standard error before the call leaves, so that it is known even if this process
-- or its standard output is lost.
function on.sending(self, event)
  self.sent = true
  if event.attempt > 1 then
    return self:note(self.client_token
      and "nothing has happened: sending again with the same token"
      or "nothing has happened: sending again")
  end
  self.spinner.clear()
  if not self.client_token then return end
  local form = self.io.tty and "alicloud-dr: client token %s\n    continue with:  %s\n"
    or "alicloud-dr: client token %s (continue with: %s)\n"
  self.io.err(form:format(clean(self.client_token), self.go_on(self.client_token)))
end

function on.accepted(self, event)
  self:note("accepted, request id " .. clean(event.request_id))
end

function on.unanswered(self, event)
  local err = event.err
  local status = err.status and (" (HTTP %d)"):format(err.status) or ""
  local consequence = err.outcome == "unknown"
    and ": it may have been done; looking before anything is sent again" or ""
  self:note(clean(err.code) .. status .. consequence)
end

function on.held_back(self, event)
  self:note(("what the run has announced, %s, may still arrive: nothing is sent for %s"):format(
    clean(event.action), duration.format(event.left)))
end

function on.joined(self)
  self.joined = true
  self:note("one is under way already; waiting for it, nothing is sent")
end

-- A terminal shows every look, a log only those that show something new.
function on.state(self, event)
  local state = self.progress and self.progress(event.snapshot) or event.state
  local text = clean(state) .. "  " .. duration.clock(event.elapsed)
  if not self.quiet and self.io.tty then
    self.spinner.show(self.label, text)
    return
  end
  local news = text:gsub("%s+[%d:]+$", "")
  if news ~= self.shown_state then
    self.shown_state = news
    self:note(text)
  end
end

function on.look_failed(self, event)
  self:note("a look failed: " .. clean(event.err.code) .. "; going on")
end

local function note_seen(self, thing, words)
  if not self.seen[thing] then table.insert(self.things, thing) end
  self.seen[thing] = words
end

local function see(self, event)
  if self.describe then
    note_seen(self, "the group", event.state or self.describe(event.snapshot))
  elseif event.state then
    note_seen(self, event.snapshot.id, event.state)
  end
end

--- Shows an event and keeps what it tells.
---@param event table alicloud.dr.Event, or an event of another change
function Reporter:take(event)
  self.client_token = event.client_token or self.client_token
  if event.snapshot then see(self, event) end
  local handler = on[event.event]
  if handler then handler(self, event) end
end

--- Clears the spinner.
function Reporter:finish()
  self.spinner.clear()
end

--- The state at the newest look, in words.
---@return string
function Reporter:last_seen()
  local list = {}
  for i, thing in ipairs(self.things) do list[i] = self.seen[thing] end
  return #list > 0 and clean(table.concat(list, ", "), 1000) or "nothing yet"
end

return M
