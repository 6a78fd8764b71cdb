/* Stage 5 of a call: decides the outcome of an exchange.
 *
 * The outcome says whether the operation can have been carried out:
 *   accepted  a complete 2xx JSON object with a RequestId
 *   rejected  a 4xx with a Code and a RequestId of the service, which prove that it was not done
 *   not_sent  no byte of the request left
 *   unknown   everything else: each 5xx, and each response that was cut off
 * Only ac_errmap() decides it, by the table of rules in errmap.c. Throttling and header fields
 * affect the next attempt and never the outcome. In C, the documented error codes are in errmap.c
 * only.
 */
#ifndef AC_ERRMAP_H
#define AC_ERRMAP_H

#include "response.h"

enum ac_outcome { AC_ACCEPTED, AC_NOT_SENT, AC_REJECTED, AC_UNKNOWN };

struct ac_error {
    enum ac_outcome outcome;
    enum ac_retry retry;
    const char *kind;      /* api http network tls timeout decode limit throttled cancelled */
    struct ac_str code;    /* of the service, verbatim; or one of ours, "Client.…" */
    struct ac_buf message; /* cut if it is very long */
    const char *verdict;   /* for a wrong signature: whose fault it is; else NULL */
    double retry_after;    /* seconds that the server asks to wait, 0 if it does not */
};

/* Judges a response that ac_response_read() has filled in. If it was accepted, only the outcome is
 * set. AC_NOMEM is the only failure. */
enum ac_status ac_errmap(struct ac_error *error, const struct ac_response *response);
void ac_errmap_free(struct ac_error *error);

/* The names of outcomes and retries in Lua, by enum value. */
extern const char *const ac_errmap_outcomes[];
extern const char *const ac_errmap_retries[];

#endif
