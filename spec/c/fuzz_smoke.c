/* Throws mangled answers at what reads them: JSON, response, verdict, encodings.
 *
 * As a program: a seeded run over a small corpus, the same each time (`fuzz_smoke [RUNS] [SEED]`).
 * With -DFUZZER and clang's -fsanitize=fuzzer the same body is a target for a long run.
 */
#include "check.h"
#include "codec.h"
#include "errmap.h"

#include <stdlib.h>

static const char *const CORPUS[] = {
    "{\"RequestId\":\"C123F94F-4E38-19AE-942A-A8D6F44F0000\"}",
    "{\"Code\":\"OperationDenied.InvalidStatus\",\"Message\":\"m\",\"RequestId\":\"r\",\"HostId\":"
    "\"h\"}",
    "{\"a\":[1,-2.5e3,9007199254740993,18446744073709551616,0.1],\"b\":{\"c\":null,\"d\":true}}",
    "{\"RequestId\":\"r\",\"ReplicaGroups\":[{\"Status\":\"normal\",\"PairIds\":[\"a\",\"b\"],"
    "\"RPO\":900}]}",
    "{\"s\":\"\\u00e9\\ud83d\\ude00\\n\\\"\\\\\",\"deep\":[[[[[[[[[[]]]]]]]]]]}",
    "<?xml version=\"1.0\"?><Error><Code>Throttling</Code><Message>a &lt;b&gt;</Message>"
    "<RequestId>r</RequestId></Error>",
    "<html><body>504 Gateway Time-out</body></html>",
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "2024-02-29T23:59:59Z",
    "Limit:40,Remain:0,TimeLeft:812",
};
#define CORPUS_SIZE (sizeof CORPUS / sizeof CORPUS[0])

/* What our reader passes, cJSON must be able to read, or the two would judge one answer apart. */
static bool json_holds(struct ac_str text)
{
    struct ac_json json;
    bool ok = true;
    if (ac_json_check(&json, text, AC_JSON_LIMITS) == AC_OK)
        ok = ac_json_parse(&json, text) == AC_OK;
    ac_json_free(&json);
    return ok;
}

/* Nothing may be proven by an answer that does not prove it. */
static bool verdict_holds(struct ac_str body, int status, bool failed, bool sent)
{
    struct ac_response response = {.body = body, .status = status, .sent = sent};
    struct ac_error error;
    response.retry_after = response.ratelimit_user = response.date = body;
    if (failed)
        response.failure = AC_FAILURE_CLOSED;
    bool ok = ac_response_read(&response, AC_JSON_LIMITS) == AC_OK &&
              ac_errmap(&error, &response, (struct ac_signed){body, body}) == AC_OK;
    if (error.outcome == AC_ACCEPTED)
        ok = ok && !failed && status / 100 == 2 && response.shape == AC_SHAPE_JSON &&
             response.request_id.n > 0;
    if (error.outcome == AC_NOT_SENT)
        ok = ok && failed && !sent;
    if (error.outcome == AC_REJECTED)
        ok = ok && !failed && status / 100 == 4;
    ok = ok && ac_response_retry_after(&response) >= 0;
    ac_errmap_free(&error);
    ac_response_free(&response);
    return ok;
}

static bool codecs_hold(struct ac_str text)
{
    struct ac_buf encoded, decoded;
    char again[21];
    int64_t when;
    ac_buf_init(&encoded, text.n * 4 + 16);
    ac_buf_init(&decoded, text.n * 4 + 16);
    ac_codec_percent(&encoded, text);
    bool ok = ac_codec_percent_decode(&decoded, ac_buf_str(&encoded)) &&
              ac_str_equal(ac_buf_str(&decoded), text);
    ac_buf_reset(&decoded);
    ac_codec_percent_decode(&decoded, text);
    ac_buf_reset(&encoded);
    ac_codec_percent_path(&encoded, text);
    ac_buf_reset(&encoded);
    ac_codec_excerpt(&encoded, text, 120);
    for (size_t i = 0; i < encoded.n; i++)
        ok = ok && encoded.p[i] >= 0x20 && encoded.p[i] <= 0x7e;
    ac_codec_parse_http_date(text, &when);
    /* Second 60 is a leap second and becomes the next minute. */
    if (ac_codec_parse_iso8601(text, &when) && memcmp(text.p + 17, "60", 2) != 0)
        ok = ok && ac_codec_iso8601(again, when) && memcmp(again, text.p, 20) == 0;
    ac_buf_free(&encoded);
    ac_buf_free(&decoded);
    return ok;
}

static bool holds(const char *bytes, size_t n)
{
    static const int statuses[] = {200, 202, 204, 302, 400, 403, 429, 500, 504, 999};
    /* A copy of the exact size, followed by the NUL that callers promise, so that a sanitizer
     * sees every read beyond it. */
    char *copy = malloc(n + 1);
    if (!copy)
        return true;
    memcpy(copy, bytes, n);
    copy[n] = '\0';
    struct ac_str text = {copy, n};
    bool ok = json_holds(text) && codecs_hold(text);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        ok = ok && verdict_holds(text, statuses[i], false, true);
    ok = ok && verdict_holds(text, 200, true, true) && verdict_holds(text, 0, true, false);
    free(copy);
    return ok;
}

#ifdef FUZZER

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!holds((const char *)data, size))
        abort();
    return 0;
}

#else

/* xorshift64: the run must not depend on the C library. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t mangle(char *bytes, size_t n, size_t room, uint64_t *state)
{
    static const char spice[] = "{}[]\",:\\u0e-.tfn<>/&;%\0\x1b\x7f\xff";
    for (uint64_t edits = next_random(state) % 4; edits > 0; edits--) {
        size_t at = n ? next_random(state) % n : 0;
        char c = spice[next_random(state) % (sizeof spice - 1)];
        switch (next_random(state) % 4) {
        case 0:
            n = at;
            break;
        case 1:
            if (n)
                bytes[at] = c;
            break;
        case 2:
            if (n)
                memmove(bytes + at, bytes + at + 1, --n - at);
            break;
        default:
            if (n < room) {
                memmove(bytes + at + 1, bytes + at, n++ - at);
                bytes[at] = c;
            }
        }
    }
    return n;
}

/* One check for each thousand answers, or the count of all tests would be theirs. */
#define BATCH 1000ul

static bool batch_holds(uint64_t *state)
{
    char bytes[512];
    for (unsigned long run = 0; run < BATCH; run++) {
        const char *seed = CORPUS[next_random(state) % CORPUS_SIZE];
        size_t n = strlen(seed);
        memcpy(bytes, seed, n);
        n = mangle(bytes, n, sizeof bytes, state);
        if (!holds(bytes, n)) {
            fprintf(stderr, "does not hold: %.*s\n", (int)n, bytes);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    unsigned long runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 100 * BATCH;
    uint64_t state = argc > 2 ? strtoull(argv[2], NULL, 10) : 20240719;
    struct check tally = {0};
    for (unsigned long done = 0; done < runs; done += BATCH)
        CHECK(&tally, batch_holds(&state));
    return check_report(&tally, "fuzz smoke");
}

#endif
