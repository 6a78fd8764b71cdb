/* The stages of a call up to its signature, without Lua: what each promises in its header, under
 * valgrind. The stages after it are in answers_test.c. */
#include "codec.h"
#include "digest.h"
#include "header.h"
#include "request.h"
#include "sign.h"
#include "check.h"

#include <stdlib.h>

static bool buf_is(const struct ac_buf *buf, const char *expected)
{
    return ac_str_equal(ac_buf_str(buf), ac_str_of(expected)) && ac_buf_str(buf).p[buf->n] == '\0';
}

static void test_buf(struct check *t)
{
    struct ac_buf buf;
    ac_buf_init(&buf, 8);
    CHECK(t, buf_is(&buf, ""));
    ac_buf_add_text(&buf, "12345678");
    CHECK(t, buf.status == AC_OK && buf_is(&buf, "12345678"));
    ac_buf_add_char(&buf, '9');
    CHECK(t, buf.status == AC_LIMIT && buf.n <= 8);
    ac_buf_reset(&buf);
    CHECK(t, buf.status == AC_OK && buf.n == 0);
    ac_buf_add(&buf, "a\0b", 3);
    CHECK(t, buf.n == 3 && memcmp(buf.p, "a\0b", 4) == 0);

    /* After a failure nothing is added, so that a later short piece cannot hide a gap. */
    ac_buf_add_text(&buf, "too long for it");
    ac_buf_add_char(&buf, 'x');
    CHECK(t, buf.status == AC_LIMIT && buf.n == 3);

    ac_buf_reset(&buf);
    char *room = ac_buf_room(&buf, 4);
    CHECK(t, room != NULL && ac_buf_room(&buf, 9) == NULL);
    ac_buf_free(&buf);
    ac_buf_printf(&buf, "%d-%s", 42, "ab");
    CHECK(t, buf_is(&buf, "42-ab"));
    ac_buf_printf(&buf, "%s", "cdef");
    CHECK(t, buf.status == AC_LIMIT);
    ac_buf_free(&buf);
    ac_buf_free(&buf);
    CHECK(t, buf.p == NULL && buf.n == 0);

    ac_buf_init(&buf, (size_t)1 << 20);
    for (int i = 0; i < 100000; i++)
        ac_buf_add_char(&buf, (char)('a' + i % 26));
    CHECK(t, buf.n == 100000 && buf.p[99999] == 'a' + 99999 % 26);
    ac_buf_free(&buf);
}

/* Freed memory is nobody's to look at; alloc_sweep.c looks before it is freed. */
static void test_secret_buf(struct check *t)
{
    struct ac_buf buf;
    ac_buf_init(&buf, 4096);
    buf.secret = true;
    for (int i = 0; i < 2000; i++)
        ac_buf_add_char(&buf, (char)('a' + i % 26));
    CHECK(t, buf.n == 2000 && buf.p[1999] == 'a' + 1999 % 26);
    ac_buf_reset(&buf);
    size_t left = 0;
    for (size_t i = 0; i < 2000; i++)
        left += buf.p[i] != 0;
    CHECK(t, buf.secret && buf.n == 0 && left == 0);
    ac_buf_free(&buf);
    CHECK(t, buf.secret && buf.max == 4096 && buf.p == NULL);
}

