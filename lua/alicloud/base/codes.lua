--- Our own error codes of calls, clients and the command, as data: what each means and what to do
--- about it. Those of groups and runs are in alicloud.dr.codes, the service's in its data.
--
-- `outcome` is given where it is the same whenever the code appears; the others depend on how far
-- the call had come, and the error object tells. `resend` says whether it may be sent again where
-- the outcome alone would mislead.

return {
  ["Client.Cancelled"] = {
    meaning = "The caller gave the call up, or closed the client.",
    cure = "look at the resource if the call was to change something",
  },
  ["Client.Closed"] = {
    meaning = "The connection closed before a complete answer was there.",
    cure = "look at the resource before a change is sent again",
  },
  ["Client.Connect"] = {
    meaning = "No connection could be made: the endpoint is down, or something is in between.",
    cure = "try another region's endpoint: if that answers, the region is down, not the network",
    outcome = "not_sent",
  },
  ["Client.CredentialsProvider"] = {
    meaning = "The credentials provider failed or gave something that is no key.",
    cure = "see which provider won and why: alicloud-dr whoami",
    outcome = "not_sent",
  },
  ["Client.Deadline"] = {
    meaning = "The time for the whole call was over before this attempt could leave.",
    cure = "give the call a longer deadline",
    outcome = "not_sent",
  },
  ["Client.EmulatorNotStarted"] = {
    meaning = "The emulator could not open its port or its files.",
    cure = "give a free port, or 0 for any",
    outcome = "not_sent",
  },
  ["Client.Error"] = {
    meaning = "A failure that no layer has named.",
    cure = "please report it with the command and its output",
  },
  ["Client.FailedRegion"] = {
    meaning = "The call would need a host in the region that was said to have failed.",
    cure = "see which ones: alicloud-dr dependencies; take keys, proxy and endpoint elsewhere",
    outcome = "not_sent",
  },
  ["Client.ForeignCredentials"] = {
    meaning = "A playbook that is planned asks with credentials of its own; only those of the "
      .. "command are there.",
    cure = "give the step an option `plan`, or plan with --profile",
    outcome = "not_sent",
  },
  ["Client.HttpStatus"] = {
    meaning = "Nothing shows that the service itself answered: the answer has none of its marks, "
      .. "or is broken.",
    cure = "look for a proxy, a gateway or a captive portal; look at the resource before a change "
      .. "is sent again",
    outcome = "unknown",
  },
  ["Client.Internal"] = {
    meaning = "A defect of this program.",
    cure = "look at the resource; please report it with the command and its output",
    outcome = "unknown",
  },
  ["Client.JournalFailed"] = {
    meaning = "What a crash must not make us forget could not be written down.",
    cure = "mend the file system of the journal, then resume the run",
  },
  ["Client.KeyFailed"] = {
    meaning = "The file of an approver's key could not be made.",
    cure = "name a file that is not there yet, in a directory of your own",
    outcome = "not_sent",
  },
  ["Client.Malformed"] = {
    meaning = "The answer is cut, or is not what the service speaks.",
    cure = "look at the resource before a change is sent again",
    outcome = "unknown",
  },
  ["Client.MalformedPage"] = {
    meaning = "A page of a list does not hold a list.",
    cure = "look again; nothing that was read may be taken for complete",
  },
  ["Client.MissingCredentials"] = {
    meaning = "No access key was found anywhere.",
    cure = "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or see where "
      .. "keys are looked for: alicloud-dr whoami",
    outcome = "not_sent",
  },
  ["Client.ObserveMode"] = {
    meaning = "The client only observes, and the operation is not known to read only.",
    cure = 'use a client without mode = "observe"',
    outcome = "not_sent",
  },
  ["Client.PageLoop"] = {
    meaning = "The service gave a page token that it had given before; the list would never end.",
    cure = "look again; nothing that was read may be taken for complete",
  },
  ["Client.PlaybookProcess"] = {
    meaning = "The process without rights in which a playbook is looked at has given no result.",
    cure = "the message tells why: time, memory, or the playbook; nothing was changed",
    outcome = "not_sent",
  },
  ["Client.Proxy"] = {
    meaning = "The proxy failed, or could not be reached.",
    cure = "check the option proxy, or https_proxy in the environment; no_proxy names hosts to ask "
      .. "directly",
    outcome = "not_sent",
  },
  ["Client.Proxy.Refused"] = {
    meaning = "The proxy refused to open a tunnel to the endpoint.",
    cure = "401 or 407 wants http://user:password@host:port in https_proxy, 403 a rule in the "
      .. "proxy that lets the host through; no_proxy names hosts to ask directly",
    outcome = "not_sent",
  },
  ["Client.RateLimit"] = {
    meaning = "The account's quota would have made the call wait past its deadline.",
    cure = "give it a longer deadline, poll less, or set the quota that the account really has",
    outcome = "not_sent",
  },
  ["Client.Receive"] = {
    meaning = "The connection broke while the answer was awaited.",
    cure = "look at the resource before a change is sent again",
  },
  ["Client.ReportFailed"] = {
    meaning = "A report could not be written to its file.",
    cure = "give another file; the journal is whole, and the report can be made from it again",
    outcome = "not_sent",
  },
  ["Client.RequestTooLarge"] = {
    meaning = "The request is larger than can be sent.",
    cure = "send less at once: fewer or shorter parameters",
    outcome = "not_sent",
  },
  ["Client.Resolve"] = {
    meaning = "The name of the endpoint could not be resolved.",
    cure = "check the name and the resolver; resolve = { [host] = { address } }, or --resolve "
      .. "host=address, does without one",
    outcome = "not_sent",
  },
  ["Client.Send"] = {
    meaning = "The connection broke while the request was sent.",
    cure = "look at the resource before a change is sent again",
  },
  ["Client.Stalled"] = {
    meaning = "What was waited for has not changed for the longest time allowed.",
    cure = "look at the resource; wait again with a longer stall",
  },
  ["Client.TLS"] = {
    meaning = "No trusted TLS connection could be made.",
    cure = "check the files of roots and client certificate; look for a peer that does not speak "
      .. "TLS 1.2",
    outcome = "not_sent",
  },
  ["Client.TLS.Expired"] = {
    meaning = "The endpoint's certificate has expired.",
    cure = "compare this machine's clock with the certificate; if the clock is right, whoever runs "
      .. "that host has to renew it",
    outcome = "not_sent",
  },
  ["Client.TLS.NotYetValid"] = {
    meaning = "The endpoint's certificate is not valid yet.",
    cure = "set this machine's clock right; if it is right, the certificate is not",
    outcome = "not_sent",
  },
  ["Client.TLS.Untrusted"] = {
    meaning = "Nobody whom this machine trusts vouches for the endpoint's certificate.",
    cure = "where a private authority or an inspecting proxy stands, name its root with ca_file; "
      .. "else somebody else is answering",
    outcome = "not_sent",
  },
  ["Client.TLS.WrongHost"] = {
    meaning = "The certificate is for another host.",
    cure = "check endpoint and resolve: the certificate has to carry the name that is asked",
    outcome = "not_sent",
  },
  ["Client.Timeout"] = {
    meaning = "No complete answer came in time.",
    cure = "look at the resource before a change is sent again",
  },
  ["Client.TooLarge"] = {
    meaning = "The answer is larger than the limit.",
    cure = "ask for smaller pages",
    outcome = "unknown",
  },
  ["Client.TooLate"] = {
    meaning = "The time until which the request might leave was over before its first byte left.",
    cure = "see who holds the lease or the deadline now, look at the resource, then decide again",
    resend = "only with a new deadline, and not while somebody else may be at work",
    outcome = "not_sent",
  },
  ["Client.TooManyPages"] = {
    meaning = "The list has more pages than are read at most.",
    cure = "narrow the filter",
  },
  ["Client.Transport"] = {
    meaning = "The transport failed, or the host's own transport broke its contract.",
    cure = "look at the resource before a change is sent again",
  },
  ["Client.UnrecognisedState"] = {
    meaning = "The service shows a status that this version does not know.",
    cure = "read the resource in the console; look for a newer version",
  },
  ["Client.UnsupportedMode"] = {
    meaning = "A profile is of a kind that this program does not speak.",
    cure = "take a profile of one of the kinds that the hint names; `aliyun configure` makes one",
    outcome = "not_sent",
  },
  ["Client.Usage"] = {
    meaning = "The command line cannot be carried out as it was typed.",
    cure = "see the command's --help",
    outcome = "not_sent",
  },
  ["Client.WaitFailed"] = {
    meaning = "What was waited for came to a state from which it cannot arrive any more.",
    cure = "look at the resource and its status message",
  },
  ["Client.WaitTimeout"] = {
    meaning = "Time was up before what was waited for arrived.",
    cure = "look at the resource; wait again with a longer timeout",
  },
}
