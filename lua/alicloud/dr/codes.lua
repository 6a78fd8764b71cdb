--- Our own error codes of groups and runs, as data like alicloud.base.codes.

return {
  ["Client.BadParameter"] = {
    meaning = "A parameter is not one that the playbook takes.",
    cure = "give it as `alicloud-dr playbooks` and the head of the playbook say",
    outcome = "not_sent",
  },
  ["Client.ChangeFailed"] = {
    meaning = "The service took the change and then reported its own failure; the action tells "
      .. "which change.",
    cure = "look why it failed; then it may be asked for again, as a new change",
  },
  ["Client.ChangeStalled"] = {
    meaning = "The change was accepted, but nothing has changed for the longest time allowed.",
    cure = "look; ask again, with the same client token if there is one, to go on waiting",
  },
  ["Client.ChangeTimeout"] = {
    meaning = "The change was not done within the time allowed.",
    cure = "look; ask again, with the same client token if there is one, to go on waiting",
  },
  ["Client.CriticalStep"] = {
    meaning = "The step is critical, so it cannot be skipped.",
    cure = "let it run, or edit the playbook",
    outcome = "not_sent",
  },
  ["Client.DirectionUnclear"] = {
    meaning = "The answer does not say which site is which, so no direction can be confirmed.",
    cure = "look again; if it stays so, read the group in the console",
    outcome = "not_sent",
  },
  ["Client.DrillCheckFailed"] = {
    meaning = "The drill's disks were there, but the caller's check was not content.",
    cure = "read the message; err.cleared tells whether the drill is gone",
    outcome = "accepted",
  },
  ["Client.DrillOpen"] = {
    meaning = "A drill has been open for a long time, and its disks are billed.",
    cure = "clear it: alicloud-dr drill clear",
  },
  ["Client.FailoverFailed"] = {
    meaning = "The service took the failover and then reported that the group or a pair failed.",
    cure = "read the status messages of the pairs; a failover may be asked for again from "
      .. "failover_failed, as a new one",
  },
  ["Client.FailoverStalled"] = {
    meaning = "The failover was accepted, but nothing has changed for the longest time allowed.",
    cure = "look at the group; ask again with the same client token to go on waiting",
    outcome = "unknown",
  },
  ["Client.FailoverTimeout"] = {
    meaning = "The failover was not done within the time allowed.",
    cure = "look at the group; ask again with the same client token to go on waiting",
    outcome = "unknown",
  },
  ["Client.FenceUndone"] = {
    meaning = "After fencing, disks of the old side were seen in use again.",
    cure = "find out who started or attached them, then fence again",
    outcome = "accepted",
  },
  ["Client.FirstSyncUnfinished"] = {
    meaning = "The first full copy has not ended, so the secondary disks hold no usable data.",
    cure = "wait for the status normal; before that, restore from a snapshot instead",
    outcome = "not_sent",
  },
  ["Client.GateExpired"] = {
    meaning = "Too few people approved in time.",
    cure = "resume the run and ask for the approvals again",
    outcome = "not_sent",
  },
  ["Client.Interrupted"] = {
    meaning = "The operator stopped the command.",
    cure = "what was sent goes on at the service: look at the group, then run the command again",
  },
  ["Client.JournalConflict"] = {
    meaning = "Somebody else has written to the journal of this run.",
    cure = "stop the other one, then resume: alicloud-dr resume",
    outcome = "not_sent",
  },
  ["Client.JournalDamaged"] = {
    meaning = "A line of the journal was edited, cut out or moved.",
    cure = "continue nothing from it: look at the groups, then begin a new run",
    outcome = "not_sent",
  },
  ["Client.JournalEmpty"] = {
    meaning = "The journal holds no run.",
    cure = "give the journal that the run has printed",
    outcome = "not_sent",
  },
  ["Client.JournalForked"] = {
    meaning = "A forked child tried to go on with its parent's run; nothing was written or sent.",
    cure = "let the parent go on, or open the journal anew in the child once the parent closed it",
    outcome = "not_sent",
  },
  ["Client.JournalLocked"] = {
    meaning = "Another process holds the journal or the group; the message names it.",
    cure = "wait for it, or end that process: the lock ends with it",
    outcome = "not_sent",
  },
  ["Client.JournalNewer"] = {
    meaning = "The journal has records that a newer version has written.",
    cure = "go on with the version that wrote it; explain, report and verify tell what can be told",
    outcome = "not_sent",
  },
  ["Client.LossNotExcluded"] = {
    meaning = "The old side has not stood still since the last synchronization, or that is old.",
    cure = "resume the run: it stops, fences and synchronizes once more",
    outcome = "not_sent",
  },
  ["Client.NoApproverKey"] = {
    meaning = "A gate names somebody whose public key is not known, or two people with one key.",
    cure = "give the key in the playbook or in the file of --approvers; each person makes his own",
    outcome = "not_sent",
  },
  ["Client.NoSuchStep"] = {
    meaning = "A failed step leads to a step that never came.",
    cure = "mend the name after goto: in the playbook",
  },
  ["Client.NotConfirmed"] = {
    meaning = "The question before it was done was not answered as it asked.",
    cure = "run it again and answer as it asks, or use --yes",
    outcome = "not_sent",
  },
  ["Client.NotProtected"] = {
    meaning = "A failover would be taken, but no data flows to the secondary site.",
    cure = "start replication, or reprotect the group after its failover",
  },
  ["Client.NotVerified"] = {
    meaning = "The look from outside did not find the service back.",
    cure = "find out what is missing, then resume the run",
  },
  ["Client.OldSideInUse"] = {
    meaning = "Disks of the old primary site are attached, so somebody may still write to them.",
    cure = "stop the instances and detach the disks, then reprotect",
    outcome = "not_sent",
  },
  ["Client.OldSideUnknown"] = {
    meaning = "Nothing can be said of the disks of the old site: its region does not answer or "
      .. "not fully.",
    cure = "wait for the region, or fence by other means and accept that it is unknown",
    outcome = "not_sent",
  },
  ["Client.OutcomeUnknown"] = {
    meaning = "No usable answer came, looking did not settle it, and the time in which the same "
      .. "token is sure to be remembered is over.",
    cure = "look at the group on both sites; to go on, ask again with the same client token",
    outcome = "unknown",
  },
  ["Client.PairSetIncomplete"] = {
    meaning = "The group claims more pairs than its list shows, so not every pair can be checked.",
    cure = "look again: membership lags behind; if it stays so, read the group in the console",
    outcome = "not_sent",
  },
  ["Client.PlaybookChanged"] = {
    meaning = "The playbook was edited since its run was last at work, or lacks a finished step.",
    cure = "look at the edit, then resume with --accept-edit, or put the file back as it was",
    outcome = "not_sent",
  },
  ["Client.ProgramFailed"] = {
    meaning = "A program that a step runs did not end well.",
    cure = "see what it says on standard error, then resume the run",
  },
  ["Client.RecoveryPointTooOld"] = {
    meaning = "The oldest recovery point is older than the loss that was allowed.",
    cure = "wait for the next recovery point, or allow more loss with --max-rpo",
    outcome = "not_sent",
  },
  ["Client.RunChanged"] = {
    meaning = "The journal is of another playbook, or was begun with other parameters.",
    cure = "give what the run was begun with, or another journal",
    outcome = "not_sent",
  },
  ["Client.ServeUndone"] = {
    meaning = "After attaching and starting, disks or instances were seen in another state.",
    cure = "look who changed them, then ask again",
    outcome = "accepted",
  },
  ["Client.ServerTimeUnknown"] = {
    meaning = "The answer has no usable date, so the age of the recovery point cannot be told.",
    cure = "look again; look for a proxy that removes the Date header",
    outcome = "not_sent",
  },
  ["Client.ServiceNotStopped"] = {
    meaning = "The caller's function did not stop the service, so the failback did not switch.",
    cure = "stop the service, then ask for the failback again: it goes on where it ended",
    outcome = "not_sent",
  },
  ["Client.SitesDisagree"] = {
    meaning = "The two sites of the group show contradicting directions, states or pairs.",
    cure = "look again; if it stays so, read the group in the console",
    outcome = "not_sent",
  },
  ["Client.StepFailed"] = {
    meaning = "A step of the playbook raised an error, or returned one.",
    cure = "mend what it names, then resume the run",
  },
  ["Client.StepInDoubt"] = {
    meaning = "A step was begun and not ended, and what it had sent may have been done.",
    cure = "look at what it changes; then resume with --skip if it is done, or with --again",
    outcome = "unknown",
  },
  ["Client.StepTimeout"] = {
    meaning = "A step was given up after its time; what it had sent may have been done.",
    cure = "look at what it changes, then resume the run",
    outcome = "unknown",
  },
  ["Client.Superseded"] = {
    meaning = "Direction, pair set or state is no longer what this change was decided for: "
      .. "somebody else is at work.",
    cure = "find out who changed it before anything else is sent",
  },
  ["Client.SyncNotFresh"] = {
    meaning = "A synchronization ended, but its recovery point is older than the call.",
    cure = "synchronize once more before anything relies on it",
    outcome = "accepted",
  },
  ["Client.TooManyGroups"] = {
    meaning = "More groups than max_groups were to be moved, and nobody released them.",
    cure = "see whether all of them are meant; then raise max_groups, or release it when asked",
    outcome = "not_sent",
  },
  ["Client.Ungraceful"] = {
    meaning = "A step that needs the old side was given up, because that side was.",
    cure = "nothing to do; look at the old side when it is back",
    outcome = "unknown",
  },
  ["Client.WorldChanged"] = {
    meaning = "Between the question and the answer the group became another one; nothing was sent.",
    cure = "look again and decide again",
    outcome = "not_sent",
  },
  ["Client.WrongDirection"] = {
    meaning = "The group does not go in the direction that the failback was asked for.",
    cure = "look at the direction; name the region that takes the service back",
    outcome = "not_sent",
  },
}
