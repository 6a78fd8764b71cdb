--- Our own error codes of groups and runs, as data like alicloud.base.codes.

local code_entry = require "alicloud.base.code_entry"

local not_sent, accepted, unknown, varies
  = code_entry.not_sent, code_entry.accepted, code_entry.unknown, code_entry.varies

return {
  ["Client.AccountUnknown"] = not_sent(
    "Groups are locked under the number of their account where several machines share a store, and "
      .. "nothing tells it.",
    "give it: ALICLOUD_DR_ACCOUNT=NUMBER in the environment, or --account NUMBER"),
  ["Client.AlreadyOpened"] = not_sent(
    "What was fenced is not brought back: the group is opened at its other site, or on the way.",
    "go on with the failover, and attach the disks there"),
  ["Client.BadParameter"] = not_sent(
    "A parameter is not one that the playbook takes.",
    "give it as `alicloud-dr playbooks` and the head of the playbook say"),
  ["Client.ChangeFailed"] = varies(
    "The service took the change and then reported its own failure; the action tells which change.",
    "look why it failed; then it may be asked for again, as a new change"),
  ["Client.ChangeStalled"] = varies(
    "The change was accepted, but nothing has changed for the longest time allowed.",
    "look; ask again, with the same client token if there is one, to go on waiting"),
  ["Client.ChangeTimeout"] = varies(
    "The change was not done within the time allowed.",
    "look; ask again, with the same client token if there is one, to go on waiting"),
  ["Client.CriticalStep"] = not_sent(
    "The step is critical, so it cannot be skipped.",
    "let it run, or edit the playbook"),
  ["Client.DirectionNeeded"] = not_sent(
    "Both sites of the group lie in one region, so the zone that takes over has to be named.",
    "name it: --to ZONE, in Lua the option to of dr.group; `alicloud-dr status` shows both"),
  ["Client.DirectionUnclear"] = not_sent(
    "The answer does not say which site is which, so no direction can be confirmed.",
    "look again; if it stays so, read the group in the console"),
  ["Client.DrillCheckFailed"] = accepted(
    "The drill's disks were there, but the caller's check was not content.",
    "read the message; err.cleared tells whether the drill is gone"),
  ["Client.DrillOnly"] = not_sent(
    "The run is of the kind drill, and this is no part of a drill.",
    "rehearse on copies of the disks (group:drill); to move the group, run it as planned or "
      .. "unplanned"),
  ["Client.DrillOpen"] = varies(
    "A drill has been open for a long time, and its disks are billed.",
    "clear it: alicloud-dr drill clear"),
  ["Client.FailoverFailed"] = varies(
    "The service took the failover and then reported that the group or a pair failed.",
    "read the status messages of the pairs; a failover may be asked for again from "
      .. "failover_failed, as a new one"),
  ["Client.FailoverStalled"] = unknown(
    "The failover was accepted, but nothing has changed for the longest time allowed.",
    "look at the group; ask again with the same client token to go on waiting"),
  ["Client.FailoverTimeout"] = unknown(
    "The failover was not done within the time allowed.",
    "look at the group; ask again with the same client token to go on waiting"),
  ["Client.FenceUndone"] = accepted(
    "After fencing, disks of the old side were seen in use again.",
    "find out who started or attached them, then fence again"),
  ["Client.FleetHeld"] = not_sent(
    "The fleet is on hold: somebody has stopped it, a canary was not done well, or too many of its "
      .. "items have failed. What was under way has come to its end.",
    "see what has failed: alicloud-dr fleet NAME --status; then alicloud-dr fleet NAME --release"),
  ["Client.FirstSyncUnfinished"] = not_sent(
    "The first full copy has not ended, so the secondary disks hold no usable data.",
    "wait for the status normal; before that, restore from a snapshot instead"),
  ["Client.GateExpired"] = not_sent(
    "Too few people approved in time.",
    "resume the run and ask for the approvals again"),
  ["Client.GroupMoved"] = not_sent(
    "Somebody else has moved the group to the side that was to take over; nothing more is stopped "
      .. "for it.",
    "see that its service is up at that side: alicloud-dr explain JOURNAL names the command"),
  ["Client.Interrupted"] = varies(
    "The operator stopped the command.",
    "what was sent goes on at the service: look at the group, then run the command again"),
  ["Client.ItemClosed"] = not_sent(
    "The item of the fleet cannot be claimed: it has ended, its turn has not come, or the fleet is "
      .. "on hold.",
    "see how it stands: alicloud-dr fleet NAME --status"),
  ["Client.JournalConflict"] = not_sent(
    "Somebody else has written to the journal of this run.",
    "stop the other one, then resume: alicloud-dr resume"),
  ["Client.JournalDamaged"] = not_sent(
    "A line of the journal was edited, cut out or moved.",
    "continue nothing from it: look at the groups, then begin a new run"),
  ["Client.JournalEmpty"] = not_sent(
    "The journal holds no run.",
    "give the journal that the run has printed"),
  ["Client.JournalForked"] = not_sent(
    "A forked child tried to go on with its parent's run; nothing was written or sent.",
    "let the parent go on, or open the journal anew in the child once the parent closed it"),
  ["Client.JournalLocked"] = not_sent(
    "Another process holds the journal or the group; the message names it.",
    "wait for it, or end that process: the lock ends with it"),
  ["Client.JournalLost"] = not_sent(
    "The lease of the run has ended, or another controller has taken the run over; the message "
      .. "names it. This process sends and writes nothing more.",
    "see who holds it: alicloud-dr runs; if nobody does, resume the run"),
  ["Client.JournalMoved"] = not_sent(
    "The journal was handed over, and lies in another directory.",
    "see how it goes on there: alicloud-dr explain"),
  ["Client.JournalNewer"] = not_sent(
    "The journal has records that a newer version has written.",
    "go on with the version that wrote it; explain, report and verify tell what can be told"),
  ["Client.JournalRolledBack"] = not_sent(
    "This machine has records of the run that the store no longer holds, or holds otherwise: a "
      .. "backup of the store was put back.",
    "look at the groups; the records are in the copy on this machine, which explain and report "
      .. "read; then begin a new run"),
  ["Client.LossNotExcluded"] = not_sent(
    "The old side has not stood still since the last synchronization, or that is old.",
    "resume the run: it stops, fences and synchronizes once more"),
  ["Client.NoApproverKey"] = not_sent(
    "A gate names somebody whose public key is not known, or two people with one key.",
    "give the key in the playbook or in the file of --approvers; each person makes his own"),
  ["Client.NoSuchStep"] = varies(
    "A failed step leads to a step that never came.",
    "mend the name after goto: in the playbook"),
  ["Client.NotConfirmed"] = not_sent(
    "The question before it was done was not answered as it asked.",
    "run it again and answer as it asks, or use --yes"),
  ["Client.NotProtected"] = varies(
    "A failover would be taken, but no data flows to the secondary site.",
    "start replication, or reprotect the group after its failover"),
  ["Client.NotServed"] = not_sent(
    "Not every disk of the open side is attached to a running instance.",
    "attach them and start it: serve; then ask again"),
  ["Client.NotVerified"] = varies(
    "The look from outside did not find the service back.",
    "find out what is missing, then resume the run"),
  ["Client.OldSideInUse"] = not_sent(
    "Disks of the old primary site are attached, so somebody may still write to them.",
    "stop the instances and detach the disks, then reprotect"),
  ["Client.OldSideUnknown"] = not_sent(
    "Nothing can be said of the disks of the old site: its region does not answer or not fully.",
    "wait for the region, or fence by other means and accept that it is unknown"),
  ["Client.OtherCluster"] = not_sent(
    "The store behind the address is not the one in which the run was begun.",
    "find out to which store the address leads, and give that of the run"),
  ["Client.OutageContradicted"] = not_sent(
    "The recovery point is hours younger than the outage is said to be: writing did not end then, "
      .. "or the time is a slip of the hand.",
    "give the time again, with its offset from UTC if it is not in UTC; or leave it out"),
  ["Client.OutageInFuture"] = not_sent(
    "The outage is said to begin later than now, by the server's clock.",
    "give the time again, with its offset from UTC if it is not in UTC"),
  ["Client.OutcomeUnknown"] = unknown(
    "No usable answer came, looking did not settle it, and the time in which the same token is "
      .. "sure to be remembered is over.",
    "look at the group on both sites; to go on, ask again with the same client token"),
  ["Client.PairSetIncomplete"] = not_sent(
    "The group claims more pairs than its list shows, so not every pair can be checked.",
    "look again: membership lags behind; if it stays so, read the group in the console; a failover "
      .. "moves the whole group, so --force may overrule it"),
  ["Client.ParameterFrozen"] = not_sent(
    "A parameter was to be corrected that a finished step was done with, or of a finished run.",
    "what is finished is not done again; correct what later steps take, or begin a new run"),
  ["Client.PlaybookChanged"] = not_sent(
    "The playbook was edited since its run was last at work, or lacks a finished step.",
    "look at the edit, then resume with --accept-edit, or put the file back as it was"),
  ["Client.ProgramFailed"] = varies(
    "A program that a step runs did not end well.",
    "see what it says on standard error, then resume the run"),
  ["Client.RecoveryPointTooOld"] = not_sent(
    "The oldest recovery point is older than the loss that was allowed.",
    "say when the outage began with --outage-at, if nothing was written since; or allow more loss "
      .. "with --max-rpo, or wait for the next recovery point"),
  ["Client.RecoveryPointUnclear"] = not_sent(
    "What the service gives as recovery point cannot be one: it lies in the future, or is no time.",
    "look again; if it stays so, read the recovery point in the console"),
  ["Client.RunChanged"] = not_sent(
    "The journal is of another playbook, or was begun with other parameters.",
    "give what the run was begun with, or another journal"),
  ["Client.RunUnfinished"] = not_sent(
    "Another run of this group was left before its end.",
    "find out whether it is to go on: alicloud-dr explain, then resume"),
  ["Client.ServeUndone"] = accepted(
    "After attaching and starting, disks or instances were seen in another state.",
    "look who changed them, then ask again"),
  ["Client.ServerTimeUnknown"] = not_sent(
    "The answer has no usable date, so the age of the recovery point cannot be told.",
    "look again; look for a proxy that removes the Date header"),
  ["Client.ServiceNotStopped"] = not_sent(
    "The caller's function did not stop the service, so the failback did not switch.",
    "stop the service, then ask for the failback again: it goes on where it ended"),
  ["Client.SharedInstance"] = not_sent(
    "An instance that would be stopped has disks of another group too.",
    "move them first, or name the instance with stop_shared if it may be stopped"),
  ["Client.SitesDisagree"] = not_sent(
    "The two sites of the group show contradicting directions, states or pairs.",
    "look again; if it stays so, read the group in the console"),
  ["Client.StepFailed"] = varies(
    "A step of the playbook raised an error, or returned one.",
    "mend what it names, then resume the run"),
  ["Client.StepInDoubt"] = unknown(
    "A step was begun and not ended, and what it had sent may have been done.",
    "look at what it changes; then resume with --skip if it is done, or with --again"),
  ["Client.StepResult"] = not_sent(
    "A step has returned what a journal cannot keep, so it would not be the same after a resume.",
    "return plain data: the message names the part; `alicloud-dr plan` finds it beforehand"),
  ["Client.StepTimeout"] = varies(
    "A step was given up after its time; its outcome tells what is known of what it had sent.",
    "look at what it changes, then resume the run"),
  ["Client.Superseded"] = varies(
    "Direction, pair set or state is no longer what this change was decided for: somebody else is "
      .. "at work.",
    "find out who changed it before anything else is sent"),
  ["Client.SyncNotFresh"] = accepted(
    "A synchronization ended, but its recovery point is older than the call.",
    "synchronize once more before anything relies on it"),
  ["Client.TooManyGroups"] = not_sent(
    "More groups than max_groups were to be moved, and nobody released them.",
    "see whether all of them are meant; then raise max_groups, or release it when asked"),
  ["Client.UnfenceUndone"] = accepted(
    "After attaching and starting, disks or instances were seen in another state.",
    "look who changed them, then ask again"),
  ["Client.Ungraceful"] = varies(
    "A step that needs the old side was given up, because that side was.",
    "nothing to do; look at the old side when it is back"),
  ["Client.WorldChanged"] = not_sent(
    "Between the question and the answer the group became another one; nothing was sent.",
    "look again and decide again"),
  ["Client.TakeoverWait"] = not_sent(
    "A controller that had the run before has announced the same call, which may still arrive.",
    "nothing: the run looks again and goes on by itself within a minute"),
  ["Client.TokenReplayed"] = code_entry.rejected(
    "The service took the call for one that it had before under this incident's token, and did "
      .. "nothing.",
    "ask again under the next name of the incident, which the error tells; in a run: resume"),
  ["Client.UnknownSide"] = not_sent(
    "The zone or region that was named is no site of the group.",
    "name one of its sites, which `alicloud-dr status` shows"),
  ["Client.WrongGroup"] = not_sent(
    "What was fenced is of another group.",
    "give what the fence of this group returned"),
  ["Client.WrongDirection"] = not_sent(
    "The group does not go as it was asked for, or two names of a side contradict each other.",
    "look at the direction; name the side that takes the service"),
}