static void test_codec(struct check *t)
{
    struct ac_buf out;
    ac_buf_init(&out, 1000);
    ac_codec_percent(&out, AC_STR("AZaz09-_.~ +*/%\0\xC3\xA9"));
    CHECK(t, buf_is(&out, "AZaz09-_.~%20%2B%2A%2F%25%00%C3%A9"));
    ac_buf_reset(&out);
    ac_codec_percent_path(&out, AC_STR("/a b/%7e%2f%C3"));
    CHECK(t, buf_is(&out, "/a%20b/~%2F%C3"));

    static const struct {
        const char *in;
        const char *out; /* NULL: refused */
    } decoded[] = {{"a%20b", "a b"}, {"%C3%a9", "\xC3\xA9"}, {"a+b", "a+b"}, {"", ""},
                   {"%", NULL},      {"%4", NULL},           {"%4g", NULL},  {"a%", NULL}};
    for (size_t i = 0; i < sizeof decoded / sizeof decoded[0]; i++) {
        ac_buf_reset(&out);
        bool ok = ac_codec_percent_decode(&out, ac_str_of(decoded[i].in));
        CHECK(t, ok == (decoded[i].out != NULL));
        CHECK(t, !ok || buf_is(&out, decoded[i].out));
    }

    /* RFC 4648 section 10. */
    static const char *const base64[][2] = {{"", ""},
                                            {"f", "Zg=="},
                                            {"fo", "Zm8="},
                                            {"foo", "Zm9v"},
                                            {"foob", "Zm9vYg=="},
                                            {"fooba", "Zm9vYmE="},
                                            {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof base64 / sizeof base64[0]; i++) {
        ac_buf_reset(&out);
        ac_codec_base64(&out, (const unsigned char *)base64[i][0], strlen(base64[i][0]));
        CHECK(t, buf_is(&out, base64[i][1]));
        ac_buf_reset(&out);
        CHECK(t, ac_codec_unbase64(&out, ac_str_of(base64[i][1])));
        CHECK(t, buf_is(&out, base64[i][0]));
    }
    static const char *const no_base64[] = {"Zg", "Z===", "Zh==", "Zm9-", "====", "Zg=a"};
    for (size_t i = 0; i < sizeof no_base64 / sizeof no_base64[0]; i++) {
        ac_buf_reset(&out);
        CHECK(t, !ac_codec_unbase64(&out, ac_str_of(no_base64[i])));
    }
    char hex[6];
    ac_codec_hex(hex, (const unsigned char *)"\x00\x7f\xff", 3);
    CHECK(t, memcmp(hex, "007fff", 6) == 0);

    /* Nothing that a terminal would obey gets through. */
    ac_buf_reset(&out);
    ac_codec_excerpt(&out, AC_STR("ok\x1b]0;\x07\xc2\x9b!"), 9);
    CHECK(t, buf_is(&out, "ok\\x1b]0;\\x07\\xc2\\x9b..."));
    ac_buf_free(&out);
}

static void test_dates(struct check *t)
{
    static const struct {
        const char *text;
        int64_t unix_seconds;
    } dates[] = {{"1970-01-01T00:00:00Z", 0},
                 {"2024-02-29T23:59:59Z", 1709251199},
                 {"2000-03-01T00:00:00Z", 951868800},
                 {"9999-12-31T23:59:59Z", 253402300799}};
    for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        char out[21];
        int64_t seconds = -1;
        CHECK(t, ac_codec_iso8601(out, dates[i].unix_seconds) && strcmp(out, dates[i].text) == 0);
        CHECK(t, ac_codec_parse_iso8601(ac_str_of(dates[i].text), &seconds) &&
                     seconds == dates[i].unix_seconds);
    }
    static const char *const bad[] = {"",
                                      "2024-02-30T00:00:00Z",
                                      "2023-02-29T00:00:00Z",
                                      "2024-13-01T00:00:00Z",
                                      "2024-01-01T24:00:00Z",
                                      "2024-01-01 00:00:00Z",
                                      "2024-01-01T00:00:00",
                                      "2024-01-01T00:00:00ZZ",
                                      "+024-01-01T00:00:00Z"};
    int64_t seconds;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(t, !ac_codec_parse_iso8601(ac_str_of(bad[i]), &seconds));
    char out[21];
    CHECK(t, !ac_codec_iso8601(out, 253402300800) && !ac_codec_iso8601(out, INT64_MAX));
    CHECK(t, !ac_codec_iso8601(out, INT64_MIN));

    CHECK(t, ac_codec_parse_http_date(AC_STR("Sun, 06 Nov 1994 08:49:37 GMT"), &seconds) &&
                 seconds == 784111777);
    CHECK(t, !ac_codec_parse_http_date(AC_STR("Sun, 06 Nov 1994 08:49:37 CET"), &seconds));
    CHECK(t, !ac_codec_parse_http_date(AC_STR("Sun, 31 Feb 1994 08:49:37 GMT"), &seconds));
    CHECK(t, !ac_codec_parse_http_date(AC_STR("yesterday"), &seconds));
}

static bool digest_is(const unsigned char *raw, enum ac_hash hash, const char *expected)
{
    char hex[2 * AC_HASH_MAX_BYTES];
    ac_codec_hex(hex, raw, ac_digest_size(hash));
    return ac_str_equal((struct ac_str){hex, 2 * ac_digest_size(hash)}, ac_str_of(expected));
}

