#include "exchange.h"

static const struct ac_failure_rule RULES[AC_FAILURE_COUNT] = {
    [AC_FAILURE_RESOLVE] = {"resolve", "network", "Client.Resolve",
                            "the host name could not be resolved", AC_RETRY_TRANSPORT},
    [AC_FAILURE_CONNECT] = {"connect", "network", "Client.Connect", "no connection could be made",
                            AC_RETRY_TRANSPORT},
    [AC_FAILURE_PROXY] = {"proxy", "network", "Client.Proxy", "the proxy failed",
                          AC_RETRY_TRANSPORT},
    [AC_FAILURE_PROXY_REFUSED] = {"proxy_refused", "network", "Client.Proxy.Refused",
                                  "the proxy refused", AC_RETRY_NEVER},
    [AC_FAILURE_PROXY_TLS] = {"proxy_tls", "network", "Client.Proxy.TLS",
                              "no trusted TLS connection to the proxy could be made",
                              AC_RETRY_NEVER},
    [AC_FAILURE_SEND] = {"send", "network", "Client.Send", "sending broke off", AC_RETRY_TRANSPORT},
    [AC_FAILURE_RECEIVE] = {"receive", "network", "Client.Receive", "receiving broke off",
                            AC_RETRY_TRANSPORT},
    [AC_FAILURE_CLOSED] = {"closed", "network", "Client.Closed",
                           "the connection closed before a complete answer", AC_RETRY_TRANSPORT},
    [AC_FAILURE_TIMEOUT] = {"timeout", "timeout", "Client.Timeout", "no complete answer in time",
                            AC_RETRY_TRANSPORT},
    /* The deadline for sending has passed, such as the end of a lease. */
    [AC_FAILURE_TOO_LATE] = {"too_late", "timeout", "Client.TooLate",
                             "the time until which it might be sent is over", AC_RETRY_NEVER},
    [AC_FAILURE_MALFORMED] = {"malformed", "decode", "Client.Malformed", "the answer is not HTTP",
                              AC_RETRY_TRANSPORT},
    /* A retry does not make a failed verification succeed. */
    [AC_FAILURE_TLS] = {"tls", "tls", "Client.TLS", "no trusted TLS connection could be made",
                        AC_RETRY_NEVER},
    [AC_FAILURE_TLS_EXPIRED] = {"tls_expired", "tls", "Client.TLS.Expired",
                                "the certificate has expired", AC_RETRY_NEVER},
    [AC_FAILURE_TLS_NOT_YET_VALID] = {"tls_not_yet_valid", "tls", "Client.TLS.NotYetValid",
                                      "the certificate is not valid yet", AC_RETRY_NEVER},
    [AC_FAILURE_TLS_UNTRUSTED] = {"tls_untrusted", "tls", "Client.TLS.Untrusted",
                                  "nobody trusted vouches for the certificate", AC_RETRY_NEVER},
    [AC_FAILURE_TLS_WRONG_HOST] = {"tls_wrong_host", "tls", "Client.TLS.WrongHost",
                                   "the certificate is for another host", AC_RETRY_NEVER},
    [AC_FAILURE_TOO_LARGE] = {"too_large", "limit", "Client.TooLarge",
                              "the answer is larger than the limit", AC_RETRY_NEVER},
    [AC_FAILURE_REQUEST_TOO_LARGE] = {"request_too_large", "limit", "Client.RequestTooLarge",
                                      "the request is larger than the limit", AC_RETRY_NEVER},
    [AC_FAILURE_CANCELLED] = {"cancelled", "cancelled", "Client.Cancelled",
                              "the call was cancelled", AC_RETRY_NEVER},
    [AC_FAILURE_REFUSED] = {"refused", "cancelled", "Client.ObserveMode",
                            "observe mode refuses mutating calls", AC_RETRY_NEVER},
    [AC_FAILURE_OTHER] = {"other", "network", "Client.Transport", "the transport failed",
                          AC_RETRY_TRANSPORT},
};

const struct ac_failure_rule *ac_failure_rule(enum ac_failure failure)
{
    return &RULES[failure];
}

enum ac_failure ac_failure_named(struct ac_str name)
{
    int failure = AC_FAILURE_NONE;
    if (name.n == 0)
        return AC_FAILURE_NONE;
    while (++failure < AC_FAILURE_COUNT)
        if (ac_str_equal(name, ac_str_of(RULES[failure].name)))
            return (enum ac_failure)failure;
    return AC_FAILURE_OTHER;
}
