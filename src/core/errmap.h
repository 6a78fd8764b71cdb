/* Stage 5 of a call: one verdict over an exchange.
 *
 * The question at three in the morning is not "did it fail" but "can it have happened". So:
 *   accepted  a complete 2xx JSON object with a RequestId
 *   rejected  a 4xx that proves it, with a Code and a RequestId of the service: it was not done
 *   not_sent  no byte of the request left
 *   unknown   everything else; each 5xx and each cut answer, well-formed or not
 * It is decided once, in ac_errmap(), by the table of rules in errmap.c; throttling and what
 * headers say is for the next attempt and never changes it. The documented codes are in errmap.c
 * as well, and nowhere else in C.
 */
#ifndef AC_ERRMAP_H
#define AC_ERRMAP_H

#include "response.h"

enum ac_outcome { AC_ACCEPTED, AC_NOT_SENT, AC_REJECTED, AC_UNKNOWN };

struct ac_error {
    enum ac_outcome outcome;
    enum ac_retry retry;
    const char *kind;      /* api http network tls timeout decode limit throttled cancelled */
    struct ac_str code;    /* verbatim, or one of ours: "Client.…" */
    struct ac_buf message; /* cut where it is very long */
    const char *verdict;   /* SignatureDoesNotMatch: whose fault; else NULL */
    double retry_after;    /* seconds, 0 for none */
};

/* Judges a response that ac_response_read() has filled in. Of an accepted one nothing but the
 * outcome is set. AC_NOMEM is the only failure. */
enum ac_status ac_errmap(struct ac_error *error, const struct ac_response *response);
void ac_errmap_free(struct ac_error *error);

/* The names of each in Lua. */
extern const char *const ac_errmap_outcomes[];
extern const char *const ac_errmap_retries[];

#endif