static void test_digest(struct check *t)
{
    /* FIPS 180-4 and GM/T 0004 examples of "abc"; RFC 2202 and RFC 4231 case 2. */
    static const struct {
        enum ac_hash hash;
        const char *abc;
        const char *jefe; /* NULL: no published value */
    } known[] = {
        {AC_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d",
         "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
        {AC_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {AC_SM3, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0", NULL}};
    struct ac_digest digest = {0};
    unsigned char raw[AC_HASH_MAX_BYTES];
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            enum ac_hash hash = known[i].hash;
            CHECK(t, ac_digest_hash(&digest, hash, AC_STR("abc"), raw) == AC_OK);
            CHECK(t, digest_is(raw, hash, known[i].abc));
            CHECK(t, ac_digest_hmac(&digest, hash, AC_STR("Jefe"),
                                    AC_STR("what do ya want for nothing?"), raw) == AC_OK);
            CHECK(t, known[i].jefe == NULL || digest_is(raw, hash, known[i].jefe));
        }
    }
    CHECK(t,
          ac_digest_hmac(&digest, AC_SHA256, (struct ac_str){0}, (struct ac_str){0}, raw) == AC_OK);
    CHECK(t, digest_is(raw, AC_SHA256,
                       "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
    /* RFC 4231 case 6: a key that is longer than a block. */
    char key[131];
    memset(key, 0xaa, sizeof key);
    CHECK(t, ac_digest_hmac(&digest, AC_SHA256, (struct ac_str){key, sizeof key},
                            AC_STR("Test Using Larger Than Block-Size Key - Hash Key First"),
                            raw) == AC_OK);
    CHECK(t, digest_is(raw, AC_SHA256,
                       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
    ac_digest_free(&digest);
    ac_digest_free(&digest);

    CHECK(t, ac_digest_equal(AC_STR("same"), AC_STR("same")));
    CHECK(t, !ac_digest_equal(AC_STR("same"), AC_STR("samd")));
    CHECK(t, !ac_digest_equal(AC_STR("same"), AC_STR("sam")));
    CHECK(t, ac_digest_equal((struct ac_str){0}, (struct ac_str){0}));
}

static void test_header(struct check *t)
{
    struct ac_str block = AC_STR("A: 1\r\nno field\n\nb:\t2 \t\r\n:3\nC:");
    static const char *const fields[][2] = {{"A", "1"}, {"b", "2"}, {"", "3"}, {"C", ""}};
    struct ac_str name, value;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        CHECK(t, ac_header_next(&block, &name, &value));
        CHECK(t, ac_str_equal(name, ac_str_of(fields[i][0])));
        CHECK(t, ac_str_equal(value, ac_str_of(fields[i][1])));
    }
    CHECK(t, !ac_header_next(&block, &name, &value) && block.n == 0);
}

static void test_request(struct check *t)
{
    struct ac_pair v[] = {{AC_STR("I.2"), AC_STR("x y")},
                          {AC_STR("I.10"), AC_STR("")},
                          {AC_STR("i"), AC_STR("~*")},
                          {AC_STR("I"), AC_STR("b")},
                          {AC_STR("I"), AC_STR("a")}};
    struct ac_pairs pairs = {v, sizeof v / sizeof v[0]};
    struct ac_buf out;
    ac_buf_init(&out, 1000);
    ac_request_sort(pairs);
    ac_request_encode_pairs(&out, pairs);
    CHECK(t, buf_is(&out, "I=a&I=b&I.10=&I.2=x%20y&i=~%2A"));

    struct ac_pair header = {AC_STR("x-acs-trace"), AC_STR(" t ")};
    struct ac_request request = {.method = AC_STR("POST"),
                                 .scheme = AC_STR("https"),
                                 .host = AC_STR("api.example:8443"),
                                 .headers = {&header, 1}};
    ac_buf_reset(&out);
    CHECK(t, ac_request_url(&out, &request, (struct ac_pairs){v, 1}) == out.n - 3);
    CHECK(t, buf_is(&out, "https://api.example:8443/?I=a"));
    CHECK(t, ac_request_find(request.headers, AC_STR("x-acs-trace")) == &header);
    CHECK(t, ac_request_find(request.headers, AC_STR("x-acs-trac")) == NULL);
    ac_buf_free(&out);

    const char *why = NULL;
    CHECK(t, ac_request_prepare(&request, &why) == NULL);
    CHECK(t, ac_str_equal(header.value, AC_STR("t")));
    static const char *const hosts[] = {"",    "a/b", "user@a", "a\r\nb",
                                        "a b", "a?b", "a#b",    "a:1234567"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        request.host = ac_str_of(hosts[i]);
        const char *field = ac_request_prepare(&request, &why);
        CHECK(t, field && strcmp(field, "host") == 0 && why != NULL);
    }
    request.host = AC_STR("a");
    header.value = AC_STR("1\r\nX-B: 2");
    CHECK(t, ac_request_prepare(&request, &why) != NULL);
}

/* Many, in an order of no pattern. */
static void test_sort(struct check *t)
{
    struct ac_pair v[200];
    char names[200][4];
    for (unsigned i = 0; i < 200; i++) {
        snprintf(names[i], sizeof names[i], "%03u", i * 77 % 200);
        v[i] = (struct ac_pair){ac_str_of(names[i]), AC_STR("")};
    }
    ac_request_sort((struct ac_pairs){v, 200});
    for (size_t i = 1; i < 200; i++)
        CHECK(t, ac_str_compare(v[i - 1].name, v[i].name) < 0);
    ac_request_sort((struct ac_pairs){0});
}

/* The example that the vendor publishes for its V3 signature. */
static struct ac_sign *new_sign(enum ac_sign_algorithm algorithm, struct ac_digest *digest)
{
    static struct ac_pair query[] = {{{"RegionId", 8}, {"cn-shanghai", 11}},
                                     {{"ImageId", 7},
                                      {"win2019_1809_x64_dtc_zh-cn_40G_alibase_"
                                       "20230811.vhd",
                                       51}}};
    struct ac_sign *sign = ac_sign_new(digest);
    sign->algorithm = algorithm;
    sign->request.host = AC_STR("ecs.cn-shanghai.aliyuncs.com ");
    sign->request.query = (struct ac_pairs){query, 2};
    sign->request.action = AC_STR("\tRunInstances");
    sign->request.version = AC_STR("2014-05-26");
    sign->request.date = AC_STR("2023-10-26T10:22:32Z");
    sign->request.nonce = AC_STR(" 3156853299f313e23d1673dc12e1703d ");
    sign->credentials.access_key_id = AC_STR("YourAccessKeyId\n");
    sign->credentials.secret = AC_STR("YourAccessKeySecret");
    return sign;
}

static void test_sign(struct check *t)
{
    const char *why = NULL;
    struct ac_digest digest = {0};
    struct ac_sign *sign = new_sign(AC_SIGN_ACS3_SHA256, &digest);
    CHECK(t, ac_sign_prepare(sign, &why) == NULL);
    CHECK(t, ac_sign_all(sign) == AC_OK);
    CHECK(t, buf_is(&sign->string_to_sign,
                    "ACS3-HMAC-SHA256\n"
                    "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"));
    CHECK(t, ac_str_equal(sign->wire.signature,
                          AC_STR("06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee"
                                 "15083a6f0f3283c0")));
    ac_sign_free(sign);

    for (int algorithm = 0; algorithm < AC_SIGN_COUNT; algorithm++) {
        sign = new_sign((enum ac_sign_algorithm)algorithm, &digest);
        CHECK(t, ac_sign_prepare(sign, &why) == NULL && ac_sign_all(sign) == AC_OK);
        CHECK(t, sign->wire.signature.n > 0);
        const struct ac_pair *header = &sign->wire.headers.v[sign->wire.headers.n - 1];
        CHECK(t, strlen(header->name.p) == header->name.n + 2 + header->value.n);
        CHECK(t, strncmp(sign->wire.host.p, "ecs.cn-shanghai.aliyuncs.com", 29) == 0);
        CHECK(t, strlen(sign->wire.url.p) == sign->wire.url.n);
        CHECK(t, ac_str_find(ac_buf_str(&sign->url), sign->credentials.secret) == NULL);
        CHECK(t, ac_str_find(sign->wire.authorization, sign->credentials.secret) == NULL);
        sign->wire.release(&sign->wire);
    }
    ac_sign_free(NULL);
    ac_digest_free(&digest);
    CHECK(t, ac_sign_algorithm_name(AC_SIGN_COUNT) == NULL);
}

int main(void)
{
    struct check tally = {0};
    test_buf(&tally);
    test_secret_buf(&tally);
    test_codec(&tally);
    test_dates(&tally);
    test_digest(&tally);
    test_header(&tally);
    test_request(&tally);
    test_sort(&tally);
    test_sign(&tally);
    return check_report(&tally, "C stages");
}
