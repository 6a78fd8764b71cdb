/* The floor of the benchmark: what a careful hand-written program costs that does nothing but the
 * job. It sends the same header fields as the client, signed over cached OpenSSL contexts, and
 * parses the answers with cJSON. It has no limits, retries, error mapping or checks of parameters.
 * The fields are Host, User-Agent, Accept, Authorization, x-acs-action, x-acs-content-sha256,
 * x-acs-date, x-acs-signature-nonce and x-acs-version, and Content-Length, which libcurl adds.
 */
#ifndef FLOOR_H
#define FLOOR_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#define FLOOR_ANSWER_MAX (256 * 1024)
#define FLOOR_KEY_ID "emulator"
#define FLOOR_SECRET "emulator-secret"

/* One request, and its easy handle, used again and again. */
struct floor_call {
    CURL *easy;
    struct curl_slist *headers;
    char *answer;
    size_t answer_bytes;
    int step; /* of a sequence */
};

/* Once, before anything else. */
void floor_init(void);

/* The hash in hex. */
void floor_hash(char text[65], const char *bytes, size_t n);

/* From the canonical request to the Authorization header line. */
void floor_authorize(char *authorization, size_t room, const char *canonical, size_t n,
                     const char *signed_headers);

/* A handle with the standing options. */
bool floor_open(struct floor_call *call);

/* Signs a request and hangs it on the handle; `base` is http://host:port. */
void floor_prepare(struct floor_call *call, const char *base, const char *action,
                   const char *query);

/* Whether the answer is a success; lets go of the request. */
bool floor_finish(struct floor_call *call, CURLcode code);

void floor_close(struct floor_call *call);

double floor_cpu_seconds(void);

/* The mode of floor_whole.c. */
bool floor_signatures(long count);

/* The modes of floor_multi.c. */
bool floor_flight(const char *base, long calls, int width);
bool floor_storm(const char *base, long sequences, int width);
bool floor_fan(const char *base, int width);

#endif
