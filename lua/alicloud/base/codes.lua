--- Our own error codes of calls, clients and the command, as data: what each means and what to do
--- about it. Those of groups and runs are in alicloud.dr.codes, the service's in its data.
--
-- The function that makes an entry is named after the outcome, if that is the same whenever the
-- code appears. `resend` says when a request may be sent again, if the outcome alone would mislead.

local code_entry = require "alicloud.base.code_entry"

local not_sent, unknown, varies
  = code_entry.not_sent, code_entry.unknown, code_entry.varies

return {
  ["Client.BadRecording"] = not_sent(
    "The file of a recording cannot be read, or a line of it is none of a recording.",
    "give a file that --record has written"),
  ["Client.Cancelled"] = varies(
    "The caller gave the call up, or closed the client.",
    "look at the resource if the call was to change something"),
  ["Client.CannotWait"] = not_sent(
    "Code of a task waits where nothing lets the other tasks go on: in a finalizer, in a function "
      .. "that C has called, in a coroutine of its own, in a child that was forked in the task.",
    "wait before or behind it; make coroutines that wait with loop.coroutine.wrap"),
  ["Client.Closed"] = varies(
    "The connection closed before a complete answer was there.",
    "look at the resource before a change is sent again"),
  ["Client.Connect"] = not_sent(
    "No connection could be made: the endpoint is down, or something is in between.",
    "try another region's endpoint: if that answers, the region is down, not the network"),
  ["Client.CredentialsProvider"] = not_sent(
    "The credentials provider failed or gave something that is no key.",
    "see which provider won and why: alicloud-dr whoami"),
  ["Client.Deadline"] = not_sent(
    "The time for the whole call was over before this attempt could leave.",
    "give the call a longer deadline"),
  ["Client.EmulatorNotStarted"] = not_sent(
    "The emulator could not open its port or its files.",
    "give a free port, or 0 for any"),
  ["Client.Error"] = varies(
    "A failure that no layer has named.",
    "please report it with the command and its output"),
  ["Client.FailedRegion"] = not_sent(
    "The call would need a host in the region that was said to have failed.",
    "see which ones: alicloud-dr dependencies; take keys, proxy and endpoint elsewhere"),
  ["Client.ForeignCredentials"] = not_sent(
    "A playbook that is planned asks with credentials of its own; only those of the command are "
      .. "there.",
    "give the step an option `plan`, or plan with --profile"),
  ["Client.HttpStatus"] = unknown(
    "Nothing shows that the service itself answered: the answer has none of its marks, or is "
      .. "broken.",
    "look for a proxy, a gateway or a captive portal; look at the resource before a change is sent "
      .. "again"),
  ["Client.Internal"] = unknown(
    "A defect of this program.",
    "look at the resource; please report it with the command and its output"),
  ["Client.JournalFailed"] = varies(
    "What a crash must not make us forget could not be written down.",
    "mend the file system of the journal, then resume the run"),
  ["Client.KeyFailed"] = not_sent(
    "The file of an approver's key could not be made.",
    "name a file that is not there yet, in a directory of your own"),
  ["Client.Malformed"] = unknown(
    "The answer is cut, or is not what the service speaks.",
    "look at the resource before a change is sent again"),
  ["Client.MalformedPage"] = varies(
    "A page of a list does not hold a list.",
    "look again; nothing that was read may be taken for complete"),
  ["Client.MissingCredentials"] = not_sent(
    "No access key was found anywhere.",
    "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or see where keys are "
      .. "looked for: alicloud-dr whoami"),
  ["Client.NotAllowed"] = not_sent(
    "A part of `conformance` wanted a call that is not on its list.",
    "that is a mistake of this program: `alicloud-dr bugreport` writes what its authors need"),
  ["Client.NotRecorded"] = not_sent(
    "A recording is played, and it has no such request.",
    "type what was typed then, with the ids that the recording has; --replay-mode lenient takes "
      .. "readings in any order"),
  ["Client.NotSent"] = not_sent(
    "`conformance` could not make a request: there are no keys, or the host cannot be told.",
    "look at the message and mend that; --continue goes on with the run"),
  ["Client.NothingTold"] = varies(
    "`conformance` could not find out how the service behaves: no answer came, or none that tells. "
      .. "Or no run of `explore` came to its end, so that none shows anything of the playbook.",
    "look at the message; `conformance` prints the command that goes on below it, `explore` needs "
      .. "a world that fits the playbook, or more seeds"),
  ["Client.ObserveMode"] = not_sent(
    "The client only observes, and the operation is not known to read only.",
    'use a client without mode = "observe"'),
  ["Client.PageLoop"] = varies(
    "The service gave a page token that it had given before; the list would never end.",
    "look again; nothing that was read may be taken for complete"),
  ["Client.PlaybookProcess"] = not_sent(
    "The process without rights in which a playbook is looked at has given no result.",
    "the message tells why: time, memory, or the playbook; nothing was changed"),
  ["Client.Proxy"] = not_sent(
    "The proxy failed, or could not be reached.",
    "check the option proxy, or https_proxy in the environment; no_proxy names hosts to ask "
      .. "directly"),
  ["Client.Proxy.Refused"] = not_sent(
    "The proxy refused to open a tunnel to the endpoint.",
    "401 or 407 wants http://user:password@host:port in https_proxy, 403 a rule in the proxy that "
      .. "lets the host through; no_proxy names hosts to ask directly"),
  ["Client.Proxy.TLS"] = not_sent(
    "No trusted TLS connection to the proxy could be made; the endpoint was not reached.",
    "write http:// in place of https:// in https_proxy (or the option proxy) unless the proxy "
      .. "itself speaks TLS; if it does, name its root with ca_file, and the proxy as its "
      .. "certificate has it"),
  ["Client.RateLimit"] = not_sent(
    "The account's quota would have made the call wait past its deadline.",
    "give it a longer deadline, poll less, or set the quota that the account really has"),
  ["Client.Receive"] = varies(
    "The connection broke while the answer was awaited.",
    "look at the resource before a change is sent again"),
  ["Client.ReportFailed"] = not_sent(
    "A report could not be written to its file.",
    "give another file; the journal is whole, and the report can be made from it again"),
  ["Client.RequestTooLarge"] = not_sent(
    "The request is larger than can be sent.",
    "send less at once: fewer or shorter parameters"),
  ["Client.Resolve"] = not_sent(
    "The name of the endpoint could not be resolved.",
    "check the name and the resolver; resolve = { [host] = { address } }, or --resolve "
      .. "host=address, does without one"),
  ["Client.ScopeTimeout"] = varies(
    "What a scope had begun was not done within its timeout, and was cancelled.",
    "look at what it was to do; give the scope a longer timeout"),
  ["Client.Send"] = varies(
    "The connection broke while the request was sent.",
    "look at the resource before a change is sent again"),
  ["Client.Stalled"] = varies(
    "What was waited for has not changed for the longest time allowed.",
    "look at the resource; wait again with a longer stall"),
  ["Client.TLS"] = not_sent(
    "No trusted TLS connection could be made.",
    "check the files of roots and client certificate; look for a peer that does not speak TLS 1.2"),
  ["Client.TLS.Expired"] = not_sent(
    "The endpoint's certificate has expired.",
    "compare this machine's clock with the certificate; if the clock is right, whoever runs that "
      .. "host has to renew it"),
  ["Client.TLS.NotYetValid"] = not_sent(
    "The endpoint's certificate is not valid yet.",
    "set this machine's clock right; if it is right, the certificate is not"),
  ["Client.TLS.Untrusted"] = not_sent(
    "Nobody whom this machine trusts vouches for the endpoint's certificate.",
    "where a private authority or an inspecting proxy stands, name its root with ca_file; else "
      .. "somebody else is answering"),
  ["Client.TLS.WrongHost"] = not_sent(
    "The certificate is for another host.",
    "check endpoint and resolve: the certificate has to carry the name that is asked"),
  ["Client.Timeout"] = varies(
    "No complete answer came in time.",
    "look at the resource before a change is sent again"),
  ["Client.TooLarge"] = unknown(
    "The answer is larger than the limit.",
    "ask for smaller pages"),
  ["Client.TooLate"] = {
    meaning = "The time until which the request might leave was over before its first byte left.",
    cure = "see who holds the lease or the deadline now, look at the resource, then decide again",
    resend = "only with a new deadline, and not while somebody else may be at work",
    outcome = "not_sent",
  },
  ["Client.TooManyPages"] = varies(
    "The list has more pages than are read at most.",
    "narrow the filter"),
  ["Client.Transport"] = varies(
    "The transport failed, or the host's own transport broke its contract.",
    "look at the resource before a change is sent again"),
  ["Client.UnrecognisedState"] = varies(
    "The service shows a status that this version does not know.",
    "read the resource in the console; look for a newer version"),
  ["Client.UnsupportedMode"] = not_sent(
    "A profile is of a kind that this program does not speak.",
    "take a profile of one of the kinds that the hint names; `aliyun configure` makes one"),
  ["Client.Usage"] = not_sent(
    "The command line cannot be carried out as it was typed.",
    "see the command's --help"),
  ["Client.WaitFailed"] = varies(
    "What was waited for came to a state from which it cannot arrive any more.",
    "look at the resource and its status message"),
  ["Client.WaitTimeout"] = varies(
    "Time was up before what was waited for arrived.",
    "look at the resource; wait again with a longer timeout"),
}
