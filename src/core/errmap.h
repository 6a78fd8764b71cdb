/* Stage 5 of a call: one verdict over an exchange.
 *
 * The question at three in the morning is not "did it fail" but "can it have happened". So:
 *   accepted  a complete 2xx JSON object with a non-empty RequestId
 *   rejected  4xx with a JSON Code and RequestId, or throttling: it was not done
 *   not_sent  no byte of the request left
 *   unknown   everything else; each 5xx and each cut answer, well-formed or not
 * The documented codes are the table in errmap.c and nowhere else in C.
 */
#ifndef AC_ERRMAP_H
#define AC_ERRMAP_H

#include "response.h"

enum ac_outcome { AC_ACCEPTED, AC_NOT_SENT, AC_REJECTED, AC_UNKNOWN };

struct ac_error {
    enum ac_outcome outcome;
    enum ac_retry retry;
    const char *kind;   /* api http network tls timeout decode limit throttled cancelled */
    struct ac_str code; /* verbatim, or one of ours: "Client.…" */
    struct ac_buf message;
    const char *verdict; /* SignatureDoesNotMatch: whose fault; else NULL */
    double retry_after;  /* seconds, 0 for none */
};

/* What we signed, to compare with what the server says it expected. May be empty. */
struct ac_signed {
    struct ac_str string_to_sign;
    struct ac_str canonical_request;
};

enum ac_status ac_errmap(struct ac_error *error, const struct ac_response *response,
                         struct ac_signed signed_text);
void ac_errmap_free(struct ac_error *error);

const char *ac_errmap_outcome_name(enum ac_outcome outcome);
const char *ac_errmap_retry_name(enum ac_retry retry);

#endif
